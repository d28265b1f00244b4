"""A helper process as its worker sees it."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

from imap4fast.net.jobqueue import Job


class Helper:
    """One that lives, or whose end has not been told yet.

    `job` is what it does now, `since` a time and `until` another, at which it is killed. `leaving`: it gets no more
    jobs. `why`: what it was killed for; `over`: that was a limit.
    """

    __slots__ = ("job", "leaving", "over", "pid", "pidfd", "since", "sock", "until", "why")

    def __init__(self, pid: int, sock: socket.socket, pidfd: int) -> None:
        self.pid = pid
        self.sock = sock
        self.pidfd = pidfd
        self.job: Job | None = None
        self.since = 0.0
        self.until = 0.0
        self.leaving = False
        self.over = False
        self.why = ""

    def kill(self, why: str) -> None:
        """SIGKILL; its zygote will tell of its death."""
        self.why = self.why or why
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Gives the descriptors back."""
        self.sock.close()
        os.close(self.pidfd)


def cause_of_death(exit_code: int) -> str:
    """In words, from what waitpid says."""
    if exit_code == -signal.SIGXCPU:
        return "over its processor time"
    if exit_code == -signal.SIGSYS:
        return "a system call that no helper makes"
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit status {exit_code}"
