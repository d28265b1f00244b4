"""One worker's service on loopback: limits of connections, names, draining, and that it survives what breaks."""

from __future__ import annotations

import asyncio
import socket

import pytest

from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import Listen, SessionAcl, TcpServer
from imap4fast.config.values import Address, HostMember, HostName, HostRegex, Sock
from imap4fast.log import imap as entries
from imap4fast.log import tcps
from imap4fast.log.entry import Entry
from imap4fast.net import service as services
from imap4fast.net.resolve import ClientNames
from imap4fast.session.session import Session
from tests.play.stage import accepting
from tests.unit.net.running import LOOPBACK, Running, closing, easy, run, serving

SESSION = b"a LOGIN jana x\r\nb LOGOUT\r\n"
TALK = b"* OK ready\r\na OK done\r\n* BYE bye\r\nb OK done\r\n"


def test_a_session_from_end_to_end() -> None:
    async def main() -> None:
        async with serving() as running:
            assert await running.hears(SESSION) == TALK
            await running.logged(tcps.CONNECTION_HANDLED)
            assert running.service.sessions == 0
            assert running.counts.sessions() == 0
            event = dict(zip(entries.PROXY_EVENT.keys, (await running.logged(entries.PROXY_EVENT))[0], strict=True))
            assert (event["USER"], event["RESULT"], event["BYTES-CIN"]) == ("jana", "OK", len(TALK))
            ((came, to),) = await running.logged(tcps.CONNECTION_ACCEPTED)
            assert to == f"127.0.0.1:{running.port}"
            assert await running.logged(tcps.CONNECTION_HANDLED) == [(came,)]

    run(main())


def test_sessions_are_numbered() -> None:
    async def main() -> None:
        async with serving() as running:
            for _ in range(3):
                await running.hears(SESSION)
            await running.logged(entries.SESSION_START, 3)
            assert [line.track for line in running.notebook.written if line.entry is entries.SESSION_START] == [1, 2, 3]

    run(main())


@pytest.mark.parametrize(
    ("limit", "entry"),
    [({"max_sessions": 2}, tcps.MAX_SESSIONS), ({"max_sessions_per_ip": 2}, tcps.MAX_SESSIONS_PER_IP)],
)
def test_too_many_sessions_get_a_bye(limit: dict[str, int], entry: object) -> None:
    async def main() -> None:
        async with serving(tcpserver=TcpServer(**limit)) as running:
            kept = [await running.client() for _ in range(2)]
            for reader, _ in kept:
                assert await reader.readline() == b"* OK ready\r\n"
            assert await running.hears() == b"* BYE [LIMIT] too many sessions, try again later\r\n"
            refused = [line for line in running.notebook.written if line.entry is entry]
            assert refused[0].args[1] == 2
            kept[0][1].close()
            await running.until(lambda: running.service.sessions == 1)
            assert await running.hears(SESSION) == TALK
            kept[1][1].close()

    run(main())


@pytest.mark.parametrize(
    ("limit", "entry"), [("conn_rate", tcps.CONN_RATE), ("conn_rate_per_ip", tcps.CONN_RATE_PER_IP)]
)
def test_too_many_connections_a_second_are_closed_silently(limit: str, entry: object) -> None:
    """configuration.md section 5: logged once a second."""

    async def main() -> None:
        async with serving(tcpserver=TcpServer(**{limit: 2})) as running:
            heard = [await running.hears(SESSION) for _ in range(8)]
            assert heard[:2] == [TALK, TALK]
            assert set(heard[2:]) <= {b"", b"(reset)", TALK}
            assert heard.count(TALK) <= 4
            lines = [line for line in running.notebook.written if line.entry is entry and line.severity in (None, "W")]
            assert 1 <= len(lines) <= 2

    run(main())


def test_a_flood_of_refusals_is_one_warning_a_second() -> None:
    """log/tcps.py 810: others under severity D (T-L16)."""

    async def main() -> None:
        async with serving(tcpserver=TcpServer(max_sessions=1)) as running:
            reader, writer = await running.client()
            await reader.readline()
            for _ in range(20):
                await running.hears()
            lines = [line for line in running.notebook.written if line.entry is tcps.MAX_SESSIONS]
            assert len(lines) == 20
            assert 1 <= len([line for line in lines if line.severity in (None, "W")]) <= 3
            writer.close()

    run(main())


def test_a_connection_of_another_process() -> None:
    async def main() -> None:
        async with serving() as running:
            ours, theirs = _connected_pair()
            running.service.adopt(theirs, Listen(False, None, None, None, 0, 0))
            reader, writer = await asyncio.open_connection(sock=ours)
            writer.write(SESSION)
            assert await reader.read() == TALK
            writer.close()

    run(main())


def _connected_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
    ours.setblocking(False)
    return ours, theirs


def test_names_of_conditions_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "resolve_names", lambda names: {name: frozenset({LOOPBACK}) for name in names})

    async def main(name: str) -> bytes:
        conditions = Conditions(
            from_=(HostMember(HostName("here.example"), negate=name == "not"), HostMember(HostName("x")))
        )
        server = await asyncio.start_server(closing(easy), "127.0.0.1", 0)
        plug_to = (Sock(LOOPBACK, server.sockets[0].getsockname()[1]),)
        acl = SessionAcl(name="IN", accept=True, plug_to=plug_to, conditions=conditions)
        async with serving(None, session=acl) as running:
            heard = await running.hears(SESSION)
        server.close()
        return heard

    assert run(main("here")) == TALK
    assert run(main("not")) == b""


def test_names_are_resolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def resolve(names: object) -> dict[str, frozenset[Address]]:
        asked.append(1)
        return {"here.example": frozenset({LOOPBACK})} if len(asked) > 1 else {}

    monkeypatch.setattr(services, "resolve_names", resolve)

    async def main() -> None:
        conditions = Conditions(from_=(HostMember(HostName("here.example")),))
        acl = SessionAcl(name="IN", accept=False, conditions=conditions)
        async with serving(None, session=acl, cfg_resolution=0.05) as running:
            assert await running.hears() == b""
            assert await running.logged(entries.SESSION_ACL) == [(None, "REJECTED")]
            await running.until(lambda: len(asked) > 2)
            assert await running.hears() == b""
            assert (await running.logged(entries.SESSION_ACL, 2))[1] == ("IN", "REJECTED")

    run(main())


def test_names_that_nobody_can_tell_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules that name them go on with the addresses that were known last."""
    asked: list[int] = []

    def resolve(names: object) -> dict[str, frozenset[Address]]:
        asked.append(1)
        return {"here.example": frozenset({LOOPBACK})} if len(asked) == 1 else {}

    monkeypatch.setattr(services, "resolve_names", resolve)

    async def main() -> None:
        conditions = Conditions(from_=(HostMember(HostName("here.example")),))
        acl = SessionAcl(name="IN", accept=False, conditions=conditions)
        async with serving(None, session=acl, cfg_resolution=0.05) as running:
            await running.until(lambda: len(asked) > 2)
            assert await running.hears() == b""
            assert await running.logged(entries.SESSION_ACL) == [("IN", "REJECTED")]

    run(main())


def test_a_session_that_lives_goes_by_a_new_level() -> None:
    """Its greeting, its LOGIN and their capabilities are lines of level debug, which the relay decides else alone."""
    wanted = (entries.CAPABILITIES, entries.COMMAND_PASSED, entries.LOGIN)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        while line := await reader.readline():
            writer.write(line.split()[0] + b" NO no\r\n" if b"otto" in line else b"a OK [CAPABILITY IMAP4rev1] in\r\n")

    async def lines_of(running: Running, level: int) -> list[Entry]:
        running.notebook.level = 6
        reader, writer = await running.client()
        await reader.readline()
        before = len(running.notebook.written)
        running.notebook.level = level
        running.service.level_changed()
        writer.write(b"a LOGIN otto x\r\n")
        await reader.readline()
        writer.write(b"a LOGIN jana x\r\n")
        await reader.readline()
        writer.close()
        return [line.entry for line in running.notebook.written[before:] if line.entry in wanted]

    async def main() -> None:
        async with serving(talk) as running:
            await lines_of(running, 6)
            assert await lines_of(running, 6) == [entries.LOGIN]
            passed = [entries.COMMAND_PASSED, entries.LOGIN]
            assert await lines_of(running, 7) == [*passed, *passed, entries.CAPABILITIES]

    run(main())


class TestDraining:
    def test_waits_for_sessions(self) -> None:
        async def main() -> None:
            async with serving() as running:
                reader, writer = await running.client()
                await reader.readline()
                running.service.stop_accepting()
                draining = asyncio.ensure_future(running.service.drain(3))
                await asyncio.sleep(0.1)
                assert not draining.done()
                writer.write(SESSION)
                assert await reader.read() == TALK[len(b"* OK ready\r\n") :]
                writer.close()
                await draining
                assert [line for line in running.notebook.written if line.entry is tcps.SESSIONS_CUT] == []

        run(main())

    def test_then_says_bye(self) -> None:
        async def main() -> None:
            async with serving() as running:
                reader, writer = await running.client()
                await reader.readline()
                running.service.stop_accepting()
                draining = asyncio.ensure_future(running.service.drain(0.2))
                assert await reader.read() == b"* BYE [UNAVAILABLE] proxy is shutting down\r\n"
                writer.close()
                await draining
                assert await running.logged(tcps.SESSIONS_CUT) == [(0, 1, 0)]

        run(main())

    def test_nobody_can_connect(self) -> None:
        async def main() -> None:
            async with serving() as running:
                running.service.stop_accepting()
                await asyncio.sleep(0.05)
                with pytest.raises(OSError):  # noqa: PT011
                    await running.client()

        run(main())


class TestWhatBreaks:
    def test_a_session_that_cannot_begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It ends, its line is in the log, its place is free again, the worker lives (architecture.md section 9)."""
        begun: list[int] = []
        whole = Session.open

        def broken(session: Session) -> bool:
            begun.append(1)
            if len(begun) == 1:
                raise ZeroDivisionError
            return whole(session)

        monkeypatch.setattr(Session, "open", broken)

        async def main() -> None:
            async with serving(tcpserver=TcpServer(max_sessions=1)) as running:
                assert await running.hears() in (b"", b"(reset)")
                ((_, what),) = await running.logged(entries.INTERNAL_ERROR)
                assert "ZeroDivisionError" in str(what)
                await running.until(lambda: running.counts.sessions() == 0)
                assert await running.hears(SESSION) == TALK

        run(main())

    def test_a_session_whose_time_cannot_be_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Others' limits in time go on."""
        whole = Session.tick
        ticked: set[int] = set()

        def broken(session: Session, now: float) -> None:
            if session.number == 1:
                raise ZeroDivisionError
            ticked.add(session.number)
            whole(session, now)

        monkeypatch.setattr(Session, "tick", broken)
        monkeypatch.setattr(services, "TICK_S", 0.05)

        async def main() -> None:
            async with serving() as running:
                first, second = await running.client(), await running.client()
                assert await first[0].read() in (
                    b"* OK ready\r\n* BYE [SERVERBUG] internal error\r\n",
                    b"* BYE [SERVERBUG] internal error\r\n",
                )
                await running.until(lambda: bool(ticked))
                second[1].write(SESSION)
                assert await second[0].read() == TALK
                first[1].close()
                second[1].close()

        run(main())

    def test_what_no_session_caught(self) -> None:
        async def main() -> None:
            async with serving() as running:
                running.service.loop.call_soon(lambda: 1 / 0)
                ((where, what),) = await running.logged(entries.INTERNAL_ERROR)
                assert where == "worker"
                assert "ZeroDivisionError" in str(what)
                assert await running.hears(SESSION) == TALK

        run(main())


DENIED = b"* BYE [NOPERM] access denied by policy\r\n"
BY_NAME = accepting(conditions=Conditions(from_=(HostMember(HostRegex(r"\.example$")),)))


class TestNamesOfClients:
    """`from /re/`: the session begins when the client's name is known, or known to be unknown."""

    @pytest.mark.parametrize(("name", "heard"), [("ann.example", TALK), ("ann.test", DENIED), (None, DENIED)])
    def test_a_name_decides(self, monkeypatch: pytest.MonkeyPatch, name: str | None, heard: bytes) -> None:
        async def named(names: object, host: str) -> str | None:
            assert host == "127.0.0.1"
            await asyncio.sleep(0.05)
            return name

        async def main() -> None:
            async with serving(easy, BY_NAME) as running:
                assert await running.hears(SESSION) == heard
                await running.until(lambda: running.service.sessions == running.counts.sessions() == 0)

        monkeypatch.setattr(ClientNames, "of", named)
        run(main())

    def test_a_client_that_cannot_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It may leave before its name is known, and say a lot: nothing of it is read."""
        known = asyncio.Event()

        async def named(names: object, host: str) -> str | None:
            await known.wait()
            return "ann.example"

        async def main() -> None:
            async with serving(easy, BY_NAME) as running:
                _, writer = await running.client()
                await running.until(lambda: running.counts.sessions() == 1)
                writer.transport.abort()
                await asyncio.sleep(0.05)
                known.set()
                await running.until(lambda: running.service.sessions == running.counts.sessions() == 0)
                assert await running.hears(SESSION) == TALK

        monkeypatch.setattr(ClientNames, "of", named)
        run(main())
