"""Fields found, added, replaced and left out; the others keep their octets."""

from __future__ import annotations

import pytest

from imap4fast.mail import fields

HEADER = b"A: 1\r\nSubject : x\r\n y\r\na: 2\r\n\r\n"


def test_fields() -> None:
    found = fields.fields(HEADER)
    assert [field.name for field in found] == [b"a", b"subject", b"a"]
    assert found[1].value == b"x y"
    assert found[1].raw == b" x\r\n y"


@pytest.mark.parametrize(
    ("header", "expected"),
    [(b"A: 1\r\n\r\n", b"\r\n"), (b"A: 1\r\n", b""), (b"A: 1", b""), (b"\r\n", b"\r\n"), (b"", b""), (b"a\n\n", b"\n")],
)
def test_ending(header: bytes, expected: bytes) -> None:
    assert fields.ending(header) == expected


def test_first() -> None:
    assert fields.first(HEADER, b"a") == fields.Field(b"a", b"A: 1\r\n")
    assert fields.first(HEADER, b"b") is None


def test_without() -> None:
    assert fields.without(HEADER, frozenset((b"a",))) == b"Subject : x\r\n y\r\n\r\n"
    assert fields.without(HEADER, frozenset((b"b",))) is HEADER


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER, b"A: 3\r\nSubject : x\r\n y\r\n\r\n"),
        (b"B: 1\r\n\r\n", b"B: 1\r\nA: 3\r\n\r\n"),
        (b"B: 1", b"B: 1\r\nA: 3\r\n"),
        (b"\r\n", b"A: 3\r\n\r\n"),
        (b"", b"A: 3\r\n"),
    ],
)
def test_replaced(header: bytes, expected: bytes) -> None:
    assert fields.replaced(header, b"a", b"A: 3\r\n") == expected
