"""Which system calls a helper may make, by libseccomp (seccomp(2)): a list of what it needs, all else is refused.

What it needs is: its descriptors read and written, memory without code in it, the time, its own limits, and the socket
on which orders come. Calls that only somebody makes who has taken the helper over end it (SIGSYS); others fail with
EPERM, so that a library that looks for a file or a terminal in passing goes on without.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os

from imap4fast.errors import SetupError

_LIBRARY = "libseccomp.so.2"
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_SPECULATION, _TREE = 7, 8
"""SCMP_FLTATR_CTL_SSB: the slow guard against speculation of older kernels is for programs that read what others hold;
a helper's memory is all one mail's. SCMP_FLTATR_CTL_OPTIMIZE 2: a binary tree."""
_EQUAL, _MASKED_EQUAL = 4, 7
_EXEC, _SHARED, _ANONYMOUS = mmap.PROT_EXEC, mmap.MAP_SHARED, mmap.MAP_ANONYMOUS
_AT_EMPTY_PATH = 0x1000

ALLOWED = (
    *("read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2"),
    *("lseek", "_llseek", "fstat", "fstat64", "ftruncate", "ftruncate64", "close", "copy_file_range", "sendfile"),
    *("munmap", "mremap", "madvise", "brk"),
    *("recvmsg", "sendto"),
    *("clock_gettime", "clock_gettime64", "clock_getres", "gettimeofday", "time", "times", "getrusage"),
    *("futex", "futex_time64", "sched_yield", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64"),
    *("getrandom", "getpid", "gettid", "rseq", "restart_syscall"),
    *("rt_sigreturn", "exit", "exit_group"),
)
"""Without conditions. Names that a machine does not have are left out."""

DEADLY = (
    *("execve", "execveat", "fork", "vfork", "clone", "clone3", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "pidfd_getfd"),
    *("unshare", "setns", "mount", "umount2", "chroot", "pivot_root", "bpf", "io_uring_setup", "userfaultfd"),
)
"""No library makes these by the way."""


class _Compare(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def _equal(arg: int, value: int) -> _Compare:
    return _Compare(arg, _EQUAL, value, 0)


def _masked(arg: int, mask: int, value: int) -> _Compare:
    return _Compare(arg, _MASKED_EQUAL, mask, value)


CONDITIONAL: tuple[tuple[str, tuple[_Compare, ...]], ...] = (
    *(
        (name, (_masked(2, _EXEC, 0), _masked(3, bits, value)))
        for name in ("mmap", "mmap2")
        for bits, value in ((_ANONYMOUS, 0), (_ANONYMOUS | _SHARED, _ANONYMOUS))
    ),
    ("mprotect", (_masked(2, _EXEC, 0),)),
    *((name, (_equal(3, _AT_EMPTY_PATH),)) for name in ("newfstatat", "fstatat64")),
    *(
        (name, (_equal(1, command),))
        for name in ("fcntl", "fcntl64")
        for command in (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_DUPFD_CLOEXEC)
    ),
    ("prlimit64", (_equal(0, 0),)),
    ("setrlimit", ()),
)
"""No code is made, no memory shared that RLIMIT_DATA does not see; fstat as glibc calls it, and no other file's; no
signals by F_SETOWN; nobody else's limits."""


class Filter:
    """The filter, made once; `load` puts it on the process that calls it, for good. Raises SetupError."""

    def __init__(self) -> None:
        self._library = _loaded()
        self._context = self._library.seccomp_init(_ERRNO | errno.EPERM)
        if not self._context:
            raise SetupError("seccomp", "no filter can be made")
        for attribute, value in ((_SPECULATION, 1), (_TREE, 2)):  # older libraries do not know them, and go without
            self._library.seccomp_attr_set(self._context, attribute, value)
        for name in ALLOWED:
            self._add(_ALLOW, name, ())
        for name, compares in CONDITIONAL:
            self._add(_ALLOW, name, compares)
        for name in DEADLY:
            self._add(_KILL_PROCESS, name, ())

    def _add(self, action: int, name: str, compares: tuple[_Compare, ...]) -> None:
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # this machine has no such call, or reaches it by another
            return
        several = (_Compare * len(compares))(*compares)
        self._check(name, self._library.seccomp_rule_add_array(self._context, action, number, len(compares), several))

    def load(self) -> None:
        """From here on this process and what it may become is held to the filter."""
        self._check("load", self._library.seccomp_load(self._context))

    def _check(self, what: str, result: int) -> None:
        if result < 0:
            raise SetupError("seccomp", f"{what}: {os.strerror(-result)}")


def _loaded() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise SetupError("seccomp", f"{error}: mail is not processed without it") from error
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_attr_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32]
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(_Compare),
    ]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    return library
