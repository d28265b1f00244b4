"""The sink that hands lines to the system's log daemon, one datagram a line.

This tier opens no socket: a factory given from above makes the datagram socket, connected and non-blocking. A full
queue of the daemon is no failure: lines wait in memory and are tried again. A line too long for it is cut. When the
daemon is gone, `failure` says what happens: `ignore` (lines wait, then are dropped and counted; each flush tries to
connect anew), `file` (all lines go to a file from now on) or `stop` (the program is told to end).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from imap4fast.log.entry import SYSLOG_PRIORITIES
from imap4fast.log.logs import SYSLOG_FAILED
from imap4fast.log.sinks import FLUSH_BYTES, KEEP_BYTES, Note, Sink, reason

FACILITIES = {
    "KERN": 0,
    "USER": 1,
    "MAIL": 2,
    "DAEMON": 3,
    "AUTH": 4,
    "SYSLOG": 5,
    "LPR": 6,
    "NEWS": 7,
    "UUCP": 8,
    "CRON": 9,
    "AUTHPRIV": 10,
    "FTP": 11,
} | {f"LOCAL{number}": 16 + number for number in range(8)}

MOST_OCTETS = 32768
"""Of a line as a datagram: a kernel that finds one too long never takes it, and the lines behind it would wait."""


class Datagrams(Protocol):
    """What is needed of a connected, non-blocking datagram socket."""

    def send(self, data: bytes, /) -> int:
        """One datagram; BlockingIOError when the other side's queue is full, OSError when it is gone."""

    def close(self) -> None:
        """Ends its use."""


class SyslogSink:
    """Lines to a log daemon. `instead` makes the file for failure mode `file`, `stop` is told why for mode `stop`."""

    def __init__(
        self,
        connect: Callable[[], Datagrams],
        facility: str,
        failure: str,
        instead: Sink | None,
        stop: Callable[[str], None],
    ) -> None:
        self.lost_line: Callable[[int, str], str] = lambda count, why: ""
        self._note: Note = lambda entry, *args: None
        self._connect = connect
        self._facility = FACILITIES[facility.upper()] * 8
        self._failure = failure
        self._instead = instead
        self._stop = stop
        self._socket: Datagrams | None = None
        self._failed = False
        self._diverted = False
        self._queue: deque[bytes] = deque()
        self._kept = 0
        self._fresh = 0
        self._lost = 0
        self._why = ""

    @property
    def note(self) -> Note:
        """See Sink; the file that may stand in has the same one."""
        return self._note

    @note.setter
    def note(self, note: Note) -> None:
        self._note = note
        if self._instead:
            self._instead.note = note
            self._instead.lost_line = self.lost_line

    def put(self, line: str, priority: int) -> None:
        """See Sink."""
        if self._diverted and self._instead:
            self._instead.put(line, priority)
            return
        self._enqueue(line, priority)
        if self._fresh >= FLUSH_BYTES:
            self.flush()

    def _enqueue(self, line: str, priority: int) -> None:
        data = f"<{self._facility + priority}>{line[:-1]}".encode("utf-8", "backslashreplace")
        if len(data) > MOST_OCTETS:
            data = data[:MOST_OCTETS].decode("utf-8", "ignore").encode() + b"...+%d" % (len(data) - MOST_OCTETS)
        self._fresh += len(data)
        if self._lost or self._kept + len(data) > KEEP_BYTES:
            self._lost += 1
            return
        self._queue.append(data)
        self._kept += len(data)

    def flush(self) -> None:
        """See Sink."""
        self._fresh = 0
        if self._diverted and self._instead:
            self._instead.flush()
            return
        self._send_queue()
        if self._lost and not self._queue and not self._failed:
            line = self.lost_line(self._lost, self._why)
            self._lost = 0
            self._enqueue(line, SYSLOG_PRIORITIES["E"])
            self._send_queue()

    def _send_queue(self) -> None:
        try:
            while self._queue:
                if self._socket is None:
                    self._socket = self._connect()
                self._socket.send(self._queue[0])
                self._kept -= len(self._queue.popleft())
            self._failed = False
        except BlockingIOError as error:
            self._why = reason(error)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """The daemon is gone: reported once, until a line could be sent again."""
        self._why = reason(error)
        self._disconnect()
        if self._failed:
            return
        self._failed = True
        self._note(SYSLOG_FAILED, self._why, self._failure.upper())
        if self._failure == "stop":
            self._stop(f"syslog: {self._why}")
        elif self._failure == "file":
            self._divert()

    def _divert(self) -> None:
        """From now on the file has the lines, the ones that wait first."""
        if self._instead is None:
            return
        self._diverted = True
        while self._queue:
            self._instead.put(self._queue.popleft().partition(b">")[2].decode() + "\n", 0)
        self._kept = 0
        self._instead.flush()

    def _disconnect(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None

    def reopen(self) -> None:
        """Connects anew with the next line, or opens the file anew that stands in."""
        self.flush()
        self._disconnect()
        if self._instead:
            self._instead.reopen()

    def after_fork(self) -> None:
        """See Sink. The socket is shared: each datagram is whole."""
        self._queue.clear()
        self._kept = self._fresh = self._lost = 0
        if self._instead:
            self._instead.after_fork()

    def close(self) -> None:
        """See Sink."""
        self.flush()
        self._disconnect()
        if self._instead:
            self._instead.close()
