"""The few calls of Linux that Python has no name for: prctl(2), capget(2), capset(2), mlock(2), mmap(2), unshare(2)."""

from __future__ import annotations

import ctypes
import mmap
import os
import struct

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 4, 23, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNET = 0x40000000

_CAPABILITY_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.mmap.restype = ctypes.c_void_p
_MAP_FIXED = 0x10


def prctl(option: int, first: int = 0) -> int:
    """prctl(option, first, 0, 0, 0); raises OSError."""
    result = int(_libc.prctl(option, first, 0, 0, 0))
    return result if result >= 0 else _fail("prctl")


def bounding_set() -> list[int]:
    """The capabilities that a program executed from here could still get."""
    found = []
    for capability in range(64):
        try:
            present = prctl(PR_CAPBSET_READ, capability)
        except OSError:  # EINVAL: the kernel knows no more
            break
        if present:
            found.append(capability)
    return found


def capabilities() -> tuple[int, int, int]:
    """Effective, permitted and inheritable capabilities as bit sets; raises OSError."""
    data = ctypes.create_string_buffer(24)
    if _libc.capget(_capability_head(), data) < 0:
        _fail("capget")
    low, high = struct.unpack("=3I", data.raw[:12]), struct.unpack("=3I", data.raw[12:])
    effective, permitted, inheritable = (one | other << 32 for one, other in zip(low, high, strict=True))
    return effective, permitted, inheritable


def drop_capabilities() -> None:
    """Empties all three sets; raises OSError."""
    if _libc.capset(_capability_head(), ctypes.create_string_buffer(24)) < 0:
        _fail("capset")


def keep_secret(memory: mmap.mmap) -> bool:
    """Keeps a map out of cores, and out of the swap too: False where this process may lock no (more) memory."""
    memory.madvise(mmap.MADV_DONTDUMP)
    first = ctypes.c_char.from_buffer(memory)
    return bool(_libc.mlock(ctypes.addressof(first), len(memory)) == 0)


def unshare(what: int) -> None:
    """Leaves what was shared with other processes (CLONE_NEWNET: the network); raises OSError."""
    if _libc.unshare(what) < 0:
        _fail("unshare")


def cover(address: int, size: int) -> None:
    """Lays memory that cannot be touched over a range of addresses: what was there is gone. Raises OSError."""
    if _libc.mmap(address, size, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_FIXED, -1, 0) != address:
        _fail("mmap")


def _capability_head() -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)


def _fail(what: str) -> int:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), what)
