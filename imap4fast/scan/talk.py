"""One request to a scanner and its answer, without a socket: what each codec is, and what all share.

Whoever has the connection writes what `begin` and `give` return, hands over what comes by `receive`, and says by `end`
that the other end closed. Nothing here raises for what a scanner says. A codec keeps a bounded part of an answer,
whatever comes, and none of the mail.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import msgspec

from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, Scan

T = TypeVar("T")

MOST_NAME = 200
_UNSAFE = set("\"'<>&%`\\")
"""What means something in a log, in HTML, in a shell or in a template of ours."""


class Score(msgspec.Struct, frozen=True):
    """What an antispam engine said; `value` None: it gave no score, and `why`."""

    value: float | None
    why: str = ""


class Talk(ABC, Generic[T]):
    """One request on one connection.

    `wants` is how many octets of the mail it takes at this moment; it may grow with what comes. It is over when
    `done`: then `result` holds the answer, or `nonsense` what came instead of one, or `cut` says how the connection
    ended before there was one. `reusable`: another request may follow on the connection. `version` is what the answer
    told of engine and signatures. `half_closes`: after the last octet our side of the connection is to be closed.
    """

    half_closes = False

    wants: int = 0
    result: T | None = None
    nonsense: str | None = None
    cut: str | None = None
    reusable: bool = False
    version: str = ""

    @property
    def done(self) -> bool:
        return self.result is not None or self.nonsense is not None or self.cut is not None

    @abstractmethod
    def begin(self) -> list[bytes]:
        """What to write first. To be called once."""

    def give(self, octets: bytes) -> list[bytes]:
        """What to write for the next octets of the mail, never more than `wants` of them."""
        raise NotImplementedError

    @abstractmethod
    def receive(self, octets: bytes) -> None:
        """What the scanner said; any number of octets."""

    def end(self) -> None:
        """The scanner closed the connection."""
        if not self.done:
            self.cut = "closed before the answer was whole"

    def unwritten(self) -> None:
        """The answer came before all that was given was written: what the scanner has not seen is not free of
        anything, and nothing can follow on the connection.
        """
        self.reusable = False
        if isinstance(self.result, Scan) and self.result.status != FREE:
            return
        if self.result is not None:
            self.result = None
            self.nonsense = "answered before it had all"

    def _answer(self, result: T, *, reusable: bool = False) -> None:
        self.result = result
        self.reusable = reusable
        self.wants = 0

    def _reject(self, said: bytes) -> None:
        self.nonsense = plain(said)
        self.wants = 0


def plain(said: bytes) -> str:
    """Words of a scanner as text that is safe in logs, headers, templates and HTML (T-A07), and not too long."""
    text = said[: MOST_NAME * 2].decode("ascii", "replace").strip()
    return "".join("_" if not " " <= char <= "~" or char in _UNSAFE else char for char in text)[:MOST_NAME]


def found(name: bytes) -> Scan:
    """A virus of this name; an engine may know none."""
    return Scan(FOUND, plain(name) or "unnamed")


def free() -> Scan:
    return Scan(FREE)


def skipped(why: str) -> Scan:
    """The engine did not look at all of it."""
    return Scan(SKIPPED, why)


def failed(why: str) -> Scan:
    return Scan(ERROR, why)
