"""Ranges replaced; the rest is not copied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.splice import Splice, pieces, spliced

DATA = b"0123456789"


@pytest.mark.parametrize(
    ("splices", "expected"),
    [
        ([Splice(2, 4, b"ab")], b"01ab456789"),
        ([Splice(4, 6, b""), Splice(0, 1, b"x")], b"x1236789"),
        ([Splice(3, 3, b"a"), Splice(3, 3, b"b")], b"012ab3456789"),
        ([Splice(2, 8, b"-"), Splice(3, 4, b"void")], b"01-89"),
        ([Splice(2, 4, b"void"), Splice(2, 8, b"-")], b"01-89"),
        ([Splice(0, 10, b"")], b""),
        ([Splice(10, 10, b"end")], b"0123456789end"),
    ],
)
def test_splices(splices: list[Splice], expected: bytes) -> None:
    assert spliced(DATA, splices) == expected


def test_without_splices_it_is_the_same_object() -> None:
    assert spliced(DATA, []) is DATA


def test_what_stays_is_a_view() -> None:
    first, new, last = pieces(DATA, [Splice(2, 4, b"ab")])
    assert isinstance(first, memoryview)
    assert first.obj is DATA
    assert new == b"ab"
    assert isinstance(last, memoryview)


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=5))
def test_octets_outside_of_all_splices_stay(ranges: list[tuple[int, int]]) -> None:
    splices = [Splice(min(pair), max(pair), b"x") for pair in ranges]
    kept = bytes(octet for at, octet in enumerate(DATA) if not any(s.start <= at < s.stop for s in splices))
    assert set(spliced(DATA, splices)) - set(b"x") >= set(kept)
