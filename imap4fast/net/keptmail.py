"""A processed mail as sessions read it: a small one from memory, a large one from its file, by the I/O thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, Protocol

from imap4fast._wire import MailIndex, decode_transfer
from imap4fast.errors import ServiceError
from imap4fast.mail import binary
from imap4fast.net.disk import Disk
from imap4fast.session.mailwork import Decoded, Span, decoded

SMALL = 131072
"""Octets of a mail and its index that are read at once and stay in memory while somebody has the mail at hand."""

MOST_DECODED = 33554432
"""Octets of a part, or mail, that is decoded for BINARY; a larger one is to be had by BODY alone."""

KEPT_DECODED = 4194304
"""Octets of a decoded part that stays in memory for the next partial request; a larger one is put into a file then."""

AHEAD = 1048576
"""Octets of a large mail that are read ahead where a reader goes on: clients ask for 64 KiB at a time."""


class Tasks(Protocol):
    """Who runs coroutines and waits for their end."""

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of its own."""


_What = tuple[int, int, int]
"""(offset, size) of the octets that are decoded, and which leaf they are, -1 for many."""
_Decode = Callable[[bytes], bytes | None]


class _Made(NamedTuple):
    """What was decoded last, `octets` None: it is in the file `fd`."""

    what: _What
    size: int
    octets: bytes | None
    fd: int = -1


class KeptMail:
    """`fd` is closed with this object; -1: all octets are in `octets`."""

    __slots__ = ("_ahead", "_ahead_at", "_disk", "_fd", "_made", "_octets", "_tasks", "index", "size")

    def __init__(self, disk: Disk, tasks: Tasks, index: MailIndex, size: int, fd: int, octets: bytes | None) -> None:
        self._disk = disk
        self._tasks = tasks
        self.index = index
        self.size = size
        self._fd = fd
        self._octets = octets
        self._ahead = b""
        self._ahead_at = 0
        self._made: _Made | None = None

    def __del__(self) -> None:
        self._forget_made()
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

    def decoded(self, part: int, span: Span, then: Callable[[Decoded | None], object]) -> None:
        """The octets of a leaf after transfer decoding; None: they cannot be had."""
        found = self.index.part(part)
        transfer = found.transfer
        self._give((found.body, found.body_size, part), span, lambda octets: decode_transfer(octets, transfer), then)

    def binary(self, offset: int, size: int, span: Span, then: Callable[[Decoded | None], object]) -> None:
        """Octets of the mail with all leaves in them decoded; None: they cannot be had."""
        self._give((offset, size, -1), span, lambda octets: binary.decoded(octets, self.index, offset), then)

    def _give(self, what: _What, span: Span, decode: _Decode, then: Callable[[Decoded | None], object]) -> None:
        made = self._made
        if made is not None and made.what == what and made.octets is not None:
            then(decoded(made.octets, span))
        else:
            self._tasks.begin(self._given(what, span, decode, then))

    async def _given(self, what: _What, span: Span, decode: _Decode, then: Callable[[Decoded | None], object]) -> None:
        made = self._made
        try:
            if made is None or made.what != what:
                then(await self._decode(what, span, decode))
            else:
                then(await self._again(made, span))
        except ServiceError:
            then(None)

    async def _decode(self, what: _What, span: Span, decode: _Decode) -> Decoded | None:
        encoded = await self._encoded(*what[:2])
        if encoded is None:
            return None
        octets = decode(encoded) if len(encoded) <= SMALL else await self._disk.aside(partial(decode, encoded))
        if octets is None:
            return None
        if len(octets) <= KEPT_DECODED:
            self._forget_made()
            self._made = _Made(what, len(octets), octets)
        elif span is not None:
            await self._keep(what, octets)
        return decoded(octets, span)

    async def _again(self, made: _Made, span: Span) -> Decoded:
        """From the file. Raises ServiceError."""
        first, most = (0, made.size) if span is None else span
        first = min(first, made.size)
        size = min(most, made.size - first)
        octets = await self._disk.pread(made.fd, size, first) if size else b""
        if len(octets) != size:
            raise ServiceError("spool", "short read")
        return Decoded(octets, made.size)

    async def _keep(self, what: _What, octets: bytes) -> None:
        """More than may stay in memory, of which more will be asked for: a file has it. Where there is no room for it,
        it is decoded again.
        """
        disk = self._disk
        self._forget_made()
        try:
            fd = await disk.create(len(octets))
            try:
                disk.append(fd, octets)
                await disk.settled(fd)
            except BaseException:
                disk.close(fd)
                raise
        except ServiceError:
            return
        self._forget_made()
        self._made = _Made(what, len(octets), None, fd)

    def _forget_made(self) -> None:
        made, self._made = self._made, None
        if made is not None and made.fd >= 0:
            self._disk.close(made.fd)

    async def _encoded(self, offset: int, size: int) -> bytes | None:
        """Octets that are to be decoded."""
        if size > MOST_DECODED:
            return None
        octets = self.at_once(offset, size)
        if octets is None:
            octets = await self._fetched(offset, size)
            self._ahead = b""
        return octets
