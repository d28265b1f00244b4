"""What a session wants done with mails, and what it gets: `net/mailroom.py` does it, `tests/play` plays it.

Nothing here waits: what takes time is answered by a call, from the loop, later or at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from imap4fast.mail.spoolkey import Origin
from imap4fast.mail.work import LogLine

if TYPE_CHECKING:
    from imap4fast._wire import MailIndex


Span = tuple[int, int] | None
"""(first, most) octets of which a request is; None: all."""


class Decoded(NamedTuple):
    """The octets of a span, and how many there are in all."""

    octets: bytes
    size: int


def decoded(octets: bytes, span: Span) -> Decoded:
    """A span of octets that are at hand."""
    return Decoded(octets if span is None else octets[span[0] : span[0] + span[1]], len(octets))


class ProcessedMail(Protocol):
    """A mail as the client may see it: every item that it asks for comes from here."""

    index: MailIndex
    size: int

    def at_once(self, offset: int, size: int) -> bytes | None:
        """Octets that are in memory, None where they are not."""

    def read(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        """Octets of the mail; None: they cannot be had."""

    def decoded(self, part: int, span: Span, then: Callable[[Decoded | None], object]) -> None:
        """The octets of a leaf after transfer decoding; None: they cannot be had."""

    def binary(self, offset: int, size: int, span: Span, then: Callable[[Decoded | None], object]) -> None:
        """Octets of the mail with all leaves in them decoded; None: they cannot be had."""


class Refused(msgspec.Struct, frozen=True):
    """Nothing of the mail is to be shown or sent on. `code` is the response code of the NO, `reason` is for the log.
    `full`: it is not about the mail, there is no room for it now (T-L08). `size` is the mail's where that is why.
    """

    code: bytes
    reason: str
    full: bool = False
    size: int = 0


class Receiver(Protocol):
    """Where the octets of a mail go as they come."""

    def write(self, octets: bytes) -> bool:
        """False: no more for now; `ready` is called when it is time for more."""

    def drop(self) -> None:
        """They are not wanted any more."""


class Work(msgspec.Struct, frozen=True):
    """What is to be done with a mail whose octets are complete.

    `origin` is what its processed form is kept under, None where it may not outlive the session. `refused` is why it is
    to be denied whatever is in it, empty where it is to be judged; then there are no octets, and `size` is what the
    server said of them, 0 where it did not.
    """

    direction: str
    origin: Origin | None = None
    date: str = ""
    refused: str = ""
    size: int = 0


Done = Callable[["ProcessedMail | Refused", tuple[LogLine, ...]], object]


class Mails(Protocol):
    """The part of a worker that mails pass through, as one session sees it."""

    def prefix(self) -> bytes:
        """The prefix of a session's own tags, which nobody can foretell."""

    def origin(self, mailbox: bytes, uidvalidity: int, uid: int) -> Origin | None:
        """What the processed form of a mail of this session's account is kept under; None: it is not kept."""

    def find(self, origin: Origin, then: Callable[[ProcessedMail | Refused | None], object]) -> None:
        """The processed form, where it is kept; or that it was refused."""

    def forget_mailbox(self, mailbox: bytes) -> None:
        """A mailbox of this account has gone, or has another name: nothing that was kept of it is wanted any more."""

    def header(self, octets: bytes, size: int) -> ProcessedMail | None:
        """A mail of which the header alone is known, rewritten as headers are; `size` is the server's word for the
        whole of it. None: such a header is not shown as it is.
        """

    def receive(self, size: int, ready: Callable[[], object]) -> Receiver | None:
        """Room for a mail of so many octets; None: there is none."""

    def process(self, receiver: Receiver | None, work: Work, then: Done) -> Callable[[], object]:
        """Judge and process a mail whose octets are all there. What it returns, called, gives the work up."""
