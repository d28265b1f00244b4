"""The section of time(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.time import TIME_PERIOD_SET
from imap4fast.config.values import DateRange, PeriodSpec, TimePeriodSet
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "",
        "exclude; time-spec A { } time-spec B { dates 1 jan 2 feb; hours 0000 2400; };",
    ],
)
def test_good(body: str) -> None:
    good(TIME_PERIOD_SET, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("time-spec { }", "needs a name"),
        ("time-spec A { } time-spec A { }", "second `time-spec A`"),
        ("time-spec A { weekdays mon; }", "is missing"),
        ("time-spec A { hours 0800-1600; }", "a time of four digits"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(TIME_PERIOD_SET, body)[1])


def test_settings() -> None:
    body = "time-spec A { weekdays fri mon; weekdays 3 3; hours 2200 0600; dates 24 dec 2 jan; }"
    assert good(TIME_PERIOD_SET, body).struct == TimePeriodSet(
        "N", (PeriodSpec("A", (DateRange(24, 12, 2, 1),), ((5, 1), (3, 3)), ((1320, 360),)),)
    )
