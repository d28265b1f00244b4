"""A service in a loop of its own on loopback, with a scripted server behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, cast

import uvloop

from imap4fast._wire import CountTable
from imap4fast.config.settings import CommandAcl, Listen, Proxy, SessionAcl, Settings, TcpServer
from imap4fast.config.values import Address, Sock
from imap4fast.log.entry import Entry
from imap4fast.log.setup import Logs
from imap4fast.net.service import Service
from imap4fast.net.tlsmaterial import Material
from tests.play.stage import Notebook, accepting

LOOPBACK = Address(4, 0x7F000001)
PATIENCE_S = 2.0

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Result = TypeVar("Result")


def run(what: Coroutine[Any, Any, Result]) -> Result:
    """In the loop that workers use, with an end to all patience."""

    async def limited() -> Result:
        return await asyncio.wait_for(what, 4 * PATIENCE_S)

    return uvloop.run(limited())


async def easy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that says OK to everything."""
    writer.write(b"* OK ready\r\n")
    while line := await reader.readline():
        tag, command = line.split()[:2]
        if command.upper() == b"LOGOUT":
            writer.write(b"* BYE bye\r\n" + tag + b" OK done\r\n")
            return
        writer.write(tag + b" OK done\r\n")


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that only listens."""
    await reader.read()


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Running:
    """What a test needs to know of the service."""

    def __init__(self, service: Service, notebook: Notebook, port: int, counts: CountTable) -> None:
        self.service, self.notebook, self.port, self.counts = service, notebook, port, counts

    async def client(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def hears(self, said: bytes = b"") -> bytes:
        """All that a client hears who says this and then waits for the end."""
        reader, writer = await self.client()
        writer.write(said)
        try:
            return await asyncio.wait_for(reader.read(), PATIENCE_S)
        except ConnectionResetError:
            return b"(reset)"
        finally:
            writer.close()

    async def until(self, fits: Callable[[], bool]) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while not fits():
            assert asyncio.get_running_loop().time() < end, [line.line for line in self.notebook.written]
            await asyncio.sleep(0.01)

    async def logged(self, entry: Entry, count: int = 1) -> list[tuple[object, ...]]:
        """The arguments of the entry's lines, once there are so many."""
        found: list[tuple[object, ...]] = []

        def fits() -> bool:
            found[:] = [line.args for line in self.notebook.written if line.entry is entry]
            return len(found) >= count

        await self.until(fits)
        return found


@asynccontextmanager
async def serving(
    talk: Talk | None = easy,
    *commands: CommandAcl,
    session: SessionAcl | None = None,
    plug_to: tuple[Sock, ...] | None = None,
    acl: dict[str, Any] | None = None,
    materials: tuple[Material, ...] = (),
    level: int = 9,
    **proxy: Any,
) -> AsyncIterator[Running]:
    """`talk` None: nobody listens where the server should be. `acl` has more items of the session-acl."""
    server = await asyncio.start_server(closing(talk), "127.0.0.1", 0) if talk is not None else None
    port = server.sockets[0].getsockname()[1] if server is not None else unused_port()
    plug_to = plug_to or (Sock(LOOPBACK, port),)
    settings = Settings(
        path="x.cfg",
        digest="0",
        proxy=Proxy(
            name="P",
            session_acls=(session or SessionAcl(name="IN", accept=True, plug_to=plug_to, **(acl or {})),),
            command_acls=commands or (accepting(),),
            **proxy,
        ),
    )
    running = _running(settings, level)
    running.service.take_tls(materials, ())
    listening = socket.create_server(("127.0.0.1", running.port))
    running.port = listening.getsockname()[1]
    await running.service.start([(listening, Listen(False, None, None, None, running.port, running.port))])
    try:
        yield running
    finally:
        running.service.stop_accepting()
        await running.service.drain(0)
        listening.close()
        if server is not None:
            server.close()


def _running(settings: Settings, level: int) -> Running:
    notebook = Notebook(level)
    counts = CountTable(1)
    limits: TcpServer = settings.proxy.tcpserver
    counts.set_limits(limits.max_sessions, limits.max_sessions_per_ip, limits.conn_rate, limits.conn_rate_per_ip)
    return Running(Service(settings, cast(Logs, notebook), counts, 0), notebook, 0, counts)


def closing(talk: Talk) -> Talk:
    """The same, closing at its end: uvloop cannot be closed while a transport is open."""

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()

    return whole
