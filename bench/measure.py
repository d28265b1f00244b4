"""One run: one peer, started afresh and alone, one operation, one sample."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.certificates import Certificates
from bench.figures import Sample
from bench.load import Load, LoadError, Result, load_command, started_load, tls_words
from bench.operations import Operation, Tls
from bench.peers import Peer
from bench.processes import CannedServer, Cores, Running, at_once, started
from bench.proctree import cpu_ns, pss_bytes
from bench.tls_words import Ending

SETTLE_S = 0.05
"""Between the last answer and the reading of the CPU time: what a peer does late (closing, logs) is its cost too."""
IDLE_SETTLE_S = 0.3
MEMORY_WARM_SESSIONS = 20
"""Opened and closed before the first look at the memory, so that what is made once isn't counted per session."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Length of one run."""

    seconds: float
    warm_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Stand:
    """What all runs of a bench share."""

    server: CannedServer
    cores: Cores
    timing: Timing
    certificates: Certificates | None = None
    tls_servers: Mapping[tuple[str, bool], CannedServer] = field(default_factory=dict)
    """By version, and whether they give tickets."""

    def server_of(self, tls: Tls | None) -> CannedServer:
        """Whom a peer stands in front of. It gives tickets only where sessions are to be resumed."""
        return self.server if tls is None or tls.legs == "client" else self.tls_servers[tls.version, tls.resumed]

    def ending_of(self, tls: Tls | None) -> Ending | None:
        if tls is None or self.certificates is None:
            return None
        return Ending(tls.legs, tls.tickets, self.certificates)

    def words_of(self, tls: Tls | None) -> list[str]:
        """The load client's options for TLS."""
        return tls_words(tls, self.certificates)


def timed_run(load: Load, pid: int) -> tuple[Result, int]:
    """The load client's result, and the tree's CPU nanoseconds for just these operations: all sessions stay open."""
    time.sleep(SETTLE_S)
    before = cpu_ns(pid)
    result = load.run()
    time.sleep(SETTLE_S)
    return result, cpu_ns(pid) - before


def sample_of(result: Result, used_ns: int) -> Sample:
    """CPU, throughput and latency of a run."""
    return {
        "operations": result.operations,
        "cpu_us": used_ns / 1e3 / result.operations,
        "cpu_s_per_gb": used_ns / result.bytes,
        "operations_s": result.operations / result.wall_s,
        "load_cpu_us": result.load_cpu_s * 1e6 / result.operations,
        "p50_us": result.p50_us,
        "p99_us": result.p99_us,
        "p99_all_us": result.p99_all_us,
        "most_us": result.most_us,
    }


def check_handshakes(tls: Tls, result: Result) -> None:
    """LoadError when the client's handshakes were not of the kind that is measured."""
    wrong = result.full if tls.resumed else result.resumed
    if wrong:
        raise LoadError(f"{wrong} handshakes were {'full' if tls.resumed else 'resumed'}")
    if tls.tickets and result.full and not result.tickets:
        raise LoadError("no tickets came, though they are on")


def measure_handshakes(load: Load, running: Running, tls: Tls, server: CannedServer) -> Sample:
    """Connections, each with a handshake; on both legs also which part of those with the server was resumed."""
    before = server.handshakes()
    result, used_ns = timed_run(load, running.pid)
    after = server.handshakes()
    check_handshakes(tls, result)
    full, resumed = after[0] - before[0], after[1] - before[1]
    return {
        **sample_of(result, used_ns),
        "tickets": result.tickets / result.operations,
        "unclean": result.unclean / result.operations,
        "server_handshakes": (full + resumed) / result.operations,
        "server_resumed": resumed / (full + resumed) if full + resumed else 0.0,
    }


def measure_load(stand: Stand, running: Running, operation: Operation, rate: float) -> Sample:
    """Closed loop when the rate is 0."""
    timing = stand.timing
    script, sessions, warm_s = operation.script, operation.sessions, timing.warm_s
    command = load_command(running.port, script, sessions, seconds=timing.seconds, warm=warm_s)
    if rate:
        command = load_command(running.port, script, sessions, seconds=timing.latency_s, warm=warm_s, rate=rate, spin=1)
    with started_load(command + stand.words_of(operation.tls), stand.cores.load) as load:
        load.ready()
        if operation.tls and operation.logs_in:
            return measure_handshakes(load, running, operation.tls, stand.server_of(operation.tls))
        if not rate:
            return sample_of(*timed_run(load, running.pid))
        with at_once(running.pid, stand.server_of(operation.tls).pid):
            return sample_of(*timed_run(load, running.pid))


def measure_memory(stand: Stand, running: Running, operation: Operation) -> Sample:
    """PSS of the whole tree with all sessions logged in and idle, less that with none, per session and per TLS leg."""
    words = stand.words_of(operation.tls)
    warm = load_command(running.port, operation.script, MEMORY_WARM_SESSIONS)
    with started_load(warm + words, stand.cores.load) as load:
        load.ready()
        load.run()
    time.sleep(IDLE_SETTLE_S)
    none = pss_bytes(running.pid)
    command = load_command(running.port, operation.script, operation.sessions) + words
    with started_load(command, stand.cores.load) as load:
        load.ready()
        time.sleep(IDLE_SETTLE_S)
        full = pss_bytes(running.pid)
        load.run()
    per_session = (full - none) / 1024 / operation.sessions
    sample = {"kib_per_session": per_session, "base_kib": none / 1024, "pss_mb": full / 1e6}
    if operation.tls:
        sample["kib_per_leg"] = per_session / (2 if operation.tls.legs == "both" else 1)
    return sample


def measure(stand: Stand, peer: Peer, operation: Operation, rate: float = 0.0) -> Sample:
    """Starts the peer, takes the sample, ends the peer. LoadError and PeerError name it."""
    server, ending = stand.server_of(operation.tls), stand.ending_of(operation.tls)
    with started(peer, server.port, stand.cores.peer, ending) as running:
        try:
            if operation.kind in ("memory", "legs"):
                sample = measure_memory(stand, running, operation)
            else:
                sample = measure_load(stand, running, operation, rate)
        except LoadError as error:
            raise LoadError(f"{peer.name}, {operation.name}: {error}") from error
        running.check_alive()
        return sample
