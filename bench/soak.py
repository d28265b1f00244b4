"""`python -m bench.soak --minutes 30`: churn at half of the full rate; the worker may not grow nor keep descriptors.

Each operation connects, logs in, selects, fetches a mail, goes into IDLE and vanishes without LOGOUT: by FIN, by RST,
with a mail asked for and not read, or in the middle of a literal.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.build import BuildError, build
from bench.load import Load, LoadError, Result, load_command, started_load
from bench.operations import SUBJECT
from bench.peers import PEERS, Peer, PeerError, install_missing
from bench.processes import Cores, Running, prepare_runner, started, started_server
from bench.proctree import busiest, descriptors, rss_bytes
from bench.run import RESULTS, chosen_peers

FULL_RATE_SESSIONS = 50
FULL_RATE_S = 10.0
SESSIONS = 400
"""Most at the same time; at half of the full rate few are used."""
RATE_PART = 0.5
SETTLE_PART = 1 / 6
"""The first five of thirty minutes: growth is counted from there on."""
WATCH_S = 10.0
CLOSE_S = 20.0
"""For the proxy to notice the last that vanished."""
MOST_GROWTH_BYTES = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the worker."""

    at_s: float
    rss_bytes: int
    descriptors: int


@dataclass(slots=True)
class Soak:
    """What a soak found."""

    peer: str
    minutes: float
    full_rate: float
    rate: float
    operations: int = 0
    errors: int = 0
    first_error: str = ""
    growth_bytes: int = 0
    descriptors_before: int = 0
    descriptors_after: int = 0
    looks: list[Look] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        left = self.descriptors_after - self.descriptors_before
        return self.operations > 0 and self.errors == 0 and left <= 0 and self.growth_bytes <= MOST_GROWTH_BYTES


def growth(looks: Sequence[Look], settled_s: float) -> int:
    """The last resident size less that at the first look at or after `settled_s`."""
    settled = next((look for look in looks if look.at_s >= settled_s), looks[-1])
    return looks[-1].rss_bytes - settled.rss_bytes


def find_full_rate(peer: Peer, server_port: int, cores: Cores, seconds: float) -> float:
    """Operations a second in the closed loop, of a process of its own."""
    with started(peer, server_port, cores.peer) as running:
        command = load_command(running.port, "churn", FULL_RATE_SESSIONS, seconds=seconds)
        with started_load(command, cores.load) as load:
            load.ready()
            result = load.run()
            return result.operations / result.wall_s


def watch(load: Load, running: Running, seconds: float, looks: list[Look]) -> Result:
    """Looks at the worker until the load has ended; the last look is while it is still busy."""
    load.ready()
    load.go()
    start = time.monotonic()
    step_s = min(WATCH_S, seconds / 20)
    while not load.ended(step_s):
        running.check_alive()
        pid = busiest(running.pid)
        looks.append(Look(time.monotonic() - start, rss_bytes(pid), descriptors(running.pid)))
    return load.result()


def settled_descriptors(count: Callable[[], int], wanted: int) -> int:
    """Descriptors once they are as few as wanted, or after CLOSE_S."""
    deadline = time.monotonic() + CLOSE_S
    while count() > wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    return count()


def warm_up(running: Running, cores: Cores) -> None:
    """Opens what is opened once."""
    with started_load(load_command(running.port, "churn", 20, seconds=0.5), cores.load) as load:
        load.ready()
        load.run()
    time.sleep(1.0)


def soak(peer: Peer, server_port: int, cores: Cores, minutes: float) -> Soak:
    """Finds the full rate, then runs half of it for the time given."""
    seconds = minutes * 60
    full_rate = find_full_rate(peer, server_port, cores, min(FULL_RATE_S, seconds / 4))
    found = Soak(peer.name, minutes, full_rate, full_rate * RATE_PART)
    with started(peer, server_port, cores.peer) as running:
        warm_up(running, cores)
        found.descriptors_before = descriptors(running.pid)
        command = load_command(running.port, "churn", SESSIONS, seconds=seconds, rate=found.rate)
        with started_load(command, cores.load) as load:
            result = watch(load, running, seconds, found.looks)
        found.operations, found.errors, found.first_error = result.operations, result.errors, result.first_error
        found.growth_bytes = growth(found.looks, seconds * SETTLE_PART)
        found.descriptors_after = settled_descriptors(lambda: descriptors(running.pid), found.descriptors_before)
        running.check_alive()
    return found


def print_soak(found: Soak) -> None:
    """The figures that count."""
    print(f"{found.peer}: {found.minutes:g} minutes at {found.rate:.0f} of {found.full_rate:.0f} operations/s")
    print(f"operations   {found.operations}\nerrors       {found.errors} {found.first_error}")
    print(f"growth       {found.growth_bytes / 2**20:.2f} MiB of {found.looks[-1].rss_bytes / 2**20:.1f} (at most 2)")
    print(f"descriptors  {found.descriptors_before} before, {found.descriptors_after} after")
    print("PASS" if found.passed else "FAIL")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--peer", default=SUBJECT, choices=[peer.name for peer in PEERS])
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/soak-DATE.json")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Soak:
    """Starts everything and stores what came out."""
    peers = chosen_peers(options.peer)
    install_missing(peers)
    build()
    cores = prepare_runner()
    with started_server(cores.load) as server:
        found = soak(peers[0], server.port, cores, options.minutes)
    path = options.json or RESULTS / time.strftime("soak-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(found), indent=1))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """0: passed. 1: errors, growth or descriptors left. 2: it could not be run."""
    options = parse_arguments(arguments)
    try:
        found = run(options)
    except LoadError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (PeerError, BuildError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print_soak(found)
    return 0 if found.passed else 1


if __name__ == "__main__":
    sys.exit(main())
