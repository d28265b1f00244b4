"""Text out of octets: what is declared, what is true, and what is neither."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.charset import codec, html, text


@pytest.mark.parametrize(
    ("octets", "declared", "expected"),
    [
        ("žluť".encode("iso-8859-2"), "ISO-8859-2", "žluť"),
        ("žluť".encode("cp1250"), "windows-1250", "žluť"),
        ("žluť".encode(), "utf-8", "žluť"),
        ("žluť".encode(), "us-ascii", "žluť"),
        ("žluť".encode(), None, "žluť"),
        ("žluť".encode(), "x-no-such", "žluť"),
        (b"caf\xe9", "utf-8", "café"),
        (b"caf\xe9", None, "café"),
        (b"\x93x\x94", "iso-8859-1", "\u201cx\u201d"),
        ("日本".encode("iso-2022-jp"), "iso-2022-jp", "日本"),
        ("日本".encode("iso-2022-jp"), None, "日本"),
        ("日本".encode("shift_jis"), "shift_jis", "日本"),
        ("한국".encode("cp949"), "ks_c_5601-1987", "한국"),
        ("한국".encode("iso-2022-kr"), None, "한국"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        ("中文".encode("big5"), "big5", "中文"),
        (codecs.BOM_UTF8 + b"x", "utf-16", "x"),
        ("x".encode("utf-16"), "us-ascii", "x"),
        ("x".encode("utf-32"), None, "x"),
    ],
)
def test_text(octets: bytes, declared: str | None, expected: str) -> None:
    assert text(octets, declared) == expected


def test_m32_utf_7_only_where_it_is_declared() -> None:
    assert text(b"+ADw-script+AD4-", "UTF-7") == "<script>"
    assert text(b"+ADw-script+AD4-", "unicode-1-1-utf-7") == "<script>"
    assert text(b"+ADw-script+AD4-", None) == "+ADw-script+AD4-"
    assert text(b"+ADw-script+AD4-", "utf-8") == "+ADw-script+AD4-"


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("declared", [None, "us-ascii", "utf-8", "iso-8859-1", "iso-2022-jp"])
def test_m32_wide_text_is_seen_whatever_is_declared(name: str, declared: str | None) -> None:
    assert text("<script>alert(1)</script>".encode(name), declared) == "<script>alert(1)</script>"


def test_m32_wide_is_not_believed_where_it_cannot_be() -> None:
    assert text(b"<script>alert(1)</script>", "utf-16") == "<script>alert(1)</script>"
    assert text("<b>žluť</b>".encode("utf-16-le"), "utf-16") == "<b>žluť</b>"


def test_m33_a_document_names_its_own_charset() -> None:
    page = b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2"></head>\xbe'
    assert html(page, None).endswith("ž")
    assert html(page, "x-unknown").endswith("ž")
    assert html(page, "windows-1252").endswith("\xbe")
    assert html(b"<meta charset='windows-1250'>\x9e", None).endswith("ž")
    assert html(b"<meta charset=utf-16>\xc5\xbe", None).endswith("ž")
    assert html(b'<?xml version="1.0" encoding="iso-8859-2"?>\xbe', None).endswith("ž")


NO_TEXT = [
    "base64",
    "rot13",
    "hex",
    "zlib",
    "unicode_escape",
    "raw-unicode-escape",
    "charmap",
    "punycode",
    "idna",
    "undefined",
]


@pytest.mark.parametrize("name", [*NO_TEXT, "", " ", "\0", "utf-8\0", "ž", "../../x", "x" * 100_000, None])
def test_names_that_are_no_charsets(name: str | None) -> None:
    assert codec(name) is None


@pytest.mark.parametrize("name", ["utf-8", "UTF8", ' "utf-8" ', "'utf_8'"])
def test_names_are_taken_as_they_are_meant(name: str) -> None:
    assert codec(name) == "utf-8"


@given(st.binary(max_size=100), st.one_of(st.none(), st.sampled_from((
    "utf-8", "utf-7", "utf-16", "utf-32", "iso-2022-jp", "iso-2022-kr", "hz", "gb2312", "big5", "euc-kr", "cp037", "x",
)), st.text(max_size=10)))  # fmt: skip
def test_nothing_raises(octets: bytes, declared: str | None) -> None:
    assert isinstance(text(octets, declared), str)
    assert isinstance(html(octets, declared), str)


@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_utf_8_is_utf_8(written: str) -> None:
    assert text(b"a\n" + written.encode(), "utf-8").endswith(written)
