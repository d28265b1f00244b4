"""`python -m bench.tls_churn`: 100,000 times connect, handshake, login, logout. The worker may not grow by it.

Resident size after the last cycle, less that after the first 10,000: what is made once is there by then.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from bench.build import BuildError, build
from bench.load import LoadError, load_command, started_load
from bench.measure import Stand
from bench.operations import SUBJECT, Legs, Tls
from bench.peers import PEERS, PeerError, install_missing
from bench.processes import Running, prepare_runner, priority, started, started_server
from bench.proctree import busiest, descriptors, rss_bytes
from bench.run import FULL, RESULTS, chosen_peers, start_tls
from bench.tls_operations import VERSIONS

CYCLES = 100_000
FIRST_PART = 0.1
SESSIONS = 16
"""At the same time."""
MOST_GROWTH_BYTES = 2_000_000
MOST_S = 3600.0
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Churn:
    """What came out. `bytes_first` and `bytes_last` are resident sizes of the worker."""

    peer: str
    tls: Tls
    cycles: int
    wall_s: float
    bytes_first: int
    bytes_last: int
    descriptors_first: int
    descriptors_last: int

    @property
    def growth_bytes(self) -> int:
        return self.bytes_last - self.bytes_first

    @property
    def passed(self) -> bool:
        return self.growth_bytes <= MOST_GROWTH_BYTES and self.descriptors_last <= self.descriptors_first


def cycle(stand: Stand, running: Running, tls: Tls, cycles: int) -> int:
    """Runs about so many and returns how many; LoadError after any error."""
    passes = max(1, cycles // SESSIONS)
    command = load_command(running.port, "login-cycle", SESSIONS, seconds=MOST_S, passes=passes, warm=0.2)
    with started_load(command + stand.words_of(tls), stand.cores.load) as load:
        load.ready()
        done = load.run().operations
    time.sleep(SETTLE_S)
    running.check_alive()
    return done


def churn(stand: Stand, running: Running, tls: Tls, cycles: int) -> Churn:
    """The first part, a look, the rest, another look."""
    begun = time.monotonic()
    done = cycle(stand, running, tls, int(cycles * FIRST_PART))
    worker = busiest(running.pid)
    first, first_files = rss_bytes(worker), descriptors(running.pid)
    done += cycle(stand, running, tls, cycles - done)
    wall_s = time.monotonic() - begun
    last, last_files = rss_bytes(worker), descriptors(running.pid)
    return Churn(running.peer.name, tls, done, wall_s, first, last, first_files, last_files)


def print_churn(found: Churn) -> None:
    tls = found.tls
    print(f"{found.peer}: TLS {tls.version}, legs: {tls.legs}, {'resumed' if tls.resumed else 'full'} handshakes")
    print(f"cycles       {found.cycles} in {found.wall_s:.0f} s")
    print(
        f"resident     {found.bytes_first / 1e6:.2f} MB after the first tenth, {found.bytes_last / 1e6:.2f} at the end"
    )
    print(f"growth       {found.growth_bytes / 1e6:.2f} MB (at most {MOST_GROWTH_BYTES / 1e6:g})")
    print(f"descriptors  {found.descriptors_first}, {found.descriptors_last}")
    print("PASS" if found.passed else "FAIL")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tls_churn", description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument("--peer", default=SUBJECT, choices=[peer.name for peer in PEERS if peer.legs])
    parser.add_argument("--legs", default="both", choices=get_args(Legs))
    parser.add_argument("--version", default=VERSIONS[0], choices=VERSIONS)
    parser.add_argument("--resumed", action="store_true", help="sessions are resumed; else all handshakes are full")
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/tls-churn-DATE.json")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Churn:
    """Starts everything and stores what came out."""
    (peer,) = chosen_peers(options.peer)
    tls = Tls(options.legs, options.version, resumed=options.resumed)
    if options.legs not in peer.legs:
        raise PeerError(f"{peer.name} cannot end TLS on both legs")
    install_missing([peer])
    build()
    cores = prepare_runner()
    with priority(), ExitStack() as stack:
        stand = start_tls(stack, Stand(stack.enter_context(started_server(cores.load)), cores, FULL))
        server = stand.server_of(tls)
        running = stack.enter_context(started(peer, server.port, cores.peer, stand.ending_of(tls)))
        found = churn(stand, running, tls, options.cycles)
    path = options.json or RESULTS / time.strftime("tls-churn-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(found), indent=1))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """0: passed. 1: an error, growth or descriptors left. 2: it could not be run."""
    options = parse_arguments(arguments)
    try:
        found = run(options)
    except LoadError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (PeerError, BuildError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print_churn(found)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
