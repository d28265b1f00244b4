"""`python -m bench.tls_handshakes`: how long NOOPs of open sessions take while others make 200 handshakes a second.

In each round every peer is started once; NOOPs come at a fixed rate on 50 sessions, first alone, then beside a second
load client that connects, logs in and logs out with full handshakes at its own rate. The median over rounds counts.
Both clients share a core: that of the NOOPs goes first, so the handshakes' own cost on that core is not what is seen.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

from bench.build import BuildError, build
from bench.figures import rotated
from bench.load import Load, LoadError, Result, load_command, started_load
from bench.measure import Stand
from bench.operations import REFERENCE, SUBJECT, Legs, Tls
from bench.peers import Peer, PeerError, install_missing
from bench.processes import Running, at_once, prepare_runner, priority, started, started_server
from bench.report import text_table
from bench.run import FULL, RESULTS, check_tls, chosen_peers, start_tls
from bench.tls_operations import TLS_OPERATIONS, VERSIONS

SESSIONS = 50
NOOPS_S = 2000.0
HANDSHAKES_S = 200.0
MOST_AT_ONCE = 200
"""Sessions of the second load client: handshakes that are under way at the same time."""
ROUNDS = 3
SECONDS = 8.0
AHEAD_S = 0.5
"""So much longer does the second client run, before and after."""
KEPT_PART = 0.9
"""Of the handshakes that were to be made, at least so many must have been."""

Sample = dict[str, float]
FIGURES = ("p50_us", "p99_us", "p99_all_us", "most_us")


def sample_of(result: Result) -> Sample:
    return {name: getattr(result, name) for name in FIGURES}


def timed(stand: Stand, running: Running, load: Load, tls: Tls) -> Sample:
    """The NOOPs' latencies. All but the second load client run at once when they have something to do."""
    with at_once(running.pid, stand.server_of(tls).pid, load.process.pid):
        return sample_of(load.run())


def beside_handshakes(stand: Stand, running: Running, load: Load, tls: Tls, options: argparse.Namespace) -> Sample:
    """The same with the second load client; LoadError when that fell behind."""
    seconds = options.seconds + 2 * AHEAD_S
    command = load_command(running.port, "login-cycle", MOST_AT_ONCE, seconds=seconds, rate=options.handshakes)
    with started_load(command + stand.words_of(tls), stand.cores.load) as other:
        other.ready()
        other.go()
        time.sleep(AHEAD_S)
        sample = timed(stand, running, load, tls)
        made = other.result()
    if made.errors or made.full < options.handshakes * seconds * KEPT_PART:
        raise LoadError(f"only {made.full} handshakes in {made.wall_s:.1f} s; {made.first_error}")
    return {**sample, "handshakes_s": made.full / made.wall_s, "login_p50_us": made.p50_us, "login_p99_us": made.p99_us}


def look(stand: Stand, peer: Peer, tls: Tls, options: argparse.Namespace) -> dict[str, Sample]:
    """One start of a peer: `alone` and `beside`."""
    with started(peer, stand.server_of(tls).port, stand.cores.peer, stand.ending_of(tls)) as running:
        command = load_command(running.port, "noop", SESSIONS, seconds=options.seconds, rate=options.noops, warm=0.3)
        samples: dict[str, Sample] = {}
        try:
            for name in ("alone", "beside"):
                with started_load(command + stand.words_of(tls), stand.cores.load) as load:
                    load.ready()
                    measured = (
                        timed(stand, running, load, tls)
                        if name == "alone"
                        else beside_handshakes(stand, running, load, tls, options)
                    )
                    samples[name] = measured
        except LoadError as error:
            raise LoadError(f"{peer.name}: {error}") from error
        running.check_alive()
        return samples


Looks = dict[str, list[dict[str, Sample]]]


def median_of(looks: Sequence[dict[str, Sample]], name: str, figure: str) -> float:
    return statistics.median(taken[name][figure] for taken in looks)


def table(looks: Looks) -> str:
    """Two lines a peer."""
    heading = [
        "NOOPs of established sessions",
        "p50 µs",
        "p99 µs",
        "p99 of all",
        "most µs",
        "handshakes/s",
        "login p50 ms",
    ]
    rows = [heading]
    for peer, taken in looks.items():
        for name in ("alone", "beside"):
            row = [f"{peer}, {name}", *(f"{median_of(taken, name, figure):.0f}" for figure in FIGURES)]
            more = ["-", "-"]
            if name == "beside":
                made, login_us = median_of(taken, name, "handshakes_s"), median_of(taken, name, "login_p50_us")
                more = [f"{made:.0f}", f"{login_us / 1e3:.2f}"]
            rows.append(row + more)
    return text_table(rows)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tls_handshakes", description=__doc__)
    parser.add_argument("--peers", default=f"{REFERENCE},{SUBJECT}", metavar="P,P")
    parser.add_argument(
        "--legs", default="client", choices=get_args(Legs), help="client: the server makes no handshakes"
    )
    parser.add_argument("--version", default=VERSIONS[0], choices=VERSIONS)
    parser.add_argument("--handshakes", type=float, default=HANDSHAKES_S, metavar="RATE")
    parser.add_argument("--noops", type=float, default=NOOPS_S, metavar="RATE")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/tls-handshakes-DATE.json")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Looks:
    """Starts everything and stores what came out."""
    peers = chosen_peers(options.peers)
    tls = Tls(options.legs, options.version)
    able = [known for known in TLS_OPERATIONS if known.tls and known.tls.legs == tls.legs]
    for peer in peers:
        if options.legs not in peer.legs:
            raise PeerError(f"{peer.name} cannot end TLS on these legs")
    install_missing(peers)
    build()
    cores = prepare_runner()
    looks: Looks = {peer.name: [] for peer in peers}
    with priority(), ExitStack() as stack:
        stand = start_tls(stack, Stand(stack.enter_context(started_server(cores.load)), cores, FULL))
        check_tls(peers, stand, able)
        for number in range(options.rounds):
            for peer in rotated(peers, number):
                looks[peer.name].append(look(stand, peer, tls, options))
    path = options.json or RESULTS / time.strftime("tls-handshakes-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(looks, indent=1))
    return looks


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured. 1: an error, or the handshakes fell behind. 2: it could not be run."""
    options = parse_arguments(arguments)
    try:
        looks = run(options)
    except LoadError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (PeerError, BuildError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(f"{options.noops:g} NOOPs/s; TLS {options.version}, legs: {options.legs}\n{table(looks)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
