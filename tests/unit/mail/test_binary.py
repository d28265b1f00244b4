"""Mails with their leaves decoded: as Dovecot gives `BINARY[]`, which the oracle of tests/e2e compares with it."""

from __future__ import annotations

import pytest

from imap4fast._wire import MailIndex
from imap4fast.mail import binary

VERSION = b"MIME-Version: 1.0\r\n"
AROUND = VERSION + b"Content-Type: multipart/mixed; boundary=x\r\n\r\npre\r\n--x\r\n%b\r\n--x--\r\nepi\r\n"
PNG = b"Content-Transfer-Encoding: base64\r\nContent-Type: image/png\r\n\r\nAAEC"
DECODED = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2"
INNER = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC"
INNER_DECODED = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2"


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        (VERSION + b"content-transfer-encoding: base64\r\nTo: b\r\n\r\nAAEC\r\n",
         VERSION + b"To: b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2"),
        (VERSION + b"Content-Transfer-Encoding: base64\r\nTo: b\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n",
         VERSION + b"To: b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2"),
        (VERSION + b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=C3=A9=\r\nb\r\n",
         VERSION + b"Content-Transfer-Encoding: binary\r\n\r\na\xc3\xa9b\r\n"),
        (AROUND % PNG, AROUND % DECODED),
        (AROUND % INNER, AROUND % INNER_DECODED),
        (AROUND % (PNG + b"\r\n--x\r\n\r\nhello\r\n--x\r\n" + PNG),
         AROUND % (DECODED + b"\r\n--x\r\n\r\nhello\r\n--x\r\n" + DECODED)),
        (AROUND % (PNG + b"\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
         AROUND % (DECODED + b"\r\n--x\r\nContent-Transfer-Encoding: binary\r\n\r\n")),
    ],
)  # fmt: skip
def test_decoded(mail: bytes, expected: bytes) -> None:
    index = MailIndex.scan(mail)
    assert binary.encoded(index, 0, len(mail))
    assert binary.decoded(mail, index, 0) == expected


@pytest.mark.parametrize(
    "mail",
    [
        b"Subject: a\r\n\r\nplain\r\n",
        VERSION + b"Content-Transfer-Encoding: 8bit\r\n\r\npl\xc3\xa9\r\n",
        VERSION + b"Content-Transfer-Encoding: base64\r\n\r\n",
        VERSION + b"Content-Transfer-Encoding: base64\r\n",
        AROUND % b"\r\nhello",
    ],
)
def test_nothing_to_decode(mail: bytes) -> None:
    assert binary.encoded(MailIndex.scan(mail), 0, len(mail)) == []


def test_unknown_encoding() -> None:
    mail = AROUND % b"Content-Transfer-Encoding: odd\r\n\r\n?"
    assert binary.encoded(MailIndex.scan(mail), 0, len(mail)) is None


def test_a_part_of_the_mail() -> None:
    mail = AROUND % (INNER + b"\r\n--x\r\nContent-Transfer-Encoding: odd\r\n\r\n?")
    index = MailIndex.scan(mail)
    part = index.part(index.find((1,)))
    octets = mail[part.body : part.body + part.body_size]
    assert binary.encoded(index, part.body, part.body_size) == [index.find((1, 1))]
    assert binary.decoded(octets, index, part.body) == INNER_DECODED.partition(b"\r\n\r\n")[2]
