"""How errors look."""

from __future__ import annotations

import pytest

from imap4fast.config.diagnostic import Report, suggestion
from imap4fast.config.source import Source, Span
from imap4fast.errors import ConfigError


def report_of(text: str, *spans: tuple[int, int]) -> str:
    report, source = Report(), Source("f", text)
    for start, end in spans:
        report.error(Span(source, start, end), "bad")
    with pytest.raises(ConfigError) as caught:
        report.raise_if_failed()
    return str(caught.value)


def test_in_the_order_of_the_text_and_once() -> None:
    assert report_of("a b\nc", (4, 5), (2, 3), (2, 3)) == (
        "f:1:3: error: bad\n  a b\n    ^\nf:2:1: error: bad\n  c\n  ^"
    )


def test_tabs_and_control_characters_keep_the_caret_in_place() -> None:
    assert report_of("\ta\0bc", (3, 5)) == "f:1:4: error: bad\n  \ta\N{REPLACEMENT CHARACTER}bc\n  \t  ^~"


def test_long_lines_are_cut() -> None:
    lines = report_of("x" * 500 + "y" + "x" * 500, (500, 501)).split("\n")
    assert lines[0].startswith("f:1:501:")
    assert len(lines[1]) == 162
    assert lines[1][lines[2].index("^")] == "y"


def test_a_mark_stays_on_its_line() -> None:
    assert report_of("abc\ndef", (1, 7)).endswith("\n  abc\n   ^~")


def test_warnings_alone_do_not_fail() -> None:
    report = Report()
    report.warning(Span(Source("f", "a"), 0, 1), "odd")
    report.raise_if_failed()
    assert [str(found) for found in report.warnings()] == ["f:1:1: warning: odd\n  a\n  ^"]


def test_suggestion() -> None:
    assert suggestion("FECTH", ["FETCH", "STORE"]) == "; did you mean `FETCH`?"
    assert suggestion("fetch", ["FETCH"]) == "; did you mean `FETCH`?"
    assert suggestion("wibble", ["FETCH"]) == ""
