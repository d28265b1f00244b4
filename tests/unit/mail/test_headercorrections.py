"""Header corrections alone; `test_corrections` has them in a mail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import decode_words
from imap4fast.mail import fields, headercorrections
from tests.clock import SLOWER


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Subject: ab \u017elu\u0165 kůň cd", b"Subject: ab =?utf-8?B?xb5sdcWlIGvFr8WI?= cd"),
        ('From: "\u017d, x" <a@example.com>', b"From: =?utf-8?B?xb0sIHg=?= <a@example.com>"),
        ("To: \u017d <a@example.com>, b@example.com (\u0161)", None),
        ("To: <\u017e@example.com>", b"To: <??@example.com>"),
        ('Content-Type: text/plain; name="\u017e.txt"', b"Content-Type: text/plain; name*=utf-8''%C5%BE.txt"),
        (
            "Content-Disposition: inline; filename*0*=utf-8''\u017e",
            b"Content-Disposition: inline; filename*0*=utf-8''%C5%BE",
        ),
    ],
)
def test_eight_bit_characters_are_encoded(line: str, expected: bytes | None) -> None:
    header = line.encode() + b"\r\n\r\n"
    done = headercorrections.encoded(header)
    assert done.isascii()
    if expected is not None:
        assert done == expected + b"\r\n\r\n"
    else:
        assert decode_words(fields.fields(done)[0].value) == line.partition(": ")[2]


def test_octets_of_no_charset_are_latin() -> None:
    assert decode_words(fields.fields(headercorrections.encoded(b"Subject: \xe9\r\n"))[0].value) == "\u00e9"


def test_a_line_that_is_no_field() -> None:
    assert headercorrections.encoded(b"\xff\r\nA: b\r\n\r\n") == b"?\r\nA: b\r\n\r\n"


def test_other_fields_stay() -> None:
    header = b"A:  b\r\nSubject: \xe9\r\nC : d\r\n\r\n"
    done = headercorrections.encoded(header)
    assert done.startswith(b"A:  b\r\n")
    assert done.endswith(b"\r\nC : d\r\n\r\n")


@given(st.sampled_from([b"Subject", b"From", b"To", b"Content-Type", b"X-Other"]), st.binary(max_size=60))
def test_anything_is_encoded_into_one_field(name: bytes, value: bytes) -> None:
    header = name + b": " + value.translate(None, b"\r\n\0") + b"\r\n\r\n"
    done = headercorrections.encoded(header)
    assert done.isascii()
    assert len(fields.fields(done)) == 1
    assert headercorrections.encoded(done) == done


@pytest.mark.parametrize("piece", [b'"', b'\\"', b"<", b"(", b"a", b"a ", b"\xff", b"\xff "])
def test_time_is_linear(piece: bytes) -> None:
    start = time.perf_counter()
    headercorrections.encoded(b"From: " + piece * (250000 // len(piece)) + b"\xff\r\n\r\n")
    assert time.perf_counter() - start < 5 * SLOWER
