"""Transfer encodings: strict ones are left alone, the richest reading of others is taken."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imap4fast.mail import canonical, coding


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", ""),
        (b"QUJD\r\nREVG", ""),
        (b"QUI=\r\n\r\n", ""),
        (b"QQ==  \r\n", ""),
        (b"QU JD\t\r\n", ""),
        (b"QUJ", "T-M06"),
        (b"QUJD-", "T-M06"),
        (b"QUJD=", "T-M06"),
        (b"====", "T-M07"),
        (b"QQ==QQ==", "T-M07"),
        (b"QQ=\r\n=", "T-M07"),
    ],
)
def test_T_M06_T_M07_strict_base64(body: bytes, what: str) -> None:  # noqa: N802
    found = coding.odd_base64(b"x" + body + b"!", 1, len(body) + 1, body.count(b"\r\n"))
    assert (found[0] if found else "") == what


def test_windows_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "WINDOW", 3)
    assert coding.odd_base64(b"QUJD\r\nREVG\r\nQQ==\r\n", 0, 18, 3) is None
    assert coding.odd_base64(b"QUJD\r\nREV\r\n", 0, 11, 2) == ("T-M06", "base64 without its end")


@pytest.mark.parametrize(
    ("body", "encoding", "octets"),
    [
        (b"QUJD", b"base64", b"ABC"),
        (b"Q!U#JD", b"base64", b"ABC"),
        (b"QQ==QUJD", b"base64", b"AABC"),
        (b"QQ==\r\nof a list, below", b"base64", b"A"),
        (b"QUJDR", b"base64", b"ABC"),
        (b"=", b"base64", b""),
        (b"a=3D=3d=\r\nb=zz=", b"quoted-printable", b"a==b=zz"),
        (b"a= \t\r\nb", b"quoted-printable", b"ab"),
        (b"a=3D", b"7bit", b"a=3D"),
    ],
)
def test_decoded(body: bytes, encoding: bytes, octets: bytes) -> None:
    assert coding.decoded(body, encoding) == octets


WORDS = st.lists(st.sampled_from([b"-", b"--", b"-" * 74, b"x" * 71, b"\r\n", b"\n", b"\xff", b"=", b" "]), max_size=30)


@example(b"\0" + b" " * 67 + b"888888\n", True)
@given(st.one_of(st.binary(max_size=400), WORDS.map(b"".join)), st.booleans())
def test_what_is_encoded_has_one_reading(octets: bytes, is_text: bool) -> None:
    encoding, body = coding.encoded(octets, is_text)
    assert coding.is_strict(body, encoding)
    assert canonical.is_canonical(body)
    assert body.isascii()
    assert coding.decoded(body, encoding) == octets
    if encoding == b"base64":
        assert base64.b64decode(body) == octets
    else:
        assert quopri.decodestring(body) == octets
        lines = body.split(b"\r\n")
        assert max(map(len, lines)) <= 76
        assert not any(line.startswith(b"--") for line in lines)


@given(st.binary(max_size=80))
def test_anything_is_decoded(body: bytes) -> None:
    assert isinstance(coding.decoded(body, b"base64"), bytes)
    assert isinstance(coding.decoded(body, b"quoted-printable"), bytes)


def test_identity() -> None:
    assert coding.identity(b"a") == b"7bit"
    assert coding.identity(b"\xff") == b"8bit"
