"""`breaker FAILURES SECONDS`: an engine that failed so often in a row is left alone for so long.

    closed --FAILURES failures in a row--> open --SECONDS--> half open --one probe--> closed, or open again

Knows no clock: times come in as seconds of any clock that does not go back.
"""

from __future__ import annotations

from enum import Enum


class Try(Enum):
    """What a request is for the breaker: one of many, or the probe of an engine that failed."""

    USUAL = 1
    PROBE = 2


class Breaker:
    """Whoever was given a Try must say what became of it: `succeeded`, `failed` or `abandoned`."""

    def __init__(self, failures: int, seconds: float) -> None:
        self.seconds = seconds
        self.in_a_row = 0
        self._failures = failures
        self._until: float | None = None
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether the engine counts as failed; also while a probe is under way."""
        return self._until is not None

    def begin(self, now: float) -> Try | None:
        """None: the engine is not to be asked. While open one caller at a time may, once the time is over."""
        if self._until is None:
            return Try.USUAL
        if now < self._until or self._probing:
            return None
        self._probing = True
        return Try.PROBE

    def succeeded(self) -> bool:
        """The engine answered. True: it was left alone before."""
        was_open = self.open
        self.in_a_row = 0
        self._until = None
        self._probing = False
        return was_open

    def failed(self, now: float, what: Try) -> bool:
        """The engine did not answer. True: from now on it is left alone, and was not before.

        A usual request that began before others failed may fail after them: that prolongs nothing.
        """
        self.in_a_row += 1
        if what is Try.PROBE:
            self._probing = False
            self._until = now + self.seconds
        elif self._until is None and 0 < self._failures <= self.in_a_row:
            self._until = now + self.seconds
            return True
        return False

    def abandoned(self, what: Try) -> None:
        """Nobody waits for it any more: it says nothing of the engine."""
        if what is Try.PROBE:
            self._probing = False
