"""Which of several readings is taken."""

from __future__ import annotations

import pytest

from imap4fast.mail import fields, mimefields, rereading
from imap4fast.mail.mimefields import Mime
from imap4fast.mail.rereading import Refused
from imap4fast.mail.structured import Value


def mime(*lines: bytes) -> Mime:
    return mimefields.of(fields.fields(b"".join(line + b"\r\n" for line in lines)))


def chosen(body: bytes, *values: bytes) -> tuple[bytes, bytes] | str:
    found = rereading.type_of(mime(*(b"Content-Type: " + value for value in values)), body)
    if isinstance(found, Refused):
        return found.why
    return found.main, b"".join(found.all(b"boundary"))


DIVIDED = b"--b\r\n\r\nx\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((b"text/plain", b"multipart/mixed; boundary=b"), (b"multipart/mixed", b"b")),
        ((b"multipart/mixed; boundary=a; boundary=b",), (b"multipart/mixed", b"b")),
        ((b"multipart/mixed; boundary*=us-ascii''b",), (b"multipart/mixed", b"b")),
        ((b'multipart/mixed; boundary="=?us-ascii?q?b?="',), (b"multipart/mixed", b"b")),
        ((b"multipart/mixed; boundary=a",), (b"text/plain", b"")),
        ((b"multipart/mixed; boundary=a", b"text/html"), (b"text/html", b"")),
        ((b"multipart/mixed; boundary=b", b"multipart/related; boundary=b"), (b"multipart/mixed", b"b")),
        ((b"text", b"text/html"), (b"text/html", b"")),
        ((b"message/external-body",), (b"text/plain", b"")),
        ((b"nonsense",), (b"text/plain", b"")),
    ],
)
def test_T_M02_T_M03_T_M15_T_M16_types(values: tuple[bytes, ...], expected: tuple[bytes, bytes]) -> None:  # noqa: N802
    assert chosen(DIVIDED, *values) == expected


def test_T_M03_two_boundaries_that_divide() -> None:  # noqa: N802
    both = DIVIDED + DIVIDED.replace(b"--b", b"--a")
    assert chosen(both, b"multipart/mixed; boundary=a; boundary=b") == "several boundaries divide a part"


def test_T_M03_more_boundaries_than_are_searched_for() -> None:  # noqa: N802
    said = b"multipart/mixed" + b"".join(b"; boundary=x%d" % number for number in range(20))
    assert chosen(DIVIDED, said) == "too many boundaries"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--b\r\n", True),
        (b"--b--\r\n", False),
        (b"--b--\r\n--b--\r\n--b\r\n", True),
        (b"x\r\n--bc", True),
        (b"x--b", False),
        (b"", False),
    ],
)
def test_divides(body: bytes, expected: bool) -> None:
    assert rereading.divides(body, b"b") is expected


def test_parameters_are_there_once() -> None:
    found = rereading.type_of(mime(b"Content-Type: text/plain; charset=a; charset=b; charset*=c; x=y"), b"")
    assert isinstance(found, Value)
    assert [(each.name, each.value) for each in found.parameters] == [(b"charset", b"a"), (b"x", b"y")]


@pytest.mark.parametrize(
    ("values", "body", "expected"),
    [
        ((b"base64",), b"QUJD", b"base64"),
        ((b"base64",), b"Q!", b"7bit"),
        ((b"x-base64",), b"QUJD", b"base64"),
        ((b"7bit", b"Base64"), b"QUJD", b"base64"),
        ((b"base64", b"quoted-printable"), b"a b=20", b"quoted-printable"),
        ((b"base64", b"quoted-printable"), b"QUJ=", b"base64"),
        ((b"x-uuencode",), b"\xff", b"8bit"),
        ((), b"a", b"7bit"),
    ],
)
def test_T_M04_T_M05_encodings(values: tuple[bytes, ...], body: bytes, expected: bytes) -> None:  # noqa: N802
    assert rereading.encoding_of(mime(*(b"Content-Transfer-Encoding: " + each for each in values)), body) == expected


def test_T_M04_two_encodings_that_fit() -> None:  # noqa: N802
    both = mime(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable")
    assert isinstance(rereading.encoding_of(both, b"QUJD"), Refused)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b'Content-Disposition: inline; filename="a.txt"; filename*0=a.; filename*1=EXE'], [b"filename=a.EXE"]),
        (
            [b'Content-Type: a/b; name="x.exe"', b'Content-Disposition: inline; filename="y.txt"'],
            [b"name=x.exe", b"filename=x.exe"],
        ),
        (
            [b"Content-Disposition: attachment; filename*=utf-8''%C5%BE%0A%2F..txt."],
            [b"filename*=utf-8''%C5%BE%20_..txt"],
        ),
        ([b"Content-Disposition: ; filename=a"], [b"attachment; filename=a"]),
        ([b"Content-Disposition: attachment; filename="], [b"attachment\r\n"]),
        ([b'Content-Type: a/b; name="a"; name="b"; x=y'], [b"x=y; name=a"]),
    ],
)
def test_T_M23_names(lines: list[bytes], expected: list[bytes]) -> None:  # noqa: N802
    done = rereading.named(mime(*lines))
    assert len(done) == len(expected)
    assert all(each in field.octets for each, field in zip(expected, done, strict=True))


def test_a_long_name_keeps_its_end() -> None:
    assert rereading.safe_name("x" * 500 + ".exe").endswith("xx.exe")
    assert len(rereading.safe_name("x" * 500)) <= 250
