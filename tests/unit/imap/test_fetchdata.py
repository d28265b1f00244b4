"""FETCH data: items and the text of their values."""

from __future__ import annotations

import pytest

from imap4fast.imap.fetchdata import FetchDataError, items_of, string_of

GOOD = [
    (b"* 1 FETCH ()\r\n", []),
    (b"* 1 FETCH (UID 9)\r\n", [(b"UID", b"9")]),
    (b"* 12 fetch (flags (\\Seen $x) uid 9)\r\n", [(b"FLAGS", b"(\\Seen $x)"), (b"UID", b"9")]),
    (b'* 1 FETCH (INTERNALDATE " 1-Jan-2026 00:00:00 +0")\r\n', [(b"INTERNALDATE", b'" 1-Jan-2026 00:00:00 +0"')]),
    (b"* 1 FETCH (BODY[] {5}\r\na)\r\n( UID 2)\r\n", [(b"BODY[]", b"{5}\r\na)\r\n("), (b"UID", b"2")]),
    (b"* 1 FETCH (BODY[] {=} UID 2)\r\n", [(b"BODY[]", b"{=}"), (b"UID", b"2")]),
    (
        b'* 1 FETCH (BODY[1.2]<5> NIL X (a (b "c)" {1}\r\n)) d))\r\n',
        [(b"BODY[1.2]<5>", b"NIL"), (b"X", b'(a (b "c)" {1}\r\n)) d)')],
    ),
    (b"* 1 FETCH (MODSEQ (12121231000))\r\n", [(b"MODSEQ", b"(12121231000)")]),
    (b'* 1 FETCH (X "a\\" b" Y (a "b)" c) Z () UID 2)\r\n', [
        (b"X", b'"a\\" b"'), (b"Y", b'(a "b)" c)'), (b"Z", b"()"), (b"UID", b"2"),
    ]),
    (b"* 1 FETCH (X ~{1}\r\n) Y {-} UID 2)\r\n", [(b"X", b"~{1}\r\n)"), (b"Y", b"{-}"), (b"UID", b"2")]),
    (b"* 1 FETCH (X ~a Y ~)\r\n", [(b"X", b"~a"), (b"Y", b"~")]),  # a tilde is an ATOM-CHAR
]  # fmt: skip
BAD = [
    b"* 1 FETCH (UID)\r\n", b"* 1 FETCH (UID 9\r\n", b"* 1 FETCH (UID 9) x\r\n", b"* 1 FETCH (UID  9)\r\n",
    b"* 1 FETCH (BODY[] {5}\r\nab)\r\n", b"* 1 FETCH (FLAGS (a)\r\n", b'* 1 FETCH (X "abc)\r\n',
    b"* x FETCH (UID 9)\r\n",
    b"* 1 FETCH (X ~\"a\")\r\n", b"* 1 FETCH (X ~a{1}\r\nb)\r\n", b"* 1 FETCH (X 9) \r\n", b'* 1 FETCH (X "a"b)\r\n',
    b"* 1 FETCH (X (a)b)\r\n",
    b"* 1 FETCH (X {=}b)\r\n", b"* 1 FETCH (X a)\r\n\r\n", b'* 1 FETCH (X "a\rb")\r\n', b"* 1 FETCH (X a(b) Y c)\r\n",
    b'* 1 FETCH (BODY[HEADER.FIELDS ("a]")] "x")\r\n',
    b"* 1 FETCH UID 9\r\n", b"* 1 FETCH (FLAGS ({9}\r\na))\r\n",
]  # fmt: skip


@pytest.mark.parametrize(("unit", "items"), GOOD)
def test_items(unit: bytes, items: list[tuple[bytes, bytes]]) -> None:
    assert items_of(unit) == items


@pytest.mark.parametrize("unit", BAD)
def test_what_is_no_data(unit: bytes) -> None:
    with pytest.raises(FetchDataError):
        items_of(unit)


@pytest.mark.parametrize("unit", [unit for unit, _ in GOOD])
def test_no_part_of_it_is_data(unit: bytes) -> None:
    for end in range(len(unit)):
        with pytest.raises(FetchDataError):
            items_of(unit[:end])


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (b'"a\\"\\\\b"', b'a"\\b'),
        (b"{3}\r\na\r\n", b"a\r\n"),
        (b"NIL", None),
        (b"{=}", None),
        (b'""', b""),
        (b"{0}\r\n", b""),
    ],
)
def test_strings(value: bytes, octets: bytes | None) -> None:
    assert string_of(value) == octets
