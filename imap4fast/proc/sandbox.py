"""What is taken from the processes that make mails: descriptors, network, rights, memory, and most of the kernel.

In this order, each for good: a nursery drops its network and its privileges, and keeps one socket; a zygote, forked
from it, keeps one socket; a helper, forked from that, keeps one socket, gets limits, and then the filter of seccomp.
"""

from __future__ import annotations

import codecs
import encodings
import errno
import faulthandler
import fcntl
import gc
import os
import pkgutil
import resource
import signal
from collections.abc import Callable
from contextlib import suppress

from imap4fast.errors import SetupError
from imap4fast.net.jobs import Limits
from imap4fast.proc import kernel, privileges, signals
from imap4fast.proc.privileges import Identity

CPU_OF_A_LIFE_S = 3600
"""Beyond it a helper cannot raise its own limit."""
NICENESS = 10
"""Sessions come first: a relay's wait must not depend on how much mail is being made."""
OOM_SCORE = 500
NOBODY = Identity(65534, 65534, None)
FIRST_KEPT = 3
NONE = -1
"""In place of a descriptor."""
_PAGE = resource.getpagesize()
_HIGH = 64
_MOST_MAPPED = 16 * 1024**3
_UNKNOWN = 128 * 1024**2
"""What a helper has at its start, where nobody can tell."""


def keep_only(*kept: int) -> list[int]:
    """What these descriptors are called from now on, in this order; NONE stays what it is. All others but the standard
    streams are closed. No object may own any of them."""
    high = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _HIGH) for number in kept if number != NONE]
    for number, descriptor in enumerate(high, FIRST_KEPT):
        os.dup2(descriptor, number, inheritable=False)
    first_closed = FIRST_KEPT + len(high)
    os.closerange(first_closed, max(resource.getrlimit(resource.RLIMIT_NOFILE)[1], first_closed + 1))
    names = iter(range(FIRST_KEPT, first_closed))
    return [NONE if number == NONE else next(names) for number in kept]


def close_streams() -> None:
    """Standard streams lead nowhere: logs are not a helper's to write."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in range(FIRST_KEPT):
        os.dup2(nowhere, number, inheritable=False)
    os.close(nowhere)


def leave_shared_memory() -> None:
    """Memory that others see, too, is out of reach: the host's counts, a log's ring. Nothing here may use it again.

    Raises OSError where nobody can tell what there is.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        shared = [line.split()[0] for line in maps if line.split()[1].endswith("s")]
    for span in shared:
        first, end = (int(word, 16) for word in span.split("-"))
        kernel.cover(first, end - first)


def leave_network() -> str:
    """Into a network name space without any interface, abstract sockets included. Why that was not possible, or "".

    The filter refuses sockets anyhow: containers often have a root that may not do this.
    """
    if os.geteuid() != 0:
        return ""
    try:
        kernel.unshare(kernel.CLONE_NEWNET)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS, errno.EINVAL):
            raise SetupError("network name space", error) from error
        return str(error.strerror)
    return ""


def go_first() -> None:
    """Where the machine's memory is used up, those who make mails are ended before all others."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(str(OOM_SCORE))


def drop_privileges(who: Identity | None) -> None:
    """As a worker does; root without `app-user` becomes nobody, since a helper needs no file of anybody's."""
    privileges.drop(NOBODY if who is None and os.geteuid() == 0 else who)


def load_codecs() -> None:
    """All that Python has: a helper can open no file to import one."""
    for module in pkgutil.iter_modules(encodings.__path__):
        _look_up(module.name)


def _look_up(name: str) -> None:
    try:
        codecs.lookup(name)
    except LookupError:  # of another system (mbcs), or no codec (aliases)
        return


def end_with_parent(parent: int) -> None:
    """SIGKILL when the parent dies; at once when it is dead already."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def open_proc() -> int:
    """/proc as a descriptor that outlives a chroot; NONE where it is not mounted."""
    try:
        return os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return NONE


def open_figures(proc: int) -> int:
    """A descriptor for `Memory` of this process; NONE where there is none."""
    if proc == NONE:
        return NONE
    try:
        return os.open(f"{os.getpid()}/statm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except OSError:  # /proc is of another PID name space
        return NONE


class Memory:
    """How much memory this process has, also when it can open no file any more. Without figures all are 0."""

    def __init__(self, figures: int) -> None:
        self._descriptor = figures

    def figures(self) -> tuple[int, int, int]:
        """Octets of address space; of anonymous memory in use; of private writable maps, as RLIMIT_DATA counts."""
        if self._descriptor == NONE:
            return 0, 0, 0
        pages = [int(word) for word in os.pread(self._descriptor, 256, 0).split()]
        space, resident, shared, _, _, data, _ = (count * _PAGE for count in pages)
        return space, resident - shared, data


class Confinement:
    """The limits of one helper. Made in it, before the filter; `before_job` then renews what is counted by job."""

    def __init__(self, limits: Limits, memory: Memory) -> None:
        self._limits = limits
        self._memory = memory
        space, self._anonymous, data = memory.figures()
        self._space = space or 4 * _UNKNOWN
        most = (data or _UNKNOWN) + limits.memory_bytes
        _limit(resource.RLIMIT_DATA, most, most)
        _limit(resource.RLIMIT_CORE, 0, 0)
        _limit(resource.RLIMIT_NOFILE, limits.descriptors, limits.descriptors)
        self._most_space = self._space + limits.memory_bytes + _MOST_MAPPED
        self._sized = -1

    def before_job(self, size: int) -> None:
        """For a mail of so many octets."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + self._limits.cpu(size) + 1
        _limit(resource.RLIMIT_CPU, min(seconds, CPU_OF_A_LIFE_S), CPU_OF_A_LIFE_S)
        if size != self._sized:
            self._sized = size
            _limit(resource.RLIMIT_FSIZE, self._limits.target(size), resource.RLIM_INFINITY)
            _limit(resource.RLIMIT_AS, min(self._space + self._limits.space(size), self._most_space), self._most_space)

    def grown(self) -> bool:
        """So much memory stays in use that the helper should be renewed."""
        return self._memory.figures()[1] - self._anonymous > self._limits.growth_bytes


def _limit(which: int, soft: int, hard: int) -> None:
    """As asked, or as much as whoever started the service has left."""
    now = resource.getrlimit(which)[1]
    if now != resource.RLIM_INFINITY:
        hard = now if hard == resource.RLIM_INFINITY else min(hard, now)
        soft = min(soft, hard)
    resource.setrlimit(which, (soft, hard))


def forked(child: Callable[[], object]) -> int:
    """The PID of a new process that does this and nothing else, and never returns here. Raises OSError."""
    mask = signals.block_all()
    try:
        pid = os.fork()
        if not pid:
            _be_child(child, mask)
        return pid
    finally:
        signals.restore(mask)


def _be_child(child: Callable[[], object], mask: set[int]) -> None:
    status = 1
    try:
        signals.reset_in_worker()
        signals.restore(mask)
        child()
        status = 0
    finally:
        os._exit(status)


def lose_fault_handler() -> None:
    """A crash is to be seen as what it is: the handler that pytest or an environment sets makes forbidden calls."""
    faulthandler.disable()


def freeze() -> None:
    """What is here stays: the collector of a child shall not touch, and so copy, it."""
    gc.collect()
    gc.freeze()
