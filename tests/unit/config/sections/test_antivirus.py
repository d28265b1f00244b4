"""The section of antivirus(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.antivirus import ANTIVIRUS
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "connection clamav-net [127.0.0.1] : 3310;",
        'connection clamav-unix "/run/c";',
        'connection clamav-file "/run/c";',
        "connection clamav-file [::1] : 1;",
        'connection icap a.example : 1344 "/av";',
        'connection builtin; digests "/d";',
    ],
)
def test_good(body: str) -> None:
    good(ANTIVIRUS, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`connection` is missing"),
        ("connection clamd [127.0.0.1] : 3310;", "one of `clamav-net`"),
        ("connection clamav-unix /run/c;", "a path is written in quotes"),
        ("connection builtin 5;", "unexpected `5`"),
        ("connection builtin; breaker 5;", "an integer is missing"),
        ("connection builtin; shape SLOW;", "no section shaper SLOW"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(ANTIVIRUS, body)[1])
