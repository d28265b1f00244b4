"""Nurseries and pools with work of the tests' own: what a hostile mail, or a bad parser, can make a helper do."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import mmap
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from imap4fast.log.entry import Entry
from imap4fast.mail.work import PASSED, LogLine, Order, Outcome
from imap4fast.net.jobs import MIB, Limits
from imap4fast.net.pool import Pool
from imap4fast.proc.eventloop import uvloop
from imap4fast.proc.nursery import Nursery
from imap4fast.proc.privileges import Identity

QUICK = Limits(cpu_s=1, wall_s=10, memory_bytes=32 * MIB, target_bytes=MIB, jobs=1000, queue_s=20)
"""Limits that tests do not wait long for."""
MAIL = b"Subject: x\r\n\r\nText.\r\n"


def order(job: str = "pass", size: int = len(MAIL), **more: Any) -> Order:
    """An order whose `job` is a name in `TRICKS`."""
    return Order(job, "download", "ALL", (), (), size, **more)


def passed(source: int, target: int) -> Outcome:
    """Copies the mail, as honest work does."""
    data = os.pread(source, 1 << 20, 0)
    os.pwrite(target, data, 0)
    return Outcome(PASSED, len(data))


def tells(target: int, text: object) -> Outcome:
    """An outcome that says something by the target's octets."""
    data = repr(text).encode()
    os.pwrite(target, data, 0)
    return Outcome(PASSED, len(data))


def errno_of(call: Callable[..., object], *args: object) -> str:
    """The name of the error, or what came instead of one."""
    try:
        return f"done: {call(*args)!r}"
    except OSError as error:
        return type(error).__name__ if error.errno is None else os.strerror(error.errno)
    except ValueError as error:
        return str(error)


def _segfault() -> None:
    ctypes.string_at(8)


def _loop() -> None:
    while True:
        pass


def _hog() -> bytes:
    kept = []
    while True:
        kept.append(b"x" * MIB)


def _share() -> None:
    mmap.mmap(-1, 64 * MIB)


def _forks() -> None:
    while True:
        os.fork()


def _speak(descriptor: int = 3) -> None:
    os.write(descriptor, b"\xc1 no answer")


def _huge(target: int) -> Outcome:
    return Outcome(PASSED, log=(LogLine("IMAP-760", ("x" * 200_000,)),))


def _wait(source: int) -> None:
    """Until somebody writes to the pipe that the source is."""
    os.read(source, 1)


def fresh(size: int) -> mmap.mmap:
    """So much memory that is in use, and was not before: what the heap has left over is no part of it."""
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, size, mmap.PAGESIZE):
        block[at] = 1
    return block


def _grow() -> None:
    globals().setdefault("_kept", []).append(fresh(4 * MIB))


def _fill(target: int) -> None:
    block = b"x" * MIB
    for at in range(64):
        os.pwrite(target, block, at * MIB)


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _execute() -> None:
    os.execv("/bin/true", ["true"])


TRICKS: dict[str, Callable[[Order, int, int], object]] = {
    "pass": lambda order, source, target: passed(source, target),
    "pid": lambda order, source, target: tells(target, os.getpid()),
    "crash": lambda order, source, target: _segfault(),
    "exit": lambda order, source, target: os._exit(7),
    "exit-well": lambda order, source, target: os._exit(0),
    "loop": lambda order, source, target: _loop(),
    "hog": lambda order, source, target: _hog(),
    "share": lambda order, source, target: _share(),
    "fork": lambda order, source, target: _forks(),
    "thread": lambda order, source, target: threading.Thread(target=_loop).start(),
    "execute": lambda order, source, target: _execute(),
    "spawn": lambda order, source, target: subprocess.run(["/bin/true"]),
    "socket": lambda order, source, target: socket.socket(),
    "kill": lambda order, source, target: os.kill(os.getppid(), signal.SIGKILL),
    "raise": lambda order, source, target: [][1],
    "system-exit": lambda order, source, target: exit(3),
    "nothing": lambda order, source, target: None,
    "huge": lambda order, source, target: _huge(target),
    "lie": lambda order, source, target: Outcome(PASSED, 1 << 40),
    "negative": lambda order, source, target: Outcome(PASSED, -5, 5),
    "odd": lambda order, source, target: Outcome("odd"),
    "speak": lambda order, source, target: _speak(),
    "close": lambda order, source, target: (os.close(3), _wait(source)),
    "wait": lambda order, source, target: (_wait(source), Outcome(PASSED))[1],
    "grow": lambda order, source, target: (_grow(), tells(target, os.getpid()))[1],
    "fill": lambda order, source, target: _fill(target),
    "full": lambda order, source, target: _full(),
}


def trick(order: Order, source: int, target: int) -> Outcome:
    """The work of these tests."""
    return TRICKS[order.job](order, source, target)  # type: ignore[return-value]


class Log:
    """What was logged, as `TCPS-751-E (args)`."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, entry: Entry, *args: object, track: int = 0, severity: str | None = None) -> None:
        self.lines.append(f"{entry.id} {args}")

    def ids(self) -> list[str]:
        return [line.split()[0] for line in self.lines]


@contextmanager
def nursery(
    work: Callable[[Order, int, int], Outcome] = trick, limits: Limits = QUICK, who: Identity | None = None
) -> Iterator[Nursery]:
    """One that has gone afterwards, with all that came from it."""
    made = Nursery(lambda: work, who, limits)
    try:
        yield made
    finally:
        made.end()


class Desk:
    """A pool, the files for its jobs, and its log; in a loop."""

    def __init__(self, made: Nursery, most: int, limits: Limits = QUICK, **more: Any) -> None:
        self.nursery = made
        self.log = Log()
        self.lost = 0
        self.source = os.memfd_create("source")
        os.write(self.source, MAIL)
        self.target = os.memfd_create("target")
        self.pool = Pool(made.sprout(), most, self.log.write, self._lost, limits, **more)

    def _lost(self) -> None:
        self.lost += 1
        self.pool.renew(self.nursery.sprout())

    async def run(
        self, job: str = "pass", owner: str = "me", size: int = len(MAIL), source: int | None = None, **more: Any
    ) -> Outcome:
        """One job; `more` goes into its order."""
        source = self.source if source is None else source
        return await self.pool.run(order(job, size, **more), source, self.target, owner)

    async def told(self, job: str = "pid", owner: str = "me") -> str:
        """What the job says by the target, in a target of its own."""
        target = os.memfd_create("told")
        try:
            outcome = await self.pool.run(order(job), self.source, target, owner)
            return os.pread(target, outcome.mail_size, 0).decode()
        finally:
            os.close(target)

    def helpers(self) -> list[psutil.Process]:
        """The helper processes."""
        return [psutil.Process(pid) for pid in self.pool._helpers]

    def zygotes(self) -> list[psutil.Process]:
        """The nursery's children."""
        return psutil.Process(self.nursery.pid).children()

    def close(self) -> None:
        self.pool.close()
        os.close(self.source)
        os.close(self.target)


class Held:
    """A job that runs until `go`, or the end of the `with`."""

    def __init__(self, desk: Desk, job: str = "wait", **more: Any) -> None:
        self._desk, self._job, self._more = desk, job, more

    async def __aenter__(self) -> Held:
        self._read, self._write = os.pipe()
        self.task = asyncio.ensure_future(self._desk.run(self._job, source=self._read, **self._more))
        await asyncio.sleep(0)
        await eventually(lambda: self._desk.pool.helpers and not self._desk.pool.waiting)
        return self

    def go(self) -> None:
        """Lets it finish."""
        os.write(self._write, b"x")

    async def __aexit__(self, *_: object) -> None:
        os.close(self._write)
        await asyncio.wait([self.task])
        os.close(self._read)


def play(made: Nursery, script: Callable[[Desk], Awaitable[None]], most: int = 1, **more: Any) -> Desk:
    """Runs the script with a desk; what it logged stays to be looked at."""

    async def run() -> Desk:
        desk = Desk(made, most, **more)
        try:
            await script(desk)
        finally:
            desk.close()
        return desk

    return uvloop.run(run())


async def eventually(look: Callable[[], object], wait_s: float = 5.0) -> None:
    """Returns as soon as it is true; AssertionError after `wait_s`."""
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_s
    while not look():
        assert loop.time() < until, f"not within {wait_s} s"
        await asyncio.sleep(0.01)


def lives(pid: int) -> bool:
    """There is such a process, and it is no zombie."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def descriptors() -> int:
    """Open descriptors of this process, but for those of objects that are garbage."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> set[int]:
    """The children of this process, zombies too: end-to-end tests before may have left servers to those behind them."""
    return {child.pid for child in psutil.Process().children()}


def replaced(limits: Limits, **changes: Any) -> Limits:
    """The limits but for these."""
    return msgspec.structs.replace(limits, **changes)
