"""Types of single elements."""

from __future__ import annotations

import pytest
from hypothesis import given

from imap4fast.config.types import (
    DECIMAL,
    DURATION,
    DURATION_NOT_0,
    FILE,
    INTEGER,
    KEY,
    PORT,
    SIZE,
    STR,
    YES_NO,
    Integer,
    Ref,
    Type,
    Word,
    bare_or_quoted,
    quoted,
    words,
)
from tests.unit.config import strategies
from tests.unit.config.harness import read


@pytest.mark.parametrize(
    ("kind", "elements", "value"),
    [
        (KEY, "", True),
        (INTEGER, "007", 7),
        (PORT, "65535", 65535),
        (SIZE, "5", 5),
        (SIZE, "1K", 1024),
        (SIZE, "3G", 3 * 2**30),
        (DURATION, "0", 0),
        (DURATION, "90", 90),
        (DURATION, "2m", 120),
        (DURATION, "1d", 86400),
        (DECIMAL, "5", 5.0),
        (DECIMAL, "5.25", 5.25),
        (STR, "a", "a"),
        (STR, r'"\"\\\n\t\x41"', '"\\\n\tA'),
        (FILE, '"/a b"', "/a b"),
        (YES_NO, "no", False),
        (words("a", "b"), "b", "b"),
        (Word({"a": 3}, range(3, 5)), "4", 4),
        (Word({"a": 3}, range(3, 5)), "a", 3),
    ],
)
def test_read_and_write(kind: Type, elements: str, value: object) -> None:
    assert read(kind, elements) == value
    assert read(kind, kind.write(value)) == value


@pytest.mark.parametrize(
    ("kind", "elements", "error"),
    [
        (INTEGER, "", "an integer is missing"),
        (INTEGER, "5K", "takes no suffix"),
        (INTEGER, "5x.y", 'written in quotes: "5x.y"'),
        (INTEGER, "4294967296", "out of range"),
        (INTEGER, "9" * 30, "is out of range"),
        (Integer(2, 3), "4", "4 is out of range: 2 to 3"),
        (PORT, "0", "out of range: 1 to 65535"),
        (SIZE, "5m", "did you mean `5M`?"),
        (SIZE, "5x", "the suffixes are K M G"),
        (SIZE, "5.5", "write an integer with one of the suffixes"),
        (SIZE, "1152921504606846977", "out of range"),
        (DURATION, "5K", "the suffixes are s m h d"),
        (DURATION, "5M", "did you mean `5m`?"),
        (DURATION, "a", "a duration expected, not `a`"),
        (DURATION_NOT_0, "0s", "the duration must not be 0"),
        (DECIMAL, "5K", "a number expected"),
        (STR, r'"\q"', "unknown escape"),
        (STR, "5", "a string expected, not `5`"),
        (FILE, '""', "the file must have a name"),
        (FILE, "a", 'write "a"'),
        (YES_NO, "on", "`yes` or `no` expected, not `on`"),
        (words("alpha", "beta"), "alpa", "did you mean `alpha`?"),
        (Ref("shaper"), "X", "no section shaper X"),
    ],
)
def test_wrong(kind: Type, elements: str, error: str) -> None:
    assert error in read(kind, elements)


@given(strategies.texts)
def test_strings(text: str) -> None:
    assert read(STR, quoted(text)) == text
    assert read(STR, bare_or_quoted(text)) == text


def test_bare_words() -> None:
    assert (bare_or_quoted("a.b"), bare_or_quoted("a b"), bare_or_quoted("")) == ("a.b", '"a b"', '""')
