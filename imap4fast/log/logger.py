"""A logger: which entries are written at the level in force, and to which sink.

A logger that defers keeps entries as they came and makes the lines when it is flushed: many at once cost half of what
they cost one by one between other work. Each carries the moment at which it was written.
"""

from __future__ import annotations

from typing import Protocol

from imap4fast._wire import Waiting
from imap4fast.log.entry import LEVELS, Entry, Form
from imap4fast.log.lines import Lines
from imap4fast.log.logs import LINES_LOST
from imap4fast.log.ring import Ring
from imap4fast.log.sinks import Buffered, Sink

MOST_DEFERRED = 512
"""Entries kept before lines are made of them unasked."""

_STEPS = sorted(LEVELS.values())


class Write(Protocol):
    """Writes one entry. `track` is the session's number in this worker, 0 for the process itself; `severity` one of
    the entry's others, chosen by the situation. Never raises and never waits."""

    def __call__(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None: ...


class Logger:
    """One log: a format, a level, a sink, and perhaps a ring in memory with a level of its own.

    `defer` is for sinks that take lines without their priorities; with a ring there is no deferring, since the ring
    outlives a program that crashes.
    """

    __slots__ = ("_lines", "_mem_level", "_ring", "_sink", "_waiting", "gate", "level", "write")

    write: Write

    def __init__(
        self,
        lines: Lines,
        sink: Sink,
        level: int = 6,
        ring: Ring | None = None,
        mem_level: int | None = None,
        *,
        defer: bool = False,
    ) -> None:
        self._waiting: Waiting | None = None
        self._lines = lines
        self._sink = sink
        self._ring = ring
        self._mem_level = mem_level
        if defer and ring is None and isinstance(sink, Buffered):
            self._waiting = Waiting(lines.clock, self._make_lines, MOST_DEFERRED)
        self.write = self._write_now if self._waiting is None else self._waiting.write
        self.set_level(level)
        sink.lost_line = self._lost_line
        sink.note = self.write

    def _write_now(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None:
        """See Write."""
        form = entry.form if severity is None else entry.forms[severity]
        if form.level > self.gate:
            return
        line = self._lines.line(form, args, track)
        if self._ring is not None:
            self._write_ring(self._ring, form, line)
        if form.level <= self.level:
            self._sink.put(line, form.priority)
            if form.urgent:
                self._sink.flush()

    def _make_lines(self, urgent: bool) -> None:
        """Make lines of what waits; urgent ones are written at once."""
        if self._waiting is not None and isinstance(self._sink, Buffered):
            kept = self._waiting.take()
            if kept:
                self._sink.put_block(self._lines.block(kept))
            if urgent:
                self._sink.flush()

    def _write_ring(self, ring: Ring, form: Form, line: str) -> None:
        if form.level <= (self.level if self._mem_level is None else self._mem_level):
            ring.put(line)

    def _lost_line(self, count: int, why: str) -> str:
        return self._lines.line(LINES_LOST.form, (count, why), 0)

    def enabled(self, entry: Entry, severity: str | None = None) -> bool:
        """Whether the entry would be written anywhere: worth asking before costly arguments are made."""
        form = entry.form if severity is None else entry.forms[severity]
        return form.level <= self.gate

    def set_level(self, level: int) -> None:
        """The level in force, 3 to 9. A mem-level of its own is not touched."""
        self.level = level
        self.gate = level if self._ring is None or self._mem_level is None else max(level, self._mem_level)
        if self._waiting is not None:
            self._waiting.gate = self.gate

    def raise_level(self) -> int:
        """One word up (more is written), as SIGUSR1 asks; the new level."""
        self.set_level(next((step for step in _STEPS if step > self.level), _STEPS[-1]))
        return self.level

    def lower_level(self) -> int:
        """One word down, as SIGUSR2 asks; the new level."""
        self.set_level(next((step for step in reversed(_STEPS) if step < self.level), _STEPS[0]))
        return self.level

    def flush(self) -> None:
        """To be called from a timer, about once a second."""
        self._make_lines(False)
        self._sink.flush()
        if self._ring is not None:
            self._ring.flush()

    def reopen(self) -> None:
        """SIGRTMIN+1: an outside rotation renamed the file."""
        self._sink.reopen()

    def after_fork(self, pid: int) -> None:
        """To be called first of all in a new process."""
        if self._waiting is not None:
            self._waiting.take()
        self._lines.pid = pid
        self._sink.after_fork()
        if self._ring is not None:
            self._ring.after_fork()

    def close(self) -> None:
        """The last flush, then everything is closed."""
        self._make_lines(False)
        self._sink.close()
        if self._ring is not None:
            self._ring.close()
