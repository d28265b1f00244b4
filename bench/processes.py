"""Starts and ends the processes of a bench: pinned to cores, on free loopback ports, ended by process id."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from bench.build import program
from bench.certificates import HOST, Certificates
from bench.peers import REPOSITORY, Peer, PeerError, Place
from bench.proctree import tree
from bench.tls_words import Ending

OPEN_FILES = 20_000
START_S = 15.0
STOP_S = 0.5
"""Dovecot's master takes a second to end; nothing that it would save is wanted."""
NICENESS = -15
REAL_TIME = 5
AUTOGROUP = Path("/proc/self/autogroup")
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000
"""Below the kernel's ephemeral range, so that no outgoing connection holds a port that a peer is to listen on."""
TAIL_LINES = 12

_RANDOM = random.Random()


@dataclass(frozen=True, slots=True)
class Cores:
    """The load client, the server and the runner share one core, the peer has another. None: not pinned."""

    load: int | None
    peer: int | None


def choose_cores(allowed: set[int]) -> Cores:
    """The first two cores that this process may use; with a single one nothing is pinned."""
    cores = sorted(allowed)
    return Cores(cores[0], cores[1]) if len(cores) > 1 else Cores(None, None)


def pinned(command: list[str], core: int | None) -> list[str]:
    """taskset(1) replaces itself, so the process id is the command's."""
    return command if core is None else ["taskset", "-c", str(core), *command]


def prepare_runner() -> Cores:
    """Raises the limit of open files, pins this process beside the load, and makes SIGTERM end it in order."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES and os.geteuid() != 0:
        raise PeerError(f"the hard limit of open files is {hard}; the bench needs {OPEN_FILES}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    signal.signal(signal.SIGTERM, end_in_order)
    cores = choose_cores(os.sched_getaffinity(0))
    if cores.load is not None:
        os.sched_setaffinity(0, {cores.load})
    return cores


@contextmanager
def priority() -> Iterator[None]:
    """All that is started in the block goes before the machine's other work, where that is permitted.

    Where the kernel groups processes by login session, niceness counts within one only, so the group's is set too.
    """
    with suppress(OSError):
        os.nice(NICENESS)
        AUTOGROUP.write_text(str(NICENESS))
    try:
        yield
    finally:
        with suppress(OSError):
            AUTOGROUP.write_text("0")


@contextmanager
def at_once(*roots: int) -> Iterator[None]:
    """In the block the process trees of `roots` run as soon as they have something to do, where permitted: other
    work on their core would else run to the end of its time slice first, which is 4 ms. Not for what never sleeps.
    """
    pids = [stat.pid for root in roots for stat in tree(root)]
    _schedule(pids, os.SCHED_FIFO, REAL_TIME)
    try:
        yield
    finally:
        _schedule(pids, os.SCHED_OTHER, 0)


def _schedule(pids: list[int], policy: int, level: int) -> None:
    for pid in pids:
        with suppress(OSError):
            os.sched_setscheduler(pid, policy, os.sched_param(level))


def end_in_order(_number: int, _frame: FrameType | None) -> None:
    """Lets every `finally` run, so that no process stays behind."""
    sys.exit(143)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Distinct ports on which nobody listens."""
    candidates = _RANDOM.sample(range(LOWEST_PORT, HIGHEST_PORT), 500)
    ports = [port for port in candidates if is_free(port)][:count]
    if len(ports) < count:
        raise PeerError("no free ports")
    return ports


def spawn(command: list[str], core: int | None, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """A process of the repository's root folder, so that `python -m bench...` and `imap4fast` are found."""
    return subprocess.Popen(
        pinned(command, core), cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )


def end_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL to what is left of the tree."""
    if process.poll() is not None:
        return
    pids = [stat.pid for stat in tree(process.pid)]
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


@contextmanager
def connection(port: int, certificates: Certificates | None) -> Iterator[socket.socket]:
    """To a port of this bench; with certificates by TLS, of either version."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as plain:
        if certificates is None:
            yield plain
            return
        with certificates.client_context().wrap_socket(plain, server_hostname=HOST) as wrapped:
            yield wrapped


def greets(port: int, certificates: Certificates | None = None) -> bool:
    """Whether an IMAP greeting comes from that port. PeerError where the peer speaks no TLS as wanted."""
    try:
        with connection(port, certificates) as probe:
            return probe.recv(4) == b"* OK"
    except ssl.SSLError as error:
        raise PeerError(f"no TLS handshake: {error}") from error
    except OSError:
        return False


def await_greeting(
    process: subprocess.Popen[bytes], port: int, name: str, logs: Path, certificates: Certificates | None = None
) -> None:
    """Returns once the process serves; PeerError with its logs' ends when it dies, stays silent or fails in TLS."""
    deadline = time.monotonic() + START_S
    while not greeted(port, name, logs, certificates):
        if process.poll() is not None:
            raise PeerError(f"{name} can't start: exit status {process.returncode}\n{log_tail(logs)}")
        if time.monotonic() > deadline:
            raise PeerError(f"{name} can't start: no greeting within {START_S:g} s\n{log_tail(logs)}")
        time.sleep(0.01)


def greeted(port: int, name: str, logs: Path, certificates: Certificates | None) -> bool:
    """As `greets`, the error with the peer's name and its logs."""
    try:
        return greets(port, certificates)
    except PeerError as error:
        raise PeerError(f"{name} can't start: {error}\n{log_tail(logs)}") from error


def log_tail(folder: Path) -> str:
    """The last lines of every log there."""
    lines: list[str] = []
    for log in sorted(folder.glob("*.log")):
        lines += [f"  {log.name}: {line}" for line in log.read_text(errors="replace").splitlines()[-TAIL_LINES:]]
    return "\n".join(lines)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Readable for all: the peers' workers run as other users."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that serves on `port`; `pid` is the root of its process tree."""

    peer: Peer
    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            status = self.process.returncode
            raise PeerError(f"{self.peer.name} ended during the run: exit status {status}\n{log_tail(self.folder)}")


@contextmanager
def started(peer: Peer, server_port: int, core: int | None, ending: Ending | None = None) -> Iterator[Running]:
    """Runs a peer in front of the server until the end of the block."""
    with temporary_folder() as folder:
        port, extra_port = free_ports(2)
        command = peer.command(Place(folder, port, server_port, extra_port, ending))
        with (folder / "output.log").open("wb") as output:
            process = spawn(command, core, output)
        try:
            await_greeting(process, port, peer.name, folder, ending.certificates if ending else None)
            yield Running(peer, process, port, folder)
        finally:
            end_process(process)


@dataclass(frozen=True, slots=True)
class CannedServer:
    """The server that all peers stand in front of. With certificates it speaks TLS only."""

    port: int
    pid: int
    certificates: Certificates | None = None

    def handshakes(self) -> tuple[int, int]:
        """How many full ones and how many resumed ones there were until now, without that of this question."""
        with connection(self.port, self.certificates) as asking, asking.makefile("rwb") as lines:
            lines.readline()
            lines.write(b"a XHANDSHAKES\r\n")
            lines.flush()
            full, resumed = lines.readline().split()[2:]
        return int(full) - (self.certificates is not None), int(resumed)


@contextmanager
def started_server(
    core: int | None, certificates: Certificates | None = None, version: str = "1.3", tickets: bool = False
) -> Iterator[CannedServer]:
    """Runs the canned server until the end of the block; with certificates by TLS of this version."""
    with temporary_folder() as folder:
        (port,) = free_ports(1)
        with (folder / "output.log").open("wb") as output:
            command = [str(program("server")), str(port)]
            if certificates:
                command += [str(certificates.certificate), str(certificates.key), version, str(int(tickets))]
            process = spawn(command, core, output)
        try:
            await_greeting(process, port, "the canned server", folder, certificates)
            yield CannedServer(port, process.pid, certificates)
        finally:
            end_process(process)
