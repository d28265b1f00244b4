"""A scanner that plays a script, mails in files, and a disk, for the tests of what asks scanners."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.values import Sock
from imap4fast.log.setup import Logs
from imap4fast.net.exchange import Source
from imap4fast.net.scanners import Scanners
from imap4fast.scan.engines import AntispamEngine, AntivirusEngine
from tests.play.stage import Notebook
from tests.unit.net.running import LOOPBACK, Talk, closing, unused_port

OPT = SockOpt(conn_timeout=1, recv_timeout=1, send_timeout=1)
MAIL = b"Subject: x\r\n\r\n" + b"0123456789abcdef" * 20


class ThreadDisk:
    """Reads in threads, as the I/O thread does."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int]] = []

    async def pread(self, fd: int, size: int, offset: int) -> bytes:
        self.reads.append((size, offset))
        return await asyncio.to_thread(os.pread, fd, size, offset)


class Fake:
    """Where the scanner listens, and how many connections it took."""

    def __init__(self) -> None:
        self.address: Sock = Sock(LOOPBACK, unused_port())
        self.connections = 0


@asynccontextmanager
async def scanner(*scripts: Talk, receive_buffer: int = 0) -> AsyncIterator[Fake]:
    """A scanner whose nth connection plays the nth script; the last one goes on for all others."""
    fake = Fake()
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = scripts[min(fake.connections, len(scripts) - 1)]
        fake.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(cast("asyncio.Task[None]", task))
        try:
            with suppress(asyncio.IncompleteReadError, asyncio.CancelledError):
                await closing(script)(reader, writer)
        finally:
            writer.transport.abort()

    listener = socket.create_server(("127.0.0.1", fake.address.port))
    if receive_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    server = await asyncio.start_server(one, sock=listener)
    try:
        yield fake
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def take_stream(reader: asyncio.StreamReader, command: bytes = b"") -> bytes:
    """The mail of one INSTREAM, with the session's beginning or without; the first command may be read already."""
    command = command or await reader.readuntil(b"\0")
    if command == b"zIDSESSION\0":
        command = await reader.readuntil(b"\0")
    assert command == b"zINSTREAM\0", command
    mail = b""
    while size := int.from_bytes(await reader.readexactly(4), "big"):
        mail += await reader.readexactly(size)
    return mail


def clamd_with(*signatures: bytes, breaks_at: int = 0, streams: list[bytes] | None = None) -> Talk:
    """Finds a virus where all of these are in a mail; the stream of that number is closed instead of answered. What
    came is put into `streams`.
    """
    turn = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        here = 1
        while True:
            command = await reader.readuntil(b"\0")
            if command == b"zVERSION\0":
                writer.write(b"ClamAV 1.4.6/1\0")
                return
            mail = await take_stream(reader, command)
            turn += 1
            if streams is not None:
                streams.append(mail)
            if breaks_at and turn >= breaks_at:
                return
            found = all(signature in mail for signature in signatures)
            writer.write(b"%d: stream: %s\0" % (here, b"Test FOUND" if found else b"OK"))
            here += 1

    return talk


clamd = clamd_with(b"virus")


async def until(ready: Callable[[], object]) -> None:
    """Wait for what happens in the background."""
    for _ in range(300):
        if ready():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


@contextmanager
def mail_file(mail: bytes = MAIL) -> Iterator[int]:
    """The descriptor of a file with these octets."""
    with tempfile.TemporaryFile() as file:
        file.write(mail)
        file.flush()
        yield file.fileno()


@contextmanager
def mail_source(mail: bytes = MAIL) -> Iterator[Source]:
    with mail_file(mail) as fd:
        yield Source(ThreadDisk(), fd, len(mail))


def antivirus(address: Sock | str | None, name: str = "AV", kind: str = "clamav-net", **items: Any) -> AntivirusEngine:
    return AntivirusEngine(name, kind, address, **{"sock_opt": OPT, "timeout": 2.0, "breaker": (0, 0), **items})


def antispam(address: Sock | str | None, name: str = "AS", kind: str = "spamd", **items: Any) -> AntispamEngine:
    return AntispamEngine(name, kind, address, **{"sock_opt": OPT, "timeout": 2.0, "breaker": (0, 0), **items})


@asynccontextmanager
async def scanners(
    *engines: AntivirusEngine | AntispamEngine, notebook: Notebook | None = None, **items: Any
) -> AsyncIterator[Scanners]:
    """These engines, not started."""
    viruses = [one for one in engines if isinstance(one, AntivirusEngine)]
    spams = [one for one in engines if isinstance(one, AntispamEngine)]
    made = Scanners(viruses, spams, ThreadDisk(), cast(Logs, notebook or Notebook(9)), **items)
    try:
        yield made
    finally:
        await made.close()
