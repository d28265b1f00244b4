"""The generated page of the manual."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from imap4fast.log.catalogue import entries
from imap4fast.log.manual import manual

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "log.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text() == manual(), "run: python -m imap4fast.log.manual > docs/reference/log.md"


def test_every_entry_stands_there() -> None:
    page = manual()
    for entry in entries():
        assert f"### {entry.id}\n" in page
        assert f"    {entry.text}\n" in page


def test_the_command_prints_the_page() -> None:
    done = subprocess.run([sys.executable, "-m", "imap4fast.log.manual"], capture_output=True, text=True, check=True)
    assert done.stdout == manual()
