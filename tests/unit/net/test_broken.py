"""A fault of the program in any callback ends its session: its place is free again, the other sessions live.

The first session of each test is the one that breaks, a second one is open all the while.
"""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from imap4fast.config.values import Sock
from imap4fast.log import imap as entries
from imap4fast.net import service as services
from imap4fast.net.driver import Driver
from imap4fast.net.endpoint import ClientEnd, ServerEnd
from imap4fast.net.service import Service
from imap4fast.session.session import Session
from tests.unit.net.running import LOOPBACK, Running, closing, run, serving, unused_port
from tests.unit.net.test_driver import SESSION, TALK, alive

READY = b"* OK ready\r\n"
BYE = b"* BYE [SERVERBUG] internal error\r\n"

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Provoke = Callable[[Client], Awaitable[None]]


pytestmark = pytest.mark.usefixtures("quick")


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that can be made to end in two ways, and to say more than a client takes."""
    writer.write(READY)
    while line := await reader.readline():
        tag, command = line.split()[:2]
        if command == b"NOOP":
            return
        if command == b"CAPABILITY":
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        if command == b"CHECK":
            writer.write((b"* SEARCH" + b" 1" * 30_000 + b"\r\n") * 200)
            await writer.drain()
        if command == b"LOGOUT":
            writer.write(b"* BYE bye\r\n" + tag + b" OK done\r\n")
            return
        writer.write(tag + b" OK done\r\n")


def number_of(what: Any) -> int:
    """The session's number of a session, driver or endpoint."""
    session = what if isinstance(what, Session) else getattr(what, "driver", what).session
    return int(session.number)


def breaks(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """The method raises where it is called for the first session."""
    whole = getattr(owner, name)

    def broken(self: Any, *args: Any) -> Any:
        if number_of(self) == 1:
            raise ZeroDivisionError
        return whole(self, *args)

    monkeypatch.setattr(owner, name, broken)


async def nothing(client: Client) -> None:
    """It breaks by itself."""


async def shuts(client: Client) -> None:
    await client[0].readline()
    client[1].write_eof()


async def resets(client: Client) -> None:
    await client[0].readline()
    sock = client[1].get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client[1].transport.abort()


def says(line: bytes) -> Provoke:
    async def provoke(client: Client) -> None:
        await client[0].readline()
        client[1].write(line)

    return provoke


async def reads_nothing(client: Client) -> None:
    client[1].write(b"a LOGIN jana x\r\nb SELECT x\r\nc CHECK\r\n")
    client[1].transport.pause_reading()  # type: ignore[attr-defined]


async def reads_late(client: Client) -> None:
    await reads_nothing(client)
    await asyncio.sleep(0.3)
    client[1].transport.resume_reading()  # type: ignore[attr-defined]
    with suppress(ConnectionError):
        await client[0].read()


BREAKS: list[tuple[type, str, Provoke]] = [
    (Driver, "server_made", nothing),
    (Driver, "client_ended", shuts),
    (Driver, "client_lost", resets),
    (Driver, "server_ended", says(b"a NOOP\r\n")),
    (Driver, "server_lost", says(b"a NOOP\r\n")),
    (Driver, "server_lost", says(b"a CAPABILITY\r\n")),
    (Driver, "close", says(b"a NOOP\r\n")),
    (Session, "open", nothing),
    (Session, "client_gone", shuts),
    (Session, "client_gone", resets),
    (Session, "server_gone", says(b"a NOOP\r\n")),
    (Session, "server_gone", says(b"a CAPABILITY\r\n")),
    (Session, "end", says(b"a NOOP\r\n")),
    (Session, "tick", nothing),
    (ClientEnd, "pause_writing", reads_nothing),
    (ClientEnd, "resume_writing", reads_late),
    (ServerEnd, "eof_received", says(b"a NOOP\r\n")),
]
IDS = [f"{owner.__name__}.{name} {provoke.__name__}" for owner, name, provoke in BREAKS]


async def others_live(running: Running, provoke: Provoke) -> None:
    """Provokes the fault in the first session and sees to the second."""
    first = await running.client()
    second = await running.client()
    assert await second[0].readline() == READY
    await provoke(first)
    found = await running.logged(entries.INTERNAL_ERROR)
    assert {where for where, _ in found} == {"session"}
    assert all("ZeroDivisionError" in str(what) for _, what in found)
    assert {line.track for line in running.notebook.written if line.entry is entries.INTERNAL_ERROR} == {1}
    first[1].close()
    await running.until(lambda: running.service.sessions == 1)
    second[1].write(SESSION)
    assert READY + await second[0].read() == TALK
    second[1].close()
    await running.until(lambda: running.service.sessions == running.counts.sessions() == 0)
    assert len(await running.logged(entries.SESSION_END, 2)) == 2
    assert len(await running.logged(entries.PROXY_EVENT, 2)) == 2


@pytest.mark.parametrize(("owner", "name", "provoke"), BREAKS, ids=IDS)
def test_other_sessions_live(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, provoke: Provoke) -> None:
    breaks(monkeypatch, owner, name)

    async def main() -> None:
        async with serving(talk) as running:
            await others_live(running, provoke)

    run(main())


@pytest.mark.parametrize("name", ["_failed", "_resolved"])
@pytest.mark.parametrize("host", [LOOPBACK, "localhost"])
def test_connecting(monkeypatch: pytest.MonkeyPatch, host: Any, name: str) -> None:
    """At once, in a later step, and in a task."""
    breaks(monkeypatch, Driver, name)

    async def main() -> None:
        server = await asyncio.start_server(closing(talk), "127.0.0.1", 0)
        servers = (Sock(host, unused_port()), Sock("localhost", server.sockets[0].getsockname()[1]))
        async with serving(None, plug_to=servers) as running:
            await others_live(running, nothing)
        server.close()

    run(main())


def test_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the relay itself raises."""

    class Breaking(ClientEnd):
        __slots__ = ()

        def __init__(self, service: Service, transparent: bool, listener: str) -> None:
            super().__init__(service, transparent, listener)
            whole = self.data_received

            def broken(data: bytes) -> None:
                if number_of(self) == 1:
                    raise ZeroDivisionError
                whole(data)

            self.data_received = broken

    monkeypatch.setattr(services, "ClientEnd", Breaking)

    async def main() -> None:
        async with serving(talk) as running:
            await others_live(running, says(b"a NOOP\r\n"))

    run(main())


@pytest.mark.parametrize(
    ("name", "said"), [("server_made", b""), ("server_ended", b"a NOOP\r\n"), ("server_lost", b"a CAPABILITY\r\n")]
)
def test_the_client_is_told(monkeypatch: pytest.MonkeyPatch, name: str, said: bytes) -> None:
    breaks(monkeypatch, Driver, name)

    async def main() -> None:
        async with serving(talk) as running:
            heard = await running.hears(said)
            assert heard == (BYE if name == "server_made" else READY + BYE)

    run(main())


def test_a_connection_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed, and counted no more."""
    whole = services.Session
    made: list[int] = []

    def broken(*args: Any) -> Session:
        made.append(1)
        if len(made) == 1:
            raise ZeroDivisionError
        return whole(*args)

    monkeypatch.setattr(services, "Session", broken)

    async def main() -> None:
        async with serving(talk) as running:
            assert await running.hears() in (b"", b"(reset)")
            assert [where for where, _ in await running.logged(entries.INTERNAL_ERROR)] == ["worker"]
            assert running.counts.sessions() == running.service.sessions == 0
            assert await running.hears(SESSION) == TALK

    run(main())


def test_the_last_words_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch, Session, "shut_down")

    async def main() -> None:
        async with serving(talk) as running:
            first, second = await running.client(), await running.client()
            assert await first[0].readline() == await second[0].readline() == READY
            running.service.stop_accepting()
            await running.service.drain(0)
            assert await first[0].read() == BYE
            assert await second[0].read() == b"* BYE [UNAVAILABLE] proxy is shutting down\r\n"
            first[1].close()
            second[1].close()

    run(main())


@pytest.mark.parametrize("name", ["server_made", "client_ended", "client_lost", "server_lost", "close"])
def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """architecture.md section 8: the collector is off in workers."""
    whole = getattr(Driver, name)
    healthy = True

    def broken(self: Driver, *args: Any) -> Any:
        if not healthy:
            raise ZeroDivisionError
        return whole(self, *args)

    monkeypatch.setattr(Driver, name, broken)

    async def settled(running: Running) -> list[str]:
        await running.until(lambda: running.service.sessions == 0)
        await asyncio.sleep(0.1)
        return alive()

    async def main() -> tuple[list[str], list[str]]:
        nonlocal healthy
        async with serving(level=6) as running:
            await running.hears(SESSION)
            await settled(running)
            gc.collect()
            gc.disable()
            try:
                before = alive()
                healthy = False
                for _ in range(3):
                    await running.hears(SESSION)
                healthy = True
                after = await settled(running)
                for _ in range(50):  # a busy machine takes its time
                    after = after if after == before else await settled(running)
                return before, after
            finally:
                gc.enable()

    before, after = run(main())
    assert after == before
