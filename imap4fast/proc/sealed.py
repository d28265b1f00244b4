"""Octets too many for a packet, as memory behind a descriptor that nobody can change any more (memfd_create(2)).

Who reads it may rely on what was looked at: it neither shrinks under the reader nor holds something else later.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

MOST_BYTES: Final = 64 * 1024 * 1024
SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_NOEXEC_SEAL = 0x8
"""MFD_NOEXEC_SEAL: hardened machines want it (vm.memfd_noexec), kernels before 6.3 do not know it."""


def put(data: bytes) -> int:
    """A new descriptor of sealed memory that holds `data`; the caller owns it. Raises OSError."""
    if len(data) > MOST_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    descriptor = _create()
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _create() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("imap4fast", flags | _NOEXEC_SEAL)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return os.memfd_create("imap4fast", flags)


@contextmanager
def opened(descriptor: int, size: int) -> Iterator[mmap.mmap]:
    """What `put` has put, for as long as this lasts; then descriptor and map are closed.

    Raises ValueError when it is not sealed, or not of this size.
    """
    try:
        _check(descriptor, size)
        # Not shared: kernels before 6.7 refuse that for memory which is sealed.
        memory = mmap.mmap(descriptor, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    except OSError as error:
        raise ValueError(f"no sealed memory: {error.strerror}") from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    with memory:
        yield memory


def _check(descriptor: int, size: int) -> None:
    if fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & SEALS != SEALS:
        raise ValueError("the memory is not sealed")
    found = os.fstat(descriptor).st_size
    if not 0 < size <= MOST_BYTES or found != size:
        raise ValueError(f"{found} octets came where {size} were announced")
