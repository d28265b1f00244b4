"""Where mails are processed on a stage: in memory, by a rule that a test can see, at once or when it says so.

A mail with VIRUS in it is replaced by another one, one with REFUSE is refused; all else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from imap4fast._wire import MailIndex, decode_transfer
from imap4fast.mail import binary
from imap4fast.mail.spoolkey import Origin
from imap4fast.session.mailwork import Decoded, Done, ProcessedMail, Receiver, Refused, Span, Work, decoded

PREFIX = b"own-"
REPLACEMENT = b"Subject: replaced\r\n\r\nThis mail was infected.\r\n"
TOO_LARGE = b"Subject: too large\r\n\r\nThis mail was too large.\r\n"


class Kept:
    """A processed mail. `slow`: nothing of it is in memory, readers wait for `Post.turn`."""

    def __init__(self, octets: bytes, post: Post) -> None:
        self.octets = octets
        self.index = MailIndex.scan(octets)
        self.size = len(octets)
        self._post = post

    def at_once(self, offset: int, size: int) -> bytes | None:
        return None if self._post.slow else self.octets[offset : offset + size]

    def read(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        self._post.later(lambda: then(self.octets[offset : offset + size]))

    def decoded(self, part: int, span: Span, then: Callable[[Decoded | None], object]) -> None:
        found = self.index.part(part)
        body = self.octets[found.body : found.body + found.body_size]
        octets = decode_transfer(body, found.transfer)
        self._post.later(lambda: then(None if octets is None else decoded(octets, span)))

    def binary(self, offset: int, size: int, span: Span, then: Callable[[Decoded | None], object]) -> None:
        octets = self.octets[offset : offset + size]
        self._post.later(lambda: then(decoded(binary.decoded(octets, self.index, offset), span)))


class Box:
    """Octets as they come."""

    def __init__(self, post: Post) -> None:
        self.octets = b""
        self.dropped = False
        self._post = post

    def write(self, octets: bytes) -> bool:
        self.octets += octets
        return not self._post.choking

    def drop(self) -> None:
        self.dropped = True


class Post:
    """`slow`: what is asked for comes at the next `turn`. `choking`: no receiver takes more than one chunk at a time.
    `full`: there is no room for a mail; `filled`: there was, but no more when its octets came.
    """

    def __init__(self) -> None:
        self.slow = False
        self.choking = False
        self.full = False
        self.filled = False
        self.store: dict[Origin, Kept] = {}
        self.received: list[Box] = []
        self.worked: list[Work] = []
        self.given_up = 0
        self.ready: list[Callable[[], object]] = []
        self._waiting: list[Callable[[], object]] = []

    def later(self, call: Callable[[], object]) -> None:
        if self.slow:
            self._waiting.append(call)
        else:
            call()

    def turn(self) -> int:
        """One turn of the loop: what waited is answered. How much that was."""
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()
        return len(waiting)

    def settle(self) -> None:
        while self.turn():
            pass

    def prefix(self) -> bytes:
        return PREFIX

    def origin(self, mailbox: bytes, uidvalidity: int, uid: int) -> Origin | None:
        return Origin(b"jana", b"server", mailbox, uidvalidity, uid, b"policy")

    def find(self, origin: Origin, then: Callable[[ProcessedMail | Refused | None], object]) -> None:
        self.later(lambda: then(self.store.get(origin)))

    def forget_mailbox(self, mailbox: bytes) -> None:
        for origin in [origin for origin in self.store if origin.mailbox == mailbox]:
            del self.store[origin]

    def header(self, octets: bytes, size: int) -> ProcessedMail | None:
        if b"REFUSE" in octets:
            return None
        kept = Kept(octets.replace(b"VIRUS", b"clean"), self)
        kept.size = size
        return kept

    def receive(self, size: int, ready: Callable[[], object]) -> Receiver | None:
        if self.full:
            return None
        box = Box(self)
        self.received.append(box)
        self.ready.append(ready)
        return box

    def process(self, receiver: Receiver | None, work: Work, then: Done) -> Callable[[], object]:
        self.worked.append(work)
        assert receiver is None or isinstance(receiver, Box)
        gone = False

        def give_up() -> None:
            nonlocal gone
            gone = True
            self.given_up += 1

        def done() -> None:
            if not gone:
                then(self._processed(receiver, work), ())

        self.later(done)
        return give_up

    def _processed(self, receiver: Box | None, work: Work) -> Kept | Refused:
        if self.filled:
            return Refused(b"LIMIT", "spool: spool-max is reached", full=True)
        if work.refused or receiver is None:
            return Kept(TOO_LARGE, self)
        if b"REFUSE" in receiver.octets:
            return Refused(b"CANNOT", "refused")
        octets = receiver.octets
        if b"VIRUS" in octets:
            if work.direction == "upload":
                return Refused(b"CANNOT", "infected")
            octets = REPLACEMENT
        kept = Kept(octets, self)
        if work.origin is not None:
            self.store[work.origin] = kept
        return kept
