"""`python -m bench.run`: every peer, every operation, interleaved rounds; tables, targets, JSON.

README.md beside this file says how to read them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.build import BuildError, build
from bench.figures import SampleSet, Series, figure_of, judge, rotated
from bench.load import LoadError
from bench.measure import Stand, Timing, measure
from bench.operations import OPERATIONS, SUBJECT, TARGETS, Operation
from bench.peers import PEERS, Peer, PeerError, install_missing
from bench.processes import Cores, prepare_runner, priority, started, started_server
from bench.report import (
    as_json,
    circumstances,
    comparison_table,
    judgements,
    operation_table,
    stored_results,
    target_table,
)

RESULTS = Path(__file__).parent / "results"
FULL = Timing(seconds=1.5, warm_s=0.3, latency_s=8.0)
QUICK = Timing(seconds=0.25, warm_s=0.05, latency_s=3.0)
FULL_ROUNDS, QUICK_ROUNDS = 7, 3
RETRIES = 2
RETRY_BUDGET_S = 23 * 60
"""No void figure is measured again once the bench has lasted so long."""
LOAD_PART = 0.5
"""Of what the slowest peer can do, offered when latency is measured."""


@dataclass(slots=True)
class Bench:
    """The plan of one invocation and what was measured so far."""

    stand: Stand
    peers: list[Peer]
    operations: list[Operation]
    rounds: int
    retries: int
    results: dict[str, Series] = field(default_factory=dict)
    started_at: float = field(default_factory=time.monotonic)

    def measure_set(self, operation: Operation, peers: Sequence[Peer], rounds: int, rate: float) -> SampleSet:
        """Interleaved rounds, the order rotated from one to the next."""
        measured: SampleSet = {peer.name: [] for peer in peers}
        for number in range(rounds):
            for peer in rotated(peers, number):
                say(f"\r{operation.name}: round {number + 1} of {rounds}, {peer.name}")
                measured[peer.name].append(measure(self.stand, peer, operation, rate))
        return measured

    def offered_rate(self) -> float:
        """Half of what the slowest peer does in the closed loop; measured now if it wasn't asked for."""
        operation = next(known for known in OPERATIONS if known.name == "noop")
        series = self.results.get(operation.name)
        if series is None:
            series = Series("cpu", [self.measure_set(operation, self.peers, 1, 0.0)])
        return LOAD_PART * min(figure_of(series.values(peer.name, "operations_s")).median for peer in self.peers)

    def void_peers(self, operation: Operation) -> list[Peer]:
        """Those whose ratio counts for a target and is void."""
        names: set[str] = set()
        for target in TARGETS:
            if target.operation == operation.name:
                judged = judge(target, self.results[operation.name], SUBJECT)
                names |= {SUBJECT, target.other} if judged.outcome == "VOID" else set()
        return [peer for peer in self.peers if peer.name in names]

    def measure_operation(self, operation: Operation) -> None:
        """All rounds; then again those whose ratio came out void, a bounded number of times."""
        rate = self.offered_rate() if operation.kind == "latency" else 0.0
        series = self.results[operation.name] = Series(operation.kind)
        series.sets.append(self.measure_set(operation, self.peers, self.rounds, rate))
        for _ in range(self.retries):
            again = self.void_peers(operation)
            if not again or time.monotonic() - self.started_at > RETRY_BUDGET_S:
                break
            series.sets.append(self.measure_set(operation, again, self.rounds, rate))
        say("\r")
        title = f"{operation.sessions} sessions" + (f", {rate:.0f} operations/s offered" if rate else "")
        print(f"{title}\n{operation_table(operation, series, self.peers)}\n", flush=True)


def say(text: str) -> None:
    """Progress, for a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(text.ljust(60))
        sys.stderr.flush()


def chosen(names: str, known: Sequence[str], what: str) -> list[str]:
    """Comma-separated names, each of which must be known."""
    wanted = [name for name in names.split(",") if name]
    for name in wanted:
        if name not in known:
            raise PeerError(f"no {what} {name!r}; known: {', '.join(known)}")
    return wanted


def chosen_operations(names: str) -> list[Operation]:
    """Without names: all but the optional ones."""
    if not names:
        return [operation for operation in OPERATIONS if not operation.optional]
    wanted = chosen(names, [operation.name for operation in OPERATIONS], "operation")
    return [operation for operation in OPERATIONS if operation.name in wanted]


def chosen_peers(names: str) -> list[Peer]:
    """Without names: all."""
    wanted = chosen(names, [peer.name for peer in PEERS], "peer")
    return [peer for peer in PEERS if not wanted or peer.name in wanted]


def check_peers(peers: Sequence[Peer], server_port: int, cores: Cores) -> None:
    """Each must start and greet before anything is measured; the error names every one that doesn't."""
    faults = []
    for peer in peers:
        try:
            with started(peer, server_port, cores.peer):
                pass
        except PeerError as error:
            faults.append(str(error))
    if faults:
        raise PeerError("\n".join(faults))


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--rounds", type=int, help=f"{FULL_ROUNDS}; with --quick {QUICK_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="short runs, nothing measured again")
    parser.add_argument("--only", default="", metavar="OP,OP", help=", ".join(known.name for known in OPERATIONS))
    parser.add_argument("--peers", default="", metavar="P,P", help=", ".join(peer.name for peer in PEERS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/DATE.json")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="a stored result")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else FULL_ROUNDS)
    return options


def store(bench: Bench, options: argparse.Namespace) -> Path:
    """Writes the JSON; returns its path."""
    path: Path = options.json or RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    about = circumstances(bench.peers, {"rounds": bench.rounds, "quick": options.quick})
    path.write_text(as_json(about, bench.results))
    return path


def report(bench: Bench, options: argparse.Namespace, path: Path) -> None:
    """The targets and, if asked for, the comparison with an earlier bench."""
    about = circumstances(bench.peers, {})
    print("{processor}, {cores} cores, Linux {kernel}; Python {python} ({interpreter})".format(**about))
    print(target_table(judgements(bench.results)))
    absent = [peer.name for peer in PEERS if peer not in bench.peers]
    if absent:
        print(f"left out as asked: {', '.join(absent)}")
    if options.compare:
        print("\n" + comparison_table(stored_results(options.compare), bench.results))
    print(f"\n{time.monotonic() - bench.started_at:.0f} s; every sample: {path}")


def run(options: argparse.Namespace) -> None:
    """Checks everything first, then measures, reports and stores."""
    peers, operations = chosen_peers(options.peers), chosen_operations(options.only)
    install_missing(peers)
    build()
    cores = prepare_runner()
    with priority(), started_server(cores.load) as server:
        check_peers(peers, server.port, cores)
        stand = Stand(server, cores, QUICK if options.quick else FULL)
        bench = Bench(stand, peers, operations, options.rounds, 0 if options.quick else RETRIES)
        for operation in operations:
            bench.measure_operation(operation)
    report(bench, options, store(bench, options))


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured. 1: a wrong answer or a lost session. 2: it could not be run."""
    try:
        run(parse_arguments(arguments))
    except LoadError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (PeerError, BuildError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
