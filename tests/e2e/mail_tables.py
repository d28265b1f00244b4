"""The tables of mail processing, from the tests: what was done, what client and log saw, and whether it held.

    python -m tests.e2e.mail_tables [faults] [attacks] [carriers] [clients] [-n 2 ...]
    python -m tests.e2e.mail_tables --from FILE

Runs the tests of the tables that are named (all, where none is) and prints a row for each test, or for all cases of
one; what else is said goes to pytest. `--from` prints what a run with `--junitxml FILE` has left. The exit
code is 1 where a row failed, or a table has none.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.saw import CLIENT, DID, LOG

ROOT = Path(__file__).parents[2]
TABLES = {
    "faults": ("test_mail_faults*.py",),
    "attacks": ("test_mail_rows_*.py", "test_mail_again.py"),
    "carriers": ("test_mail_rows_carriers.py", "test_mail_rows_uploads.py", "test_mail_property.py"),
    "clients": ("test_mail_clients.py",),
}
"""Table to the files of its tests."""
TITLES = ("row", "what was done", "what the client saw", "what the log said", "ok")
WIDTHS = (24, 44, 52, 52, 12)
MOST = 3
"""Different answers, and log lines, of all cases of a row."""
OK, FAILED = "ok", "FAILED"
_NUMBER = re.compile(r"^test_T_([A-Z])(?:(\d\d)_|\w+\[\1(\d\d)-|_)")
"""In the test's name, in that of its case; or of the group alone."""


@dataclass
class Case:
    """One test as it ran."""

    file: str
    name: str
    result: str
    seconds: float
    said: dict[str, list[str]] = field(default_factory=dict)

    @property
    def test(self) -> str:
        """Its name without case."""
        return self.name.partition("[")[0]

    @property
    def number(self) -> str:
        """That of the attack table."""
        found = _NUMBER.match(self.name)
        return f"T-{found[1]}{found[2] or found[3] or ''}" if found else ""


@dataclass
class Row:
    """What the table says in one row."""

    name: str
    cases: list[Case]

    @property
    def ok(self) -> bool:
        return all(case.result == OK for case in self.cases)

    def cells(self) -> tuple[str, str, str, str, str]:
        """In the order of TITLES."""
        good = sum(case.result == OK for case in self.cases)
        verdict = OK if self.ok else FAILED
        held = verdict if len(self.cases) == 1 else f"{verdict} {good}/{len(self.cases)}"
        done = next(iter(self._said(DID)), "") or _words(self.cases[0].test)
        return self.name, done, self._all(CLIENT), self._all(LOG), held

    def _said(self, what: str) -> list[str]:
        return list(dict.fromkeys(text for case in self.cases for text in case.said.get(what, ())))

    def _all(self, what: str) -> str:
        found = self._said(what)
        more = f"\n(and {len(found) - MOST} more)" if len(found) > MOST else ""
        return "\n".join(found[:MOST]) + more


def _words(test: str) -> str:
    return re.sub(r"^test_(T_[A-Z]\d*_)?", "", test).replace("_", " ")


def cases_of(report: Path) -> Iterator[Case]:
    """All tests of a JUnit file."""
    for element in ElementTree.parse(report).getroot().iter("testcase"):
        bad = [child for child in element if child.tag in ("failure", "error", "skipped")]
        result = OK if not bad else "skipped" if bad[0].tag == "skipped" else FAILED
        name, seconds = element.get("name", ""), float(element.get("time", "0"))
        file = element.get("classname", "").rpartition(".")[2] + ".py"
        case = Case(file, name, result, seconds)
        for pair in element.iter("property"):
            case.said.setdefault(pair.get("name", ""), []).append(pair.get("value", ""))
        yield case


def rows_of(table: str, cases: Iterable[Case]) -> list[Row]:
    """The rows of a table. Attacks go by number; of faults and clients each case is a row, of carriers each test."""
    mine = [case for case in cases if any(Path(case.file).match(pattern) for pattern in TABLES[table])]
    if table == "attacks":
        mine = sorted((case for case in mine if _NUMBER.match(case.name)), key=lambda case: case.number)
    found: dict[tuple[str, str], Row] = {}
    for case in mine:
        name = case.number or (_words(case.test) if table == "carriers" else _words(case.name))
        key = (name, "" if _is_of_many(case) else case.test if table in ("attacks", "carriers") else case.name)
        found.setdefault(key, Row(name, [])).cases.append(case)
    return list(found.values())


def _is_of_many(case: Case) -> bool:
    """A test of many numbers: its cases stand in the row of each."""
    return case.test.startswith("test_T_M_")


def printed(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of columns."""
    rule = "-+-".join("-" * width for width in WIDTHS)
    yield from _lines(TITLES)
    yield rule
    for row in rows:
        yield from _lines(row.cells())
        yield rule


def _lines(cells: Sequence[str]) -> Iterator[str]:
    columns = [_wrapped(cell, width) for cell, width in zip(cells, WIDTHS, strict=True)]
    for at in range(max(map(len, columns))):
        line = (column[at] if at < len(column) else "" for column in columns)
        yield " | ".join(text.ljust(width) for text, width in zip(line, WIDTHS, strict=True)).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, width, subsequent_indent="  ")]
    return lines or [""]


def tell(tables: Sequence[str], cases: Sequence[Case]) -> bool:
    """Prints the tables; whether all held."""
    good = True
    for table in tables:
        rows = rows_of(table, cases)
        print(f"\n== {table}\n")
        print("\n".join(printed(rows)))
        bad = [case for row in rows for case in row.cases if case.result != OK]
        count = sum(len(row.cases) for row in rows)
        print(f"{table}: {len(rows)} rows, {count} tests, {count - len(bad)} ok, {len(bad)} not")
        for case in bad:
            print(f"  {case.result}: {case.file}::{case.name}")
        good = good and bool(rows) and not bad
    return good


def run(tables: Sequence[str], options: Sequence[str], report: Path) -> int:
    """The tests of the tables; the exit code of pytest."""
    folder = Path(__file__).parent
    files = sorted({str(path) for table in tables for pattern in TABLES[table] for path in folder.glob(pattern)})
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", str(report)]
    return subprocess.run([sys.executable, *words, *files, *options], cwd=ROOT, check=False).returncode


def main(words: Sequence[str]) -> int:
    tables = [word for word in words if word in TABLES] or list(TABLES)
    options = [word for word in words if word not in TABLES]
    if options[:1] == ["--from"]:
        return 0 if tell(tables, list(cases_of(Path(options[1])))) else 1
    with tempfile.TemporaryDirectory(prefix="imap4fast-tables.") as folder:
        report = Path(folder) / "report.xml"
        status = run(tables, options, report)
        if not report.exists():
            return status or 1
        good = tell(tables, list(cases_of(report)))
    return 0 if good and not status else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
