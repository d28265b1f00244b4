"""A logger: which entries are written at the level in force, and to which sink.

A logger that defers keeps entries as they came and makes the lines when it is flushed: many at once cost half of what
they cost one by one between other work. Each carries the moment at which it was written.
"""

from __future__ import annotations

from typing import Protocol

from imap4fast.log.entry import LEVELS, Entry, Form
from imap4fast.log.lines import Lines
from imap4fast.log.logs import LINES_LOST
from imap4fast.log.ring import Ring
from imap4fast.log.sinks import Sink

MOST_DEFERRED = 512
"""Entries kept before lines are made of them unasked."""

_STEPS = sorted(LEVELS.values())


class Write(Protocol):
    """Writes one entry. `track` is the session's number in this worker, 0 for the process itself; `severity` one of
    the entry's others, chosen by the situation. Never raises and never waits."""

    def __call__(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None: ...


class Logger:
    """One log: a format, a level, a sink, and perhaps a ring in memory with a level of its own."""

    __slots__ = ("_deferred", "_lines", "_mem_level", "_ring", "_sink", "gate", "level")

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
        self._deferred: list[tuple[Form, tuple[object, ...], int, float]] | None = (
            [] if defer and ring is None else None
        )
        self._lines = lines
        self._sink = sink
        self._ring = ring
        self._mem_level = mem_level
        self.set_level(level)
        sink.lost_line = self._lost_line
        sink.note = self.write

    def write(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None:
        """See Write."""
        form = entry.form if severity is None else entry.forms[severity]
        if form.level > self.gate:
            return
        deferred = self._deferred
        if deferred is not None:
            deferred.append((form, args, track, self._lines.clock()))
            if form.urgent:
                self.flush()
            elif len(deferred) >= MOST_DEFERRED:
                self._make_lines(deferred)
            return
        line = self._lines.line(form, args, track)
        if self._ring is not None:
            self._write_ring(self._ring, form, line)
        if form.level <= self.level:
            self._sink.put(line, form.priority)
            if form.urgent:
                self._sink.flush()

    def _make_lines(self, deferred: list[tuple[Form, tuple[object, ...], int, float]]) -> None:
        made = deferred.copy()
        deferred.clear()
        for form, args, track, moment in made:
            self._sink.put(self._lines.line(form, args, track, moment), form.priority)

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
        if self._deferred:
            self._make_lines(self._deferred)
        self._sink.flush()
        if self._ring is not None:
            self._ring.flush()

    def reopen(self) -> None:
        """SIGRTMIN+1: an outside rotation renamed the file."""
        self._sink.reopen()

    def after_fork(self, pid: int) -> None:
        """To be called first of all in a new process."""
        if self._deferred is not None:
            self._deferred.clear()
        self._lines.pid = pid
        self._sink.after_fork()
        if self._ring is not None:
            self._ring.after_fork()

    def close(self) -> None:
        """The last flush, then everything is closed."""
        if self._deferred:
            self._make_lines(self._deferred)
        self._sink.close()
        if self._ring is not None:
            self._ring.close()
