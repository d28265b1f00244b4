"""Tables of spans against a plain walk over the spans."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from imap4fast.policy.fit import EXCLUDE, GO_ON, INCLUDE
from imap4fast.policy.spans import Span, SpanTable

TOP = 31

bounds = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(sorted)
said = st.sampled_from((INCLUDE, EXCLUDE, INCLUDE | GO_ON, EXCLUDE | GO_ON))
span_lists = st.lists(st.tuples(bounds, said), max_size=8).map(
    lambda drawn: [Span(low, high, rank, bits) for rank, ((low, high), bits) in enumerate(drawn)]
)


def walked(spans: list[Span], value: int) -> int:
    bits = 0
    for span in spans:
        if span.low <= value <= span.high:
            bits |= span.bits & ~GO_ON
            if not span.bits & GO_ON:
                return bits
    return bits | GO_ON


@given(span_lists)
def test_every_value_has_the_bits_of_a_plain_walk(spans: list[Span]) -> None:
    table = SpanTable(spans, TOP)
    assert [table.at(value) for value in range(TOP + 1)] == [walked(spans, value) for value in range(TOP + 1)]


@given(span_lists)
def test_pieces_cover_everything_once_and_neighbours_differ(spans: list[Span]) -> None:
    table = SpanTable(spans, TOP)
    pieces = table.pieces()
    assert [value for low, high, _ in pieces for value in range(low, high + 1)] == list(range(TOP + 1))
    assert all(table.at(low) == bits == table.at(high) for low, high, bits in pieces)
    assert all(one[2] != other[2] for one, other in pairwise(pieces))


def test_a_long_list_stays_one_piece_where_it_says_the_same() -> None:
    spans = [Span(low, low + 1, low, INCLUDE) for low in range(0, 20000)]
    table = SpanTable(spans, 1 << 20)
    assert table.pieces() == [(0, 20000, INCLUDE), (20001, 1 << 20, GO_ON)]
