"""From the items of `log-debug` and `log-stats` to open logs, one set a process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from imap4fast.log.entry import LEVELS, Entry
from imap4fast.log.lines import JsonLines, Lines, TextLines
from imap4fast.log.logger import Logger
from imap4fast.log.ring import Ring
from imap4fast.log.sinks import FileSink, Sink, StreamSink
from imap4fast.log.syslog import Datagrams, SyslogSink

DEFAULT_FACILITY = "LOCAL4"
_STDERR = 2


class LogItems(Protocol):
    """The items of one log section, as config.settings.LogSink has them."""

    @property
    def level(self) -> int: ...
    @property
    def file(self) -> str | None: ...
    @property
    def facility(self) -> str | None: ...
    @property
    def format(self) -> str: ...
    @property
    def mem_level(self) -> int | None: ...
    @property
    def mem_file(self) -> tuple[str, int] | None: ...
    @property
    def rotate(self) -> tuple[int, int] | None: ...
    @property
    def syslog_failure(self) -> str: ...
    @property
    def data_limit(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Around:
    """The arguments of open_logs that are the same for both logs."""

    app: str
    host: str
    pid: int
    clock: Callable[[], float]
    datagrams: Callable[[], Datagrams]
    stop: Callable[[str], None]
    nodaemon: bool
    owner: tuple[int, int] | None
    fallback_dir: str


class Logs:
    """The debug log and, where configured, the statistics log. `write` is as Write in logger.py says: every entry
    goes to the debug log, those of severity I also to the statistics log."""

    __slots__ = ("_debug", "_stats", "detailed", "full", "write")

    def __init__(self, debug: Logger, stats: Logger | None) -> None:
        self._debug = debug
        self._stats = stats
        self.write = debug.write if stats is None else self._write_both
        self.detailed = False
        """Whether entries of level debug are written: worth asking before costly arguments are made."""
        self.full = False
        """The same for level full: whether what flows is written."""
        self._look()

    def _look(self) -> None:
        self.detailed = self._debug.gate >= LEVELS["debug"]
        self.full = self._debug.gate >= LEVELS["full"]

    def _write_both(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None:
        self._debug.write(entry, *args, track=track, severity=severity)
        if self._stats is not None and (severity or entry.severity) == "I":
            self._stats.write(entry, *args, track=track, severity=severity)

    def enabled(self, entry: Entry, severity: str | None = None) -> bool:
        """Whether the entry would be written anywhere."""
        return self._debug.enabled(entry, severity)

    @property
    def level(self) -> int:
        """The level of the debug log."""
        return self._debug.level

    def set_level(self, level: int) -> None:
        """Sets the level of the debug log; the statistics log has no use for one."""
        self._debug.set_level(level)
        self._look()

    def raise_level(self) -> int:
        """One word up (SIGUSR1); the new level."""
        level = self._debug.raise_level()
        self._look()
        return level

    def lower_level(self) -> int:
        """One word down (SIGUSR2); the new level."""
        level = self._debug.lower_level()
        self._look()
        return level

    def _loggers(self) -> list[Logger]:
        return [self._debug] if self._stats is None else [self._debug, self._stats]

    def flush(self) -> None:
        """To be called from a timer, about once a second, and before a fork."""
        for logger in self._loggers():
            logger.flush()

    def reopen(self) -> None:
        """SIGRTMIN+1; the master first, so that new files get their owner."""
        for logger in self._loggers():
            logger.reopen()

    def after_fork(self, pid: int) -> None:
        """To be called first of all in a new process, which then writes beside its parent and rotates nothing."""
        for logger in self._loggers():
            logger.after_fork(pid)

    def close(self) -> None:
        """The last flush, then everything is closed."""
        for logger in self._loggers():
            logger.close()


def open_logs(
    debug: LogItems,
    stats: LogItems | None,
    app: str,
    host: str,
    pid: int,
    clock: Callable[[], float],
    datagrams: Callable[[], Datagrams],
    nodaemon: bool,
    *,
    stop: Callable[[str], None],
    owner: tuple[int, int] | None = None,
    fallback_dir: str = "/var/log",
) -> Logs:
    """Opens what the items ask for; OSError when a file cannot be opened.

    `clock` gives seconds since the epoch; `datagrams` makes a connected, non-blocking datagram socket to /dev/log.
    `stop` is called with the reason when `syslog-failure stop` says that the program must end. `owner` (uid, gid) gets
    files made here, so that workers may open them anew. `fallback_dir` holds the file for `syslog-failure file`.
    A statistics log with the same destination as the debug log is none: its lines are there already.
    """
    around = _Around(app, host, pid, clock, datagrams, stop, nodaemon, owner, fallback_dir)
    if stats is not None and _destination(stats, nodaemon) == _destination(debug, nodaemon):
        stats = None
    first = _open_logger(debug, "debug", around)
    if stats is None:
        return Logs(first, None)
    try:
        return Logs(first, _open_logger(stats, "stats", around))
    except OSError:
        first.close()
        raise


def _destination(items: LogItems, nodaemon: bool) -> tuple[str, str]:
    if items.file:
        return "file", os.path.abspath(items.file)
    if items.facility or not nodaemon:
        return "syslog", (items.facility or DEFAULT_FACILITY).upper()
    return "stream", "stderr"


def _open_logger(items: LogItems, kind: str, around: _Around) -> Logger:
    where, name = _destination(items, around.nodaemon)
    sink = _open_sink(items, where, name, kind, around)
    try:
        ring = Ring(*items.mem_file, around.owner) if items.mem_file else None
    except OSError:
        sink.close()
        raise
    lines = _lines(items, around, datagram=where == "syslog")
    return Logger(lines, sink, items.level, ring, items.mem_level, defer=where != "syslog")


def _lines(items: LogItems, around: _Around, *, datagram: bool) -> Lines:
    make = JsonLines if items.format == "json" else TextLines
    return make(around.app, around.host, around.pid, around.clock, items.data_limit, datagram=datagram)


def _open_sink(items: LogItems, where: str, name: str, kind: str, around: _Around) -> Sink:
    if where == "file":
        return FileSink(name, items.rotate, around.owner)
    if where == "stream":
        return StreamSink(_STDERR)
    instead = None
    if items.syslog_failure == "file":
        instead = FileSink(os.path.join(around.fallback_dir, f"{around.app}-{kind}.log"), items.rotate, around.owner)
    return SyslogSink(around.datagrams, name, items.syslog_failure, instead, around.stop)
