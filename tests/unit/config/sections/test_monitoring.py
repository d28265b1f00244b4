"""The section of monitoring(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.monitoring import MONITORING, stats
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "disabled;",
        "disabled; data 180; interval 5;",
    ],
)
def test_good(body: str) -> None:
    good(MONITORING, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`monitoring` without `disabled` is not supported yet"),
        ("disabled; user 8;", "`user` is not supported yet"),
        ("disabled; data 5 6 7;", "unexpected `7`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(MONITORING, body)[1])


def test_stats() -> None:
    assert stats("daily").keyword == "stats-daily"
    assert not stats("daily").supported
    good(stats("weekly"), 'file "/f"; html "/h"; top 5;')
