"""Lines of a header: which are odd, and what becomes of them."""

from __future__ import annotations

import email.parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import fields, headerlines


@pytest.mark.parametrize("header", [b"A: b\r\n\r\n", b"A: b\r\n c\r\n\td\r\nE:\r\n\r\n", b"\r\n"])
def test_a_header_in_order_is_the_same_object(header: bytes) -> None:
    assert headerlines.odd(header, fields.fields(header)) == []
    assert headerlines.tidied(header) is header


@pytest.mark.parametrize(
    ("row", "header", "expected"),
    [
        ("T-M19", b"A: b\r\n \r\nC: d\r\n\r\n", b"A: b\r\nC: d\r\n\r\n"),
        ("T-M19", b"A: b\r\n\t \r\n \r\n c\r\n\r\n", b"A: b\r\n c\r\n\r\n"),
        ("T-M19", b"A: b\r\n ", b"A: b\r\n\r\n"),
        ("T-M20", b"A : b\r\n\r\n", b"A: b\r\n\r\n"),
        ("T-M36", b"A\0: b\1c\r\n\r\n", b"A: bc\r\n\r\n"),
        ("T-M21", b"From x\r\nA: b\r\n\r\n", b"A: b\r\n\r\n"),
        ("T-M21", b">From x: y\r\nA: b\r\n\r\n", b"A: b\r\n\r\n"),
        ("T-M21", b"A: b\r\nFrom x\r\n\r\n", b"A: b\r\nX-Unparsed: From x\r\n\r\n"),
        ("T-M21", b"a b: c\r\n\r\n", b"X-Unparsed: a b: c\r\n\r\n"),
        ("T-M22", b"Cont\r\n ent: x\r\n\r\n", b"X-Unparsed: Cont ent: x\r\n\r\n"),
        ("T-M21", b" x\r\nA: b\r\n\r\n", b"X-Unparsed: x\r\nA: b\r\n\r\n"),
    ],
)
def test_T_M19_to_T_M22_lines_are_made_fields(row: str, header: bytes, expected: bytes) -> None:  # noqa: N802
    assert row in {found for found, _ in headerlines.odd(header, fields.fields(header))}
    assert headerlines.tidied(header) == expected


def test_a_header_gets_its_end() -> None:
    assert headerlines.tidied(b"A: b\r\n") == b"A: b\r\n\r\n"
    assert headerlines.tidied(b"A: b") == b"A: b\r\n\r\n"
    assert headerlines.tidied(b"") == b"\r\n"


@given(st.lists(st.sampled_from([b"A", b":", b" ", b"\t", b"\r\n", b"From ", b"\0", b"\xff", b"b" * 90]), max_size=20))
def test_any_header_is_cut_alike_afterwards(pieces: list[bytes]) -> None:
    header = b"".join(pieces).partition(b"\r\n\r\n")[0] + b"\r\n"
    header = b"" if header == b"\r\n" else header
    done = headerlines.tidied(header)
    assert headerlines.tidied(done) is done
    by_python = email.parser.BytesHeaderParser().parsebytes(done).keys()
    assert [name.encode("ascii").lower() for name in by_python] == [field.name for field in fields.fields(done)]
