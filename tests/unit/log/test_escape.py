"""Values from outside: never a control byte, never a second line, never a forged field."""

from __future__ import annotations

import re
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.log.escape import Block, bare, escape_bytes, escape_text, is_plain, quote, shown
from imap4fast.secret import Secret

ANY_TEXT = st.text(st.characters(exclude_categories=()))
FIELD = re.compile(r'([A-Z]+)=("(?:\\.|[^"\\])*"|[^ "=]*)(?: |$)')
"""How a reader of logs parses: key, then a quoted or a bare value, then a space or the end."""


class Kind(IntEnum):
    FIRST = 1


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (b"jana", "jana"),
        (b"a b", '"a b"'),
        (b"a=b", '"a=b"'),
        (b'say "x"', '"say \\"x\\""'),
        (b'x"', '"x\\""'),
        (b"back\\slash", "back\\\\slash"),
        (b"\\x41", "\\\\x41"),
        (b"\r\n\x00\x1b[2J\x7f\x80\xff", "\\x0d\\x0a\\x00\\x1b[2J\\x7f\\x80\\xff"),
        (b"", '""'),
        (bytearray(b"abc"), "abc"),
        (memoryview(b"abc"), "abc"),
        ("", '""'),
        ("Jiří", "Jiří"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x85\u2028\u202e", "\\u0085\\u2028\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("\udcff\ud800", "\\xff\\ud800"),
        ("\xa0", "\\u00a0"),
        (None, "<NULL>"),
        ("<NULL>", '"<NULL>"'),
        (b"<NULL>", '"<NULL>"'),
        (True, "YES"),
        (False, "NO"),
        (12, "12"),
        (1.23456, "1.235"),
        (Kind.FIRST, "FIRST"),
        (Secret(b"hunter2"), "<secret>"),
        (OSError(111, "Connection refused"), '"[Errno 111] Connection refused"'),
    ],
)
def test_examples(value: object, line: str) -> None:
    assert shown(value, 0) == line


@pytest.mark.parametrize(("limit", "line"), [(0, '"a b\\x0d"'), (4, '"a b\\x0d"'), (3, '"a b...+1"'), (1, "a...+3")])
@pytest.mark.parametrize("of_log", [0, 2, 100])
def test_a_block_has_a_limit_of_its_own(limit: int, line: str, of_log: int) -> None:
    assert shown(Block(b"a b\r", limit), of_log) == line


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("abcdef", "abcd...+2"),
        (b"abcdef", "abcd...+2"),
        ("abcd", "abcd"),
        (b"abcd", "abcd"),
        (b"\xff\xff\xff\xff\xff", "\\xff\\xff\\xff\\xff...+1"),
        ("a b c d", '"a b ...+3"'),
    ],
)
def test_long_values_are_cut_with_a_mark(value: object, line: str) -> None:
    assert shown(value, 4) == line


@given(st.binary() | ANY_TEXT, st.sampled_from([0, 5, 4096]))
def test_no_control_character_ever(value: bytes | str, limit: int) -> None:
    line = shown(value, limit)
    assert line.isprintable()
    assert line.splitlines() == [line]
    line.encode("utf-8")


@given(st.binary())
def test_bytes_can_be_read_back(value: bytes) -> None:
    line = escape_bytes(value)
    assert line.isascii()
    back = re.sub(rb"\\(?:\\|x(..))", lambda m: bytes.fromhex(m[1].decode()) if m[1] else b"\\", line.encode())
    assert back == value


@given(ANY_TEXT, ANY_TEXT)
def test_different_texts_look_different(one: str, other: str) -> None:
    if one != other:
        assert shown(one, 0) != shown(other, 0)


@given(st.lists(ANY_TEXT | st.binary(), min_size=1, max_size=4))
def test_no_value_forges_a_field(values: list[str | bytes]) -> None:
    line = " ".join(f"K={shown(value, 0)}" for value in values)
    fields = FIELD.findall(line)
    assert "".join(f"{key}={value} " for key, value in fields) == line + " "
    assert [value for _, value in fields] == [shown(value, 0) for value in values]


def test_a_forged_field_is_inside_quotes() -> None:
    assert f"USER={shown(b'joe STATUS=ACCEPTED', 0)}" == 'USER="joe STATUS=ACCEPTED"'
    assert shown('joe" STATUS="ACCEPTED', 0) == '"joe\\" STATUS=\\"ACCEPTED"'
    assert shown('joe\\" STATUS=X', 0) == '"joe\\\\\\" STATUS=X"'


@given(st.lists(ANY_TEXT.filter(bool), max_size=3))
def test_plain_text_needs_no_rule(values: list[str]) -> None:
    if is_plain("".join(values)):
        assert [shown(value, 0) for value in values] == values


def test_bare_values_have_no_quotes() -> None:
    assert bare('a "b" c=d', 0) == 'a "b" c=d'
    assert bare(b"\x00 x", 0) == "\\x00 x"


def test_parts() -> None:
    assert escape_text("a b") == "a b"
    assert quote("a b") == '"a b"'
