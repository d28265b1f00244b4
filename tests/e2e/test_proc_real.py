"""The command imap4-proxy as it is installed: real sessions over worker deaths, in a chroot, as a daemon."""

from __future__ import annotations

import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.e2e.proc_running import ROOT, eventually, free_port

TEXT = """version IMAP4FAST-1;
imap4-proxy IMAP {{
  {items}
  pid-file "{folder}/pid";
  log-debug {{ file "{folder}/log"; }}
  listen-on {{ non-transparent [127.0.0.1] port {port}; }}
  session-acl ALL {{ accept; language CZ; plug-to [127.0.0.1] : {server}; }}
  command-acl ALL {{ accept; no-mail-scanning; commands {{ ! DELETE, * }}; }}
}}
"""


class Answers(socketserver.StreamRequestHandler):
    """One connection of a server that says OK to everything."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        for line in self.rfile:
            tag, word = line.split()[:2]
            if word.upper() == b"LOGOUT":
                self.wfile.write(b"* BYE\r\n")
            self.wfile.write(tag + b" OK done\r\n")
            if word.upper() == b"LOGOUT":
                return


class Server(socketserver.ThreadingTCPServer):
    """The mail server behind the proxy."""

    daemon_threads = True
    request_queue_size = 500

    def handle_error(self, request: object, client_address: object) -> None:
        """A proxy's worker was killed: that is what the tests do."""


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with Server(("127.0.0.1", 0), Answers) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made.server_address[1]
        made.shutdown()
        thread.join()


class Mail:
    """A mail client's connection."""

    def __init__(self, port: int, wait_s: float = 5.0) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=wait_s)
        self.file = self.sock.makefile("rb")
        self.greeting = self.file.readline()

    def ask(self, text: bytes) -> bytes:
        """The tagged answer to a command."""
        self.sock.sendall(b"a " + text + b"\r\n")
        while (line := self.file.readline()).startswith(b"*"):
            pass
        return line

    def close(self) -> None:
        self.file.close()
        self.sock.close()

    def __enter__(self) -> Mail:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Command:
    """A started imap4-proxy."""

    def __init__(self, folder: Path, server: int, items: str) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "cfg").write_text(TEXT.format(items=items, folder=folder, port=self.port, server=server))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "imap4fast.cli.imap4_proxy", "-f", str(folder / "cfg")],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def started(self, workers: int) -> bool:
        return (self.folder / "log").exists() and len(re.findall("TCPS-731-K", self.log())) == workers

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children()

    def complaint(self) -> str:
        """What it wrote to standard error; it must have ended, and with it all who hold that."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()


@contextmanager
def command(folder: Path, server: int, items: str, workers: int = 2) -> Iterator[Command]:
    made = Command(folder, server, f"{items} tcpserver {{ workers {workers}; terminate-wait 1; }}")
    try:
        eventually(lambda: made.started(workers), 20)
        yield made
    finally:
        pid = made.pid if (folder / "pid").exists() else made.process.pid
        if psutil.pid_exists(pid):
            family = [psutil.Process(pid), *psutil.Process(pid).children()]
            if made.process.poll() is None or made.process.pid != pid:
                os.kill(pid, signal.SIGTERM)
            made.process.wait(10)
            assert not psutil.wait_procs(family, 8)[1]
        assert "INTERNAL-ERROR" not in made.log()
        assert made.process.stderr is not None
        made.process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sessions_get_bye_at_the_end(tmp_path: Path, server: int, number: signal.Signals) -> None:
    with command(tmp_path, server, "nodaemon;") as proxy, Mail(proxy.port) as mail:
        assert mail.ask(b"LOGIN joe secret") == b"a OK done\r\n"
        proxy.process.send_signal(number)
        if number == signal.SIGHUP:
            assert mail.ask(b"NOOP") == b"a OK done\r\n"
        assert mail.file.readline().startswith(b"* BYE")
        assert mail.file.readline() == b""
        assert proxy.process.wait(10) == 0
        assert not (tmp_path / "pid").exists()


def test_a_worker_in_a_chroot_does_its_whole_work(tmp_path: Path, server: int) -> None:
    """Whatever a session needs was loaded before: codecs, catalogues, time zone, modules."""
    jail = tmp_path / "jail"
    jail.mkdir()
    with command(tmp_path, server, f'nodaemon; app-user "nobody"; chroot-dir "{jail}";') as proxy:
        for worker in proxy.workers():
            assert Path(f"/proc/{worker.pid}/root").readlink() == jail
        for _ in range(8):
            with Mail(proxy.port) as mail:
                assert mail.ask(b"LOGIN joe secret") == b"a OK done\r\n"
                assert mail.ask(b"DELETE INBOX").startswith(b"a NO [NOPERM] ")
                assert mail.ask(b"SELECT").startswith(b"a BAD ")
                assert mail.ask(b"LOGOUT") == b"a OK done\r\n"
        eventually(lambda: proxy.log().count("IMAP-888-I") == 8)
        for worker in proxy.workers():
            worker.kill()
        eventually(lambda: proxy.log().count("TCPS-734-W") == 2)
        with Mail(proxy.port) as mail:
            assert mail.ask(b"LOGIN joe secret") == b"a OK done\r\n"


def test_daemon_and_a_second_one(tmp_path: Path, server: int) -> None:
    with command(tmp_path, server, "") as proxy:
        assert proxy.process.wait(10) == 0
        assert proxy.complaint() == ""
        with Mail(proxy.port) as mail:
            assert mail.ask(b"LOGIN joe secret") == b"a OK done\r\n"
        second = subprocess.run(
            [sys.executable, "-m", "imap4fast.cli.imap4_proxy", "-f", str(tmp_path / "cfg")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"[127.0.0.1]:{proxy.port}: another program listens there" in second.stderr


def test_limit_of_an_address_is_exact_over_workers(tmp_path: Path, server: int) -> None:
    folder = tmp_path
    made = Command(folder, server, "nodaemon; tcpserver { workers 2; max-sessions-per-ip 5; }")
    try:
        eventually(lambda: made.started(2), 20)
        clients = [Mail(made.port) for _ in range(8)]
        assert [mail.greeting[:5] for mail in clients] == [b"* OK "] * 5 + [b"* BYE"] * 3
        for mail in clients:
            mail.close()
    finally:
        made.process.terminate()
        assert made.process.wait(10) == 0
        assert made.process.stderr is not None
        made.process.stderr.close()


class Sessions:
    """Threads that run whole sessions without a pause and count how they ended."""

    def __init__(self, port: int, threads: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.longest_s = 0.0
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                with Mail(self._port) as mail:
                    self.longest_s = max(self.longest_s, time.monotonic() - began)
                    self.outcomes[self._session(mail)] += 1
            except ConnectionRefusedError:
                self.outcomes["refused"] += 1
            except TimeoutError:
                self.outcomes["timed out"] += 1
            except ConnectionError:
                self.outcomes["lost"] += 1

    def _session(self, mail: Mail) -> str:
        if not mail.greeting.startswith(b"* OK"):
            return "lost" if not mail.greeting else "sent away"
        answers = [mail.ask(text) for text in (b"LOGIN joe secret", b"NOOP", b"LOGOUT")]
        return "good" if answers == [b"a OK done\r\n"] * 3 else "lost"

    def __enter__(self) -> Sessions:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_sigkill_of_a_worker_under_load(tmp_path: Path, server: int, capsys: pytest.CaptureFixture[str]) -> None:
    kills, threads = 3, 6
    with command(tmp_path, server, "nodaemon;") as proxy:
        idle = [Mail(proxy.port) for _ in range(12)]
        assert [mail.ask(b"LOGIN joe secret") for mail in idle] == [b"a OK done\r\n"] * 12
        victim = proxy.workers()[0]
        with Sessions(proxy.port, threads) as load:
            for number in range(kills):
                time.sleep(0.5)
                victim.kill()
                eventually(lambda n=number: proxy.log().count("TCPS-734-W") == n + 1)
                victim = max(proxy.workers(), key=lambda worker: worker.create_time())
            time.sleep(0.5)
        alive = sum(_lives(mail) for mail in idle)
        with capsys.disabled():
            print(
                f"\nreal sessions, SIGKILL x {kills}: {dict(load.outcomes)}, longest wait for a greeting "
                f"{load.longest_s:.3f} s, idle sessions left {alive} of 12"
            )
        assert load.outcomes["good"] > 20
        assert load.outcomes["lost"] <= kills * threads
        assert set(load.outcomes) <= {"good", "lost"}
        assert load.longest_s < 2
        assert 0 < alive < 12, "those of the other worker live, the victim's are lost"
        for mail in idle:
            mail.close()


def _lives(mail: Mail) -> bool:
    try:
        return mail.ask(b"NOOP") == b"a OK done\r\n"
    except ConnectionError:
        return False
