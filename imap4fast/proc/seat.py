"""A worker's place as the master sees it: its number, and who sits there just now.

    EMPTY -fork-> STARTING -Ready-> SERVING -death-> EMPTY ... -when all is to end-> ENDED

`counted` says that the seat's column of the counts may hold sessions of a process that is or was there.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from enum import Enum

from imap4fast.proc.control import Channel

OUT_AFTER_S = 1.0
"""Silence after which the worker gets no new connections and its queue goes to others."""
STUCK_AFTER_S = 60.0
"""Silence after which the worker is killed; as long may a start take."""
GUARD_DEATHS, GUARD_S = 5, 10.0
"""So many deaths within this time, and restarts are delayed: 1 s, doubled each time, at most DELAY_MAX_S."""
DELAY_MAX_S = 60.0


class State(Enum):
    """What is known of a seat."""

    EMPTY = "empty"
    STARTING = "starting"
    SERVING = "serving"
    ENDED = "ended"


class Seat:
    """One worker's place; `number` is its column, its index in every group, and its name in the log."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = State.EMPTY
        self.pid = 0
        self.pidfd = -1
        self.channel: Channel | None = None
        self.failure: tuple[str, str] | None = None
        self.sat_at = 0.0
        self.heard_at = 0.0
        self.restart_at = 0.0
        self.sessions = 0
        self.full = False
        self.unbound = False
        self.out = False
        self.counted = False
        self.served = False
        self.wants_zygote = False
        self.zygote_at = 0.0
        self._deaths: deque[float] = deque(maxlen=GUARD_DEATHS)
        self._delay_s = 0.0

    def sit(self, pid: int, channel: Channel, now: float) -> None:
        """A process was forked for this seat."""
        self.pid, self.channel = pid, channel
        self.pidfd = os.pidfd_open(pid)
        self.state = State.STARTING
        self.sat_at = now
        self.failure = None
        self.sessions, self.full, self.unbound, self.wants_zygote = 0, False, False, False
        self.counted = True

    def forget(self) -> None:
        """In a new worker: closes what the master holds of this seat."""
        if self.channel is not None:
            self.channel.close()
        if self.pidfd != -1:
            os.close(self.pidfd)

    def leave(self, now: float) -> int:
        """The process is dead: frees what it had; after how many seconds it may be replaced."""
        os.close(self.pidfd)
        self.pidfd = -1
        if self.channel is not None:
            self.channel.close()
        self.channel, self.pid, self.sessions = None, 0, 0
        self.state, self.unbound = State.EMPTY, True
        self.restart_at = now + self._delay(now)
        return round(self.restart_at - now)

    def _delay(self, now: float) -> float:
        """Nothing until too many deaths came too fast; then longer each time, until it lived long enough."""
        if self._deaths and now - self._deaths[-1] > max(GUARD_S, 2 * self._delay_s):
            self._deaths.clear()
            self._delay_s = 0.0
        self._deaths.append(now)
        if len(self._deaths) == GUARD_DEATHS and (self._delay_s or now - self._deaths[0] <= GUARD_S):
            self._delay_s = min(self._delay_s * 2 or 1.0, DELAY_MAX_S)
            return self._delay_s
        return 0.0

    def may_have_zygote(self, now: float) -> bool:
        """It has asked for one, and not just had another."""
        return self.wants_zygote and now >= self.zygote_at

    @property
    def living(self) -> bool:
        """There is a process."""
        return self.pid != 0

    def silent_s(self, now: float) -> float:
        """How long no worker that serves has been heard here; failing restarts do not shorten it."""
        return now - self.heard_at

    def stuck(self, now: float) -> bool:
        """The process neither serves nor ends."""
        return self.living and now - max(self.heard_at, self.sat_at) > STUCK_AFTER_S

    def takes(self, now: float) -> bool:
        """New connections are in good hands here."""
        return self.state is State.SERVING and not self.full and self.silent_s(now) < OUT_AFTER_S

    def why_out(self, now: float) -> str | None:
        """Why the master should take over the seat's queue; None: it need not."""
        if self.state is State.SERVING and self.full:
            return "no descriptors left"
        if self.silent_s(now) < OUT_AFTER_S:
            return None
        return "silent" if self.state is State.SERVING else "not back yet"

    def kill(self) -> None:
        """SIGKILL, to this process and no later one of the same number."""
        if self.pidfd != -1:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
