"""The nursery: the process that zygotes are forked from, one a host; and the master's hold on it.

It is forked before the master has read a key, made a thread or a table that is shared: what a helper's memory can hold
is the code, the settings of mail processing, and one mail. It makes the work ready (all modules in, caches warm), gives
up network and privileges, and then forks a zygote for each descriptor that the master passes to it. It takes in the
orphans of a zygote that was killed, and ends when the master and all zygotes are gone.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import msgspec

from imap4fast.errors import SetupError
from imap4fast.net.jobs import Limits, Work, received, rights, room_for
from imap4fast.proc import kernel, sandbox, zygote
from imap4fast.proc.privileges import Identity
from imap4fast.proc.seccomp import Filter

READY_S = 60.0
"""So long may it take to make the work ready before there is a service."""
END_S = 2.0
_WORD_BYTES = 8192
_SPROUT = b"+"


class Ready(msgspec.Struct, frozen=True):
    """To the master, once: `failed` why there is no nursery, or `lacks` what of its sandbox the machine refuses."""

    failed: str = ""
    lacks: str = ""


_decoder = msgspec.msgpack.Decoder(Ready)


def _nothing() -> None:
    pass


class Nursery:
    """The master's hold. Raises SetupError when the work cannot be made ready, or the sandbox not be had.

    `make_work` is called in the nursery, with all rights and paths of the master: what it returns must need no file any
    more, and import nothing. `forget` is called there before, to be rid of what the master has and helpers must not
    see. `lacks` is what the machine refused and can be done without.
    """

    def __init__(
        self,
        make_work: Callable[[], Work],
        who: Identity | None,
        limits: Limits,
        forget: Callable[[], None] = _nothing,
        ready_s: float = READY_S,
    ) -> None:
        self._begin(lambda sock: _live(sock, make_work, who, limits, forget), ready_s)

    def _begin(self, live: Callable[[int], None], ready_s: float) -> None:
        """A process that lives so, with its end of the socket."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock = mine
        with theirs:
            try:
                self.pid = sandbox.forked(lambda: live(theirs.detach()))
            except OSError as error:
                mine.close()
                raise SetupError("mail processing", error) from error
        try:
            self.lacks = self._hear(ready_s)
        except SetupError:
            self.end()
            raise

    def _hear(self, ready_s: float) -> str:
        ready, _, _ = select.select([self._sock], [], [], ready_s)
        data = self._sock.recv(_WORD_BYTES) if ready else b""
        if not data:
            raise SetupError("mail processing", "no answer" if not ready else "the nursery died at its start")
        said = _decoder.decode(data)
        if said.failed:
            raise SetupError("mail processing", said.failed)
        return said.lacks

    def fileno(self) -> int:
        """For a selector: readable when the nursery is dead."""
        return self._sock.fileno()

    def sprout(self) -> socket.socket:
        """A worker's end of the socket to a new zygote. Raises OSError when the nursery is dead."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._ask(theirs.fileno())
            except BaseException:
                mine.close()
                raise
        mine.setblocking(False)
        return mine

    def pass_on(self, descriptor: int) -> None:
        """A zygote for the other end of this socket, if the nursery is not dead."""
        with suppress(OSError):
            self._ask(descriptor)

    def _ask(self, descriptor: int) -> None:
        self._sock.sendmsg([_SPROUT], rights(descriptor))

    def forget(self) -> None:
        """In another process than the master: this one has no part in it."""
        self._sock.close()

    def end(self) -> None:
        """Lets it go, and waits until it has gone: when its zygotes have, which end with their workers."""
        self._sock.close()
        until = time.monotonic() + END_S
        with suppress(ChildProcessError):
            while not os.waitpid(self.pid, os.WNOHANG)[0]:
                if time.monotonic() > until:
                    os.kill(self.pid, signal.SIGKILL)
                time.sleep(0.002)


# In the nursery


def _live(
    sock: int, make_work: Callable[[], Work], who: Identity | None, limits: Limits, forget: Callable[[], None]
) -> None:
    sandbox.close_streams()
    sandbox.lose_fault_handler()
    sock, proc = sandbox.keep_only(sock, sandbox.open_proc())
    master = socket.socket(fileno=sock)
    try:
        forget()
        sandbox.leave_shared_memory()
        work, syscalls, lacks = _made_ready(make_work, who)
    except Exception as error:
        master.send(msgspec.msgpack.encode(Ready(failed=f"{type(error).__name__}: {error}"[: _WORD_BYTES // 4])))
        return
    master.send(msgspec.msgpack.encode(Ready(lacks=lacks)))
    _serve(master, lambda descriptor: zygote.live(descriptor, work, limits, proc, syscalls))


def _made_ready(make_work: Callable[[], Work], who: Identity | None) -> tuple[Work, Filter, str]:
    work = make_work()
    sandbox.load_codecs()
    sandbox.go_first()
    syscalls = Filter()
    lacks = sandbox.leave_network()
    sandbox.drop_privileges(who)
    os.nice(sandbox.NICENESS)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    sandbox.freeze()
    return work, syscalls, lacks


def _serve(master: socket.socket, be_zygote: Callable[[int], None]) -> None:
    signal.signal(signal.SIGCHLD, reap)
    while True:
        data, ancillary, _, _ = master.recvmsg(16, room_for(1), socket.MSG_CMSG_CLOEXEC)
        if not data:
            break
        for descriptor in received(ancillary):
            # Where it cannot be forked, the worker sees that its socket is closed, and asks again later.
            with suppress(OSError):
                sandbox.forked(lambda made=descriptor: be_zygote(made))  # type: ignore[misc]
            os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def reap(number: int, frame: FrameType | None) -> None:
    """Takes in what has died, orphans too: for SIGCHLD."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
