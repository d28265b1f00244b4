"""`comm-dir`: copies of mails for a daemon that reads files by their path.

A copy's name is random and new in the directory, nothing of the mail is in it (T-A06). Only its owner may write it and
only the group of the directory may read it, besides: with the set-group-ID bit on the directory that is the daemon's.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from imap4fast.errors import ServiceError

PREFIX = "imap4fast-scan."
STALE_S = 3600.0
"""Copies older than this are left over from a worker that was killed."""
_BLOCK = 1 << 20
_AT_ONCE = 2


class CommDir:
    """The directory as `path`, which the daemon knows, and as a descriptor, which holds in a chroot, too."""

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._threads = ThreadPoolExecutor(_AT_ONCE, "comm-dir")

    def close(self) -> None:
        """What is to be copied or removed still will be; the descriptor is needed for that."""
        self._threads.shutdown()

    @asynccontextmanager
    async def copy(self, fd: int, size: int, offset: int) -> AsyncIterator[bytes]:
        """The path of a copy of that range. ServiceError: it cannot be made. It is removed in any case."""
        name = PREFIX + secrets.token_hex(16)
        # A descriptor of its own: the caller may be cancelled, and close his, while the thread still reads.
        made = self._threads.submit(self._make, name, os.dup(fd), size, offset)
        try:
            try:
                await asyncio.shield(asyncio.wrap_future(made))
            except OSError as error:
                raise ServiceError("comm-dir", error.strerror or error) from error
            yield os.path.join(os.fsencode(self._path), name.encode())
        finally:
            if made.done():
                self._threads.submit(self._remove, name)
            else:
                made.add_done_callback(lambda done: self._remove(name))

    def _make(self, name: str, fd: int, size: int, offset: int) -> None:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            target = os.open(name, flags, 0o640, dir_fd=self._descriptor)
            try:
                os.fchmod(target, 0o640)
                _copy(fd, target, size, offset)
            finally:
                os.close(target)
        finally:
            os.close(fd)

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=self._descriptor)

    def start(self) -> None:
        """Remove what killed workers left; does not wait for it."""
        self._threads.submit(self._sweep)

    def _sweep(self) -> None:
        before = time.time() - STALE_S
        with suppress(OSError):
            for name in os.listdir(self._descriptor):
                if name.startswith(PREFIX) and self._modified(name) < before:
                    self._remove(name)

    def _modified(self, name: str) -> float:
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mtime


def _copy(fd: int, target: int, size: int, offset: int) -> None:
    while size:
        octets = os.pread(fd, min(size, _BLOCK), offset)
        if not octets:
            raise OSError(0, "the mail is shorter than said")
        size -= len(octets)
        offset += len(octets)
        while octets:
            octets = octets[os.write(target, octets) :]
