"""Connections to a scanner: kept, dropped, made, refused."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.values import Address, Sock
from imap4fast.errors import ServiceError
from imap4fast.net import scanlines
from imap4fast.net.scanlines import IDLE_S, RESOLVED_S, Line, Lines
from tests.unit.net.running import LOOPBACK, run, unused_port
from tests.unit.net.scanning import OPT


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(address: Sock | str = "", keep: int = 2, clock: Clock | None = None, opt: SockOpt = OPT) -> Lines:
    return Lines(address, opt, keep, clock or Clock())


@pytest.fixture
def pairs() -> Iterator[list[tuple[Line, socket.socket]]]:
    with ExitStack() as stack:
        made = []
        for _ in range(4):
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            stack.enter_context(theirs)
            made.append((Line(ours), theirs))
        yield made


def test_the_last_one_used_is_taken_first(pairs: list[tuple[Line, socket.socket]]) -> None:
    kept = lines()
    kept.give_back(pairs[0][0])
    kept.give_back(pairs[1][0])
    assert kept.take() is pairs[1][0]
    assert kept.take() is pairs[0][0]
    assert kept.take() is None


def test_no_more_are_kept_than_asked_for(pairs: list[tuple[Line, socket.socket]]) -> None:
    kept = lines(keep=2)
    for line, _ in pairs[:3]:
        kept.give_back(line)
    assert [line.sock.fileno() == -1 for line, _ in pairs[:3]] == [False, False, True]
    kept.close()
    assert kept.take() is None
    assert pairs[0][0].sock.fileno() == -1


def test_none_are_kept_with_a_pool_of_none(pairs: list[tuple[Line, socket.socket]]) -> None:
    kept = lines(keep=0)
    kept.give_back(pairs[0][0])
    assert kept.take() is None
    assert pairs[0][0].sock.fileno() == -1


def test_one_that_lay_idle_for_too_long_is_dropped(pairs: list[tuple[Line, socket.socket]]) -> None:
    clock = Clock()
    kept = lines(clock=clock)
    kept.give_back(pairs[0][0])
    clock.now += IDLE_S - 1
    kept.give_back(pairs[1][0])
    clock.now += 1
    kept.prune()
    assert pairs[0][0].sock.fileno() == -1
    assert kept.take() is pairs[1][0]


@pytest.mark.parametrize("said", [b"", b"1: stream: OK\0"])
def test_t_a04_one_that_said_something_by_itself_is_dropped(
    pairs: list[tuple[Line, socket.socket]], said: bytes
) -> None:
    """Also one that was closed: said is nothing."""
    line, theirs = pairs[0]
    kept = lines()
    kept.give_back(line)
    if said:
        theirs.send(said)
    else:
        theirs.close()
    assert kept.take() is None
    assert line.sock.fileno() == -1


@pytest.mark.parametrize("host", [LOOPBACK, "127.0.0.1", None, Address(6, 1)])
def test_connecting(host: Address | str | None) -> None:
    async def connect() -> tuple[int, int]:
        family = socket.AF_INET6 if host == Address(6, 1) else socket.AF_INET
        place = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        with socket.create_server((place, 0), family=family) as listener:
            line = await lines(Sock(host, listener.getsockname()[1])).connect()
            with line.sock, listener.accept()[0]:
                return (
                    line.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                    line.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                )

    assert run(connect()) == (1, 1)


def test_a_local_socket() -> None:
    async def connect(path: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            line = await lines(path).connect()
            with line.sock, listener.accept()[0] as theirs:
                theirs.send(b"x")
                return await asyncio.get_running_loop().sock_recv(line.sock, 1)

    with tempfile.TemporaryDirectory() as folder:
        assert run(connect(os.path.join(folder, "socket"))) == b"x"


def test_a_local_socket_with_a_full_queue_is_waited_for() -> None:
    async def connect(path: str) -> None:
        with socket.socket(socket.AF_UNIX) as listener, ExitStack() as stack:
            listener.bind(path)
            listener.listen(0)
            kept = lines(path, opt=SockOpt(conn_timeout=0.3))
            first = await kept.connect()
            stack.enter_context(first.sock)
            with pytest.raises(ServiceError, match=r"no connection in 0\.3 s"):
                await kept.connect()
            waiting = asyncio.create_task(kept.connect())
            await asyncio.sleep(0.05)
            stack.enter_context(listener.accept()[0])
            stack.enter_context((await waiting).sock)

    with tempfile.TemporaryDirectory() as folder:
        run(connect(os.path.join(folder, "socket")))


@pytest.mark.parametrize("address", ["/nowhere/socket", Sock(LOOPBACK, 0), Sock("name.invalid", 25), Sock("x..y", 25)])
def test_t_a04_what_cannot_be_reached(address: Sock | str) -> None:
    if isinstance(address, Sock) and address.port == 0:
        address = Sock(LOOPBACK, unused_port())
    with pytest.raises(ServiceError):
        run(lines(address).connect())


def test_addresses_of_a_name_are_tried_in_order_and_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def connect() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            async def look_up(host: str, wanted: int) -> list[scanlines.Place]:
                asked.append(host)
                return [(socket.AF_INET6, ("::1", wanted)), (socket.AF_INET, ("127.0.0.1", wanted))]

            monkeypatch.setattr(scanlines, "_look_up", look_up)
            clock = Clock()
            kept = lines(Sock("scanner.example", port), clock=clock)
            for spent in (0, RESOLVED_S - 1, 1):
                clock.now += spent
                (await kept.connect()).sock.close()

    run(connect())
    assert asked == ["scanner.example", "scanner.example"]


def test_a_refusal_closes_the_socket(recwarn: pytest.WarningsRecorder) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ServiceError, match="refused"):
        run(lines(Sock(LOOPBACK, unused_port())).connect())
    assert len(os.listdir("/proc/self/fd")) <= before
