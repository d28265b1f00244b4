"""Wrong files: each `wrong/NAME.cfg` gives exactly the report in `wrong/NAME.txt`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imap4fast.config.load import load
from imap4fast.errors import ConfigError

WRONG = Path(__file__).parent / "wrong"
NAMES = sorted(path.stem for path in WRONG.glob("*.cfg"))


def report_of(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(WRONG)
    with pytest.raises(ConfigError) as caught:
        load(f"{name}.cfg")
    return f"{caught.value}\n"


@pytest.mark.parametrize("name", NAMES)
def test_report(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert report_of(name, monkeypatch) == (WRONG / f"{name}.txt").read_text(encoding="utf-8")


def test_there_are_enough() -> None:
    assert len(NAMES) >= 60
    assert {path.stem for path in WRONG.glob("*.txt")} == set(NAMES)


def test_what_is_not_supported_gives_no_other_error(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = re.findall(r"^\S+: error: (.*)$", report_of("unsupported-everything", monkeypatch), re.MULTILINE)
    assert len(errors) > 40
    assert all(error.endswith("is not supported yet") for error in errors)


def test_unreadable_file() -> None:
    with pytest.raises(ConfigError, match=r"^/nowhere/x\.cfg: error: cannot be read: No such file or directory$"):
        load("/nowhere/x.cfg")
