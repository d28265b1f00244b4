"""The section of shaper(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.shaper import SHAPER
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "rate 1M;",
        'rate 1; burst 16K; per acl; priority 0; dscp 63; quota 1G per day; cluster redis "u";',
    ],
)
def test_good(body: str) -> None:
    good(SHAPER, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`rate` is missing"),
        ("rate 0;", "must not be 0"),
        ("rate 1; priority 8;", "0 to 7"),
        ("rate 1; quota 1G month;", "`per` expected"),
        ("rate 1; parent X;", "no section shaper X"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SHAPER, body)[1])
