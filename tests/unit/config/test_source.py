"""Places in a text."""

from __future__ import annotations

from imap4fast.config.source import Source, Span


def test_positions() -> None:
    source = Source("f", "ab\ncd\r\n\nx")
    assert [source.position(at) for at in (0, 2, 3, 7, 8, 9)] == [(1, 1), (1, 3), (2, 1), (3, 1), (4, 1), (4, 2)]
    assert [source.line(number) for number in (1, 2, 3, 4)] == ["ab", "cd", "", "x"]


def test_spans() -> None:
    source = Source("f", "ab\ncd")
    first, last = Span(source, 0, 2), Span(source, 3, 5)
    whole = first.to(last)
    assert (whole.start, whole.end) == (0, 5)
    assert (last.after().start, last.after().end) == (5, 5)
    assert last.where() == "f:2:1"
