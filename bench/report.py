"""What a bench prints and stores: a table per operation, the targets with their outcome, JSON with every sample."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import WIDEST_SPREAD, Figure, Judgement, Series, figure_of, judge
from bench.operations import METRIC, REFERENCE, SUBJECT, UNIT, Operation, Target
from bench.peers import Peer, version_of
from bench.tables import EVERY_OPERATION, EVERY_TARGET

COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "cpu": (
        ("cpu_us", "CPU µs/op", "{:.1f}"),
        ("cpu_s_per_gb", "CPU s/GB", "{:.3f}"),
        ("operations_s", "op/s", "{:.0f}"),
        ("p50_us", "p50 µs", "{:.0f}"),
        ("p99_us", "p99 µs", "{:.0f}"),
        ("load_cpu_us", "load µs/op", "{:.1f}"),
    ),
    "memory": (("kib_per_session", "PSS KiB/session", "{:.2f}"), ("base_kib", "PSS KiB with none", "{:.0f}")),
    "legs": (
        ("kib_per_leg", "PSS KiB/leg", "{:.2f}"),
        ("kib_per_session", "per session", "{:.2f}"),
        ("base_kib", "with none", "{:.0f}"),
        ("pss_mb", "all, MB", "{:.1f}"),
    ),
    "latency": (
        ("p50_us", "p50 µs", "{:.0f}"),
        ("p99_us", "p99 µs", "{:.0f}"),
        ("p99_all_us", "p99 of all", "{:.0f}"),
        ("most_us", "most µs", "{:.0f}"),
        ("cpu_us", "CPU µs/op", "{:.1f}"),
    ),
}
"""Metric, heading, format; the metric that ratios are made of shows its spread."""

HANDSHAKE_COLUMNS = (
    ("server_resumed", "resumed to server", "{:.0%}"),
    ("tickets", "tickets", "{:.1f}"),
    ("unclean", "cut ends", "{:.0%}"),
)
"""Of logins by TLS: of the handshakes with a TLS server, those that resumed; what a connection got for resuming later
(OpenSSL sends such in TLS 1.3 also where tickets are off, and knows none of them when no sessions are kept); of the
connections, those that ended without close_notify.
"""

SLOWER = 0.10
"""A ratio that grew by more than so much over the stored one is pointed out."""


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """First column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def percent(figure: Figure) -> str:
    """The spread; `!` marks one that voids the figure."""
    return f"±{figure.spread * 100:.0f}%" + ("!" if figure.void else "")


def columns_of(operation: Operation) -> list[tuple[str, str, str]]:
    """CPU per GB says nothing of operations that carry no mail."""
    columns = [column for column in COLUMNS[operation.kind] if column[0] != "cpu_s_per_gb" or operation.bulk]
    if operation.tls and operation.logs_in:
        columns += HANDSHAKE_COLUMNS[operation.tls.legs == "client" :]
    return columns


def peer_row(operation: Operation, series: Series, peer: Peer) -> list[str]:
    """Medians over the rounds."""
    row = [peer.name]
    for metric, _, form in columns_of(operation):
        figure = figure_of(series.values(peer.name, metric))
        row.append(form.format(figure.median) + (f" {percent(figure):>5}" if metric == METRIC[operation.kind] else ""))
    ratio = series.ratio(peer.name, REFERENCE)
    row.append(f"{ratio.median:.2f} {percent(ratio):>5}" if ratio else "-")
    return row


def operation_table(operation: Operation, series: Series, peers: Sequence[Peer]) -> str:
    """One line per peer that was measured."""
    heading = [operation.name, *(title for _, title, _ in columns_of(operation)), f"x {REFERENCE}"]
    rows = [peer_row(operation, series, peer) for peer in peers if series.values(peer.name, METRIC[operation.kind])]
    return text_table([heading, *rows])


def judgements(results: Mapping[str, Series], targets: Sequence[Target] = EVERY_TARGET) -> list[Judgement]:
    """Every target, also of what wasn't measured."""
    return [judge(target, results.get(target.operation), SUBJECT) for target in targets]


def target_table(judged: Sequence[Judgement]) -> str:
    """The ratios that count, each against its target."""
    units = {known.name: UNIT[METRIC[known.kind]] for known in EVERY_OPERATION}
    rows = [["target", "of", "wanted", "measured", "spread", "outcome"]]
    for item in judged:
        figure = item.figure
        measured, spread = (f"{figure.median:.3f}", percent(figure)) if figure else ("-", "-")
        unit = UNIT[item.target.metric] if item.target.metric else units[item.target.operation]
        rows.append([item.target.operation, unit, item.target.text, measured, spread, item.outcome])
    return text_table(rows)


def processor() -> str:
    """The processor's name, where the system tells it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def circumstances(peers: Sequence[Peer], options: Mapping[str, Any]) -> dict[str, Any]:
    """What one must know to read the figures later."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "interpreter": os.path.realpath(sys.executable),
        "versions": {peer.name: version_of(peer) for peer in peers},
        "options": dict(options),
        "void_above": WIDEST_SPREAD,
    }


def as_json(about: Mapping[str, Any], results: Mapping[str, Series], targets: Sequence[Target] = EVERY_TARGET) -> str:
    """Everything: each sample of each round of each set, and the judgements."""
    document = {
        "about": about,
        "results": {name: {"kind": series.kind, "sets": series.sets} for name, series in results.items()},
        "targets": [asdict(item) for item in judgements(results, targets)],
    }
    return json.dumps(document, indent=1)


def stored_results(path: Path) -> dict[str, Series]:
    """The results of a file that as_json made."""
    document = json.loads(path.read_text())
    return {name: Series(told["kind"], told["sets"]) for name, told in document["results"].items()}


def comparison_table(before: Mapping[str, Series], now: Mapping[str, Series]) -> str:
    """This proxy's ratio to the reference then and now: absolute figures of two days can't be compared."""
    rows = [["compared", f"x {REFERENCE} then", "now", "change", ""]]
    for name, series in now.items():
        old = before[name].ratio(SUBJECT, REFERENCE) if name in before else None
        new = series.ratio(SUBJECT, REFERENCE)
        if old is None or new is None:
            rows.append([name, "-", "-", "-", "not measured in both"])
            continue
        change = new.median / old.median - 1
        remark = "void" if old.void or new.void else "slower" if change > SLOWER else ""
        rows.append([name, f"{old.median:.2f}", f"{new.median:.2f}", f"{change * 100:+.0f}%", remark])
    return text_table(rows)
