"""One process: signals go to the worker, the place is freed once, errors leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from imap4fast.config.settings import Listen, LogSink, Proxy, Settings, TcpServer
from imap4fast.config.values import Sock
from imap4fast.errors import SetupError
from imap4fast.proc import launch
from tests.e2e.proc_running import LOOPBACK, free_port


class Service:
    """Sends this process signals, and says how it was drained."""

    sessions = 1

    def __init__(self, *arguments: object) -> None:
        self.servers: list[socket.socket] = []

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        numbers = list(map(int, os.environ["SEND"].split(",")))
        for delay, number in enumerate(numbers, 1):
            asyncio.get_running_loop().call_later(delay * 0.05, os.kill, os.getpid(), number)

    def adopt(self, sock: socket.socket, listen: Listen) -> None:
        raise AssertionError("there is nobody to hand over")

    def take_tls(self, materials: tuple[object, ...] | None, ticket_keys: tuple[bytes, ...]) -> None:
        assert materials == ticket_keys == (), "no TLS is configured"

    def level_changed(self) -> None:
        with open(os.environ["NOTE"], "a") as note:
            print("level", file=note)

    def stop_accepting(self) -> None:
        self.sessions = 0

    async def drain(self, wait_s: float) -> None:
        print(f"drain {wait_s:g}", file=open(os.environ["NOTE"], "a"), flush=True)  # noqa: SIM115


class Broken(Service):
    """Does not start."""

    async def start(self, sockets: Sequence[tuple[socket.socket, Listen]]) -> None:
        raise SetupError("service", "broken")


def settings(folder: Path, port: int) -> Settings:
    proxy = Proxy(
        name="IMAP",
        nodaemon=True,
        singleproc=True,
        pid_file=str(folder / "pid"),
        log_debug=LogSink(file=str(folder / "log")),
        listen_on=(Listen(False, Sock(LOOPBACK, 0), None, None, port, port),),
        tcpserver=TcpServer(terminate_wait=7),
    )
    return Settings("x", "0", proxy)


def run(folder: Path, make: Callable[..., Service], send: list[int]) -> int:
    """Runs in a process of its own, for its signals; 0 when it ended as asked, 1 for SetupError."""
    pid = os.fork()
    if not pid:
        status = 3
        try:
            os.environ["SEND"], os.environ["NOTE"] = ",".join(map(str, send)), str(folder / "note")
            launch.run(settings(folder, free_port()), make)
            status = 0
        except SetupError:
            status = 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize(
    ("send", "drained"),
    [
        ([signal.SIGTERM], ["drain 0"]),
        ([signal.SIGQUIT], ["drain 0"]),
        ([signal.SIGHUP], ["drain 7"]),
        ([signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGINT], ["drain 0"]),
    ],
)
def test_signals(tmp_path: Path, send: list[int], drained: list[str]) -> None:
    assert run(tmp_path, Service, send) == 0
    changes = send.count(signal.SIGUSR1) + send.count(signal.SIGUSR2)
    assert (tmp_path / "note").read_text().splitlines() == ["level"] * changes + drained
    log = (tmp_path / "log").read_text()
    assert log.count("TCPS-722-K") == log.count("TCPS-712-K") == 1
    assert ("not supported yet" in log) == (int(signal.SIGRTMIN) in send)
    assert log.count("TCPS-715-K") == changes
    assert not (tmp_path / "pid").exists()


def test_a_service_that_does_not_start(tmp_path: Path) -> None:
    assert run(tmp_path, Broken, [signal.SIGTERM]) == 1
    assert "Cannot start: service: broken" in (tmp_path / "log").read_text()
    assert not (tmp_path / "pid").exists()
