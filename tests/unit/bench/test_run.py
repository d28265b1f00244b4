"""The plan of a bench: order of runs, void figures, offered rate, refusal to leave anybody out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count

import pytest

from bench import run
from bench.figures import Sample
from bench.measure import Stand, Timing
from bench.operations import OPERATIONS, Operation
from bench.peers import PEERS, Peer, PeerError
from bench.processes import CannedServer, Cores
from bench.run import Bench, check_peers, chosen_operations, chosen_peers, main, parse_arguments, planned
from bench.tables import TLS

NOOP, LATENCY = (next(known for known in OPERATIONS if known.name == name) for name in ("noop", "latency"))
Run = tuple[str, str, float]


def sample(value: float) -> Sample:
    names = ("operations_s", "cpu_s_per_gb", "p50_us", "p99_us", "p99_all_us", "most_us", "load_cpu_us")
    names += ("kib_per_leg", "kib_per_session", "base_kib", "pss_mb")
    return {**dict.fromkeys(names, value), "cpu_us": value}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """What was measured, in order; every sample is 10."""
    return measured_as(monkeypatch, lambda peer: 10.0)


def measured_as(monkeypatch: pytest.MonkeyPatch, value: Callable[[str], float]) -> list[Run]:
    done: list[Run] = []

    def measure(_stand: Stand, peer: Peer, operation: Operation, rate: float = 0.0) -> Sample:
        done.append((operation.name, peer.name, rate))
        return sample(value(peer.name))

    monkeypatch.setattr(run, "measure", measure)
    return done


def bench(rounds: int = 3, retries: int = 2, peers: str = "haproxy,dovecot,imap4fast") -> Bench:
    stand = Stand(1, Cores(None, None), Timing(1, 1, 1))
    return Bench(stand, chosen_peers(peers), [NOOP], rounds, retries)


def test_rounds_interleave_and_rotate(runs: list[Run]) -> None:
    bench(rounds=3).measure_operation(NOOP)
    names = [name for _, name, _ in runs]
    assert names == [
        *("haproxy", "dovecot", "imap4fast"),
        *("dovecot", "imap4fast", "haproxy"),
        *("imap4fast", "haproxy", "dovecot"),
    ]


def test_only_the_peers_of_a_void_ratio_are_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    runs = measured_as(monkeypatch, lambda peer: 10.0 * (1 + next(ticks)) if peer == "haproxy" else 10.0)
    measured = bench(rounds=3, retries=2)
    measured.measure_operation(NOOP)
    assert len(measured.results["noop"].sets) == 3
    assert {name for _, name, _ in runs[9:]} == {"haproxy", "imap4fast"}
    assert len(runs) == 9 + 2 * 6


def test_nothing_is_measured_again_when_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count()
    runs = measured_as(monkeypatch, lambda peer: 10.0 * (1 + next(ticks)))
    late = bench()
    late.started_at -= late.table.budget_s + 1
    late.measure_operation(NOOP)
    assert len(runs) == 9


def test_latency_is_taken_at_half_of_what_the_slowest_does(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {"haproxy": 60000.0, "dovecot": 30000.0, "imap4fast": 50000.0}
    runs = measured_as(monkeypatch, lambda peer: speeds[peer])
    measured = bench(rounds=1, retries=0)
    measured.measure_operation(NOOP)
    measured.measure_operation(LATENCY)
    assert [rate for operation, _, rate in runs if operation == "latency"] == [15000.0] * 3
    assert len(runs) == 6


def test_the_slowest_is_found_even_when_only_latency_was_asked_for(runs: list[Run]) -> None:
    bench(rounds=1, retries=0).measure_operation(LATENCY)
    assert [operation for operation, _, _ in runs] == ["noop"] * 3 + ["latency"] * 3


def test_choices() -> None:
    assert chosen_peers("") == list(PEERS)
    assert [peer.name for peer in chosen_peers("imap4fast,haproxy")] == ["haproxy", "imap4fast"]
    assert [operation.name for operation in chosen_operations("idle,noop")] == ["noop", "idle"]
    assert "append1m-sync" not in [operation.name for operation in chosen_operations("")]
    with pytest.raises(PeerError, match="no operation 'nop'"):
        chosen_operations("nop")


def planned_names(*arguments: str) -> dict[str, list[str]]:
    plan = planned(parse_arguments(arguments))
    return {table.name: [operation.name for operation in operations] for table, operations in plan}


def test_both_tables_are_measured_unless_one_is_named() -> None:
    assert list(planned_names()) == ["plain", "tls"]
    assert list(planned_names("--table", "tls")) == ["tls"]
    assert planned_names("--only", "noop,noop-1.3-*") == {
        "plain": ["noop"],
        "tls": ["noop-1.3-client", "noop-1.3-both"],
    }
    assert planned_names("--only", "noop") == {"plain": ["noop"]}
    with pytest.raises(PeerError, match="no operation 'noop'"):
        planned(parse_arguments(["--table", "tls", "--only", "noop"]))


TLS_NOOP, TLS_IDLE = (
    next(known for known in TLS.operations if known.name == name) for name in ("noop-1.3-both", "moved-1.3-client")
)


def test_only_those_that_can_take_part_on_both_legs(runs: list[Run]) -> None:
    measured = bench(rounds=1, peers="c-relay,haproxy,nginx,imap4fast")
    measured.table = TLS
    measured.measure_operation(TLS_NOOP)
    assert [name for _, name, _ in runs] == ["haproxy", "imap4fast"]


def test_nobody_to_measure_is_an_error(runs: list[Run]) -> None:
    with pytest.raises(PeerError, match=r"noop-1\.3-both: none of these peers .*: nginx"):
        bench(peers="nginx").measure_operation(TLS_NOOP)
    assert runs == []


def test_memory_of_legs_is_taken_three_times(runs: list[Run]) -> None:
    bench(rounds=7, peers="haproxy").measure_operation(TLS_IDLE)
    assert len(runs) == 3


def test_every_peer_that_cannot_start_is_named() -> None:
    def dying(name: str) -> Peer:
        return Peer(name, "", lambda place: [sys.executable, "-c", f"raise SystemExit('{name} has a reason')"])

    with pytest.raises(PeerError) as caught:
        check_peers([dying("one"), dying("two")], 1, Cores(None, None))
    assert "one has a reason" in str(caught.value)
    assert "two has a reason" in str(caught.value)


def test_a_bench_that_cannot_run_says_so_by_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--peers", "nobody"]) == 2
    assert "no peer 'nobody'" in capsys.readouterr().err


def test_a_wrong_answer_ends_the_bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def measure(*_: object, **__: object) -> Sample:
        raise run.LoadError("haproxy, noop: 1 errors: a wrong answer")

    @contextmanager
    def server(_core: int | None) -> Iterator[CannedServer]:
        yield CannedServer(1, 1)

    for name, stub in (("measure", measure), ("started_server", server)):
        monkeypatch.setattr(run, name, stub)
    for name in ("build", "check_peers", "install_missing"):
        monkeypatch.setattr(run, name, lambda *_: None)
    monkeypatch.setattr(run, "prepare_runner", lambda: Cores(None, None))
    monkeypatch.setattr(run, "priority", nullcontext)
    assert main(["--peers", "haproxy", "--only", "noop"]) == 1
    assert "a wrong answer" in capsys.readouterr().err
