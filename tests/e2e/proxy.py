"""imap4-proxy as a process of its own, started from a generated configuration file."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.dovecot import free_port
from tests.e2e.pki import client_context
from tests.e2e.wire import Address, Wire, WireError

_TEXT = """version IMAP4FAST-1;
{sections}
imap4-proxy E2E {{
  nodaemon;
  log-debug {{ {log} }}
  listen-on {{ {listen} }}
  tcpserver {{ {tcpserver} }}
  {proxy}
  {acls}
}}
"""

_ACLS = """
  session-acl IN {{ {session} accept; {plug} }}
  command-acl ALL {{ accept; no-mail-scanning; {command} }}
"""

_INTERNAL = re.compile(rb"traceback|internal[- ]?error|Exception ignored", re.IGNORECASE)
_numbers = itertools.count(1)


def socket_text(address: Address) -> str:
    """An address as configuration.md section 1 writes it."""
    return f"[{address[0]}] : {address[1]}"


@dataclass(frozen=True)
class Config:
    """What a test wants of the proxy; every field is text in the language of configuration.md.

    @FOLDER@ in any of them stands for a folder of this proxy alone, which ends with it.

    `acls` replaces the two plain ACLs; PLUG in it stands for the plug-to items.
    """

    plug: tuple[Address, ...]
    proxy: str = ""
    session: str = ""
    command: str = ""
    acls: str = ""
    tcpserver: str = "workers 1;"
    log: str = "level full;"
    host: str = "127.0.0.1"
    log_file: str = ""
    probe: bool = True
    prefix: tuple[str, ...] = ()
    """A command that runs the proxy, such as unshare."""
    sections: str = ""
    """What stands before section imap4-proxy."""
    client_tls: str = ""
    """How clients come to TLS: not, by `session` or by `command`."""
    listeners: int = 1
    files: tuple[tuple[str, str], ...] = ()
    """Names in @FOLDER@ and what they hold."""

    def text(self, ports: Sequence[int], log_file: Path) -> str:
        plug = " ".join(f"plug-to {socket_text(address)};" for address in self.plug)
        acls = self.acls.replace("PLUG", plug) if self.acls else ""
        return _TEXT.format(
            sections=self.sections,
            log=self.log if "facility" in self.log else f'{self.log} file "{self.log_file or log_file}";',
            listen=" ".join(f"non-transparent [{self.host}] port {port};" for port in ports),
            tcpserver=self.tcpserver,
            proxy=self.proxy,
            acls=acls or _ACLS.format(session=self.session, plug=plug, command=self.command),
        )


def children(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            yield from children(int(child))


class Proxy:
    """Starts with the object; `check` tells what went wrong inside; `close` ends it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.addresses: list[Address] = [(config.host, free_port(config.host)) for _ in range(config.listeners)]
        self.address = self.addresses[0]
        name = f"proxy-{os.getpid()}-{next(_numbers)}"
        logs = Path(os.environ["IMAP4FAST_TEST_LOGS"])
        logs.mkdir(parents=True, exist_ok=True)
        self.log_path = Path(config.log_file) if config.log_file else logs / f"{name}.log"
        self.stderr_path = logs / f"{name}.stderr"
        self.folder = Path(tempfile.mkdtemp(prefix="imap4fast-proxy."))
        self.config_path = self.folder / "proxy.cfg"
        (self.folder / "spool").mkdir(mode=0o700)
        for file, content in config.files:
            (self.folder / file).write_text(content)
        text = config.text([port for _, port in self.addresses], self.log_path)
        self.config_path.write_text(text.replace("@FOLDER@", str(self.folder)))
        with self.stderr_path.open("wb") as output:
            self.process = subprocess.Popen(
                [*config.prefix, sys.executable, "-m", "imap4fast.cli.imap4_proxy", "-f", str(self.config_path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def wire(self, source: str = "", rcvbuf: int | None = None) -> Wire:
        """A client's connection, inside TLS where the configuration says so; the greeting is still to be taken."""
        wire = Wire(self.address, source=source, rcvbuf=rcvbuf)
        try:
            if self.config.client_tls == "command":
                greeting = wire.greet().greeting
                wire.starttls(client_context()).unread(greeting + b"\r\n")
            elif self.config.client_tls:
                wire.secure(client_context())
        except BaseException:
            wire.close()
            raise
        return wire

    def bare(self, source: str = "") -> Wire:
        """A connection without TLS, whatever the configuration says; nothing is read yet."""
        return Wire(self.address, source=source)

    def log_size(self) -> int:
        return self.log_path.stat().st_size if self.log_path.is_file() else 0

    def log(self, mark: int = 0) -> str:
        """The log from byte `mark` on, without the dumps of the level full."""
        if not self.log_path.is_file():
            return ""
        return self.log_path.read_bytes()[mark:].decode("utf-8", "backslashreplace")

    def wait_log(self, pattern: str, mark: int = 0, count: int = 1, timeout_s: float = 8.0) -> list[re.Match[str]]:
        """Wait until so many lines of the log fit."""
        deadline = time.monotonic() + timeout_s
        while len(found := list(re.finditer(pattern, self.log(mark), re.MULTILINE))) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"no log line fits {pattern!r}:\n{self.log(mark)[-3000:]}")
            time.sleep(0.02)
        return found

    def memory_kb(self) -> int:
        """Resident size of all processes of the proxy."""
        total = 0
        for pid in children(self.pid):
            text = Path(f"/proc/{pid}/status").read_text()
            total += int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))
        return total

    def check(self) -> None:
        """The proxy lives and reported no fault of its own."""
        if self.process.poll() is not None:
            raise AssertionError(f"the proxy died: {self.process.returncode}\n{self._last_words()}")
        self.check_words()

    def check_words(self) -> None:
        """It reported no fault of its own, dead or alive."""
        for path in (self.log_path, self.stderr_path):
            data = path.read_bytes() if path.is_file() else b""
            if found := _INTERNAL.search(data):
                words = data[max(0, found.start() - 300) : found.start() + 4000]
                raise AssertionError(f"internal error of the proxy:\n{words.decode('utf-8', 'replace')}")

    def close(self) -> None:
        if self.process.poll() is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
                raise AssertionError("the proxy did not end at SIGTERM") from None
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the proxy did not start:\n{self._last_words()}\n{self.config_path.read_text()}")
            time.sleep(0.02)
        if self.config.probe:
            # A policy that refuses is an answer too.
            with self.bare() as probe, contextlib.suppress(WireError):
                probe.line(5)

    def _listens(self) -> bool:
        """From the kernel's table, so that no session is counted."""
        path = "/proc/net/tcp6" if ":" in self.address[0] else "/proc/net/tcp"
        wanted = f":{self.address[1]:04X}"
        rows = (line.split() for line in Path(path).read_text().splitlines()[1:])
        return any(row[1].endswith(wanted) and row[3] == "0A" for row in rows)

    def _last_words(self) -> str:
        return self.stderr_path.read_text(errors="replace")[-3000:] + "\n" + self.log()[-3000:]
