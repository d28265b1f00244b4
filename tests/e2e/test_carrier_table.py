"""The table of carriers is right, and names tests that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import carrier_table


def test_every_carrier_is_treated_as_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert carrier_table.main() == 0, capsys.readouterr().out
    lines = capsys.readouterr().out.splitlines()
    rows = len(carrier_table.DOWN) + len(carrier_table.UP) + len(carrier_table.BY_SCRIPTED_SERVER)
    assert len(lines) == rows + 2


def test_its_tests_exist() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_mail_rows_*.py"))
    named = {row.test for row in (*carrier_table.DOWN, *carrier_table.UP)}
    named |= {test for _, _, test in carrier_table.BY_SCRIPTED_SERVER}
    assert {test for test in named if f"def {test}(" not in sources} == set()
