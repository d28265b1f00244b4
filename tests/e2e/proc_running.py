"""Starts the small service of proc_echo.py as real processes, and looks at them from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import psutil

from imap4fast.config.settings import Listen, LogSink, Proxy, TcpServer
from imap4fast.config.values import Address, Sock

T = TypeVar("T")
LOOPBACK = Address(4, 0x7F000001)
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def eventually(look: Callable[[], T], wait_s: float = 5.0) -> T:
    """What `look` gives as soon as it is true; AssertionError after `wait_s`."""
    until = time.monotonic() + wait_s
    while not (seen := look()):
        assert time.monotonic() < until, f"not within {wait_s} s: {look}"
        time.sleep(0.01)
    return seen


class Client:
    """One connection to the service; `worker` is the PID that greeted it."""

    def __init__(self, port: int, wait_s: float = 5.0) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=wait_s)
        self._file = self.sock.makefile("rb")
        try:
            self.greeting = self.line()
        except BaseException:
            self.close()
            raise
        self.worker = int(found[1]) if (found := re.match(r"\* OK (\d+)", self.greeting)) else 0

    def line(self) -> str:
        """The next line; empty at the end of the stream."""
        return self._file.readline().decode()

    def ask(self, text: str) -> str:
        """Sends a line and reads one."""
        self.sock.sendall(text.encode() + b"\r\n")
        return self.line()

    def close(self) -> None:
        self._file.close()
        self.sock.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Running:
    """A running service. `port` is where it listens, `pid` its master."""

    def __init__(self, directory: Path, port: int, proxy: Proxy, process: subprocess.Popen[bytes]) -> None:
        self.directory = directory
        self.port = port
        self.proxy = proxy
        self.process = process

    @property
    def pid(self) -> int:
        return int((self.directory / "pid").read_text())

    def workers(self) -> list[int]:
        """PIDs of the living workers."""
        return sorted(
            child.pid for child in psutil.Process(self.pid).children() if _lives(child) and not _nurses(child)
        )

    def nursery(self) -> int:
        """PID of the process from which helpers come; 0: no mail is processed."""
        found = [child.pid for child in psutil.Process(self.pid).children() if _lives(child) and _nurses(child)]
        return found[0] if found else 0

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def logged(self, code: str) -> int:
        """How many entries of this code are in the log."""
        return self.log().count(f" {code}")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def ended(self, wait_s: float = 10.0) -> int:
        """The exit status."""
        return self.process.wait(wait_s)


def _nurses(process: psutil.Process) -> bool:
    """Workers have no other niceness than their master."""
    try:
        return bool(process.nice() != psutil.Process().nice())
    except psutil.NoSuchProcess:
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def settings(directory: Path, port: int, **items: object) -> Proxy:
    """`imap4-proxy` settings for a service of two workers at `port`."""
    proxy = Proxy(
        name="IMAP",
        nodaemon=True,
        pid_file=str(directory / "pid"),
        log_debug=LogSink(file=str(directory / "log")),
        listen_on=(Listen(False, Sock(LOOPBACK, 0), None, None, port, port),),
        tcpserver=TcpServer(workers=2, terminate_wait=20),
    )
    return msgspec.structs.replace(proxy, **items)


def launch(proxy: Proxy, fail: str = "") -> subprocess.Popen[bytes]:
    """Starts the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.proc_echo", msgspec.json.encode(proxy).decode()],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        env=os.environ | {"PROC_ECHO_FAIL": fail},
    )


@contextmanager
def running(directory: Path, fail: str = "", **items: object) -> Iterator[Running]:
    """A service that listens; it is ended afterwards and must leave no process behind."""
    port = free_port()
    proxy = settings(directory, port, **items)
    process = launch(proxy, fail)
    service = Running(directory, port, proxy, process)
    wanted = 1 if proxy.singleproc else proxy.tcpserver.workers
    family: list[psutil.Process] = []
    try:
        if proxy.singleproc:
            eventually(lambda: (directory / "log").exists() and service.logged("TCPS-601-K"))
        else:
            eventually(lambda: (directory / "log").exists() and service.logged("TCPS-731-K") >= wanted)
        family = [psutil.Process(service.pid), *psutil.Process(service.pid).children()]
        yield service
    finally:
        _end(process, family)


def _end(process: subprocess.Popen[bytes], family: list[psutil.Process]) -> None:
    if process.poll() is None:
        family += psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
        left = psutil.wait_procs([one for one in family if one.pid != process.pid], 5)[1]
        assert not left, f"left behind: {left}"
    finally:
        for one in family:
            if one.is_running():
                one.kill()
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
