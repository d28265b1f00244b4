"""The section of the items that scanners share."""

from __future__ import annotations

import pytest

from imap4fast.config.schema import Section
from imap4fast.config.sections.scanners import service_members
from tests.unit.config.harness import bind, good

SECTION = Section(keyword="scanner", help="for the test", members=service_members("7"))


@pytest.mark.parametrize(
    "body",
    [
        "sock-opt { } timeout 1; pool 2; breaker 3 4; shape SLOW;",
    ],
)
def test_good(body: str) -> None:
    good(SECTION, body, ("shaper", "SLOW"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("breaker 3;", "is missing"),
        ("sock-opt { conn-timeout 0; }", "must not be 0"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SECTION, body, ("shaper", "SLOW"))[1])
