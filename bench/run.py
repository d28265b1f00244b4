"""`python -m bench.run`: every peer, every operation, interleaved rounds; tables, targets, JSON.

README.md beside this file says how to read them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fnmatch import filter as matching
from pathlib import Path

from bench.build import BuildError, build
from bench.certificates import make_certificates
from bench.figures import SampleSet, Series, figure_of, judge, rotated
from bench.load import LoadError
from bench.measure import Stand, Timing, measure
from bench.operations import OPERATIONS, SUBJECT, Operation, Tls
from bench.peers import PEERS, Peer, PeerError, install_missing
from bench.processes import (
    CannedServer,
    Cores,
    prepare_runner,
    priority,
    started,
    started_server,
    temporary_folder,
)
from bench.report import (
    as_json,
    circumstances,
    comparison_table,
    judgements,
    operation_table,
    stored_results,
    target_table,
)
from bench.tables import EVERY_OPERATION, PLAIN, TABLES, Table, can, partakers, shown_targets
from bench.tls_operations import LEGS, VERSIONS
from bench.tls_words import Ending

RESULTS = Path(__file__).parent / "results"
FULL = Timing(seconds=1.5, warm_s=0.3, latency_s=8.0)
QUICK = Timing(seconds=0.25, warm_s=0.05, latency_s=3.0)
FULL_ROUNDS, QUICK_ROUNDS = 7, 3
RETRIES = 2
MEMORY_ROUNDS = 3
"""At most, of what counts in KiB per leg: it is as good as the same each time."""
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
    table: Table = PLAIN
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
        for target in self.table.targets:
            if target.operation == operation.name:
                judged = judge(target, self.results[operation.name], SUBJECT)
                names |= {SUBJECT, target.other} if judged.outcome == "VOID" else set()
        return [peer for peer in self.peers if peer.name in names and can(peer, operation)]

    def measure_operation(self, operation: Operation) -> None:
        """All rounds; then again those whose ratio came out void, a bounded number of times."""
        rate = self.offered_rate() if operation.kind == "latency" else 0.0
        series = self.results[operation.name] = Series(operation.kind)
        rounds = min(self.rounds, MEMORY_ROUNDS) if operation.kind == "legs" else self.rounds
        series.sets.append(self.measure_set(operation, partakers(self.peers, operation), rounds, rate))
        for _ in range(self.retries):
            again = self.void_peers(operation)
            if not again or time.monotonic() - self.started_at > self.table.budget_s:
                break
            series.sets.append(self.measure_set(operation, again, rounds, rate))
        say("\r")
        title = f"{operation.sessions} sessions" + (f", {rate:.0f} operations/s offered" if rate else "")
        print(f"{title}\n{operation_table(operation, series, self.peers)}\n", flush=True)


def say(text: str) -> None:
    """Progress, for a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(text.ljust(60))
        sys.stderr.flush()


def chosen(names: str, known: Sequence[str], what: str) -> list[str]:
    """Comma-separated names or shell patterns, each of which must fit something."""
    wanted: list[str] = []
    for name in filter(None, names.split(",")):
        found = matching(known, name)
        if not found:
            raise PeerError(f"no {what} {name!r}; known: {', '.join(known)}")
        wanted += found
    return wanted


def chosen_operations(names: str, known: Sequence[Operation] = OPERATIONS) -> list[Operation]:
    """Without names: all but the optional ones."""
    if not names:
        return [operation for operation in known if not operation.optional]
    wanted = chosen(names, [operation.name for operation in known], "operation")
    return [operation for operation in known if operation.name in wanted]


def chosen_peers(names: str) -> list[Peer]:
    """Without names: all."""
    wanted = chosen(names, [peer.name for peer in PEERS], "peer")
    return [peer for peer in PEERS if not wanted or peer.name in wanted]


def check_peers(peers: Sequence[Peer], server_port: int, cores: Cores, ending: Ending | None = None) -> None:
    """Each must start and greet before anything is measured; the error names every one that doesn't."""
    faults = []
    for peer in peers:
        try:
            with started(peer, server_port, cores.peer, ending):
                pass
        except PeerError as error:
            faults.append(str(error))
    if faults:
        raise PeerError("\n".join(faults))


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--rounds", type=int, help=f"{FULL_ROUNDS}; with --quick {QUICK_ROUNDS}")
    parser.add_argument("--quick", action="store_true", help="short runs, nothing measured again")
    parser.add_argument("--table", choices=[table.name for table in TABLES], help="this one alone")
    names = ", ".join(known.name for known in EVERY_OPERATION)
    parser.add_argument("--only", default="", metavar="OP,OP", help=f"names or patterns: {names}")
    parser.add_argument("--peers", default="", metavar="P,P", help=", ".join(peer.name for peer in PEERS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/DATE.json")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="a stored result")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else FULL_ROUNDS)
    return options


def store(benches: Sequence[Bench], options: argparse.Namespace) -> Path:
    """Writes the JSON; returns its path."""
    path: Path = options.json or RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    about = circumstances(benches[0].peers, {"rounds": options.rounds, "quick": options.quick})
    results = {name: series for bench in benches for name, series in bench.results.items()}
    targets = [target for bench in benches for target in shown_targets(bench.table, list(results))]
    path.write_text(as_json(about, results, targets))
    return path


def report(bench: Bench, options: argparse.Namespace) -> None:
    """The targets of a table and, if asked for, the comparison with an earlier bench."""
    about = circumstances(bench.peers, {})
    print("{processor}, {cores} cores, Linux {kernel}; Python {python} ({interpreter})".format(**about))
    print(bench.table.title)
    print(target_table(judgements(bench.results, shown_targets(bench.table, list(bench.results)))))
    absent = [peer.name for peer in PEERS if peer not in bench.peers]
    if absent:
        print(f"left out as asked: {', '.join(absent)}")
    if options.compare:
        print("\n" + comparison_table(stored_results(options.compare), bench.results))
    print(f"{time.monotonic() - bench.started_at:.0f} s\n", flush=True)


def planned(options: argparse.Namespace) -> list[tuple[Table, list[Operation]]]:
    """The chosen operations of each table, of which at least one has some."""
    tables = [table for table in TABLES if options.table in (None, table.name)]
    wanted = chosen_operations(options.only, [known for table in tables for known in table.operations])
    plan = [(table, [known for known in table.operations if known in wanted]) for table in tables]
    return [(table, operations) for table, operations in plan if operations]


def start_tls(stack: ExitStack, stand: Stand) -> Stand:
    """The certificate and the servers that speak TLS; they end with the stack."""
    certificates = make_certificates(stack.enter_context(temporary_folder()))
    servers: dict[tuple[str, bool], CannedServer] = {}
    for version in VERSIONS:
        for tickets in (False, True):
            server = started_server(stand.cores.load, certificates, version, tickets)
            servers[version, tickets] = stack.enter_context(server)
    return replace(stand, certificates=certificates, tls_servers=servers)


def check_tls(peers: Sequence[Peer], stand: Stand, operations: Sequence[Operation]) -> None:
    """As check_peers, for the legs on which each is to end TLS."""
    for legs in LEGS:
        tls = Tls(legs, VERSIONS[0])
        chosen_so = [operation for operation in operations if operation.tls and operation.tls.legs == legs]
        if chosen_so:
            able = partakers(peers, chosen_so[0])
            check_peers(able, stand.server_of(tls).port, stand.cores, stand.ending_of(tls))


def measure_table(stand: Stand, table: Table, operations: list[Operation], options: argparse.Namespace) -> Bench:
    """All of one table, checked before, reported after."""
    peers = chosen_peers(options.peers)
    timing = QUICK if options.quick else replace(FULL, seconds=table.seconds)
    bench = Bench(
        replace(stand, timing=timing), peers, operations, options.rounds, 0 if options.quick else RETRIES, table
    )
    for operation in operations:
        bench.measure_operation(operation)
    report(bench, options)
    return bench


def run(options: argparse.Namespace) -> None:
    """Checks everything first, then measures, reports and stores."""
    peers, plan = chosen_peers(options.peers), planned(options)
    install_missing(peers)
    build()
    cores = prepare_runner()
    with priority(), ExitStack() as stack:
        stand = Stand(stack.enter_context(started_server(cores.load)), cores, FULL)
        operations = [operation for _, chosen_so in plan for operation in chosen_so]
        if any(operation.tls is None for operation in operations):
            check_peers(peers, stand.server.port, cores)
        if any(operation.tls for operation in operations):
            stand = start_tls(stack, stand)
            check_tls(peers, stand, operations)
        benches = [measure_table(stand, table, chosen_so, options) for table, chosen_so in plan]
    print(f"every sample: {store(benches, options)}")


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
