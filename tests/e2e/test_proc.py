"""Master and workers as real processes: start and end, signals, deaths under load, limits, privileges, daemon."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from imap4fast.config.settings import Listen, TcpServer
from imap4fast.config.values import Address, Sock
from tests.e2e.proc_running import LOOPBACK, Client, Running, eventually, free_port, launch, running, settings

NO_CONNECT_WAITS_S = 2.0


def clients_of_both(service: Running) -> list[Client]:
    """A client at each worker."""
    found: dict[int, Client] = {}
    while len(found) < 2:
        client = Client(service.port)
        if client.worker in found:
            client.close()
        else:
            found[client.worker] = client
    return list(found.values())


def greeted_by(port: int) -> int:
    """The worker that greets a client which then goes; 0: a BYE."""
    with Client(port) as client:
        return client.worker


# Start and end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_ends_at_once_with_bye(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as service:
        clients = clients_of_both(service)
        assert {client.worker for client in clients} == set(service.workers())
        assert all("gc=False" in client.greeting for client in clients)
        service.signal(number)
        assert [client.line() for client in clients] == ["* BYE ending\r\n"] * 2
        assert [client.line() for client in clients] == [""] * 2
        assert service.ended() == 0
        assert not (tmp_path / "pid").exists()
        assert f"Received {number.name}" in service.log()
        assert service.log().splitlines()[-1].endswith("Terminated")
        for client in clients:
            client.close()


def test_graceful_end_waits_for_sessions_and_frees_the_place(tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with running(tmp_path) as service, Client(service.port) as client:
        service.signal(signal.SIGHUP)
        eventually(lambda: service.logged("TCPS-722-K"))
        assert not (tmp_path / "pid").exists()
        with pytest.raises(ConnectionRefusedError):
            Client(service.port)
        follower = launch(settings(second, service.port))
        eventually(lambda: (second / "pid").exists())
        with Client(service.port) as other:
            assert other.worker != client.worker
            assert client.ask("still here") == "still here\r\n"
        client.close()
        assert service.ended() == 0
        follower.terminate()
        assert follower.wait(10) == 0
        assert follower.stderr is not None
        follower.stderr.close()


def test_graceful_end_says_bye_after_terminate_wait(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=2, terminate_wait=1)) as service, Client(service.port) as client:
        began = time.monotonic()
        service.signal(signal.SIGHUP)
        assert client.line() == "* BYE ending\r\n"
        assert 0.9 < time.monotonic() - began < 3
        assert service.ended() == 0


def test_a_stopped_worker_does_not_keep_the_place(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        stopped = service.workers()[0]
        os.kill(stopped, signal.SIGSTOP)
        service.signal(signal.SIGHUP)
        eventually(lambda: service.logged("TCPS-722-K"))
        for _ in range(10):
            with pytest.raises(ConnectionRefusedError):
                Client(service.port)
        os.kill(stopped, signal.SIGCONT)
        assert service.ended() == 0


def test_graceful_end_loses_nobody_who_waits_in_the_queue(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=1, terminate_wait=5)) as service, Client(service.port) as client:
        client.sock.sendall(b"hang 0.7\r\n")
        time.sleep(0.1)
        waiting = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(20)]
        service.signal(signal.SIGHUP)
        assert [sock.recv(4) for sock in waiting] == [b"* OK"] * 20
        for sock in waiting:
            sock.close()
        client.close()
        assert service.ended() == 0


def test_at_once_ends_a_graceful_end(tmp_path: Path) -> None:
    with running(tmp_path) as service, Client(service.port) as client:
        pid = service.pid
        service.signal(signal.SIGHUP)
        eventually(lambda: service.logged("TCPS-722-K"))
        os.kill(pid, signal.SIGTERM)
        assert client.line() == "* BYE ending\r\n"
        assert service.ended() == 0


def test_no_worker_comes_up(tmp_path: Path) -> None:
    process = launch(settings(tmp_path, free_port()), fail="always")
    assert process.wait(10) == 1
    assert process.stderr is not None
    assert process.stderr.read().decode().strip().endswith("echo: told to fail")
    process.stderr.close()
    assert not (tmp_path / "pid").exists()
    assert "TCPS-604-C" in (tmp_path / "log").read_text()


# Other signals


def test_log_level_of_all_goes_up_and_down(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        service.signal(signal.SIGUSR1)
        eventually(lambda: service.log().count("Log level is now 7") == 3)
        service.signal(signal.SIGUSR2)
        eventually(lambda: service.log().count("Log level is now 6") == 3)
        os.kill(service.workers()[0], signal.SIGUSR1)
        eventually(lambda: service.log().count("Log level is now 7") == 4)


@pytest.mark.parametrize("singleproc", [False, True])
def test_a_full_table_of_addresses_is_in_the_log_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, singleproc: bool
) -> None:
    monkeypatch.setenv("PROC_ECHO_SLOTS", "1")
    with running(tmp_path, singleproc=singleproc) as service:
        assert service.logged("TCPS-812-W") == 0
        with Client(service.port), Client(service.port):
            eventually(lambda: service.logged("TCPS-812-W"))
            time.sleep(0.7)
            assert service.logged("TCPS-812-W") == 1
            assert "No place for further addresses: all 1 have sessions" in service.log()


def test_log_files_are_opened_anew(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        (tmp_path / "log").rename(tmp_path / "old")
        service.signal(signal.SIGRTMIN + 1)
        eventually(lambda: (tmp_path / "log").exists() and service.logged("TCPS-716-K") == 3)


def test_reload_is_refused_and_logged(tmp_path: Path) -> None:
    with running(tmp_path) as service, Client(service.port) as client:
        service.signal(signal.SIGRTMIN)
        eventually(lambda: "not supported yet" in service.log())
        assert client.ask("x") == "x\r\n"


# Workers die


class Load:
    """Threads that connect, ask and close without a pause, and write down what became of it."""

    def __init__(self, port: int, threads: int = 8) -> None:
        self.outcomes: Counter[str] = Counter()
        self.longest_s = 0.0
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            outcome = self._once()
            self.outcomes[outcome] += 1
            self.longest_s = max(self.longest_s, time.monotonic() - began)

    def _once(self) -> str:
        try:
            with Client(self._port) as client:
                if not client.worker:
                    return "closed before the greeting"
                return "good" if client.ask("x") == "x\r\n" else "lost after the greeting"
        except ConnectionRefusedError:
            return "refused"
        except ConnectionError:
            return "reset"
        except TimeoutError:
            return "timed out"

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_sigkill_under_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kills, threads = 4, 8
    with running(tmp_path) as service:
        held = clients_of_both(service)
        with Load(service.port, threads) as load:
            for _ in range(kills):
                time.sleep(0.5)
                victim = service.workers()[-1]
                os.kill(victim, signal.SIGKILL)
                eventually(lambda old=victim: len(service.workers()) == 2 and old not in service.workers())
            time.sleep(0.5)
        with capsys.disabled():
            print(f"\nSIGKILL x {kills} under load: {dict(load.outcomes)}, longest wait {load.longest_s:.3f} s")
        assert load.outcomes["good"] > 100
        assert not load.outcomes["refused"]
        assert not load.outcomes["timed out"]
        assert load.longest_s < NO_CONNECT_WAITS_S
        assert load.outcomes.total() - load.outcomes["good"] <= kills * threads
        survivors = [client for client in held if client.worker in service.workers()]
        assert survivors, "the first worker was never killed"
        assert [client.ask("x") for client in survivors] == ["x\r\n"] * len(survivors)
        for client in held:
            client.close()


def test_a_worker_that_does_not_come_back_costs_no_client(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with running(tmp_path, fail=str(broken)) as service:
        broken.touch()
        with Load(service.port) as load:
            time.sleep(0.3)
            os.kill(service.workers()[0], signal.SIGKILL)
            eventually(lambda: service.logged("TCPS-736-W"))
            eventually(lambda: service.logged("TCPS-735-C"))
            time.sleep(0.5)
            broken.unlink()
            eventually(lambda: service.logged("TCPS-737-N"), 10)
            assert len(service.workers()) == 2
        assert load.longest_s < NO_CONNECT_WAITS_S
        assert not load.outcomes["refused"]
        assert load.outcomes.total() - load.outcomes["good"] <= 8
        assert service.log().count("died") <= 8


def test_who_waits_at_a_stopped_worker_gets_another(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        stopped = service.workers()[0]
        os.kill(stopped, signal.SIGSTOP)
        try:
            began = time.monotonic()
            socks = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(100)]
            greetings = [sock.recv(100) for sock in socks]
            assert time.monotonic() - began < NO_CONNECT_WAITS_S
            assert all(greeting.startswith(b"* OK") for greeting in greetings)
            assert eventually(lambda: service.logged("TCPS-736-W"))
            began = time.monotonic()
            assert not {0, stopped} & {greeted_by(service.port) for _ in range(50)}
            assert time.monotonic() - began < 1, "steered connections do not wait at all"
        finally:
            os.kill(stopped, signal.SIGCONT)
        eventually(lambda: service.logged("TCPS-737-N"))
        eventually(lambda: greeted_by(service.port) == stopped)
        for sock in socks:
            sock.close()


def test_dead_workers_sessions_are_subtracted(tmp_path: Path) -> None:
    with running(tmp_path, tcpserver=TcpServer(workers=2, max_sessions=6)) as service:
        clients = [Client(service.port) for _ in range(6)]
        assert greeted_by(service.port) == 0
        victim, lost = Counter(client.worker for client in clients).most_common(1)[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: service.logged("TCPS-734-W"))
        again = [Client(service.port) for _ in range(lost + 1)]
        assert [bool(client.worker) for client in again] == [True] * lost + [False]
        for client in clients + again:
            client.close()


def test_restarts_are_delayed_when_workers_die_too_fast(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with running(tmp_path, fail=str(broken), tcpserver=TcpServer(workers=1)) as service:
        broken.touch()
        os.kill(service.workers()[0], signal.SIGKILL)
        eventually(lambda: service.logged("TCPS-735-C"))
        died = service.logged("TCPS-733-E")
        time.sleep(2.5)
        assert died <= service.logged("TCPS-733-E") <= died + 2
        assert "echo: told to fail" in service.log()
        waiting = socket.create_connection(("127.0.0.1", service.port), timeout=10)
        broken.unlink()
        assert waiting.recv(4) == b"* OK", "who waits in the only queue is served when the worker is back"
        waiting.close()


def test_sigterm_to_a_worker_ends_it_and_it_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path) as service, Client(service.port) as client:
        os.kill(client.worker, signal.SIGTERM)
        assert client.line() == "* BYE ending\r\n"
        eventually(lambda: service.logged("TCPS-734-W"))


def test_terminal_signals_to_workers_are_the_masters_business(tmp_path: Path) -> None:
    with running(tmp_path) as service, Client(service.port) as client:
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            os.kill(client.worker, number)
        assert client.ask("x") == "x\r\n"


@pytest.mark.parametrize("busy", [False, True])
def test_workers_end_when_the_master_is_killed(tmp_path: Path, busy: bool) -> None:
    with running(tmp_path) as service:
        client = Client(service.port)
        workers = [psutil.Process(pid) for pid in service.workers()]
        if busy:
            client.sock.sendall(b"hang 1\r\n")
            time.sleep(0.1)
        service.signal(signal.SIGKILL)
        assert "* BYE" in client.line() + client.line()
        assert not psutil.wait_procs(workers, 5)[1]
        with pytest.raises(ConnectionRefusedError):
            Client(service.port)
        client.close()


# Resources


def descriptors_at_rest(service: Running) -> dict[int, int]:
    """How many descriptors each worker has, once it holds no connection but what it listens at."""

    def at_rest() -> bool:
        connections = [c for pid in service.workers() for c in psutil.Process(pid).net_connections("tcp")]
        return all(connection.status == psutil.CONN_LISTEN for connection in connections)

    eventually(at_rest)
    return {pid: psutil.Process(pid).num_fds() for pid in service.workers()}


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        for client in clients_of_both(service):
            client.close()
        before = descriptors_at_rest(service)
        for _ in range(200):
            with Client(service.port) as client:
                client.ask("x")
        assert descriptors_at_rest(service) == before


def test_restarts_leave_no_descriptor_in_the_master(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        before = psutil.Process(service.pid).num_fds()
        for _ in range(3):
            victim = service.workers()[0]
            restarted = service.logged("TCPS-734-W")
            os.kill(victim, signal.SIGKILL)
            eventually(lambda n=restarted: service.logged("TCPS-734-W") > n)
        assert psutil.Process(service.pid).num_fds() == before


def test_a_worker_holds_nothing_of_the_others(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        for pid in service.workers():
            listening = [c for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
            assert len(listening) == 1
            files = {Path(f.path).name for f in psutil.Process(pid).open_files()}
            assert "pid" not in files


# Privileges


def status_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def test_privileges_are_dropped(tmp_path: Path) -> None:
    assert os.geteuid() == 0, "run as root"
    jail = tmp_path / "jail"
    jail.mkdir()
    with running(tmp_path, app_user="nobody", app_group="nogroup", chroot_dir=str(jail)) as service:
        with Client(service.port) as client:
            assert f"uid={65534}" in client.greeting
            found = status_of(client.worker)
            root = Path(f"/proc/{client.worker}/root").readlink()
        assert found["Uid"] == found["Gid"] == ["65534"] * 4
        assert found["Groups"] == []
        assert [found[key] for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == [["0" * 16]] * 5
        assert found["NoNewPrivs"] == ["1"]
        assert root == jail
        assert os.stat(f"/proc/{client.worker}/environ").st_uid == 0, "not dumpable: its files in /proc are root's"
        os.kill(client.worker, signal.SIGKILL)
        eventually(lambda: service.logged("TCPS-734-W"))
        assert all(status_of(pid)["Uid"][0] == "65534" for pid in service.workers())
        assert status_of(service.pid)["Uid"][0] == "0"


def test_dropped_workers_die_with_their_master(tmp_path: Path) -> None:
    """The parent-death signal is forgotten by the kernel when ids change, and must be set again."""
    with running(tmp_path, app_user="nobody") as service:
        workers = [psutil.Process(pid) for pid in service.workers()]
        os.kill(service.workers()[0], signal.SIGSTOP)
        service.signal(signal.SIGKILL)
        assert not psutil.wait_procs(workers[1:], 5)[1]
        os.kill(workers[0].pid, signal.SIGCONT)
        assert not psutil.wait_procs(workers, 5)[1]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"app_user": "no-such-user"}, "app-user no-such-user: no such user"),
        ({"app_user": "nobody", "app_group": "no-such"}, "app-group no-such: no such group"),
        ({"app_user": "root"}, "app-user root: root and its group are no place to drop privileges to"),
        ({"chroot_dir": "/tmp"}, "chroot-dir /tmp: app-user must be given too: root can leave any chroot"),
        (
            {"app_user": "nobody", "chroot_dir": "/no/such"},
            "privileges: [Errno 2] No such file or directory: '/no/such'",
        ),
    ],
)
def test_privileges_that_cannot_be_dropped_end_the_start(tmp_path: Path, items: dict[str, str], message: str) -> None:
    process = launch(settings(tmp_path, free_port(), **items))
    assert process.wait(10) == 1
    assert process.stderr is not None
    assert message in process.stderr.read().decode()
    process.stderr.close()


# Daemon, single process, places


def test_daemon(tmp_path: Path) -> None:
    port = free_port()
    starter = launch(settings(tmp_path, port, nodaemon=False))
    assert starter.wait(10) == 0
    with Client(port) as client:
        pid = int((tmp_path / "pid").read_text())
        family = [psutil.Process(one) for one in (pid, client.worker)]
        assert os.getsid(pid) not in (os.getsid(0), pid)
        for one in family:
            for descriptor in (0, 1, 2):
                assert os.readlink(f"/proc/{one.pid}/fd/{descriptor}") == "/dev/null"
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert stat.S_IMODE((tmp_path / "pid").stat().st_mode) & 0o022 == 0
    assert starter.stderr is not None
    assert starter.stderr.read() == b"", "nobody holds the starter's standard error"
    starter.stderr.close()
    os.kill(pid, signal.SIGTERM)
    assert not psutil.wait_procs(family, 5)[1]


def test_daemon_that_cannot_start_says_why(tmp_path: Path) -> None:
    port = free_port()
    starter = launch(settings(tmp_path, port, nodaemon=False), fail="always")
    assert starter.wait(10) == 1
    assert starter.stderr is not None
    assert starter.stderr.read() == b"imap4-proxy: echo: told to fail\n"
    starter.stderr.close()


def test_a_second_instance_is_refused(tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with running(tmp_path) as service:
        for proxy, message in (
            (settings(second, service.port), f"listen-on non-transparent [127.0.0.1] port {service.port}: "),
            (settings(tmp_path, free_port()), f"in use by the running process {service.pid}"),
        ):
            process = launch(proxy)
            assert process.wait(10) == 1
            assert process.stderr is not None
            assert message in process.stderr.read().decode()
            process.stderr.close()
        with Client(service.port) as client:
            assert client.worker


def test_singleproc(tmp_path: Path) -> None:
    with running(tmp_path, singleproc=True) as service, Client(service.port) as client:
        assert client.worker == service.pid
        assert service.workers() == []
        service.signal(signal.SIGUSR1)
        eventually(lambda: "Log level is now 7" in service.log())
        service.signal(signal.SIGHUP)
        eventually(lambda: service.logged("TCPS-722-K"))
        assert client.ask("x") == "x\r\n"
        client.close()
        assert service.ended() == 0
        assert not (tmp_path / "pid").exists()


def test_singleproc_ends_at_once(tmp_path: Path) -> None:
    with running(tmp_path, singleproc=True) as service, Client(service.port) as client:
        service.signal(signal.SIGINT)
        assert client.line() == "* BYE ending\r\n"
        assert service.ended() == 0


def test_several_places_and_hand_over_to_the_right_one(tmp_path: Path) -> None:
    port = free_port()
    listen_on = (
        Listen(False, Sock(LOOPBACK, 0), None, None, port, port),
        Listen(False, Sock(Address(4, 0x7F000002), 0), None, None, port, port),
    )
    with running(tmp_path, listen_on=listen_on) as service:
        for host in ("127.0.0.1", "127.0.0.2"):
            with socket.create_connection((host, port), timeout=5) as sock:
                assert sock.recv(4) == b"* OK"
        assert service.logged("TCPS-602-K") == 2
