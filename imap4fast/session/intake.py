"""Whole mails from the server: `UID FETCH n (UID BODY.PEEK[])`, the only form in which content is ever asked for.

One at a time, so that a literal whose UID the server has not said yet belongs to the mail that was asked for; what the
server says of another UID is not used (T-R02), what it says twice is used once (T-R03).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from imap4fast.imap.fetchdata import SUNK, string_of
from imap4fast.session import answers
from imap4fast.session.mailwork import Mails, Receiver, Refused

if TYPE_CHECKING:
    from imap4fast.session.session import Session

WHOLE = (b"BODY[]", b"RFC822")
"""Names under which servers give a whole mail."""

Came = Callable[["Receiver | Refused | None"], object]
"""What became of a mail that was wanted: its octets, why they are not wanted, or None: the server did not give it."""


def _nobody(came: Receiver | Refused | None) -> None:
    """Nobody waits for a mail."""


class Intake:
    """Of one session."""

    __slots__ = ("_command", "_mails", "_receiver", "_refused", "_session", "_taken", "_then", "_uid")

    def __init__(self, session: Session, mails: Mails) -> None:
        self._session = session
        self._mails = mails
        self._command = 0
        self._uid = 0
        self._then: Came = _nobody
        self._receiver: Receiver | None = None
        self._refused: Refused | None = None
        self._taken = False

    @property
    def busy(self) -> bool:
        """Whether a mail is under way."""
        return self._command != 0

    def want(self, uid: int, then: Came) -> None:
        """Ask for a mail."""
        self._uid = uid
        self._then = then
        self._receiver = self._refused = None
        self._taken = False
        self._command = self._session.relay.ask_server(b"UID FETCH %d (UID BODY.PEEK[])" % uid)

    def literal(self, head: bytes) -> int:
        """A literal behind an item's name `head`: the mail, or something that nobody asked for."""
        relay = self._session.relay
        if not self.busy or self._taken or head not in WHOLE:
            return answers.DROP
        size = relay.literal_in
        self._taken = True
        if relay.max_mail_in and size > relay.max_mail_in:
            self._refused = too_large(self._session, size)
            return answers.DROP
        return answers.REPLACE if self._open(size) else answers.DROP

    def _open(self, size: int) -> bool:
        self._receiver = self._mails.receive(size, self._ready)
        if self._receiver is None:
            self._refused = Refused(b"LIMIT", "no room for the mail", full=True)
        return self._receiver is not None

    def _ready(self) -> None:
        """The disk has caught up."""
        if not self._session.over:
            self._session.relay.choke(False)

    def octets(self, octets: bytes) -> None:
        """Octets of the literal that was taken."""
        if self._receiver is not None and not self._receiver.write(octets):
            self._session.relay.choke(True)

    def data(self, uid: int | None, values: dict[bytes, bytes]) -> bool:
        """FETCH data; whether a whole mail is in them, which goes nowhere else."""
        value = next((values[name] for name in WHOLE if name in values), None)
        if value is None:
            return False
        if not self.busy:
            self._session.removed("FETCH", b"BODY[]")
            return True
        if uid != self._uid:
            if value == SUNK:
                self._forget()
                self._taken = False
            self._session.removed("FETCH", b"BODY[]")
        elif value != SUNK and not self._taken:
            octets = string_of(value)
            if octets is not None:
                self._taken = True
                if self._open(len(octets)):
                    self.octets(octets)
        return True

    def broken(self) -> None:
        """The unit that the octets came in is no FETCH data."""
        self._forget()

    def _forget(self) -> None:
        if self._receiver is not None:
            self._receiver.drop()
            self._receiver = None
            self._ready()  # nobody else says so of a file that is closed

    def answered(self, command: int) -> bool:
        """The tagged answer to a command of the proxy's own; whether it is the one for the mail."""
        if command != self._command:
            return False
        self._command = 0
        self._ready()  # what is still to be written waits in memory; the server says no more of it
        came: Receiver | Refused | None = self._refused or self._receiver
        if self._session.relay.status != 0 and self._refused is None:
            self._forget()
            came = None
        self._receiver = None
        then, self._then = self._then, _nobody  # who waits for a mail holds this intake
        then(came)
        return True

    def drop(self) -> None:
        """The session is over."""
        self._command = 0
        self._then = _nobody
        self._forget()


def too_large(session: Session, size: int) -> Refused:
    """A mail above max-mail-in: treated as denied."""
    session.limited("max-mail-in", session.relay.max_mail_in)
    return Refused(b"LIMIT", f"size: {size} octets", size=size)
