"""Certificates and ticket keys on their way to workers: at the start, on change, on reload, after a restart.

Each test is a running service of real processes, master or `singleproc`, whose services write down what they get.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from imap4fast.config.settings import Listen, LogSink, Proxy, SessionAcl, Settings, SslParams, SslUse, TcpServer
from imap4fast.config.values import Sock
from imap4fast.errors import SetupError
from imap4fast.log.setup import Logs
from imap4fast.net.tlsmaterial import Material
from imap4fast.proc import kernel, launch, master, sealed, tickets
from imap4fast.proc.brood import Craft
from imap4fast.proc.worker import MakeService
from tests.e2e.proc_running import LOOPBACK, eventually, free_port
from tests.unit.tls.certificates import Authority

CA = Authority()
WORKERS = 2


class Taken(NamedTuple):
    """One call of take_tls: by whom, a mark of the materials ("same": None came), a mark of each key."""

    column: int
    pid: int
    materials: str
    keys: list[str]


def mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


class Service:
    """Writes down what it takes, to a descriptor that was open before any chroot."""

    sessions = 0
    note = -1

    def __init__(self, settings: object, logs: object, counts: object, column: int) -> None:
        self._column = column
        self._started = False

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        self._started = True

    def take_tls(self, materials: tuple[Material, ...] | None, ticket_keys: tuple[bytes, ...]) -> None:
        assert materials is not None or self._started
        shown = "same" if materials is None else mark(msgspec.msgpack.encode(materials))
        taken = Taken(self._column, os.getpid(), shown, list(map(mark, ticket_keys)))
        os.write(self.note, json.dumps(taken).encode() + b"\n")

    def adopt(self, sock: socket.socket, listen: Listen) -> None:
        sock.close()

    def level_changed(self) -> None:
        """Nothing here goes by it."""

    def stop_accepting(self) -> None:
        """Nothing was accepted."""

    async def drain(self, wait_s: float) -> None:
        """There are no sessions."""


class Running:
    """The service in a child of the tests."""

    def __init__(self, folder: Path, **items: object) -> None:
        self.folder = folder
        self.renew()
        note = os.open(folder / "note", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                os.chdir(folder)
                Service.note = note
                launch.run(settings(folder, **items), Service)
                status = 0
            finally:
                os._exit(status)
        os.close(note)

    def renew(self) -> None:
        """A new certificate and key in place of the old."""
        pair = CA.issue("proxy")
        (self.folder / "cert.pem").write_bytes(pair.chain)
        (self.folder / "key.pem").write_bytes(pair.key)
        (self.folder / "key.pem").chmod(0o600)

    def taken(self) -> list[Taken]:
        return [Taken(*json.loads(line)) for line in (self.folder / "note").read_text().splitlines()]

    def wait_for(self, count: int) -> list[Taken]:
        """The calls as soon as there are so many."""
        return eventually(lambda: found if len(found := self.taken()) >= count else [])

    def log(self) -> str:
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def wait_for_line(self, part: str, count: int = 1) -> None:
        eventually(lambda: self.log().count(part) >= count)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def restart(self, column: int) -> int:
        """Kills a worker and waits for the one in its place; the PID that was."""
        pid = next(one.pid for one in reversed(self.taken()) if one.column == column)
        restarts = self.log().count("TCPS-734-W")
        os.kill(pid, signal.SIGKILL)
        self.wait_for_line("TCPS-734-W", restarts + 1)
        return pid

    def end(self) -> int:
        if self.pid:
            self.signal(signal.SIGTERM)
            _, status = os.waitpid(self.pid, 0)
            self.pid = 0
            return os.waitstatus_to_exitcode(status)
        return 0


def settings(folder: Path, **items: object) -> Settings:
    """Paths of certificate and key are relative to `folder`."""
    port = free_port()
    files = {"certificate": "cert.pem", "private_key": "key.pem"} | items.pop("files", {})  # type: ignore[operator]
    acl = SessionAcl(name="ALL", accept=True, client_ssl=SslUse(params(**files), starttls=False))
    proxy = Proxy(
        name="IMAP",
        nodaemon=True,
        log_debug=LogSink(file=str(folder / "log"), level=7),
        listen_on=(Listen(False, Sock(LOOPBACK, 0), None, None, port, port),),
        tcpserver=TcpServer(workers=WORKERS),
        session_acls=(acl,),
    )
    return Settings("x", "0", msgspec.structs.replace(proxy, **items))


def params(**files: object) -> SslParams:
    return SslParams(name="PUBLIC", **files)  # type: ignore[arg-type]


@pytest.fixture
def made() -> Iterator[list[Running]]:
    """Services that are ended after the test, and must have run well."""
    services: list[Running] = []
    yield services
    assert [service.end() for service in services] == [0] * len(services)


@pytest.fixture
def service(tmp_path: Path, made: list[Running]) -> Running:
    made.append(Running(tmp_path))
    made[0].wait_for_line("TCPS-731-K", WORKERS)
    return made[0]


@pytest.fixture
def single(tmp_path: Path, made: list[Running]) -> Running:
    made.append(Running(tmp_path, singleproc=True))
    made[0].wait_for_line("TCPS-601-K")
    return made[0]


def test_every_worker_has_the_same_from_the_start(service: Running) -> None:
    first, second = service.wait_for(2)
    assert {first.column, second.column} == {0, 1}
    assert first[2:] == second[2:]
    assert len(first.keys) == 1


@pytest.mark.parametrize("singleproc", [False, True])
def test_ticket_keys_change_by_the_clock(
    tmp_path: Path, made: list[Running], monkeypatch: pytest.MonkeyPatch, singleproc: bool
) -> None:
    monkeypatch.setattr(tickets, "CHANGE_S", 0.8)
    made.append(Running(tmp_path, singleproc=singleproc))
    workers = 1 if singleproc else WORKERS
    calls = [call for call in made[0].wait_for(4 * workers) if call.column == 0][:4]
    assert [call.materials == "same" for call in calls] == [False, True, True, True]
    (first,) = calls[0].keys
    second, third, fourth = (call.keys[0] for call in calls[1:])
    assert [call.keys for call in calls[1:]] == [[second, first], [third, second], [fourth, third]]
    assert len({first, second, third, fourth}) == 4
    others = [call for call in made[0].taken() if call.column == 1]
    assert [call[2:] for call in others[:4]] == [call[2:] for call in calls] * (not singleproc)
    made[0].wait_for_line("SSLE-122-D", 3)


def test_a_restarted_worker_has_the_keys_of_the_others(
    tmp_path: Path, made: list[Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tickets, "CHANGE_S", 1.0)
    made.append(Running(tmp_path))
    (materials,) = {call.materials for call in made[0].wait_for(2 * WORKERS)} - {"same"}
    pid = made[0].restart(1)
    again = next(call for call in reversed(made[0].taken()) if call.column == 1 and call.materials != "same")
    assert again.pid != pid
    assert again.materials == materials
    assert len(again.keys) == 2
    eventually(lambda: again.keys in [call.keys for call in made[0].taken() if call.column == 0])


def test_new_certificates_go_to_every_worker_and_to_later_ones(service: Running) -> None:
    before = service.wait_for(WORKERS)
    service.renew()
    service.signal(signal.SIGRTMIN)
    calls = service.wait_for(2 * WORKERS)
    assert {call.pid for call in calls[:WORKERS]} == {call.pid for call in calls[WORKERS:]}, "no worker was restarted"
    assert calls[WORKERS].materials == calls[-1].materials != before[0].materials
    assert [call.keys for call in calls] == [before[0].keys] * len(calls), "the keys are not touched"
    service.restart(0)
    assert service.wait_for(2 * WORKERS + 1)[-1][2:] == calls[-1][2:]
    assert service.log().count("SSLE-120-K FILES-READ-AGAIN PARAMS=1") == 1
    assert "SSLE-121" not in service.log()
    assert "TCPS-714-N" in service.log()
    assert "not supported yet but for the files of ssl-params" in service.log()


def test_materials_of_any_size_arrive(tmp_path: Path, made: list[Running]) -> None:
    (tmp_path / "ca.pem").write_bytes(b"".join(Authority(f"CA {number}").pem for number in range(120)))
    assert (tmp_path / "ca.pem").stat().st_size > 60_000
    made.append(Running(tmp_path, files={"ca_file": "ca.pem", "verify": "request"}))
    before = made[0].wait_for(WORKERS)
    made[0].renew()
    made[0].signal(signal.SIGRTMIN)
    calls = made[0].wait_for(2 * WORKERS)
    assert calls[-1].materials == calls[-2].materials != before[0].materials
    assert "TCPS-790" not in made[0].log()


def test_a_worker_that_cannot_be_told_is_in_the_log(
    tmp_path: Path, made: list[Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(data: bytes) -> int:
        raise OSError(errno.EMFILE, "no descriptors left")

    monkeypatch.setattr(sealed, "put", none_left)
    (tmp_path / "ca.pem").write_bytes(CA.pem * 40)
    made.append(Running(tmp_path, files={"ca_file": "ca.pem", "verify": "request"}))
    before = made[0].wait_for(WORKERS)
    made[0].renew()
    made[0].signal(signal.SIGRTMIN)
    made[0].wait_for_line("WHERE=master.tell", WORKERS)
    assert "Tls for worker 2: no descriptors left" in made[0].log()
    assert made[0].taken() == before
    made[0].restart(0)
    assert made[0].wait_for(WORKERS + 1)[-1].materials != before[0].materials


@pytest.mark.parametrize(
    ("broken", "reason"), [(None, "No such file or directory"), (b"no certificate\n", "certificate")]
)
def test_what_cannot_be_used_changes_nothing(service: Running, broken: bytes | None, reason: str) -> None:
    before = service.wait_for(WORKERS)
    certificate = service.folder / "cert.pem"
    good = certificate.read_bytes()
    certificate.unlink()
    if broken is not None:
        certificate.write_bytes(broken)
    service.signal(signal.SIGRTMIN)
    service.wait_for_line("SSLE-121-E")
    line = next(line for line in service.log().splitlines() if "SSLE-121-E" in line)
    assert "cert.pem" in line
    assert reason in line
    assert service.taken() == before
    service.restart(0)
    assert service.wait_for(WORKERS + 1)[-1][2:] == before[0][2:], "a new worker has the old ones too"
    certificate.write_bytes(good)
    service.signal(signal.SIGRTMIN)
    service.wait_for_line("SSLE-120-K")


def test_a_certificate_without_its_key_changes_nothing(service: Running) -> None:
    before = service.wait_for(WORKERS)
    (service.folder / "cert.pem").write_bytes(CA.issue("another").chain)
    service.signal(signal.SIGRTMIN)
    service.wait_for_line("SSLE-121-E")
    assert service.taken() == before


def test_files_may_be_roots_alone_and_outside_of_the_chroot(tmp_path: Path, made: list[Running]) -> None:
    assert os.geteuid() == 0, "run as root"
    (tmp_path / "jail").mkdir()
    made.append(Running(tmp_path, app_user="nobody", chroot_dir=str(tmp_path / "jail")))
    before = made[0].wait_for(WORKERS)
    made[0].renew()
    made[0].signal(signal.SIGRTMIN)
    assert made[0].wait_for(2 * WORKERS)[-1].materials != before[0].materials


def test_paths_hold_after_a_daemon_has_gone_elsewhere(
    tmp_path: Path, made: list[Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(
        configured: Settings, logs: Logs, make: MakeService, on_ready: Callable[[], None], craft: Craft | None
    ) -> None:
        real(configured, logs, make, lambda: os.chdir("/"), craft)

    real = master.run
    monkeypatch.setattr(master, "run", serve)
    made.append(Running(tmp_path))
    before = made[0].wait_for(WORKERS)
    eventually(lambda: os.readlink(f"/proc/{made[0].pid}/cwd") == "/")
    made[0].renew()
    made[0].signal(signal.SIGRTMIN)
    assert made[0].wait_for(2 * WORKERS)[-1].materials != before[0].materials


def test_one_process_does_the_same(single: Running) -> None:
    (before,) = single.wait_for(1)
    single.renew()
    single.signal(signal.SIGRTMIN)
    after = single.wait_for(2)[-1]
    assert after.pid == before.pid == single.pid
    assert after.materials != before.materials
    assert after.keys == before.keys
    (single.folder / "key.pem").write_text("nothing")
    single.signal(signal.SIGRTMIN)
    single.wait_for_line("SSLE-121-E")
    assert len(single.taken()) == 2
    assert "key.pem" in single.log()


@pytest.mark.parametrize("singleproc", [False, True])
def test_without_tls_there_is_nothing_to_do(
    tmp_path: Path, made: list[Running], monkeypatch: pytest.MonkeyPatch, singleproc: bool
) -> None:
    monkeypatch.setattr(tickets, "CHANGE_S", 0.0)
    made.append(Running(tmp_path, session_acls=(), singleproc=singleproc))
    made[0].wait_for_line("TCPS-601-K" if singleproc else "TCPS-731-K", 1 if singleproc else WORKERS)
    made[0].signal(signal.SIGRTMIN)
    made[0].wait_for_line("TCPS-714-E")
    nothing: tuple[str, list[str]] = (mark(msgspec.msgpack.encode(())), [])
    assert [call[2:] for call in made[0].taken()] == [nothing] * (1 if singleproc else WORKERS)
    assert "SSLE-" not in made[0].log()


@pytest.mark.parametrize("singleproc", [False, True])
def test_a_start_without_its_files_fails_and_binds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, singleproc: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(master, "bind_all", lambda *arguments: pytest.fail("it binds"))
    with pytest.raises(SetupError, match=r"cert\.pem.*No such file"):
        launch.run(settings(tmp_path, singleproc=singleproc), Service)
    assert "TCPS-604-C" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(("with_tls", "calls"), [(True, [(kernel.PR_SET_DUMPABLE, 0)]), (False, [])])
def test_a_master_that_holds_keys_leaves_no_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_tls: bool, calls: list[tuple[int, int]]
) -> None:
    pair = CA.issue("proxy")
    (tmp_path / "cert.pem").write_bytes(pair.chain)
    (tmp_path / "key.pem").write_bytes(pair.key)
    seen: list[tuple[int, int]] = []

    def bind(*arguments: object) -> None:
        raise SetupError("bind", "not wanted")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kernel, "prctl", lambda option, first=0: seen.append((option, first)))
    monkeypatch.setattr(master, "bind", bind)
    with pytest.raises(SetupError, match="not wanted"):
        launch.run(settings(tmp_path, **{} if with_tls else {"session_acls": ()}), Service)
    assert seen == calls
