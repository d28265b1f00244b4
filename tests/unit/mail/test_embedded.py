"""Files in text: found, decoded, bounded, and linear in time."""

from __future__ import annotations

import base64
import binascii
import mmap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import embedded
from imap4fast.mail.builtin import EICAR
from imap4fast.mail.embedded import TooMuch, found, suspected
from tests.clock import SLOWER
from tests.unit.mail.wrapped import binhex, uuencoded, yencoded

LIMIT = 1 << 20


def files(octets: bytes) -> list[tuple[str, bytes]]:
    return list(found(octets, LIMIT))


def test_m29_uuencode_in_the_midst_of_text() -> None:
    text = b"Dear all,\r\n" + uuencoded(EICAR, "x.com") + b"\r\nregards\r\n" + uuencoded(b"two", "b.txt")
    assert files(text) == [("x.com", EICAR), ("b.txt", b"two")]


def test_m29_uuencode_without_its_end() -> None:
    assert files(uuencoded(EICAR, "x.com").rpartition(b"`\r\n")[0]) == [("x.com", EICAR)]
    assert files(uuencoded(EICAR, "x.com").rpartition(b"`\r\n")[0] + b"and so on\r\n") == [("x.com", EICAR)]


def test_m29_begin_base64() -> None:
    text = b"x\r\nbegin-base64 644 a.exe\r\n" + base64.encodebytes(EICAR) + b"====\r\nbegin-base64 644 b\r\nQUJD\r\n"
    assert files(text) == [("a.exe", EICAR), ("b", b"ABC")]


@given(st.binary(min_size=1, max_size=600))
def test_m29_yenc(octets: bytes) -> None:
    assert files(b"hello\r\n" + yencoded(octets, "x y.exe") + b"\r\nbye") == [("x y.exe", octets)]


def test_m29_yenc_of_a_part_and_without_end() -> None:
    text = b"=ybegin part=1 line=128 size=68 name=x.com\r\n=ypart begin=1 end=68\r\n" + bytes(
        (c + 42) & 255 for c in EICAR
    )
    assert files(text) == [("x.com", EICAR)]


@given(st.binary(max_size=300), st.binary(max_size=30))
def test_m29_binhex(data: bytes, resource: bytes) -> None:
    expected = [("Name", data)] + ([("Name", resource)] if resource else [])
    assert files(b"hi\r\n" + binhex(data, "Name", resource)) == expected


def test_m29_binhex_cut_off_is_given_as_far_as_it_goes() -> None:
    cut = binhex(EICAR * 3, "Name")
    assert any(EICAR in content for _, content in files(cut[: len(cut) * 2 // 3]))


@pytest.mark.parametrize(
    "url",
    [
        b'<a href="data:application/octet-stream;base64,%s">' % base64.b64encode(EICAR),
        b"<a href='DATA:;Base64,%s'>" % base64.b64encode(EICAR),
        b"url(data:x/y ; BASE64 ,%s)" % base64.encodebytes(EICAR),
        b'<a href="data:,%s">' % b"".join(b"%%%02X" % octet for octet in EICAR),
        b'<a href="data:x;base64,%s">' % base64.b64encode(EICAR).replace(b"=", b"%3D"),
    ],
)
def test_m37_data_urls(url: bytes) -> None:
    assert ("data:", EICAR) in files(b"<p>" + url)
    assert list(found(url, LIMIT, documents=False)) == []


def mail(body: bytes, field: bytes) -> bytes:
    head = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\nX: y\r\n"
    return head + field + b"\r\nContent-Type: x/y\r\n\r\n" + body + b"\r\n--b--\r\n"


@pytest.mark.parametrize("field", [b"Content-Transfer-Encoding: base64", b"CONTENT-TRANSFER-ENCODING :\r\n BASE64 "])
def test_m24_parts_of_a_mail_that_is_content(field: bytes) -> None:
    text = mail(base64.encodebytes(EICAR).replace(b"\n", b"\r\n"), field)
    assert ("mail", EICAR) in files(text)
    assert ("mail", EICAR) in files(mail(EICAR.replace(b"X", b"=58"), b"Content-Transfer-Encoding: quoted-printable"))
    assert files(mail(EICAR, b"Content-Transfer-Encoding: 7bit")) == []
    assert list(found(text, LIMIT, documents=False)) == []
    assert files(field) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Subject: x", b"Subject: x\0"),
        (b"Subject: x", b"\0Subject: x"),
        (b"Encoding: base64", b"Encoding\0: base64"),
        (b"Content-Transfer", b"Content-\0Transfer"),
        (b"base64", b"ba\0se64"),
        (b"Subject: x", b"\0" * 2000 + b"Subject: x"),
        (b"Subject: x", b"From x\r\nSubject:\0"),
    ],
)
def test_m05_m20_nul_does_not_hide_a_part(before: bytes, after: bytes) -> None:
    text = mail(base64.encodebytes(EICAR), b"Content-Transfer-Encoding: base64")
    assert before in text
    assert ("mail", EICAR) in files(text.replace(before, after, 1))


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_m37_nul_does_not_hide_a_data_url(charset: str) -> None:
    page = f'\n <a href="data:x/y;base64,{base64.b64encode(EICAR).decode()}">\0'
    assert ("data:", EICAR) in files(page.encode(charset))


def test_m37_text_behind_the_word_is_text() -> None:
    assert files(b"data:, as it stands; metadata: one, two") == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"let us begin\r\nbegin at once",
        b"data is not: here",
        b"begin 999 x\r\nnone",
        b"x begin 644 x.com\r\n#86)C\r\n",
    ],
)
def test_plain_text_has_none(text: bytes) -> None:
    assert files(text) == []
    assert list(found(text, 0)) == []


def test_what_has_no_mark_is_not_suspected() -> None:
    assert not suspected(b"Dear all, we begin at ten. database\r\n" * 100)
    assert not suspected(b"\x7fELF\0data:x,y")
    assert suspected(uuencoded(b"x", "y"))
    assert not suspected(b"%PDF-1.4\n\0 data:x,y")
    assert suspected(b"z" * 512 + b"\0 data:x,y")
    assert suspected(b"z" * (2 << 20) + b"DATA:,x")
    assert not suspected(b"DATA:,x", documents=False)


def test_a_mapped_file_is_as_good_as_octets(tmp_path: Path) -> None:
    text = b"x\r\n" + uuencoded(EICAR, "x.com") + yencoded(EICAR, "y") + binhex(EICAR, "z") + b"<data:,%41>"
    (tmp_path / "mail").write_bytes(text)
    with (tmp_path / "mail").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert list(found(mapped, LIMIT)) == files(text)
        assert len(files(text)) == 4


@pytest.mark.parametrize("text", [uuencoded(bytes(500), "x"), yencoded(bytes(500), "x"), binhex(bytes(500), "x")])
def test_no_more_than_the_limit(text: bytes) -> None:
    assert sum(len(content) for _, content in found(text, 500)) == 500
    with pytest.raises(TooMuch):
        list(found(text, 499))


def test_runs_of_binhex_are_bounded_while_they_grow() -> None:
    packed = b"\0" * 30 + b"a" + b"\x90\xff" * 100_000
    text = (
        embedded.HQX_MARK
        + b")\r\n:"
        + base64.b64encode(packed).translate(bytes.maketrans(embedded._BASE64_LETTERS, embedded._HQX_LETTERS))
    )
    with pytest.raises(TooMuch):
        list(found(text, 100_000))


@given(st.binary(max_size=300))
def test_any_octets_behind_any_mark(octets: bytes) -> None:
    for mark in (
        b"begin 644 x\n",
        b"begin-base64 644 x\n",
        b"=ybegin name=x\n",
        embedded.HQX_MARK + b"\n:",
        b"data:;base64,",
    ):
        list(found(mark + octets, LIMIT))


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 x\r\n" * 100_000,
        b"begin-base64 644 x\r\n" * 60_000,
        b"=ybegin name=x\r\n" * 80_000,
        (embedded.HQX_MARK + b"\r\n") * 25_000,
        b"data:" * 200_000,
        b"content-transfer-encoding: 7bit\n" * 40_000 + b"\n\nx",
        b"content-transfer-encoding: 7bit\n" * 40_000,
        b"content-transfer-encoding: 7bit\n\n" * 40_000,
        b"data:x" * 200_000,
        b"data:," + b"a " * 500_000,
        b"=ybegin name=x\r\n" + b"=" * 1_000_000,
        b"begin 644 " + b" " * 1_000_000,
        b"=ybegin " + b"name=" * 200_000,
        embedded.HQX_MARK + b"\r " * 500_000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_time_is_linear(text: bytes) -> None:
    before = time.process_time()
    list(found(text, 1 << 26))
    assert time.process_time() - before < 5 * SLOWER


def test_binascii_agrees_on_uuencode() -> None:
    assert binascii.a2b_uu(uuencoded(b"abc", "x").splitlines()[1]) == b"abc"


def test_m39_a_body_without_an_empty_line_before_it() -> None:
    """And of many fields that say the same each body is given once."""
    lines = base64.encodebytes(EICAR)
    assert ("mail", EICAR) in files(b"Content-Transfer-Encoding: base64\n" + lines + b"\n--b--\n")
    assert ("mail", EICAR) in files(b"Content-Transfer-Encoding: base64\nX: y\n z\n" + lines)
    many = b"Content-Transfer-Encoding: base64\n" * 1000 + b"\n" + lines
    assert files(many) == [("mail", EICAR)]
