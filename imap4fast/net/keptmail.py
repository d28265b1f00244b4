"""A processed mail as sessions read it: a small one from memory, a large one from its file, by the I/O thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from imap4fast._wire import MailIndex, decode_transfer
from imap4fast.errors import ServiceError
from imap4fast.mail import binary
from imap4fast.net.disk import Disk

SMALL = 131072
"""Octets of a mail and its index that are read at once and stay in memory while somebody has the mail at hand."""

MOST_DECODED = 33554432
"""Octets of a part, or mail, that is decoded for BINARY; a larger one is to be had by BODY alone."""

KEPT_DECODED = 4194304
"""Octets of a decoded part that stays in memory for the next partial request."""

AHEAD = 1048576
"""Octets of a large mail that are read ahead where a reader goes on: clients ask for 64 KiB at a time."""


class Tasks(Protocol):
    """Who runs coroutines and waits for their end."""

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of its own."""


class KeptMail:
    """`fd` is closed with this object; -1: all octets are in `octets`."""

    __slots__ = ("_ahead", "_ahead_at", "_decoded_part", "_disk", "_fd", "_octets", "_tasks", "index", "size")

    def __init__(self, disk: Disk, tasks: Tasks, index: MailIndex, size: int, fd: int, octets: bytes | None) -> None:
        self._disk = disk
        self._tasks = tasks
        self.index = index
        self.size = size
        self._fd = fd
        self._octets = octets
        self._ahead = b""
        self._ahead_at = 0
        self._decoded_part: tuple[int | tuple[int, int], bytes] = (-1, b"")
        """One part, or (offset, size) of octets with all in them decoded."""

    def __del__(self) -> None:
        if self._fd >= 0:
            self._disk.close(self._fd)

    def at_once(self, offset: int, size: int) -> bytes | None:
        """Octets that are in memory, None where they are not."""
        octets = self._octets
        if octets is not None:
            return octets[offset : offset + size]
        start = offset - self._ahead_at
        return self._ahead[start : start + size] if start >= 0 and start + size <= len(self._ahead) else None

    def read(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        """Octets of the mail; None: they cannot be had."""
        octets = self.at_once(offset, size)
        if octets is not None:
            then(octets)
        else:
            self._tasks.begin(self._read(offset, size, then))

    async def _read(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        then(await self._fetched(offset, size))

    async def _fetched(self, offset: int, size: int) -> bytes | None:
        goes_on = bool(self._ahead) and offset == self._ahead_at + len(self._ahead)
        most = min(max(size, AHEAD if goes_on or size < AHEAD else size), self.size - offset)
        try:
            octets = await self._disk.pread(self._fd, most, offset)
        except ServiceError:
            return None
        if len(octets) != most:
            return None
        self._ahead, self._ahead_at = octets, offset
        return octets[:size]

    def decoded(self, part: int, then: Callable[[bytes | None], object]) -> None:
        """The octets of a leaf after transfer decoding; None: they cannot be had."""
        if self._decoded_part[0] == part:
            then(self._decoded_part[1])
        else:
            self._tasks.begin(self._decoded(part, then))

    def binary(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        """Octets of the mail with all leaves in them decoded; None: they cannot be had."""
        if self._decoded_part[0] == (offset, size):
            then(self._decoded_part[1])
        else:
            self._tasks.begin(self._binary(offset, size, then))

    async def _binary(self, offset: int, size: int, then: Callable[[bytes | None], object]) -> None:
        octets = await self._encoded(offset, size)
        decoded = None if octets is None else binary.decoded(octets, self.index, offset)
        self._keep_decoded((offset, size), decoded)
        then(decoded)

    async def _decoded(self, part: int, then: Callable[[bytes | None], object]) -> None:
        found = self.index.part(part)
        octets = await self._encoded(found.body, found.body_size)
        decoded = None if octets is None else decode_transfer(octets, found.transfer)
        self._keep_decoded(part, decoded)
        then(decoded)

    async def _encoded(self, offset: int, size: int) -> bytes | None:
        """Octets that are to be decoded."""
        if size > MOST_DECODED:
            return None
        octets = self.at_once(offset, size)
        if octets is None:
            octets = await self._fetched(offset, size)
            self._ahead = b""
        return octets

    def _keep_decoded(self, what: int | tuple[int, int], decoded: bytes | None) -> None:
        if decoded is not None and len(decoded) <= KEPT_DECODED:
            self._decoded_part = (what, decoded)
