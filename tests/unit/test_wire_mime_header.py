"""Fields of a header: where they are, which are asked for, what their values say."""

from __future__ import annotations

import pytest

from imap4fast._wire import decode_text, decode_words, header_fields, header_list, parameters, unfolded
from tests.mime import corpus

HEADER = b"From: a\r\nSubject: b\r\n c\r\nX-Y : d\r\njunk\r\nsubject: e\r\n\r\nbody: f\r\n"


def test_list() -> None:
    found = header_list(HEADER)
    assert [name for name, _, _ in found] == [b"From", b"Subject", b"X-Y", b"", b"subject"]
    assert [HEADER[start:end] for _, start, end in found][1] == b"Subject: b\r\n c\r\n"
    assert found[-1][2] == HEADER.index(b"\r\n\r\n") + 2
    assert [start for _, start, _ in found[1:]] == [end for _, _, end in found[:-1]]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", []),
        (b"\r\n", []),
        (b"\n", []),
        (b"a", [(b"", 0, 1)]),
        (b"a:", [(b"a", 0, 2)]),
        (b": x", [(b"", 0, 3)]),
        (b" a: b\r\n", [(b" a", 0, 7)]),
        (b"a: b\r\n ", [(b"a", 0, 7)]),
        (b"a: b\n\tc\nd:e", [(b"a", 0, 8), (b"d", 8, 11)]),
        (b"\r: x\r\n", [(b"\r", 0, 6)]),
        (b"x" * 1001 + b": y", [(b"", 0, 1004)]),
    ],
)
def test_lists(header: bytes, expected: list[tuple[bytes, int, int]]) -> None:
    assert header_list(header) == expected


def test_fields() -> None:
    assert header_fields(HEADER, (b"SUBJECT",), False) == b"Subject: b\r\n c\r\nsubject: e\r\n\r\n"
    assert header_fields(HEADER, (b"subject", b"x-y"), True) == b"From: a\r\njunk\r\n\r\n"
    assert header_fields(HEADER, (b"none",), False) == b"\r\n"
    assert header_fields(HEADER, (), True) == HEADER[: HEADER.index(b"body")]


def test_fields_of_a_header_without_an_end() -> None:
    assert header_fields(b"A: b\r\n", (b"a",), False) == b"A: b\r\n\r\n"
    assert header_fields(b"A: b", (b"a",), False) == b"A: b\r\n\r\n"
    assert header_fields(b"A: b", (b"x",), False) == b"\r\n"
    assert header_fields(b"A: b\r\n", (b"x",), True) == b"A: b\r\n"
    assert header_fields(b"", (b"x",), True) == b""
    assert header_fields(b"", (b"x",), False) == b"\r\n"


def test_each_field_is_on_one_of_the_two_sides() -> None:
    for mail in corpus.mails().values():
        names = (b"subject", b"content-type", b"to")
        with_names, others = (header_fields(mail, names, negate) for negate in (False, True))
        assert with_names.endswith(b"\n")
        whole = header_fields(mail, (), True)
        kept = len(with_names.rstrip(b"\r\n")) + len(others.rstrip(b"\r\n"))
        assert kept <= len(whole) + 4


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" a ", b"a"),
        (b" a\r\n b", b"a b"),
        (b"a\r\n\tb\r\n", b"a\tb"),
        (b"a\nb", b"a b"),
        (b"a\r\n\r\n b", b"a b"),
        (b"\r\n a", b"a"),
        (b"", b""),
        (b"\r", b""),
    ],
)
def test_unfolded(value: bytes, expected: bytes) -> None:
    assert unfolded(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?a_b=C3=A9?=", "a b\u00e9"),
        (b"=?UTF-8?B?w6k=?=", "\u00e9"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n =?iso-8859-1?q?=E9?=", "a\u00e9"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\u00e9"),
        (b"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        (b"x=?utf-8?q?a?=y", "xay"),
        (b"=?utf-8*en?q?a?=", "a"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?utf-8?q?a?b?=", "=?utf-8?q?a?b?="),
        (b"=?=?=?utf-8?q?a?=", "=?=?a"),
        (b"=?nonsense?q?=C3=A9?=", "\u00e9"),
        (b"=?idna?q?xn--a?=", "xn--a"),
        (b"=?utf-8?b?!!?=", ""),
        (b"=?utf-8?b?YQ?=", "a"),
        (b"=?utf-8?q?=zz=4?=", "=zz=4"),
        (b"=?utf-16-le?b?YQBiAA==?=", "ab"),
        (b"=?utf-8?q?=FF?=", "\u00ff"),
        (b"\xc3\xa9 \xff", "\u00c3\u00a9 \u00ff"),
        (b"\xc3\xa9", "\u00e9"),
        (b"=??q?a?=", "=??q?a?="),
        (b"?", "?"),
        (b"=?", "=?"),
    ],
)
def test_decode_words(value: bytes, expected: str) -> None:
    assert decode_words(value) == expected


def test_decode_text() -> None:
    assert decode_text(b"\xe9", b"latin-1") == "\u00e9"
    assert decode_text(b"\xe9", b"") == "\u00e9"
    assert decode_text(b"\xc3\xa9", b"\xff") == "\u00e9"
    assert decode_text(b"a", b"x" * 1000) == "a"
    assert decode_text(b"a", b"rot13") == "a"
    assert decode_text(b"a", b"base64") == "a"
    assert decode_text(b"a", b"undefined") == "a"
    assert decode_text(b"a\0b", b"..\0/x") == "a\0b"
    assert decode_text(b"+AGE-", b"utf-7") == "a"


@pytest.mark.parametrize(
    ("value", "main", "expected"),
    [
        (b"text/plain", b"text/plain", []),
        (b" Text / Plain (c); Charset=x", b"Text/Plain", [(b"Charset", b"x")]),
        (b'attachment; filename="a \\"b\\".txt"', b"attachment", [(b"filename", b'a "b".txt')]),
        (b"attachment; filename*=utf-8''a%20b", b"attachment", [(b"filename*", b"utf-8''a%20b")]),
        (b"x; a*0=b; a*1=c", b"x", [(b"a", b"bc")]),
        (b"x; a*1=c; a*0=b", b"x", [(b"a", b"bc")]),
        (b"x; a*0=b%; a*1*=%20", b"x", [(b"a*", b"''b%25%20")]),
        (b"x; a*0=b; a*2=c", b"x", [(b"a*0", b"b"), (b"a*2", b"c")]),
        (b"x; a=1; a*0=2; b=3", b"x", [(b"a", b"1"), (b"b", b"3"), (b"a", b"2")]),
        (b"x; a==?utf-8?q?b?=; c=d", b"x", [(b"a", b"=?utf-8?q?b?="), (b"c", b"d")]),
        (b"junk junk; a=b", b"", [(b"a", b"b")]),
        (b"junk junk", b"", []),
        (b"", b"", []),
        (b"x; a=b\r\n\tc; d=e", b"x", [(b"a", b"b"), (b"d", b"e")]),
        (b"x; a=\0b; c=d", b"x", [(b"a", b""), (b"c", b"d")]),
        (b'x; a="\0b"', b"x", [(b"a", b"\xef\xbf\xbdb")]),
        (b"x; a", b"x", []),
        (b"x; (", b"x", []),
    ],
)
def test_parameters(value: bytes, main: bytes, expected: list[tuple[bytes, bytes]]) -> None:
    assert parameters(value) == (main, expected)


def test_parameters_are_capped() -> None:
    _, found = parameters(b"x" + b"".join(b"; n%d=v" % number for number in range(500)))
    assert len(found) == 128
