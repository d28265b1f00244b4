"""One session's sockets: connecting in order, ends of both legs, lingering, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from contextlib import suppress
from typing import Any

import pytest

from imap4fast._wire import Relay
from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import CommandAcl, SessionAcl
from imap4fast.config.values import Address, Sock
from imap4fast.log import imap as entries
from imap4fast.log import netc
from imap4fast.net.driver import Driver
from imap4fast.net.dump import FromClient, FromServer
from imap4fast.net.endpoint import ClientEnd, ServerEnd
from imap4fast.session.session import Session
from tests.unit.net.running import LOOPBACK, Running, closing, easy, run, serving, silent, unused_port

SESSION = b"a LOGIN jana x\r\nb LOGOUT\r\n"
TALK = b"* OK ready\r\na OK done\r\n* BYE bye\r\nb OK done\r\n"
ALIVE = (Session, Driver, ClientEnd, ServerEnd, Relay, FromClient, FromServer)


pytestmark = pytest.mark.usefixtures("quick")


async def event(running: Running) -> dict[str, object]:
    (args,) = await running.logged(entries.PROXY_EVENT)
    return dict(zip(entries.PROXY_EVENT.keys, args, strict=True))


class TestConnecting:
    def test_the_next_address_is_tried(self) -> None:
        async def main() -> None:
            server = await asyncio.start_server(closing(easy), "127.0.0.1", 0)
            port, dead = server.sockets[0].getsockname()[1], unused_port()
            async with serving(None, plug_to=(Sock(LOOPBACK, dead), Sock(LOOPBACK, port))) as running:
                assert await running.hears(SESSION) == TALK
                ((tried, _),) = await running.logged(netc.CONNECT_FAILED)
                assert tried == f"127.0.0.1:{dead}"
                assert (await event(running))["SERVER-PORT"] == port
            server.close()

        run(main())

    def test_nobody_listens(self) -> None:
        async def main() -> None:
            async with serving(None) as running:
                assert await running.hears(SESSION) == b"* BYE [UNAVAILABLE] mail server cannot be reached\r\n"
                assert len(await running.logged(netc.NO_SERVER)) == 1
                assert (await event(running))["RESULT"] == "FAILED"

        run(main())

    def test_nobody_answers(self) -> None:
        """A listener whose queue is full takes no connection."""

        async def main() -> None:
            with socket.socket() as full:
                full.bind(("127.0.0.1", 0))
                full.listen(0)
                waiting = [socket.socket() for _ in range(3)]
                for sock in waiting:
                    sock.setblocking(False)
                    with suppress(BlockingIOError):
                        sock.connect(full.getsockname())
                plug_to = (Sock(LOOPBACK, full.getsockname()[1]),)
                async with serving(None, plug_to=plug_to, server_conn=SockOpt(conn_timeout=0.2)) as running:
                    said = await running.hears(SESSION)
                for sock in waiting:
                    sock.close()
            assert said == b"* BYE [UNAVAILABLE] mail server did not take the connection in time\r\n"

        run(main())

    @pytest.mark.parametrize("name", ["nowhere.invalid", "a" * 70 + ".example"])
    def test_no_such_name(self, name: str) -> None:
        async def main() -> None:
            async with serving(None, plug_to=(Sock(name, 143),)) as running:
                assert await running.hears(SESSION) == b"* BYE [UNAVAILABLE] mail server cannot be reached\r\n"
                assert (await running.logged(netc.RESOLVE_FAILED))[0][0] == name

        run(main())

    def test_a_name(self) -> None:
        async def main() -> None:
            server = await asyncio.start_server(closing(easy), "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            async with serving(None, plug_to=(Sock("localhost", port),)) as running:
                assert await running.hears(SESSION) == TALK
            server.close()

        run(main())

    def test_ipv6(self) -> None:
        async def main() -> None:
            server = await asyncio.start_server(closing(easy), "::1", 0)
            port = server.sockets[0].getsockname()[1]
            async with serving(None, plug_to=(Sock(Address(6, 1), port),)) as running:
                assert await running.hears(SESSION) == TALK
                assert (await event(running))["SERVER"] == "::1"
            server.close()

        run(main())

    def test_a_silent_server(self) -> None:
        async def main() -> None:
            async with serving(silent, server_conn=SockOpt(recv_timeout=0.2)) as running:
                said = await running.hears(SESSION)
                assert said == b"* BYE [UNAVAILABLE] mail server did not greet in time\r\n"
                assert await running.logged(entries.LIMIT) == [("recv-timeout", 0)]

        run(main())

    def test_the_client_leaves_while_connecting(self) -> None:
        async def main() -> None:
            async with serving(silent, client_conn=SockOpt(close_timeout=0.2)) as running:
                _, writer = await running.client()
                await running.logged(entries.SESSION_START)
                writer.close()
                assert (await event(running))["RESULT"] == "ABORTED"
                await running.until(lambda: running.service.sessions == 0)

        run(main())


class TestRefused:
    def test_without_a_byte(self) -> None:
        async def main() -> None:
            async with serving(session=SessionAcl(name="NO", accept=False)) as running:
                assert await running.hears() == b""
                assert (await event(running))["BYTES-CIN"] == 0
                await running.until(lambda: running.service.sessions == 0)

        run(main())

    def test_with_a_bye(self) -> None:
        async def main() -> None:
            async with serving(easy, CommandAcl(name="NO", accept=False)) as running:
                said = await running.hears(SESSION)
                assert said == b"* BYE [NOPERM] access denied by policy\r\n"
                assert (await event(running))["BYTES-CIN"] == len(said)
                await running.until(lambda: running.service.sessions == 0)

        run(main())


class TestEnds:
    def test_a_client_that_shuts_its_side_is_still_answered(self) -> None:
        async def main() -> None:
            async with serving() as running:
                reader, writer = await running.client()
                writer.write(SESSION)
                writer.write_eof()
                assert await reader.read() == TALK
                writer.close()

        run(main())

    def test_a_client_that_resets(self) -> None:
        async def main() -> None:
            async with serving() as running:
                reader, writer = await running.client()
                await reader.readline()
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                assert (await event(running))["RESULT"] == "ABORTED"
                await running.until(lambda: running.service.sessions == 0)

        run(main())

    def test_a_server_that_closes(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"* OK ready\r\n")
            await reader.readline()

        async def main() -> None:
            async with serving(talk) as running:
                said = await running.hears(b"a LOGIN jana x\r\n")
                assert said == b"* OK ready\r\n* BYE [UNAVAILABLE] mail server closed the connection\r\n"

        run(main())

    def test_the_bye_is_not_lost_to_a_reset(self) -> None:
        """Bytes that nobody reads must not make the kernel reset the connection before the client has its BYE."""

        async def main() -> None:
            async with serving(None) as running:
                reader, writer = await running.client()
                writer.write(b"a NOOP\r\n" * 2000)
                assert (await reader.read()).endswith(b"* BYE [UNAVAILABLE] mail server cannot be reached\r\n")
                writer.close()

        run(main())

    def test_a_client_that_never_closes_is_closed(self) -> None:
        async def main() -> None:
            async with serving(None, client_conn=SockOpt(close_timeout=0.3)) as running:
                reader, writer = await running.client()
                await reader.readline()
                await running.until(lambda: running.service.sessions == 0)
                writer.close()

        run(main())

    def test_time_runs_out(self) -> None:
        async def main() -> None:
            async with serving(login_timeout=0.3) as running:
                assert await running.hears() == b"* OK ready\r\n* BYE no login in time\r\n"

        run(main())


class TestServersEnd:
    """close-timeout of `server-conn`: wait for the server's half to close, then reset."""

    @staticmethod
    async def ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """How a server sees the end of a session."""
        try:
            while await reader.read(1000):
                pass
            for _ in range(40):
                writer.write(b"* OK still here\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            return "reset"
        return "waits on"

    @pytest.mark.parametrize(
        ("wait", "said", "least", "most"),
        [(0.3, b"", 0.2, 1), (0, b"", 0, 0.2), (5, b"a NOOP\r\n", 0, 0.5)],
        ids=["waited for", "at once", "in the midst of an answer"],
    )
    def test_a_server_that_does_not_close(self, wait: float, said: bytes, least: float, most: float) -> None:
        seen: list[tuple[str, float]] = []

        async def stubborn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"* OK ready\r\n")
            if said:
                await reader.readline()
            began = asyncio.get_running_loop().time()
            how = await self.ended(reader, writer)
            seen.append((how, asyncio.get_running_loop().time() - began))

        async def main() -> None:
            client = SockOpt(close_timeout=0)
            async with serving(stubborn, server_conn=SockOpt(close_timeout=wait), client_conn=client) as running:
                reader, writer = await running.client()
                await reader.readline()
                writer.write(said)
                await asyncio.sleep(0.05)
                writer.transport.abort()
                await running.until(lambda: bool(seen))
                await running.until(lambda: running.service.parting == 0)

        run(main())
        ((how, time),) = seen
        assert how == "reset"
        assert least <= time <= most

    def test_a_server_that_closes(self) -> None:
        async def main() -> None:
            async with serving(easy, server_conn=SockOpt(close_timeout=60)) as running:
                reader, writer = await running.client()
                await reader.readline()
                writer.transport.abort()
                await running.until(lambda: running.service.sessions == running.service.parting == 0)

        run(main())


def alive() -> list[str]:
    return sorted(type(found).__name__ for found in gc.get_objects() if isinstance(found, ALIVE))


REFUSED = {"session": SessionAcl(name="NO", accept=False)}
NO_SERVER = {"plug_to": (Sock(LOOPBACK, 9),)}
NO_SERVER_OF_NAME = {"plug_to": (Sock("localhost", 9),)}
ABORTED = {"client_conn": SockOpt(close_timeout=0)}
DUMPED = {"level": 9}


@pytest.mark.parametrize(
    "items",
    [{}, REFUSED, NO_SERVER, NO_SERVER_OF_NAME, ABORTED, DUMPED],
    ids=["whole", "refused", "no server", "no server of that name", "aborted", "dumped"],
)
def test_a_session_leaves_nothing_behind(items: dict[str, Any]) -> None:
    """architecture.md section 8: the collector is off in workers, so no cycle may be left."""

    async def main() -> tuple[list[str], list[str]]:
        async with serving(**{"level": 6} | items) as running:
            await running.hears(SESSION)
            await running.until(lambda: running.service.sessions == 0)
            await asyncio.sleep(0.1)
            gc.collect()
            gc.disable()
            try:
                before = alive()
                for _ in range(5):
                    await running.hears(SESSION)
                await running.until(lambda: running.service.sessions == 0)
                await asyncio.sleep(0.1)
                return before, alive()
            finally:
                gc.enable()

    before, after = run(main())
    assert after == before


def test_a_server_that_lives_on_is_watched() -> None:
    """keepalive and TCP_USER_TIMEOUT, with the next tick after the connection."""

    async def main() -> None:
        async with serving(server_conn=SockOpt(keepalive=33, send_timeout=44)) as running:
            _, writer = await running.client()
            await running.logged(netc.CONNECTED)
            (driver,) = running.service._drivers
            assert driver.server is not None
            sock = driver.server.get_extra_info("socket")
            await running.until(lambda: sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 33
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 44000
            writer.close()

    run(main())


@pytest.mark.parametrize("nodelay", [True, False])
def test_nodelay_on_both_legs(nodelay: bool) -> None:
    """The loop turns it on for every connection; `nodelay no` takes it back."""
    opt = SockOpt(nodelay=nodelay)

    async def main() -> None:
        async with serving(client_conn=opt, server_conn=opt) as running:
            _, writer = await running.client()
            await running.logged(netc.CONNECTED)
            (driver,) = running.service._drivers
            for transport in (driver.client, driver.server):
                assert transport is not None
                sock = transport.get_extra_info("socket")
                assert bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is nodelay
            writer.close()

    run(main())
