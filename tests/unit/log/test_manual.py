"""The generated page of the manual."""

from __future__ import annotations

import re
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


OF_MAILS = re.compile(r"(IMAP-(706|76\d)|TCPS-75\d|(SMTD|SPOL|MAVI|MSPA)-\d+)")


def test_the_guide_says_what_to_do_with_those_of_mail_processing() -> None:
    guide = (PAGE.parents[1] / "operations.md").read_text()
    table = guide.partition("## What becomes of mails")[2].partition("\n## ")[0]
    rows = {match[0] for line in table.splitlines() for match in OF_MAILS.finditer(line.partition(" | ")[0])}
    assert rows == {match[0] for entry in entries() if (match := OF_MAILS.match(entry.id))}


def test_the_command_prints_the_page() -> None:
    done = subprocess.run([sys.executable, "-m", "imap4fast.log.manual"], capture_output=True, text=True, check=True)
    assert done.stdout == manual()
