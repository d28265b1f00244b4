"""`python -m bench.idle5000`: many sessions in IDLE on one worker, then all active at once, without an error."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.build import BuildError, build
from bench.load import LoadError, load_command, started_load
from bench.operations import SUBJECT
from bench.peers import PEERS, PeerError, install_missing
from bench.processes import Cores, Running, prepare_runner, started, started_server
from bench.proctree import cpu_ns, descriptors, pss_bytes
from bench.run import RESULTS, chosen_peers

SESSIONS = 5000
SETTLE_S = 0.5

Report = dict[str, float | str]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.idle5000", description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--hold", type=float, default=3.0, metavar="SECONDS", help="in IDLE before all wake")
    parser.add_argument("--peer", default=SUBJECT, choices=[peer.name for peer in PEERS])
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/idle-DATE.json")
    return parser.parse_args(arguments)


def wake(running: Running, cores: Cores, sessions: int, hold_s: float) -> Report:
    """Each session ends its IDLE, does three commands, logs out and sees the connection closed; all start at once."""
    none = pss_bytes(running.pid)
    start = time.monotonic()
    with started_load(load_command(running.port, "wake", sessions, passes=1), cores.load) as load:
        load.ready()
        opened_s = time.monotonic() - start
        time.sleep(hold_s)
        full, used_ns, open_files = pss_bytes(running.pid), cpu_ns(running.pid), descriptors(running.pid)
        load.go()
        result = load.result()
    time.sleep(SETTLE_S)
    running.check_alive()
    return {
        "peer": running.peer.name,
        "sessions": sessions,
        "open_s": opened_s,
        "descriptors_open": open_files,
        "kib_per_session": (full - none) / 1024 / sessions,
        "pss_mib": full / 2**20,
        "wake_s": result.wall_s,
        "wake_cpu_s": (cpu_ns(running.pid) - used_ns) / 1e9,
        "p50_ms": result.p50_us / 1e3,
        "most_ms": result.most_us / 1e3,
        "completed": result.operations,
        "errors": result.errors,
        "first_error": result.first_error,
        "descriptors_after": descriptors(running.pid),
    }


def run(options: argparse.Namespace) -> Report:
    """Starts everything, returns what came out."""
    peers = chosen_peers(options.peer)
    install_missing(peers)
    build()
    cores = prepare_runner()
    with started_server(cores.load) as server, started(peers[0], server.port, cores.peer) as running:
        return wake(running, cores, options.sessions, options.hold)


def print_report(report: Report) -> None:
    """One figure a line."""
    for name, value in report.items():
        print(f"{name:18} {value:.3f}" if isinstance(value, float) else f"{name:18} {value}")


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all sessions came through. 1: an error or a missing session. 2: it could not be run."""
    options = parse_arguments(arguments)
    try:
        report = run(options)
    except LoadError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (PeerError, BuildError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print_report(report)
    path = options.json or RESULTS / time.strftime("idle-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    passed = report["errors"] == 0 and report["completed"] == options.sessions
    print("PASS" if passed else "FAIL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
