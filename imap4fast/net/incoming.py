"""A mail as it comes: its octets go to an unnamed file, a small one in memory, as fast as the disk takes them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from imap4fast.errors import ServiceError

if TYPE_CHECKING:
    from imap4fast.net.mailroom import Mailroom

CHOKED, FREE = 1 << 20, 1 << 18
"""Octets of one mail that may wait for the disk before its end is not read any more, and when it is again."""


class Incoming:
    """The octets of a mail as they come, in an unnamed file."""

    def __init__(self, room: Mailroom, size: int, ready: Callable[[], object]) -> None:
        self._room = room
        self._ready = ready
        self._early: list[bytes] = []
        self._early_size = 0
        self._state = hashlib.sha256()
        self._fd = room.disk.in_memory(size)
        self._dropped = False
        self._failure: ServiceError | None = None
        self.size = 0
        self._opening = None if self._fd >= 0 else room.begin(self._open(size))

    async def _open(self, size: int) -> None:
        try:
            fd = await self._room.disk.create(size)
        except ServiceError as error:
            self._failure = error
            self._early.clear()
            self._ready()
            return
        if self._dropped:
            self._room.disk.close(fd)
            return
        self._fd = fd
        if self._early:
            self._room.disk.append(fd, b"".join(self._early))
            self._early.clear()
        if self._early_size >= CHOKED:
            self._room.disk.when_below(fd, FREE, self._ready)

    def write(self, octets: bytes) -> bool:
        """False: no more for now; `ready` is called when it is time for more."""
        self.size += len(octets)
        self._state.update(octets)
        if self._failure is not None or self._dropped:
            return True
        if self._fd < 0:
            self._early.append(octets)
            self._early_size += len(octets)
            return self._early_size < CHOKED
        disk = self._room.disk
        disk.append(self._fd, octets)
        if disk.pending(self._fd) < CHOKED:
            return True
        disk.when_below(self._fd, FREE, self._ready)
        return False

    def drop(self) -> None:
        """They are not wanted any more."""
        self._dropped = True
        self._early.clear()
        if self._fd >= 0:
            self._room.disk.close(self._fd)
            self._fd = -1

    async def opened(self) -> int:
        """The descriptor. Raises ServiceError."""
        if self._opening is not None:
            await asyncio.wait((self._opening,))
        if self._failure is not None:
            raise self._failure
        return self._fd

    @property
    def sha256(self) -> bytes:
        """Of the octets."""
        return self._state.digest()
