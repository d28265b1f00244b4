"""What of the MIME fields is odd."""

from __future__ import annotations

import pytest

from imap4fast._wire import header_list
from imap4fast.mail import fields, mimefields, structured
from imap4fast.mail.mimefields import Mime


def mime(*lines: bytes) -> Mime:
    return mimefields.of(fields.fields(b"".join(line + b"\r\n" for line in lines)))


def rows(*lines: bytes) -> set[str]:
    return {row for row, _ in mimefields.odd(mime(*lines))}


def test_fields_by_kind() -> None:
    found = mime(b"content-TYPE: a/b", b"Subject: x", b"Content-Type : c/d", b"MIME-Version: 1.0")
    assert [field.value for field in found.types] == [b"a/b", b"c/d"]
    assert [len(kind) for kind in found] == [2, 0, 0, 1]


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Type: text/plain; charset=utf-8",
        b'Content-Type: multipart/mixed; boundary="a b {}%#@"',
        b'Content-Type: application/x; name="a.b"; x*0=1; x*1=2',
        b"Content-Transfer-Encoding: BASE64",
        b"Content-Transfer-Encoding: \t8Bit",
        b'Content-Type: text/plain; name="\xff"',
        b'Content-Disposition: attachment; filename="\xff"',
        b'Content-Disposition: attachment; filename="a.pdf"',
        b"Content-Disposition: attachment; filename=a.pdf; filename*=utf-8''%C3%A1.pdf",
    ],
)
def test_one_reading(line: bytes) -> None:
    assert rows(line) == set()


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b'Content-Type: multipart/mixed; boundary="a "', "T-M17"),
        (b'Content-Type: multipart/mixed; boundary="\xff"', "T-M17"),
        (b"Content-Type: multipart/mixed; boundary=a; boundary*=b", "T-M15"),
        (b"Content-Type: text/plain; charset*=utf-8''utf-8", "T-M02"),
        (b"Content-Type: message/external-body", "T-M27"),
        (b"Content-Transfer-Encoding: base64\t", "T-M05"),
        (b"Content-Transfer-Encoding:\r\n base64", "T-M05"),
        (b"Content-Disposition: attachment; filename=a b.txt", "T-M23"),
        (b"Content-Disposition: attachment; filename=a(1).txt", "T-M23"),
        (b'Content-Disposition: attachment; filename="a', "T-M23"),
        (b'Content-Disposition: attachment; filename="C:\\\\b.txt"', "T-M23"),
        (b"Content-Disposition: attachment; filename*=utf-8''a%0Ab", "T-M23"),
    ],
)
def test_several_readings(line: bytes, row: str) -> None:
    assert row in rows(line)


def test_names() -> None:
    line = b'Content-Type: a/b; name="=?utf-8?q?=C3=A1?="; name*0=x; name*1=y; charset=z'
    assert mimefields.names_of(mime(line).types[0]) == ("\u00e1", "xy")


@pytest.mark.parametrize(
    ("lines", "needs"),
    [
        ([b"Content-Type: text/plain"], False),
        ([b"Content-Type: text/html"], True),
        ([b"Content-Transfer-Encoding: base64"], True),
        ([b"Content-Transfer-Encoding: 8bit"], False),
        ([b"Content-Type: text/html", b"Mime-Version: 1.0"], False),
        ([b"Subject: x"], False),
    ],
)
def test_T_M01_needs_version(lines: list[bytes], needs: bool) -> None:  # noqa: N802
    assert mimefields.needs_version(mime(*lines)) is needs


def test_encoding() -> None:
    assert mimefields.encoding(mime()) == b"7bit"
    two = mime(b"Content-Transfer-Encoding: Base64", b"Content-Transfer-Encoding: 7bit")
    assert mimefields.encoding(two) == b"base64"
    assert mimefields.is_encoded(two)
    assert not mimefields.is_encoded(mime())


def test_a_header_is_taken_apart_once_unless_it_is_long() -> None:
    header = b"Subject: x\r\nContent-Type: text/plain; name=a.txt\r\n\r\n"
    first = mimefields.read(header)
    assert mimefields.read(bytes(bytearray(header))) is first
    assert first.listed == header_list(header)
    assert first.mime == mimefields.of(fields.fields(header))
    long = header.replace(b": x", b": " + b"x" * mimefields.SHORT)
    assert mimefields.read(long) is not mimefields.read(long)
    assert mimefields.read(long).mime == first.mime


def test_values_are_judged_alike_whatever_their_length() -> None:
    for value in (b"text/plain; charset=utf-8", b"text/plain (x); charset=a; charset=b", b"multipart/mixed", b"x"):
        long = value + b"; a=" + b"x" * structured.SHORT
        assert list(mimefields.odd_type(value)) == list(mimefields.odd_type(long))
        assert list(mimefields.odd_type(value)) == list(mimefields.odd_type(value))
    field = fields.Field(b"content-type", b"Content-Type: text/plain; name=\"a.txt\"; name*=utf-8''%C3%A9\r\n")
    longer = fields.Field(field.name, field.octets[:-2] + b"; a=" + b"x" * structured.SHORT + b"\r\n")
    assert mimefields.names_of(field) == mimefields.names_of(longer) == ("a.txt", "é")
