"""Responses of the proxy's own with octets of a mail: sent as fast as the client takes them, never all in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imap4fast.session.printing import Piece, Range

if TYPE_CHECKING:
    from imap4fast._wire import Relay
    from imap4fast.session.mailwork import ProcessedMail

SLICE = 262144
"""Octets of a mail that are read and sent at once."""

AT_ONCE = 131072
"""Octets of a response that is sent whole."""


class Writer:
    """One response at a time."""

    __slots__ = ("_at", "_mail", "_pieces", "_reading", "_relay", "_then", "busy")

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.busy = False
        self._mail: ProcessedMail
        self._pieces: list[Piece] = []
        self._at = 0
        self._reading = False
        self._then: Callable[[bool], object]

    def write(self, pieces: Sequence[Piece], mail: ProcessedMail, then: Callable[[bool], object]) -> None:
        """Send octets and ranges of the mail; `then` hears whether all was sent, maybe at once. False: the response is
        cut off in its midst, and the session can only be ended.
        """
        whole = self._whole(pieces, mail)
        if whole is not None:
            self._relay.reply(whole)
            then(True)
            return
        self._mail = mail
        self._pieces = list(pieces)
        self._at = 0
        self._then = then
        self.busy = True
        self._relay.begin_saying()
        self.go_on()

    def _whole(self, pieces: Sequence[Piece], mail: ProcessedMail) -> bytes | None:
        """The response in one piece, where its octets are in memory and not many."""
        if self._relay.c_full or sum(piece.size for piece in pieces if isinstance(piece, Range)) > AT_ONCE:
            return None
        parts = []
        for piece in pieces:
            octets = mail.at_once(piece.offset, piece.size) if isinstance(piece, Range) else piece
            if octets is None:
                return None
            parts.append(octets)
        return b"".join(parts)

    def go_on(self) -> None:
        """Send until the client takes no more, something must be read, or the end."""
        while self.busy and not self._reading and not self._relay.c_full:
            if self._at == len(self._pieces):
                self._end(whole=True)
                return
            piece = self._pieces[self._at]
            if isinstance(piece, bytes):
                self._relay.say(piece)
                self._at += 1
                continue
            size = min(piece.size, SLICE)
            self._pieces[self._at] = Range(piece.offset + size, piece.size - size)
            if size == piece.size:
                self._at += 1
            octets = self._mail.at_once(piece.offset, size)
            if octets is not None:
                self._relay.say(octets)
                continue
            self._reading = True
            self._mail.read(piece.offset, size, lambda octets, size=size: self._take(octets, size))  # type: ignore[misc]

    def _take(self, octets: bytes | None, size: int) -> None:
        self._reading = False
        if not self.busy:
            return
        if octets is None or len(octets) != size:
            self._end(whole=False)
            return
        self._relay.say(octets)
        self.go_on()

    def _end(self, *, whole: bool) -> None:
        then = self._then
        self.drop()
        if whole:
            self._relay.end_saying()
        then(whole)

    def drop(self) -> None:
        """Let go of the response, and of who waits for its end: he holds this writer."""
        if self.busy:
            self.busy = False
            self._pieces = []
            del self._mail, self._then
