"""Transfer encodings: what BINARY shows, and how many octets it has."""

from __future__ import annotations

import base64
import quopri
import random

import pytest

from imap4fast._wire import MailIndex, decode_transfer


def size(data: bytes, encoding: bytes) -> int | None:
    return MailIndex.scan(b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + data).decoded_size(0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"YWJj", b"abc"),
        (b"YQ==", b"a"),
        (b"YWI=", b"ab"),
        (b" Y W\r\nJ\tj\r\n", b"abc"),
        (b"YWJjZA", b"abcd"),
        (b"YWJjZ", b"abc"),
        (b"Y", b""),
        (b"=", b""),
        (b"====", b""),
        (b"=YWJj", b"abc"),
        (b"YQ==YWI=YWJj", b"aababc"),
        (b"YW!J#j", b"abc"),
        (b"YQ=\r\n=", b"a"),
        (b"\xff\0YWJj", b"abc"),
        (b"+/+/", b"\xfb\xff\xbf"),
        (b"-_-_", b""),
    ],
)
def test_base64(data: bytes, expected: bytes) -> None:
    assert decode_transfer(data, b"base64") == expected
    assert size(data, b"base64") == len(expected)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"a=3Db", b"a=b"),
        (b"a=\r\nb", b"ab"),
        (b"a=\nb", b"ab"),
        (b"a= \t\r\nb", b"ab"),
        (b"a \t\r\nb", b"a\r\nb"),
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a  ", b"a"),
        (b"a =\r\n b", b"a  b"),
        (b"=c3=A9", b"\xc3\xa9"),
        (b"=zz", b"=zz"),
        (b"=4", b"=4"),
        (b"=", b""),
        (b"a==\r\n", b"a="),
        (b"=3=\r\nx", b"=3x"),
        (b"a\rb", b"a\rb"),
        (b"a=\rb", b"a=\rb"),
        (b"a=20\r\n", b"a \r\n"),
    ],
)
def test_quoted_printable(data: bytes, expected: bytes) -> None:
    assert decode_transfer(data, b"quoted-printable") == expected
    assert size(data, b"quoted-printable") == len(expected)


@pytest.mark.parametrize("encoding", [b"7bit", b"8BIT", b"Binary"])
def test_those_that_change_nothing(encoding: bytes) -> None:
    data = bytes(range(256))
    assert decode_transfer(data, encoding) == data
    assert size(b"x\xff\0", encoding) == 3


@pytest.mark.parametrize("encoding", [b"", b"x-uuencode", b"base 64", b'"base64"', b"base64 "])
def test_those_that_are_not_known(encoding: bytes) -> None:
    assert decode_transfer(b"x", encoding) is None


def test_case_does_not_count() -> None:
    assert decode_transfer(b"YQ==", b"BaSe64") == b"a"
    assert decode_transfer(bytearray(b"=41"), b"QUOTED-PRINTABLE") == b"A"
    assert decode_transfer(memoryview(b"xYQ==")[1:], b"base64") == b"a"


def test_the_last_encoding_field_decides_and_a_folded_one_is_unknown() -> None:
    both = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nYQ=="
    part = MailIndex.scan(both).part(0)
    assert (part.encoding, part.transfer) == (b"base64", b"7bit")
    folded = MailIndex.scan(b"Content-Transfer-Encoding: base64\r\n (x)\r\n\r\nYQ==")
    assert folded.part(0).transfer == b""
    assert folded.decoded_size(0) is None


def test_no_size_for_what_has_parts() -> None:
    index = MailIndex.scan(b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody")
    assert [index.decoded_size(number) for number in range(2)] == [None, 4]


def test_drawn_octets_come_back() -> None:
    draw = random.Random(1)
    for length in [*range(70), 1000, 4096, 70000]:
        data = draw.randbytes(length)
        for encoded in (base64.b64encode(data), base64.encodebytes(data).replace(b"\n", b"\r\n")):
            assert decode_transfer(encoded, b"base64") == data
            assert size(encoded, b"base64") == length
        text = quopri.encodestring(data.replace(b"\r", b"").replace(b"\n", b""))
        assert decode_transfer(text, b"quoted-printable") == data.replace(b"\r", b"").replace(b"\n", b"")


def test_sizes_are_those_of_what_is_decoded_whatever_the_octets() -> None:
    draw = random.Random(2)
    alphabet = b"ABab01+/= \t\r\n=!\xff"
    for length in [*range(400)] * 5:
        data = bytes(draw.choice(alphabet) for _ in range(length))
        for encoding in (b"base64", b"quoted-printable"):
            decoded = decode_transfer(data, encoding)
            assert decoded is not None
            assert size(data, encoding) == len(decoded)
