"""Header text: what goes out is one field, decodes to the same text, and holds no control character."""

from __future__ import annotations

import email.header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import decode_words
from imap4fast.mail import words

TEXT = st.text(max_size=200)


def by_python(value: bytes) -> str:
    return str(email.header.make_header(email.header.decode_header(value.decode("ascii"))))


@given(TEXT)
def test_what_is_encoded_decodes_to_the_same(text: str) -> None:
    tame = words.tame(text).strip(" ")
    value = words.encoded(tame)
    assert decode_words(value) == tame
    if "=?" not in tame:
        assert by_python(value) == tame


@given(TEXT)
def test_T_H03_a_field_is_one_field(text: str) -> None:  # noqa: N802
    field = words.field(b"Subject", words.encoded(text))
    lines = field.split(b"\r\n")
    assert lines.pop() == b""
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    assert lines[0].startswith(b"Subject:")
    assert not set(b"".join(lines)) & {0, 10, 13}
    assert max(map(len, lines)) <= words.COLUMNS


def test_T_H01_controls_and_overrides_are_blanks() -> None:  # noqa: N802
    assert words.tame("a\r\nb\0c\u202ed\x85e") == "a b c d e"


@pytest.mark.parametrize(("word", "plain"), [(b"<a@b>", True), (b"a b", False), (b"\xff", False), (b"x" * 1000, False)])
def test_plain_words(word: bytes, plain: bool) -> None:
    assert words.is_plain_word(word) is plain
