"""What the loop knows of a file that the disk thread has open: what waits to be written, and what was read ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from imap4fast.errors import ServiceError


class OpenFile:
    """What the loop knows of an open file. The thread takes `chunks`, and sets `written` and `failure`. Of an object
    nothing is read from `ends_at` on: there is the index, which is no part of the mail.
    """

    __slots__ = (
        "ahead",
        "ahead_at",
        "ahead_ends",
        "chunks",
        "ends_at",
        "failure",
        "marks",
        "next",
        "pending",
        "queued",
        "written",
    )

    def __init__(self, ends_at: int | None = None) -> None:
        self.ends_at = ends_at
        self.chunks: deque[bytes] = deque()
        self.queued = False
        self.pending = 0
        self.written = 0
        self.failure: ServiceError | None = None
        self.marks: list[tuple[int, Callable[[], object]]] = []
        self.next = -1
        self.ahead = b""
        self.ahead_at = 0
        self.ahead_ends = False

    def take_due(self) -> list[Callable[[], object]]:
        """Who wanted to hear that so little is pending; each is told once."""
        due = [callback for mark, callback in self.marks if self.pending < mark]
        if due:
            self.marks = [wanted for wanted in self.marks if self.pending >= wanted[0]]
        return due

    def within(self, size: int, offset: int) -> int:
        """How many of so many octets may be read."""
        return size if self.ends_at is None else max(0, min(size, self.ends_at - offset))

    def read_ahead(self, octets: bytes, offset: int, ends: bool) -> None:
        """Octets that somebody will ask for; `ends`: nothing comes behind them."""
        self.ahead, self.ahead_at, self.ahead_ends = octets, offset, ends

    def ready(self, size: int, offset: int) -> bytes | None:
        """What was read ahead, where it has all of this."""
        start = offset - self.ahead_at
        end = start + size
        if not self.ahead or start < 0 or (end > len(self.ahead) and not self.ahead_ends):
            return None
        return self.ahead[start:end]
