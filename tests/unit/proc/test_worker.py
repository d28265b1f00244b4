"""A worker's loop around a service: obeys frames, says that it lives, and ends when it should."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import cast

import pytest
import uvloop

from imap4fast._wire import CountTable, TlsError
from imap4fast.config.settings import Listen
from imap4fast.config.values import Sock
from imap4fast.errors import SetupError
from imap4fast.log import tcps
from imap4fast.log.entry import Entry
from imap4fast.mail.spool import Spool
from imap4fast.mail.work import Order
from imap4fast.net.jobs import Limits
from imap4fast.net.mailroom import Provisions
from imap4fast.net.pool import Pool
from imap4fast.net.tlsmaterial import Material
from imap4fast.proc import privileges, worker
from imap4fast.proc.control import (
    Adopt,
    Channel,
    Drain,
    Frame,
    Heartbeat,
    Level,
    NoZygote,
    Ready,
    Reopen,
    Tls,
    Unbind,
    Unbound,
    Zygote,
)
from imap4fast.proc.worker import Worker

ITEM = Listen(False, Sock(None, 0), None, None, 143, 143)
NEW, OLD, REFUSED = (b"n" * 80,), (b"o" * 80,), (b"r" * 80,)


PROVISIONS = Provisions(cast(Spool, None), {})
"""What the service is given beside its pool; here nobody looks into it."""


class Logs:
    """Logs that remember what was asked of them."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def write(self, entry: Entry, *args: object) -> None:
        self.calls.append(f"{entry.id} {args}")

    def flush(self) -> None:
        self.calls.append("flush")

    def reopen(self) -> None:
        self.calls.append("reopen")

    def raise_level(self) -> int:
        return 7

    def lower_level(self) -> int:
        return 4


class Service:
    """A service that remembers, and drains when `sessions` is 0 or the wait is over."""

    def __init__(self) -> None:
        self.sessions = 0
        self.calls: list[object] = []
        self.error: Exception | None = None

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        self.calls.append("start")

    def adopt(self, sock: socket.socket, listen: Listen) -> None:
        sock.close()
        self.calls.append(listen)

    def take_tls(self, materials: tuple[Material, ...] | None, ticket_keys: tuple[bytes, ...]) -> None:
        if ticket_keys == REFUSED:
            raise TlsError("session-tickets", "refused")
        self.calls.append((materials, ticket_keys))

    def take_mail(self, pool: Pool, provisions: Provisions) -> None:
        self.calls.append(pool)

    def level_changed(self) -> None:
        self.calls.append("level")

    def stop_accepting(self) -> None:
        self.calls.append("stop")

    async def drain(self, wait_s: float) -> None:
        self.calls.append(wait_s)
        if self.error:
            raise self.error
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while self.sessions and loop.time() < until:
            await asyncio.sleep(0.005)


class Scene:
    """A worker with this test as its master."""

    def __init__(self) -> None:
        self.service = Service()
        self.logs = Logs()
        self.master, self.own = Channel.pair()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.worker = Worker(self.service, self.logs, CountTable(1), [(self.listening, ITEM)], self.own)  # type: ignore[arg-type]
        self.heard: list[Frame] = []

    async def hears(self, kind: type[Frame]) -> Frame:
        """The next frame of this kind."""
        while True:
            for frame, _ in self.master.receive():
                self.heard.append(frame)
            for frame in self.heard:
                if isinstance(frame, kind):
                    self.heard.remove(frame)
                    return frame
            await asyncio.sleep(0.005)

    def play(self, script: Callable[[Scene], Awaitable[None]]) -> None:
        """Runs the worker and, beside it, the script of its master."""

        async def both() -> None:
            run = asyncio.get_running_loop().create_task(self.worker.run())
            await self.hears(Ready)
            await script(self)
            await asyncio.wait_for(run, 5)

        uvloop.run(both())

    def close(self) -> None:
        self.master.close()
        self.own.close()
        self.listening.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_unbinds_then_drains(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.service.sessions = 1
        scene.master.send(Unbind())
        await scene.hears(Unbound)
        assert scene.listening.fileno() == -1
        scene.master.send(Drain(30))
        await asyncio.sleep(0.02)
        scene.service.sessions = 0

    scene.play(script)
    assert scene.service.calls == ["start", "stop", 30]


def test_draining_unbinds_too_and_a_later_drain_replaces_an_earlier(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.service.sessions = 1
        scene.master.send(Drain(30))
        scene.master.send(Drain(0))

    scene.play(script)
    assert scene.service.calls == ["start", "stop", 0] or scene.service.calls == ["start", "stop", 30, 0]


def test_drains_at_once_when_the_master_is_gone(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.master.close()

    scene.play(script)
    assert scene.service.calls == ["start", "stop", 0]


def test_adopts_what_the_master_passes(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        near, far = socket.socketpair()
        with near, far:
            assert scene.master.pass_on(Adopt(0), far.fileno())
        while ITEM not in scene.service.calls:
            await asyncio.sleep(0.005)
        scene.master.send(Drain(0))

    scene.play(script)
    assert scene.service.calls.count(ITEM) == 1


def test_says_that_it_lives(scene: Scene) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    async def script(scene: Scene) -> None:
        scene.service.sessions = 3
        assert await scene.hears(Heartbeat) == Heartbeat(0, full=False)
        assert await scene.hears(Heartbeat) == Heartbeat(3, full=False)
        scene.service.sessions = limit // 2
        assert await scene.hears(Heartbeat) == Heartbeat(limit // 2, full=True)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > worker.LATE_S - 2
        scene.master.send(Drain(0))

    scene.play(script)
    assert "flush" in scene.logs.calls


@pytest.mark.parametrize("alone", [False, True])
def test_logs_are_flushed_with_each_beat(scene: Scene, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.01)
    runs = scene.worker
    if alone:
        runs = Worker(scene.service, scene.logs, CountTable(1), [(scene.listening, ITEM)])  # type: ignore[arg-type]

    async def script() -> None:
        run = asyncio.get_running_loop().create_task(runs.run())
        async with asyncio.timeout(5):
            while scene.logs.calls.count("flush") < 3:
                await asyncio.sleep(0.005)
            runs.drain(0)
            await run

    uvloop.run(script())


def test_lines_do_not_wait_longer_than_a_quarter_of_a_second() -> None:
    assert worker.HEARTBEAT_S <= 0.25


def test_changes_level_and_reopens_logs(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        for frame in (Level(up=True), Level(up=False), Reopen(), Drain(0)):
            scene.master.send(frame)

    scene.play(script)
    assert [call for call in scene.logs.calls if call != "flush"] == [
        "TCPS-715-K (7,)",
        "TCPS-715-K (4,)",
        "reopen",
        "TCPS-716-K ()",
    ]
    assert scene.service.calls == ["start", "level", "level", "stop", 0]


def test_hands_on_what_handshakes_need(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        for frame in (Tls((), OLD), Tls(None, NEW + OLD), Drain(0)):
            scene.master.send(frame)

    scene.play(script)
    assert scene.service.calls == ["start", ((), OLD), (None, NEW + OLD), "stop", 0]


class Keyring:
    """One that can be seen to forget."""

    def __init__(self) -> None:
        self.materials: tuple[Material, ...] = ()
        self.ticket_keys: tuple[bytes, ...] = OLD

    def forget(self) -> None:
        self.ticket_keys = ()


def test_a_new_worker_takes_all_before_it_accepts_and_keeps_no_copy(scene: Scene) -> None:
    keyring = Keyring()
    start = SimpleNamespace(
        settings=None,
        logs=scene.logs,
        counts=CountTable(1),
        keyring=keyring,
        brood=SimpleNamespace(craft=None),
        make_service=lambda *_: scene.service,
    )
    scene.master.send(Drain(0))
    uvloop.run(worker._serve(start, 0, [(scene.listening, ITEM)], scene.own, None, None))
    assert scene.service.calls == [((), OLD), "start", "stop", 0]
    assert keyring.ticket_keys == ()


def test_a_worker_gives_its_service_a_pool_where_mail_is_processed(scene: Scene) -> None:
    """Its first zygote it has from the start; when that has died it asks the master, and takes what comes."""
    first, zygote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    start = SimpleNamespace(
        settings=None,
        logs=scene.logs,
        counts=CountTable(1),
        keyring=Keyring(),
        brood=SimpleNamespace(craft=SimpleNamespace(limits=Limits()), share=3),
        make_service=lambda *_: scene.service,
    )

    async def both() -> None:
        run = asyncio.ensure_future(worker._serve(start, 0, [(scene.listening, ITEM)], scene.own, zygote, PROVISIONS))
        await scene.hears(Ready)
        pool = scene.service.calls[1]
        assert isinstance(pool, Pool)
        first.close()
        await scene.hears(NoZygote)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            assert scene.master.pass_on(Zygote(), theirs.fileno())
        job = asyncio.ensure_future(pool.run(Order("x", "download", "ALL", (), (), 1), 0, 1, "me"))
        ours.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(ours, 16) == b"+"
        job.cancel()
        pool.close()
        assert await asyncio.get_running_loop().sock_recv(ours, 16) == b""
        ours.close()
        scene.master.send(Drain(0))
        await run

    uvloop.run(both())
    del scene.service.calls[1]
    assert scene.service.calls == [((), OLD), "start", "stop", 0]
    assert f"{tcps.POOL_BEGAN.id} (3,)" in scene.logs.calls


def test_a_zygote_without_a_pool_is_let_go(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            scene.master.pass_on(Zygote(), theirs.fileno())
        ours.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(ours, 16) == b""
        ours.close()
        scene.master.send(Drain(0))

    scene.play(script)


def test_what_the_service_cannot_use_is_logged_and_ends_nothing(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        for frame in (Tls(None, REFUSED), Tls(None, NEW), Drain(0)):
            scene.master.send(frame)

    scene.play(script)
    assert scene.service.calls == ["start", (None, NEW), "stop", 0]
    assert "TCPS-790-E ('worker.take_tls', 'TlsError: session-tickets: refused')" in scene.logs.calls


def test_a_service_that_fails_to_drain_does_not_hold_the_end(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.service.error = ValueError("broken")
        scene.master.send(Drain(0))

    scene.play(script)
    assert "TCPS-790-E ('worker.drain', 'ValueError: broken')" in scene.logs.calls


def test_a_service_that_never_drains_does_not_hold_the_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "DRAIN_NOW_S", -29.9)

    async def script(scene: Scene) -> None:
        scene.service.sessions = 1
        scene.master.send(Drain(30))

    scene.play(script)
    assert any("sessions did not end within 0.1 s" in call for call in scene.logs.calls)


def test_sessions_that_are_cut_are_logged(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.service.sessions = 3
        scene.master.send(Drain(0.6))

    scene.play(script)
    assert "TCPS-723-W (1, 3, 1)" in scene.logs.calls


def test_an_end_at_once_is_not_called_a_cut(scene: Scene) -> None:
    async def script(scene: Scene) -> None:
        scene.service.sessions = 3
        scene.master.send(Drain(0))

    scene.play(script)
    assert not any("TCPS-723" in call for call in scene.logs.calls)


def test_privileges_that_cannot_be_dropped_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(who: object) -> None:
        raise SetupError("privileges", "capabilities are left")

    monkeypatch.setattr(privileges, "drop", drop)
    logs = Logs()
    with pytest.raises(SetupError, match="capabilities are left"):
        worker.drop_privileges(None, logs)  # type: ignore[arg-type]
    assert logs.calls == ["TCPS-740-C ('capabilities are left',)"]
