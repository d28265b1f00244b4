"""The filter of system calls, each tried in a process of its own: what works, what is refused, and what ends it."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import pytest

from imap4fast.errors import SetupError
from imap4fast.proc import sandbox, seccomp
from imap4fast.proc.seccomp import ALLOWED, DEADLY, Filter
from tests.unit.proc.nurseries import errno_of

LIBC = ctypes.CDLL(None, use_errno=True)
SECCOMP = seccomp._loaded()
DENIED = "Operation not permitted"


def under_filter(call: Callable[[], object], prepared: Callable[[], object] = lambda: None) -> str:
    """What came of it: `done: RESULT`, an errno's text, or the signal that ended the process."""
    read, write = os.pipe()

    def child() -> None:
        sandbox.lose_fault_handler()
        prepared()
        Filter().load()
        os.write(write, errno_of(call).encode())

    pid = sandbox.forked(child)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return text if code == 0 else signal.Signals(-code).name


def number(name: str) -> int:
    return int(SECCOMP.seccomp_syscall_resolve_name(name.encode()))


def raw(name: str, *arguments: int) -> Callable[[], int]:
    """A system call without the library in between."""

    def call() -> int:
        result = int(LIBC.syscall(number(name), *map(ctypes.c_long, arguments)))
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    return call


@pytest.mark.parametrize("name", [name for name in DEADLY if number(name) >= 0])
def test_calls_that_nobody_makes_by_the_way_end_the_process(name: str) -> None:
    assert under_filter(raw(name)) == "SIGSYS"


def test_the_deadly_ones_are_calls_of_this_machine() -> None:
    assert [name for name in DEADLY if number(name) < 0] == []
    assert not set(DEADLY) & set(ALLOWED)


PATHS = {
    "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "open for writing": lambda: os.open("/tmp/pool-x", os.O_WRONLY | os.O_CREAT),
    "open anew by /proc": lambda: os.open("/proc/self/fd/0", os.O_RDWR),
    "unnamed file": lambda: os.open("/tmp", os.O_TMPFILE | os.O_RDWR),
    "memory file": lambda: os.memfd_create("x"),
    "link": lambda: os.link("/tmp/pool-x", "/tmp/pool-y"),
    "symlink": lambda: os.symlink("/tmp/pool-x", "/tmp/pool-y"),
    "unlink": lambda: os.unlink("/tmp/pool-x"),
    "rename": lambda: os.rename("/tmp/pool-x", "/tmp/pool-y"),
    "mkdir": lambda: os.mkdir("/tmp/pool-x"),
    "rmdir": lambda: os.rmdir("/tmp/pool-x"),
    "mknod": lambda: os.mknod("/tmp/pool-x"),
    "truncate": lambda: os.truncate("/tmp/pool-x", 0),
    "chmod": lambda: os.chmod("/tmp", 0o777),
    "fchmod": lambda: os.chmod(0, 0o777),
    "chown": lambda: os.chown("/tmp", 0, 0),
    "utime": lambda: os.utime("/tmp"),
    "xattr": lambda: os.setxattr("/tmp", "user.x", b"x"),
    "list": lambda: os.listdir("/"),
    "stat": lambda: os.stat("/etc/hostname"),
    "readlink": lambda: os.readlink("/proc/self/exe"),
    "chdir": lambda: os.chdir("/"),
    "access": lambda: os.access("/", os.R_OK) or raw("access")(),
}
OTHERS = {
    "ids": lambda: os.setuid(0),
    "priority": lambda: os.nice(-5),
    "another's limits": lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU),
    "owner of a descriptor's signals": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()),
    "flags of a descriptor": lambda: fcntl.fcntl(0, fcntl.F_SETFL, 0),
    "terminal": lambda: fcntl.ioctl(0, 0x5412, b"x"),
    "code in memory": lambda: mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_EXEC | mmap.PROT_READ),
    "shared memory": lambda: mmap.mmap(-1, 4096),
    "memory made code": raw("mprotect", 0, 4096, mmap.PROT_EXEC),
    "signal handlers": lambda: signal.signal(signal.SIGXCPU, signal.SIG_IGN),
    "signal mask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGXCPU]),
    "death with the parent": raw("prctl", 1, 0),
    "timers": lambda: signal.setitimer(signal.ITIMER_REAL, 1),
    "kernel keys": raw("keyctl"),
    "system V memory": raw("shmget"),
    "kernel log": raw("syslog"),
    "clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
    "a pipe": lambda: os.pipe(),
}


@pytest.mark.parametrize("call", [*PATHS.values(), *OTHERS.values()], ids=[*PATHS, *OTHERS])
def test_what_is_not_needed_is_refused(call: Callable[[], object]) -> None:
    assert under_filter(call) == DENIED


def test_a_program_is_not_started() -> None:
    assert under_filter(lambda: os.execv("/bin/true", ["true"])) == "SIGSYS"
    assert under_filter(lambda: subprocess.run(["/bin/true"])) in ("SIGSYS", DENIED)


def test_other_machines_calls_end_the_process() -> None:
    if os.uname().machine == "x86_64":
        x32_getpid = 0x40000000 + 39
        assert under_filter(lambda: LIBC.syscall(x32_getpid)) == "SIGSYS"


def test_what_work_needs_works() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    file = os.memfd_create("file")
    os.write(file, b"x" * 100_000)

    def work() -> str:
        memory = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
        assert memory.find(b"y") == -1
        block = bytearray(32 * 1024 * 1024)
        block.extend(block)
        os.pwrite(file, b"y", 5)
        os.ftruncate(file, 50)
        assert os.fstat(file).st_size == 50
        os.lseek(file, 0, os.SEEK_SET)
        assert b"".join((os.read(file, 6), os.pread(file, 1, 5))) == b"xxxxxyy"
        with os.fdopen(os.dup(file), "rb") as opened:
            assert opened.read(3) == b"xxx"
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime) + 5, 100))
        assert os.urandom(4) != os.urandom(4)
        assert time.monotonic() > 0
        time.sleep(0.001)
        ours.send(b"hello")
        os.close(file)
        memory.close()
        return "well"

    with ours, theirs:
        assert under_filter(work) == "done: 'well'"
        assert theirs.recv(10) == b"hello"
    os.close(file)


def test_without_the_library_there_is_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "_LIBRARY", "libnowhere.so.9")
    with pytest.raises(SetupError, match=r"seccomp: libnowhere.*mail is not processed without it"):
        Filter()


def test_it_costs_little_to_load() -> None:
    """A helper is made in milliseconds; the filter is to be no part of that worth telling."""
    made = Filter()

    def took() -> float:
        began = time.perf_counter()
        made.load()
        return time.perf_counter() - began

    read, write = os.pipe()
    pid = sandbox.forked(lambda: os.write(write, str(took()).encode()))
    os.waitpid(pid, 0)
    assert float(os.read(read, 30)) < 0.05
    os.close(read)
    os.close(write)
