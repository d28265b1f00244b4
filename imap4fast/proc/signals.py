"""Signals of the master as something to read, and the names of what they ask for."""

from __future__ import annotations

import signal
import socket
from types import FrameType

RELOAD = int(signal.SIGRTMIN)
REOPEN = RELOAD + 1
AT_ONCE = frozenset(map(int, (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)))
OF_MASTER = AT_ONCE | {
    int(signal.SIGHUP),
    int(signal.SIGUSR1),
    int(signal.SIGUSR2),
    int(signal.SIGCHLD),
    RELOAD,
    REOPEN,
}
IGNORED_IN_WORKER = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""What a terminal sends to a whole group is the master's to judge."""


def name(number: int) -> str:
    """The usual name of a signal, SIGRTMIN+N for the nameless ones."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN+{number - RELOAD}"


def _noted(number: int, frame: FrameType | None) -> None:
    """The number itself comes through the wake-up descriptor."""


class Signals:
    """Catches `OF_MASTER`; readable when one has come. Use in the main thread, one at a time."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _noted) for number in OF_MASTER}

    def fileno(self) -> int:
        """For a selector."""
        return self._read.fileno()

    def take(self) -> list[int]:
        """The signals that have come since the last call, in order."""
        try:
            return list(self._read.recv(4096))
        except BlockingIOError:
            return []

    def forget(self) -> None:
        """In a new worker, after `reset_in_worker`: closes the inherited descriptors."""
        self._read.close()
        self._write.close()

    def close(self) -> None:
        """Gives all signals back to what they were."""
        for number, before in self._before.items():
            signal.signal(number, before)
        signal.set_wakeup_fd(self._wakeup_before)
        self._read.close()
        self._write.close()


def block_all() -> set[int]:
    """Blocks every signal around a fork: one that came between would be written to the master's descriptor."""
    return {int(number) for number in signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())}


def restore(mask: set[int]) -> None:
    """Undoes `block_all`."""
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def reset_in_worker() -> None:
    """In a new worker: nothing of the master's."""
    signal.set_wakeup_fd(-1)
    for number in OF_MASTER:
        signal.signal(number, signal.SIG_DFL)
    for number in IGNORED_IN_WORKER:
        signal.signal(number, signal.SIG_IGN)
