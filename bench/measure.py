"""One run: one peer, started afresh and alone, one operation, one sample."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.figures import Sample
from bench.load import Load, LoadError, Result, load_command, started_load
from bench.operations import Operation
from bench.peers import Peer
from bench.processes import CannedServer, Cores, Running, at_once, started
from bench.proctree import cpu_ns, pss_bytes

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


def timed_run(load: Load, pid: int) -> tuple[Result, int]:
    """The load client's result, and the tree's CPU nanoseconds for just these operations: all sessions stay open."""
    load.ready()
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


def measure_load(stand: Stand, running: Running, operation: Operation, rate: float) -> Sample:
    """Closed loop when the rate is 0."""
    timing = stand.timing
    script, sessions, warm_s = operation.script, operation.sessions, timing.warm_s
    command = load_command(running.port, script, sessions, seconds=timing.seconds, warm=warm_s)
    if rate:
        command = load_command(running.port, script, sessions, seconds=timing.latency_s, warm=warm_s, rate=rate, spin=1)
    with started_load(command, stand.cores.load) as load:
        if not rate:
            return sample_of(*timed_run(load, running.pid))
        with at_once(running.pid, stand.server.pid):
            return sample_of(*timed_run(load, running.pid))


def measure_memory(stand: Stand, running: Running, operation: Operation) -> Sample:
    """PSS of the whole tree with all sessions logged in and idle, less that with none, per session."""
    warm = load_command(running.port, operation.script, MEMORY_WARM_SESSIONS)
    with started_load(warm, stand.cores.load) as load:
        load.ready()
        load.run()
    time.sleep(IDLE_SETTLE_S)
    none = pss_bytes(running.pid)
    with started_load(load_command(running.port, operation.script, operation.sessions), stand.cores.load) as load:
        load.ready()
        time.sleep(IDLE_SETTLE_S)
        full = pss_bytes(running.pid)
        load.run()
    return {"kib_per_session": (full - none) / 1024 / operation.sessions, "base_kib": none / 1024}


def measure(stand: Stand, peer: Peer, operation: Operation, rate: float = 0.0) -> Sample:
    """Starts the peer, takes the sample, ends the peer. LoadError and PeerError name it."""
    with started(peer, stand.server.port, stand.cores.peer) as running:
        try:
            if operation.kind == "memory":
                sample = measure_memory(stand, running, operation)
            else:
                sample = measure_load(stand, running, operation, rate)
        except LoadError as error:
            raise LoadError(f"{peer.name}, {operation.name}: {error}") from error
        running.check_alive()
        return sample
