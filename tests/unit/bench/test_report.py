"""Tables and JSON of a bench."""

from __future__ import annotations

import json
from pathlib import Path

from bench.figures import Sample, Series
from bench.operations import OPERATIONS
from bench.peers import PEERS
from bench.report import (
    as_json,
    columns_of,
    comparison_table,
    judgements,
    operation_table,
    stored_results,
    target_table,
    text_table,
)
from bench.tables import EVERY_OPERATION, EVERY_TARGET

NOOP = next(operation for operation in OPERATIONS if operation.name == "noop")


def sample(cpu_us: float) -> Sample:
    names = ("cpu_s_per_gb", "operations_s", "p50_us", "p99_us", "load_cpu_us")
    return {"cpu_us": cpu_us, **dict.fromkeys(names, 1.0)}


def noop(ours: list[float], haproxy: list[float]) -> dict[str, Series]:
    measured = {"imap4fast": [sample(value) for value in ours], "haproxy": [sample(value) for value in haproxy]}
    return {"noop": Series("cpu", [measured])}


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert text_table([["a", "bb"], ["long", "1"]]) == "a     bb\nlong   1"


def test_a_table_has_the_measured_peers_and_their_ratio() -> None:
    table = operation_table(NOOP, noop([12.0, 12.0], [10.0, 10.0])["noop"], PEERS).splitlines()
    assert [line.split()[0] for line in table] == ["noop", "haproxy", "imap4fast"]
    assert "1.20" in table[2]
    assert "GB" not in table[0]


def test_a_void_figure_is_marked() -> None:
    table = operation_table(NOOP, noop([5.0, 10.0, 20.0], [10.0, 10.0, 10.0])["noop"], PEERS)
    assert "!" in table.splitlines()[2]
    assert "!" not in table.splitlines()[1]


def test_every_target_is_in_the_table_measured_or_not() -> None:
    judged = judgements(noop([10.0, 10.0], [10.0, 10.0]))
    assert [item.outcome for item in judged].count("NOT MEASURED") == len(EVERY_TARGET) - 1
    lines = target_table(judged).splitlines()
    assert len(lines) == len(EVERY_TARGET) + 1
    assert lines[1].endswith("PASS")


def test_json_holds_every_sample_and_reads_back(tmp_path: Path) -> None:
    results = noop([10.0, 11.0], [10.0, 10.0])
    results["noop"].sets.append({"imap4fast": [sample(9.0)], "haproxy": [sample(10.0)]})
    stored = tmp_path / "stored.json"
    stored.write_text(as_json({"date": "then"}, results))
    assert stored_results(stored) == results
    assert json.loads(stored.read_text())["about"] == {"date": "then"}


def test_comparison_is_of_ratios_and_points_out_what_got_slower() -> None:
    before, slower_machine = noop([10.0, 10.0], [10.0, 10.0]), noop([20.0, 20.0], [20.0, 20.0])
    assert "slower" not in comparison_table(before, slower_machine)
    row = comparison_table(before, noop([12.0, 12.0], [10.0, 10.0])).splitlines()[1]
    assert row.split() == ["noop", "1.00", "1.20", "+20%", "slower"]


def test_comparison_says_what_it_cannot_compare() -> None:
    assert "not measured in both" in comparison_table({}, noop([10.0], [10.0]))
    assert "void" in comparison_table(noop([10.0], [10.0]), noop([10.0, 20.0, 40.0], [10.0, 10.0, 10.0]))


def test_logins_by_tls_show_what_was_resumed_where_there_is_a_tls_server() -> None:
    shown = {known.name: [metric for metric, _, _ in columns_of(known)] for known in EVERY_OPERATION}
    assert "server_resumed" in shown["login-resumed-1.3-both"]
    assert shown["login-resumed-1.3-client"][-2:] == ["tickets", "unclean"]
    assert "unclean" not in shown["login-cycle"] + shown["noop-1.3-both"]


def test_a_target_may_be_of_another_figure_than_the_kind_has() -> None:
    taken = {"kib_per_leg": 20.0, "kib_per_session": 40.0, "base_kib": 9.0, "pss_mb": 210.0}
    results = {"idle-1.3-both": Series("legs", [{"imap4fast": [taken, taken]}])}
    outcomes = {item.target.text: item.outcome for item in judgements(results) if item.figure}
    assert outcomes == {"<= 22 KiB": "PASS", "<= 200 MB": "FAIL"}
    assert "MB PSS of all" in target_table(judgements(results))
