"""One talk with a scanner over one socket: the mail's octets are read from its file as the scanner takes them.

Reading and writing go on at once: a scanner that answers before it has all is heard, also when it closes after that.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from imap4fast.config.basesettings import SockOpt
from imap4fast.errors import ServiceError
from imap4fast.scan.talk import Talk

CHUNK = 128 * 1024
"""Octets of the mail that are held at once."""
_READ = 65536
_TURNS = 5
"""Turns of the loop in which a socket that can be written to is written to, at the latest."""


class Disk(Protocol):
    """Reads files without blocking the loop."""

    async def pread(self, fd: int, size: int, offset: int, /) -> bytes: ...


class Source(NamedTuple):
    """The octets to be scanned: a range of a file that nobody changes."""

    disk: Disk
    fd: int
    size: int
    offset: int = 0


class Exchange:
    """To be used once: `run` has the talk done."""

    def __init__(self, sock: socket.socket, talk: Talk[Any], source: Source, opt: SockOpt) -> None:
        self._sock = sock
        self._talk = talk
        self._source = source
        self._opt = opt
        self._loop = asyncio.get_running_loop()
        self._given = 0
        self._heard = False
        self._failure: ServiceError | None = None
        self._writing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """ServiceError: the mail cannot be read, or a time of `sock-opt` is over. A connection that breaks is the
        talk's `cut`.
        """
        talk = self._talk
        await self._begin()
        try:
            while not talk.done:
                await self._read()
                if talk.wants and self._writing is None:
                    self._writing = self._loop.create_task(self._write(b""))
            await self._settle()
        finally:
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.wait((self._writing,))
        if self._failure is not None and talk.result is None:
            raise self._failure

    async def _settle(self) -> None:
        """What was given was also written, or the answer came too early.

        The loop may hear the answer to the last octet before it has told the writer that this one is written.
        """
        for _ in range(_TURNS):
            if self._writing is None:
                return
            await asyncio.sleep(0)
        self._talk.unwritten()

    async def _begin(self) -> None:
        """Write the request with the beginning of the mail. Most mails are over with that; for others writing goes on
        beside reading.
        """
        pieces = self._talk.begin()
        if self._talk.wants:
            try:
                pieces += self._talk.give(await self._next())
            except ServiceError as error:
                self._fail(error)
                return
        try:
            rest = self._send_now(pieces)
            if rest or self._talk.wants:
                self._writing = self._loop.create_task(self._write(rest))
            else:
                self._all_written()
        except OSError:
            self._hang_up()

    async def _read(self) -> None:
        """How long the first octet of an answer takes is the engine's affair; from then on `recv-timeout` counts."""
        try:
            if self._heard:
                async with asyncio.timeout(self._opt.recv_timeout):
                    data = await self._loop.sock_recv(self._sock, _READ)
            else:
                data = await self._loop.sock_recv(self._sock, _READ)
        except OSError as error:
            # TimeoutError is one, too: ours has no number, that of the kernel has.
            if isinstance(error, TimeoutError) and error.errno is None:
                raise ServiceError("scanner", f"fell silent for {self._opt.recv_timeout:g} s") from error
            data = b""
        self._heard = True
        if data:
            self._talk.receive(data)
        else:
            self._talk.end()

    async def _write(self, rest: bytes) -> None:
        """Write `rest`, then what the talk makes of the mail, until it wants no more for now.

        Whatever fails ends reading, too, once what came before that is read.
        """
        try:
            await self._send(rest)
            while self._talk.wants and not self._talk.done:
                octets = await self._next()
                if not self._talk.done:
                    await self._send(self._send_now(self._talk.give(octets)))
            self._all_written()
            self._writing = None
        except ServiceError as error:
            self._fail(error)
        except TimeoutError:
            self._fail(ServiceError("scanner", f"took nothing for {self._opt.send_timeout:g} s"))
        except OSError:
            self._hang_up()

    async def _next(self) -> bytes:
        """The next octets of the mail."""
        source = self._source
        size = min(CHUNK, self._talk.wants)
        try:
            octets = await source.disk.pread(source.fd, size, source.offset + self._given)
        except OSError as error:
            raise ServiceError("mail's file", error.strerror) from error
        if not octets:
            raise ServiceError("mail's file", "shorter than the mail")
        self._given += len(octets)
        return octets

    def _send_now(self, pieces: list[bytes]) -> bytes:
        """What the socket did not take at once."""
        try:
            sent = self._sock.sendmsg(pieces)
        except BlockingIOError:
            sent = 0
        return b"" if sent == sum(map(len, pieces)) else b"".join(pieces)[sent:]

    async def _send(self, rest: bytes) -> None:
        if rest:
            async with asyncio.timeout(self._opt.send_timeout):
                await self._loop.sock_sendall(self._sock, rest)

    def _all_written(self) -> None:
        if self._talk.half_closes and not self._talk.done:
            self._sock.shutdown(socket.SHUT_WR)

    def _fail(self, failure: ServiceError) -> None:
        self._failure = failure
        self._hang_up()

    def _hang_up(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
