"""ROWS.md names each row of the attack table that this suite answers for, and each test named there exists."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
RANGES = {"F": range(1, 34), "L": range(1, 19), "R": range(1, 24), "M": range(1, 41), "H": range(1, 8)}
SINGLE = {"S": range(1, 18), "C": range(1, 11), "P": range(1, 7), "A": range(1, 9)}


def _table() -> dict[str, str]:
    return dict(re.findall(r"^\| (T-[A-Z]\d\d) \| (.+) \|$", (FOLDER / "ROWS.md").read_text(), re.MULTILINE))


def _tests() -> set[str]:
    files = FOLDER.glob("test_*.py")
    return {name for path in files for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)}


def test_each_row_is_named() -> None:
    rows = _table()
    for group, numbers in (RANGES | SINGLE).items():
        for number in numbers:
            assert f"T-{group}{number:02d}" in rows


def test_each_row_has_tests_of_its_own_number_or_a_reason() -> None:
    for row, text in _table().items():
        named = re.findall(r"`(\w+)`", text)
        own = [name for name in named if name.startswith("test_" + row.replace("-", "_"))]
        assert own or len(text.split()) > 5, row


def test_named_tests_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (FOLDER / "ROWS.md").read_text()))
    assert named <= _tests()


def test_each_test_of_a_row_is_named() -> None:
    named = set(re.findall(r"`(test_T_\w+)`", (FOLDER / "ROWS.md").read_text()))
    assert {name for name in _tests() if name.startswith("test_T_")} <= named
