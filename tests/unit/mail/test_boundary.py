"""Boundary lines."""

from __future__ import annotations

from itertools import pairwise

import pytest

from imap4fast.mail import boundary
from imap4fast.mail.boundary import Mark
from tests.unit.mail.mails import CLEAN, PARTS, TWO, multipart, scan


def test_marks() -> None:
    data = b"\r\n--b\r\nx--b\r\n--bc\r\n--b-- \r\n--b"
    assert boundary.marks(data, b"b", 2, len(data)) == [
        Mark(2, 7, b""),
        Mark(13, 19, b"c"),
        Mark(19, 27, b"-- "),
        Mark(27, 30, b""),
    ]
    assert boundary.marks(data, b"b", 7, 13) == []


def test_declared() -> None:
    assert boundary.declared(TWO, scan(TWO).part(0)) == b"b1"
    assert boundary.declared(TWO, scan(TWO).part(1)) == b""
    data = multipart(b"boundary=a; boundary=b")
    assert boundary.declared(data, scan(data).part(0)) == b""


@pytest.mark.parametrize("data", CLEAN)
def test_nothing_is_odd_about_a_clean_mail(data: bytes) -> None:
    index = scan(data)
    numbers = [number for number in range(len(index)) if index.part(number).kind == "multipart"]
    assert [found for number in numbers for found in boundary.odd(data, index, number)] == []


@pytest.mark.parametrize(
    ("octets", "looks"),
    [
        (b"This is a multi-part message in MIME format.\r\n", False),
        (b"-- \r\nfooter of a list\r\n__________\r\n", False),
        (b"--x\r\n", True),
        (b"text\r\ncontent-type: x\r\n", True),
        (b"\r\nbegin 644 a.exe\r\n", True),
        (b"x\r\n" + b"QUJD" * 15 + b"\r\n", True),
        (b"QUJD" * 15 + b" words\r\n", False),
    ],
)
def test_T_M13_T_M14_what_looks_like_parts(octets: bytes, looks: bool) -> None:  # noqa: N802
    assert boundary.has_parts(octets, 0, len(octets)) is looks


def test_a_made_boundary_is_nowhere_in_the_mail() -> None:
    first = boundary.stem(PARTS, b"seed")
    assert first == boundary.stem(b"", b"seed")
    assert boundary.stem(PARTS + first, b"seed") != first
    assert boundary.stem(PARTS, b"other") != first
    made = [boundary.made(first, number) for number in (1, 10, 100000)]
    assert all(each.startswith(first) and len(each) <= 70 for each in made)
    assert not any(boundary.is_prefix(one, other) for one, other in pairwise(made))
