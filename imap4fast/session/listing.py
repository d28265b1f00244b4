"""Which mails a FETCH is about, as the server names them with their dynamic items, and what the client must hear
between them: VANISHED changes all numbers behind it, and nobody can say how (RFC 7162 section 3.2.10).

A server may spread the items of one mail over several responses (RFC 9051 section 7.5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from imap4fast.imap.fetchdata import string_of

if TYPE_CHECKING:
    from imap4fast.imap.fetch import Request
    from imap4fast.session.mailbox import Mailbox
    from imap4fast.session.mailwork import ProcessedMail, Refused
    from imap4fast.session.printing import Piece

MOST_ROWS = 500_000
"""Mails in one FETCH."""

MOST_LISTED = 64 << 20
"""Octets of their dynamic items."""

MOST_BETWEEN = 4 << 20
"""Octets of what is told between them."""

_COST = 100
"""Octets that a thing in a list takes besides its own."""

_OURS = (b"INTERNALDATE", b"FLAGS", b"RFC822.SIZE")
"""Items that the proxy asks for, whether the client does or not."""


class Stage(IntEnum):
    """How far the work on a mail is."""

    NEW = 0
    LOOKED_FOR = 1
    WANTED = 2
    COMING = 3
    PROCESSED = 4
    PRINTED = 5
    READY = 6


class Row:
    """One mail of a FETCH. Ready with neither pieces nor `refused`: it is gone, and left out."""

    __slots__ = (
        "date",
        "dynamic",
        "give_up",
        "header",
        "mail",
        "number",
        "pieces",
        "refused",
        "seen",
        "size",
        "stage",
        "uid",
    )

    def __init__(self, number: int, uid: int, dynamic: bytes = b"") -> None:
        self.number = number
        self.uid = uid
        self.dynamic = dynamic
        self.date = ""
        self.seen = False
        self.size = 0
        self.stage = Stage.NEW
        self.header: bytes | None = None
        """The server's, where headers alone are asked for."""
        self.mail: ProcessedMail
        self.pieces: Sequence[Piece] = ()
        self.refused: Refused | None = None
        self.give_up: Callable[[], object] | None = None

    def learn(self, values: dict[bytes, bytes]) -> None:
        """What the proxy itself wants to know of the mail, as far as the server says it."""
        if b"\\SEEN" in values.get(b"FLAGS", b"").upper():
            self.seen = True
        if b"INTERNALDATE" in values:
            self.date = (string_of(values[b"INTERNALDATE"]) or b"").decode("ascii", "replace")
        size = values.get(b"RFC822.SIZE", b"")
        if size.isdigit() and len(size) <= 19:
            self.size = int(size)


class Listing:
    """Of one FETCH; `uid`: it is UID FETCH."""

    __slots__ = (
        "_between_octets",
        "_box",
        "_moved",
        "_parts",
        "_request",
        "_uid",
        "between",
        "octets",
        "renumbered",
        "rows",
    )

    def __init__(self, box: Mailbox, request: Request, *, uid: bool) -> None:
        self._box = box
        self._request = request
        self._uid = uid
        self.rows: dict[int, Row] = {}
        """By UID, in the server's order."""
        self._parts: dict[int, dict[bytes, bytes]] = {}
        """What the server has said of mails, by their numbers, of which it must say more."""
        self._moved: dict[int, dict[bytes, bytes]] = {}
        """The same by UID, of mails that may have other numbers now."""
        self.between: list[tuple[int, list[bytes]]] = []
        """(row, responses that the client hears before it)"""
        self.renumbered = False
        """Whether there has ever been something between rows."""
        self.octets = self._between_octets = 0

    @property
    def full(self) -> bool:
        """Whether this is more than a mailbox has to tell."""
        return len(self.rows) >= MOST_ROWS or self.octets > MOST_LISTED or self._between_octets > MOST_BETWEEN

    def data(self, number: int, uid: int | None, items: Sequence[tuple[bytes, bytes]]) -> bool:
        """FETCH data without a mail in them; whether they are an answer to what was asked and to nothing else."""
        said = values = dict(items)
        if uid is not None and uid in self.rows:
            return self._more(self.rows[uid], values)
        before = self._parts.pop(number, {})
        if uid is not None:
            before = self._moved.pop(uid, before)
        known = _uid_of(before)
        if uid is None or known in (None, uid):
            values = {**before, **values}
        uid = uid or known
        unasked = bool(said.keys() - self._asked)
        whole = values.keys() >= set(self._request.items.dynamic) and (b"INTERNALDATE" in values or not unasked)
        if not uid or not whole:
            self._keep(number, values)
            return False
        row = self.rows[uid] = Row(self._box.shown(number), uid)
        row.dynamic = b" ".join(name + b" " + values[name] for name in values if self._shows(name))
        row.learn(values)
        self.octets += len(row.dynamic) + len(row.date)
        return not unasked

    @property
    def _asked(self) -> set[bytes]:
        """Items that an answer may have; with others it is, maybe besides, something that the client must hear."""
        request = self._request
        asked = {b"UID", b"INTERNALDATE", b"RFC822.SIZE", b"BODY[HEADER]", *request.items.dynamic}
        if request.items.seen:
            asked.add(b"FLAGS")
        if request.modifiers:
            asked.add(b"MODSEQ")
        return asked

    def _more(self, row: Row, values: dict[bytes, bytes]) -> bool:
        """More of a mail that is listed: a change of what the client has asked for, or what the proxy has."""
        own = values.keys() & set(_OURS) - set(self._request.items.dynamic)
        row.learn({name: values[name] for name in own})
        return bool(own) and values.keys() <= own | {b"UID"}

    def _keep(self, number: int, values: dict[bytes, bytes]) -> None:
        """Not all that was asked for: the rest may come."""
        kept = {name: value for name, value in values.items() if name in self._asked and name != b"BODY[HEADER]"}
        self._parts[number] = kept
        self.octets += _COST + sum(map(len, kept.values()))

    def _shows(self, name: bytes) -> bool:
        request = self._request
        return (
            name in request.items.dynamic
            or (name == b"UID" and self._uid)
            or (name == b"MODSEQ" and request.modifiers != b"")
        )

    # ---- what the client hears between the rows -----------------------------------------------------------------

    def forget_numbers(self) -> None:
        """The server's numbers are others from now on."""
        for values in self._parts.values():
            if (uid := _uid_of(values)) is not None:
                self._moved[uid] = values
        self._parts.clear()

    def put_between(self, lines: Sequence[bytes]) -> None:
        """Responses that the client is to hear behind all rows so far, before those that come."""
        self.renumbered = True
        at = len(self.rows)
        if not self.between or self.between[-1][0] != at:
            self.between.append((at, []))
        self.between[-1][1].extend(lines)
        self._between_octets += sum(_COST + len(line) for line in lines)

    def take_between(self, row: int) -> Sequence[bytes]:
        """Those that come before a row, and before all rows above it."""
        lines: list[bytes] = []
        while self.between and self.between[0][0] <= row:
            lines += self.between.pop(0)[1]
        return lines


def _uid_of(values: dict[bytes, bytes]) -> int | None:
    word = values.get(b"UID", b"")
    return int(word) if word.isdigit() and len(word) <= 10 else None
