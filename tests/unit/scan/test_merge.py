"""Several engines' results as one."""

from __future__ import annotations

from itertools import permutations

import pytest

from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, STATUSES, UNKNOWN, Scan
from imap4fast.scan.merge import merge


def test_the_order_is_the_originals() -> None:
    assert STATUSES == (FOUND, FREE, SKIPPED, UNKNOWN, ERROR)


@pytest.mark.parametrize("first", range(5))
@pytest.mark.parametrize("second", range(5))
def test_the_stronger_wins(first: int, second: int) -> None:
    merged = merge([Scan(STATUSES[first]), Scan(STATUSES[second])])
    assert merged.status == STATUSES[min(first, second)]


def test_the_result_does_not_hang_on_the_order_but_the_name_does() -> None:
    scans = [Scan(FREE, engine="A"), Scan(FOUND, "one", "B"), Scan(FOUND, "two", "C"), Scan(ERROR, "down", "D")]
    for order in permutations(scans):
        expected = next(scan for scan in order if scan.status == FOUND)
        assert merge(order) is expected


def test_nobody_looked() -> None:
    assert merge([]) == Scan(ERROR, "no engine")
