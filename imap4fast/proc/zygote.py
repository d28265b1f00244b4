"""A zygote: one worker's mother of helpers. It forks one for each packet that comes, and tells of their deaths.

One a worker, not one a host: what a worker in hostile hands can reach makes that worker's mails alone, the end of one
takes no other's jobs along, and each has one socket to look after. The price is the pages in which it differs from the
nursery. It ends with its worker, whose end it sees at the socket, and no helper outlives it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable

from imap4fast.net.jobs import Barren, Born, Gone, Limits, Notice, Work, encode, rights
from imap4fast.proc import helper, kernel, sandbox
from imap4fast.proc.seccomp import Filter

MOST_HELPERS = 2048
"""No worker has more, whatever it asks for."""


def live(sock: int, work: Work, limits: Limits, proc: int, syscalls: Filter) -> None:
    """In a fresh process: forks helpers until the worker is gone. `sock` and `proc` are descriptors."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    sock, proc = sandbox.keep_only(sock, proc)
    zygote = os.getpid()

    def be_helper(orders: int) -> None:
        sandbox.end_with_parent(zygote)
        helper.live(orders, work, limits, proc, syscalls)

    sandbox.freeze()
    Zygote(socket.socket(fileno=sock), be_helper).run()


class Zygote:
    """Its loop. `be_helper` is what a child does, with its end of a socket pair as a descriptor."""

    def __init__(self, worker: socket.socket, be_helper: Callable[[int], None]) -> None:
        self._worker = worker
        self._be_helper = be_helper
        self._children: dict[int, int] = {}
        self._poll = select.poll()
        self._poll.register(worker, select.POLLIN)

    def run(self) -> None:
        """Until the worker is gone; then no helper is left."""
        try:
            while self._turn():
                pass
        except (BrokenPipeError, ConnectionError):  # gone in the midst of a notice
            pass
        for pidfd, pid in self._children.items():
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _turn(self) -> bool:
        for descriptor, _ in self._poll.poll():
            if descriptor in self._children:
                self._bury(descriptor)
            elif not self._worker.recv(16):
                return False
            else:
                self._bear()
        return True

    def _bear(self) -> None:
        if len(self._children) >= MOST_HELPERS:
            self._tell(Barren(f"there are {MOST_HELPERS} already"))
            return
        try:
            self._fork()
        except OSError as error:
            self._tell(Barren(str(error)))

    def _fork(self) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with mine, theirs:
            pid = sandbox.forked(lambda: self._be_helper(mine.detach()))
            pidfd = os.pidfd_open(pid)
            self._children[pidfd] = pid
            self._poll.register(pidfd, select.POLLIN)
            self._tell(Born(pid), theirs.fileno(), pidfd)

    def _bury(self, pidfd: int) -> None:
        self._poll.unregister(pidfd)
        os.close(pidfd)
        pid, status = os.waitpid(self._children.pop(pidfd), 0)
        self._tell(Gone(pid, status))

    def _tell(self, notice: Notice, *descriptors: int) -> None:
        self._worker.sendmsg([encode(notice)], rights(*descriptors) if descriptors else [])
