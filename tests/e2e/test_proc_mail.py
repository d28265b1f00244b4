"""Mail processing among real processes: a nursery, zygotes, helpers; who ends with whom, and who is replaced."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from imap4fast.config.settings import TcpServer
from imap4fast.log import tcps
from tests.e2e.proc_running import Client, Running, eventually, free_port, launch, running, settings

NOBODY = {"app_user": "nobody", "app_group": "nogroup"}


@pytest.fixture(autouse=True)
def _mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROC_ECHO_MAIL", "yes")


def tree(service: Running) -> list[psutil.Process]:
    """All processes below the master."""
    return psutil.Process(service.pid).children(recursive=True)


def helper(client: Client) -> int:
    return int(client.ask("mail pid"))


def kill_zygote(helper: int) -> None:
    made = psutil.Process(helper)
    zygote = made.parent()
    assert zygote is not None
    zygote.kill()
    assert gone(made, zygote)


def gone(*processes: psutil.Process) -> bool:
    return psutil.wait_procs(processes, timeout=10)[1] == []


@pytest.mark.parametrize("items", [{}, NOBODY], ids=["root", "app-user"])
def test_each_worker_has_its_zygote_and_mails_are_made(tmp_path: Path, items: dict[str, object]) -> None:
    with running(tmp_path, **items) as service:
        clients = [Client(service.port) for _ in range(12)]
        helpers = {client.worker: helper(client) for client in clients}
        assert sorted(helpers) == service.workers()
        zygotes = [psutil.Process(pid).ppid() for pid in helpers.values()]
        assert len(set(zygotes)) == 2
        assert {psutil.Process(pid).ppid() for pid in zygotes} == {service.nursery()}
        for pid in (*helpers.values(), *zygotes, service.nursery()):
            assert psutil.Process(pid).uids().real != 0
        assert clients[0].ask("mail crash") == "failed: killed by SIGSEGV\r\n"
        assert helper(clients[0]) != helpers[clients[0].worker]
        assert service.logged("TCPS-750-K") == 2
        below = tree(service)
        for client in clients:
            client.close()
        service.signal(signal.SIGTERM)
        assert service.ended() == 0
        assert gone(*below)


def test_without_mail_processing_there_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROC_ECHO_MAIL")
    with running(tmp_path) as service:
        assert len(tree(service)) == 2
        assert service.nursery() == 0
        assert service.logged("TCPS-750-K") == 0


def test_work_that_cannot_be_made_ready_ends_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROC_ECHO_MAIL", "broken")
    process = launch(settings(tmp_path, free_port()))
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "imap4-proxy: mail processing: ValueError: told to fail" in errors.decode()


def test_a_new_worker_has_a_zygote_too_and_the_dead_ones_goes(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=1)) as service:
        with Client(service.port) as client:
            first = psutil.Process(helper(client))
            zygote, worker = first.parent(), client.worker
        os.kill(worker, signal.SIGKILL)
        assert zygote is not None
        assert gone(first, zygote)
        eventually(lambda: service.logged(tcps.WORKER_RESTARTED.id))
        with Client(service.port) as client:
            assert psutil.Process(helper(client)).ppid() != zygote.pid


def test_a_zygote_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=1)) as service, Client(service.port) as client:
        first = psutil.Process(helper(client))
        zygote = first.parent()
        assert zygote is not None
        zygote.kill()
        assert gone(first, zygote)
        assert helper(client) != first.pid
        assert service.logged(tcps.ZYGOTE_DIED.id) == 1
        assert client.ask("still here") == "still here\r\n"


def test_a_nursery_that_is_killed_is_replaced_and_mails_go_on(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=1)) as service, Client(service.port) as client:
        first, nursery = helper(client), service.nursery()
        os.kill(nursery, signal.SIGKILL)
        assert helper(client) == first
        eventually(lambda: service.logged(tcps.NURSERY_DIED.id))
        eventually(lambda: service.nursery() not in (0, nursery))
        kill_zygote(first)
        assert psutil.Process(helper(client)).parent().ppid() == service.nursery()  # type: ignore[union-attr]


def test_zygote_and_nursery_killed_together_come_back(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=1)) as service, Client(service.port) as client:
        zygote = psutil.Process(helper(client)).ppid()
        os.kill(service.nursery(), signal.SIGKILL)
        os.kill(zygote, signal.SIGKILL)
        eventually(lambda: not psutil.pid_exists(zygote))
        assert helper(client) > 0


def test_nothing_is_left_when_the_master_is_killed(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        with Client(service.port) as client:
            helper(client)
            below = tree(service)
            assert len(below) == 6
            service.signal(signal.SIGKILL)
            service.ended()
        assert gone(*below)


def open_files(pid: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
    return found


def has_one_socket(pid: int) -> bool:
    return sum(name.startswith("socket:") for name in open_files(pid)) == 1


def test_helpers_hold_nothing_of_the_service(tmp_path: Path) -> None:
    with running(tmp_path) as service, Client(service.port) as client:
        made = helper(client)
        assert has_one_socket(made)
        for pid in (made, psutil.Process(made).ppid(), service.nursery()):
            eventually(partial(has_one_socket, pid))  # a zygote may be making a helper
            allowed = ("/dev/null", "socket:", "anon_inode:[pidfd]", "/proc")
            assert [name for name in open_files(pid) if not name.startswith(allowed)] == []
            assert " rw-s " not in Path(f"/proc/{pid}/maps").read_text()


def test_singleproc_has_helpers_too(tmp_path: Path) -> None:
    with running(tmp_path, singleproc=True) as service:
        with Client(service.port) as client:
            first = helper(client)
            kill_zygote(first)
            assert helper(client) != first
            below = tree(service)
        service.signal(signal.SIGTERM)
        assert service.ended() == 0
        assert gone(*below)


def test_singleproc_replaces_a_nursery_that_died(tmp_path: Path) -> None:
    """A process between the two does, since this one has threads, and may have keys."""
    with running(tmp_path, singleproc=True, **NOBODY) as service, Client(service.port) as client:
        first = psutil.Process(helper(client))
        zygote = first.parent()
        assert zygote is not None
        nursery = zygote.parent()
        assert nursery is not None
        keeper = nursery.parent()
        assert keeper is not None
        assert keeper.ppid() == service.pid
        nursery.kill()
        eventually(lambda: service.logged(f"{tcps.NURSERY_DIED.id} Nursery with PID {nursery.pid} died"))
        assert helper(client) == first.pid
        kill_zygote(first.pid)
        again = psutil.Process(helper(client))
        assert again.parents()[2] == keeper
        assert again.parents()[1] != nursery
        below = tree(service)
        assert len(below) == 4
        service.signal(signal.SIGKILL)
        service.ended()
        assert gone(*below)


def test_singleproc_goes_on_without_its_keeper(tmp_path: Path) -> None:
    with running(tmp_path, singleproc=True) as service, Client(service.port) as client:
        first = helper(client)
        keeper = psutil.Process(first).parents()[2]
        keeper.kill()
        eventually(lambda: service.logged(f"{tcps.NURSERY_DIED.id} Nursery with PID {keeper.pid} died"))
        assert helper(client) == first
        assert client.ask("still here") == "still here\r\n"


def test_a_daemon_has_helpers_too(tmp_path: Path) -> None:
    with running(tmp_path, nodaemon=False) as service:
        with Client(service.port) as client:
            assert helper(client) > 0
        below = tree(service)
        service.signal(signal.SIGHUP)
        assert gone(*below)
        until = time.monotonic() + 5
        while (tmp_path / "pid").exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert not (tmp_path / "pid").exists()
