"""What the scanning bench measures at: Dovecot, the proxy in each mode, a client that counts and throws away, clamd."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.proctree import PROC, cpu_ns, tree
from tests.e2e.dovecot import Dovecot, free_port
from tests.e2e.lab import PASSWORD
from tests.e2e.mailproxy import UNCHANGED, Processing
from tests.e2e.proxy import Config, Proxy
from tests.e2e.wire import Address

LARGE = replace(
    UNCHANGED,
    sections=UNCHANGED.sections.replace("connection builtin; }", "connection builtin; max-checked-size 1G; }", 1),
    proxy="spool-max 20G;",
)
"""The built-in engines on every mail, whatever its size, and a policy that lets all be."""

CHUNK = 1 << 20
SETTLE_S = 0.1


@dataclass(frozen=True)
class Cores:
    """Where the load and where the proxy runs; None: anywhere."""

    load: int | None
    proxy: int | None


def choose_cores() -> Cores:
    found = sorted(os.sched_getaffinity(0))
    return Cores(found[0], found[1]) if len(found) > 1 else Cores(None, None)


class Client:
    """One session. Answers are read and thrown away, but for how they ended; `octets` counts them."""

    def __init__(self, address: Address, user: str, mailbox: str = "INBOX", timeout_s: float = 120.0) -> None:
        self._sock = socket.create_connection(address, timeout=timeout_s)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(CHUNK))
        self._tags = 0
        self.octets = 0
        self.longest_wait_s = 0.0
        self._until(b"* OK")
        self.ask(b"LOGIN %s %s" % (user.encode(), PASSWORD))
        self.ask(b"SELECT " + mailbox.encode())

    def ask(self, text: bytes) -> int:
        """One command; the octets of its answer. RuntimeError where it does not end OK."""
        self._tags += 1
        tag = b"z%06d" % self._tags
        self._sock.sendall(tag + b" " + text + b"\r\n")
        before = self.octets
        last = self._until(tag + b" ")
        if not last.startswith(b"OK"):
            raise RuntimeError(f"{text[:80]!r}: {last!r}")
        return self.octets - before

    def _until(self, start: bytes) -> bytes:
        """Read up to the line that begins so; the rest of that line."""
        end = re.compile(rb"(?:^|\r\n)" + re.escape(start) + rb"([^\r\n]*)\r\n$")
        tail = b""
        while True:
            began = time.monotonic()
            size = self._sock.recv_into(self._buffer)
            self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)
            if not size:
                raise RuntimeError(f"closed before {start!r}: {tail!r}")
            self.octets += size
            tail = (tail + bytes(self._buffer[max(0, size - 1024) : size]))[-1024:]
            if found := end.search(tail):
                return found[1]

    def send(self, octets: bytes) -> None:
        """What nobody waits for an answer to."""
        self._sock.sendall(octets)

    def reset(self) -> None:
        """Ends by RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def close(self) -> None:
        self._sock.close()


@dataclass
class Stand:
    """One Dovecot for all; proxies are started as they are asked for and end with the stand."""

    dovecot: Dovecot
    cores: Cores
    proxies: dict[Config, Proxy]

    def proxy(self, processing: Processing | None, pinned: bool = True) -> Proxy:
        """None: pass mode. With `pinned` it has a core of its own."""
        return self._started(Config(**self._common(pinned), **(processing.config() if processing else {})))

    def _common(self, pinned: bool) -> dict[str, Any]:
        prefix = ("taskset", "-c", str(self.cores.proxy)) if pinned and self.cores.proxy is not None else ()
        return {"plug": (self.dovecot.address,), "prefix": prefix, "log": "level normal;"}

    def _started(self, config: Config) -> Proxy:
        if config not in self.proxies:
            self.proxies[config] = Proxy(config)
        return self.proxies[config]

    def fresh(self, processing: Processing | None, pinned: bool = True) -> Proxy:
        """As `proxy`, started anew: nothing in its store, no helper used."""
        old = self.proxy(processing, pinned)
        del self.proxies[old.config]
        old.close()
        return self.proxy(processing, pinned)

    def two_ways(self, acls: str) -> Proxy:
        """A proxy with these ACLs that processes mail."""
        return self._started(Config(**self._common(True), **{**LARGE.config(), "acls": acls}))

    @contextmanager
    def anywhere(self) -> Iterator[None]:
        """In the block this process, and what Dovecot starts, may run on every core."""
        if self.cores.load is None or self.cores.proxy is None:
            yield
            return
        self._pin({self.cores.load, self.cores.proxy})
        try:
            yield
        finally:
            self._pin({self.cores.load})

    def _pin(self, cores: set[int]) -> None:
        """This process and Dovecot's."""
        for pid in [0, *(stat.pid for stat in tree(self.dovecot.pid))]:
            with suppress(ProcessLookupError):
                os.sched_setaffinity(pid, cores)

    def client(self, at: Proxy | None, user: str) -> Client:
        """None: with Dovecot itself."""
        return Client(at.address if at else self.dovecot.address, user)

    def downloads(self, user: str) -> int:
        """How often whole mails were asked of Dovecot; `listen_for` must have been called."""
        return len(re.findall(rb"BODY(?:\.PEEK)?\[\]", self.dovecot.rawlog(user)))


@contextmanager
def started_stand() -> Iterator[Stand]:
    os.environ.setdefault("IMAP4FAST_TEST_LOGS", tempfile.mkdtemp(prefix="bench-logs."))
    cores = choose_cores()
    if cores.load is not None:
        os.sched_setaffinity(0, {cores.load})
    stand = Stand(Dovecot(), cores, {})
    try:
        yield stand
    finally:
        for proxy in stand.proxies.values():
            proxy.close()
        stand.dovecot.close()


def cpu_of(proxy: Proxy, work: object) -> float:
    """CPU seconds of the proxy's whole tree while `work()` runs."""
    assert callable(work)
    time.sleep(SETTLE_S)
    before = cpu_ns(proxy.pid)
    work()
    time.sleep(SETTLE_S)
    return (cpu_ns(proxy.pid) - before) / 1e9


def anonymous_bytes(root: int) -> int:
    """Anonymous memory of the tree, what is shared counted once."""
    total = 0
    for stat in tree(root):
        try:
            text = (PROC / str(stat.pid) / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(re.search(r"Pss_Anon:\s+(\d+) kB", text)[1]) * 1024  # type: ignore[index]
    return total


# clamd

_CLAMD = """
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}
Foreground yes
LogFile {folder}/clamd.log
StreamMaxLength 200M
MaxThreads 4
OfficialDatabaseOnly no
"""


@contextmanager
def started_clamd() -> Iterator[Address]:
    """With one signature of its own, so that no database is needed."""
    program = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        raise RuntimeError("clamd is missing: apt-get install clamav-daemon")
    folder = Path(tempfile.mkdtemp(prefix="bench-clamd."))
    folder.chmod(0o755)
    (folder / "own.ndb").write_text(f"Own.Test:0:*:{b'no mail of the bench has this'.hex()}\n")
    port = free_port()
    (folder / "clamd.conf").write_text(_CLAMD.format(port=port, folder=folder))
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen([program, "-c", str(folder / "clamd.conf")], stdout=output, stderr=output)
    try:
        _await_clamd(port, process, folder)
        yield ("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _await_clamd(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as sock:
                sock.sendall(b"zPING\0")
                if sock.recv(16).startswith(b"PONG"):
                    return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"clamd did not start: {(folder / 'output').read_text()[-800:]}")
        time.sleep(0.1)
