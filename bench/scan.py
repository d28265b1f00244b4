"""`python -m bench.scan`: what mail processing costs, against Python's email package and against pass mode.

README.md beside this file says how to read the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.report import circumstances, percent, text_table
from bench.scan_measures import MEASURES, QUICK, Bench, Row, Size, limits
from bench.scan_stand import started_stand

RESULTS = Path(__file__).parent / "results"


def table(rows: Sequence[Row]) -> str:
    """All rows, each with its target where it has one."""
    lines = [["measured", "of", "wanted", "figure", "spread", "outcome", "   "]]
    for row in rows:
        wanted = "" if row.limit is None else f"{'>=' if row.least else '<='} {row.limit:g}"
        lines.append(
            [row.name, row.unit, wanted, f"{row.figure.median:.2f}", percent(row.figure), row.outcome, row.remark]
        )
    return text_table(lines)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scan", description=__doc__)
    parser.add_argument("--only", default="", metavar="M,M", help=", ".join(MEASURES))
    parser.add_argument("--quick", action="store_true", help="a look; no figure to quote")
    parser.add_argument("--rounds", type=int, help=f"{Size.rounds}; with --quick {QUICK.rounds}")
    parser.add_argument(
        "--mails", type=int, help=f"of the first sync: {Size.first_sync}; with --quick {QUICK.first_sync}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="instead of bench/results/scan-DATE.json")
    options = parser.parse_args(arguments)
    unknown = set(filter(None, options.only.split(","))) - set(MEASURES)
    if unknown:
        parser.error(f"no measurement {', '.join(sorted(unknown))}; known: {', '.join(MEASURES)}")
    return options


def chosen_size(options: argparse.Namespace) -> Size:
    size = QUICK if options.quick else Size()
    rounds, mails = options.rounds or size.rounds, options.mails or size.first_sync
    return Size(rounds, size.mails, mails, size.seconds, size.huge)


def run(options: argparse.Namespace) -> list[Row]:
    """Prints each row as it is there, then all of them."""
    names = [name for name in MEASURES if not options.only or name in options.only.split(",")]
    rows: list[Row] = []
    began = time.monotonic()
    with started_stand() as stand:
        bench = Bench(stand, chosen_size(options))
        for name in names:
            for row in MEASURES[name](bench):
                rows.append(row)
                print(
                    f"{time.monotonic() - began:5.0f} s  {row.name}: {row.figure.median:.2f} {row.unit} {row.outcome}",
                    flush=True,
                )
    return rows


def store(rows: Sequence[Row], options: argparse.Namespace) -> Path:
    path: Path = options.json or RESULTS / time.strftime("scan-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [asdict(row) | {"outcome": row.outcome} for row in rows]
    path.write_text(json.dumps({"about": circumstances([], {"quick": options.quick}), "rows": told}, indent=1))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured, whatever came out. 1: a wrong answer or a lost session. 2: it could not be run."""
    options = parse_arguments(arguments)
    limits()
    try:
        rows = run(options)
    except (RuntimeError, AssertionError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    about = circumstances([], {})
    print("\n{processor}, {cores} cores, Linux {kernel}; Python {python} ({interpreter})".format(**about))
    print(table(rows))
    print(f"every figure: {store(rows, options)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
