"""Whether the host's table of counts has room for further addresses: the log hears of it when it has not."""

from __future__ import annotations

from imap4fast._wire import CountTable
from imap4fast.log.setup import Logs
from imap4fast.log.tcps import TABLE_FULL

QUIET_S = 60.0
"""For so long after a warning there is no other one."""


class Room:
    """Looks for the whole host; so one process only, the master, has one."""

    def __init__(self, counts: CountTable, logs: Logs) -> None:
        self._counts = counts
        self._logs = logs
        self._quiet_until = 0.0

    def look(self, now: float) -> None:
        """Warn where every place has sessions. To be called several times a second, with the monotonic time."""
        if now >= self._quiet_until and self._counts.full():
            self._quiet_until = now + QUIET_S
            self._logs.write(TABLE_FULL, self._counts.slots())
