"""The committed reference is that of the schema."""

from __future__ import annotations

from pathlib import Path

from imap4fast.config.reference import TARGET, reference

ROOT = Path(__file__).parents[3]


def test_is_up_to_date() -> None:
    assert (ROOT / TARGET).read_text(encoding="utf-8") == reference()


def test_rows() -> None:
    rows = reference().split("\n")
    assert "| `idle-timeout` | `duration` | 30m | yes | longest silence between units |" in rows
    assert sum(row.startswith("| `") for row in rows) > 250
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows if row.startswith("| `"))
