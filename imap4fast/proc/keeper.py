"""`singleproc`: who replaces a nursery that died, where the one process has keys and threads by then.

A process between the two, forked before there is a key: it has the nursery as a master has it, passes on what it is
asked for, and makes another nursery when that is due. It opens nothing, has no other descriptor than its socket, and
keeps the rights of the start, as a master does, since the work of another nursery is made ready with them.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable

import msgspec

from imap4fast.errors import SetupError
from imap4fast.net.jobs import Limits, Work, received, room_for
from imap4fast.proc import kernel, sandbox
from imap4fast.proc.nursery import READY_S, Nursery, Ready, reap
from imap4fast.proc.privileges import Identity

AGAIN_S = 1.0
"""So long after a nursery's death, or after one could not be made, is another one made."""


class Told(msgspec.Struct, frozen=True):
    """From the keeper, later: the PID of a nursery that died, or why another could not be made."""

    died: int = 0
    failed: str = ""


_decoder = msgspec.msgpack.Decoder(Told)


class KeptNursery(Nursery):
    """As Nursery, but its process is the keeper: `fileno` is readable when that has something to say."""

    def __init__(
        self, make_work: Callable[[], Work], who: Identity | None, limits: Limits, ready_s: float = READY_S
    ) -> None:
        self._begin(lambda sock: _keep(sock, lambda: Nursery(make_work, who, limits, ready_s=ready_s)), ready_s)

    def heard(self) -> Told | None:
        """What the keeper says; None: it is dead."""
        try:
            data = self._sock.recv(4096)
        except OSError:
            return None
        return _decoder.decode(data) if data else None


# In the keeper


def _keep(sock: int, make: Callable[[], Nursery]) -> None:
    sandbox.close_streams()
    sandbox.lose_fault_handler()
    (sock,) = sandbox.keep_only(sock)
    with socket.socket(fileno=sock) as master:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        signal.signal(signal.SIGCHLD, reap)  # orphans of a nursery that was killed come here
        try:
            made = make()
        except SetupError as error:
            master.send(msgspec.msgpack.encode(Ready(failed=str(error.why))))
            return
        master.send(msgspec.msgpack.encode(Ready(lacks=made.lacks)))
        Keeper(master, make, made).keep()


class Keeper:
    """Ends with its master, and takes the nursery along."""

    def __init__(self, master: socket.socket, make: Callable[[], Nursery], made: Nursery) -> None:
        self._master = master
        self._make = make
        self._made: Nursery | None = made
        self._again_at = 0.0

    def keep(self) -> None:
        """Returns when the master is dead, or wants no more."""
        try:
            while self._turn():
                pass
        finally:
            if self._made is not None:
                self._made.end()

    def _turn(self) -> bool:
        made = self._made
        if made is None and time.monotonic() >= self._again_at:
            self._replace()
            return True
        wait_s = None if made is not None else max(0.0, self._again_at - time.monotonic())
        watched: list[socket.socket | Nursery] = [self._master] if made is None else [self._master, made]
        ready, _, _ = select.select(watched, [], [], wait_s)
        if made is not None and made in ready:
            self._bury(made)
        return self._master not in ready or self._pass_on()

    def _pass_on(self) -> bool:
        """A worker's socket for a new zygote. Where there is no nursery it is closed: the worker asks again later."""
        data, ancillary, _, _ = self._master.recvmsg(16, room_for(1), socket.MSG_CMSG_CLOEXEC)
        for descriptor in received(ancillary):
            if self._made is not None:
                self._made.pass_on(descriptor)
            os.close(descriptor)
        return bool(data)

    def _bury(self, made: Nursery) -> None:
        made.end()
        self._made = None
        self._again_at = time.monotonic() + AGAIN_S
        self._tell(Told(died=made.pid))

    def _replace(self) -> None:
        self._again_at = time.monotonic() + AGAIN_S
        try:
            self._made = self._make()
        except SetupError as error:
            self._tell(Told(failed=str(error)))

    def _tell(self, told: Told) -> None:
        try:
            self._master.send(msgspec.msgpack.encode(told), socket.MSG_DONTWAIT)
        except OSError:  # it is dead, or does not listen: what is said is for the log alone
            return
