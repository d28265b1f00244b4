"""Magic files: what a line means, what is wrong with one, and what the built-in rules say of real beginnings."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.magic import BUILT_IN, identify, parse
from tests.unit.mail.wrapped import tarred, zipped

RULES = parse(BUILT_IN)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
OOXML = "application/vnd.openxmlformats-officedocument."


def stored(name: str, content: bytes = b"") -> bytes:
    return (
        struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, len(content), len(content), len(name), 0)
        + name.encode()
        + content
    )


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"MZ\x90\0\3\0\0\0", "application/x-dosexec"),
        (Path(sys.executable).read_bytes()[:512], "application/x-executable"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "application/java-vm"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "application/x-mach-binary"),
        (bytes.fromhex("4c0000000114020000000000c000000000000046"), "application/x-ms-shortcut"),
        (b"[InternetShortcut]\r\nURL=", "application/x-mswinurl"),
        (b"@ECHO OFF\r\n", "application/x-bat"),
        (b"#!/bin/sh\n", "text/x-shellscript"),
        (b"#!/usr/bin/env python3\n", "text/x-python"),
        (b"%PDF-1.7", "application/pdf"),
        (b"junk\n%PDF-1.7", "application/pdf"),
        (b"{\\rtf1\\ansi", "application/rtf"),
        (OLE, "application/x-ole-storage"),
        (OLE + bytes(512) + "WordDocument".encode("utf-16-le"), "application/msword"),
        (OLE + "Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
        (b"\x78\x9f\x3e\x22\0\0", "application/ms-tnef"),
        (zipped(b"one"), "application/zip"),
        (zipped(), "application/zip"),
        (stored("[Content_Types].xml", b"x" * 400) + stored("word/document.xml"), OOXML + "wordprocessingml.document"),
        (stored("[Content_Types].xml", b"x" * 400) + stored("xl/workbook.xml"), OOXML + "spreadsheetml.sheet"),
        (stored("mimetype", b"application/vnd.oasis.opendocument.text"), "application/vnd.oasis.opendocument.text"),
        (stored("META-INF/MANIFEST.MF"), "application/java-archive"),
        (gzip.compress(b"one", mtime=0), "application/gzip"),
        (bz2.compress(b"one"), "application/x-bzip2"),
        (lzma.compress(b"one"), "application/x-xz"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "application/x-7z-compressed"),
        (b"Rar!\x1a\7\1\0", "application/vnd.rar"),
        (b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
        (tarred(b"one"), "application/x-tar"),
        (bytes(32769) + b"CD001", "application/x-iso9660-image"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"BM" + bytes(12) + (40).to_bytes(4, "little"), "image/bmp"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"<!DOCTYPE HTML><p>", "text/html"),
        (b"\xef\xbb\xbf\r\n <Html>", "text/html"),
        (b"x<SCRIPT>alert(1)</script>", "text/html"),
        (b"<html><hta:application id=x>", "application/hta"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "image/svg+xml"),
        (b'<?xml version="1.0"?><x>', "application/xml"),
        (b"MIME-Version: 1.0\r\n", "message/rfc822"),
        (bytes.fromhex("308205a706092a864886f70d010702"), "application/pkcs7-mime"),
        (b"Dear MZ, BM and PK, %PD", ""),
        (b"BM is short for", ""),
        (b"MS, dear all: ID card, ...", ""),
        (b"", ""),
    ],
)
def test_built_in(head: bytes, expected: str) -> None:
    assert identify(RULES, head) == expected


@pytest.mark.parametrize(
    ("line", "head", "holds"),
    [
        ("0 string abc x/y", b"abcd", True),
        ("0 string abc x/y", b"xabc", False),
        ("0x1 string abc x/y", b"xabc", True),
        ("0 string/c AbC x/y", b"aBcd", True),
        ("0 search/3 abc x/y", b"xxxabc", True),
        ("0 search/3 abc x/y", b"xxxxabc", False),
        ("0 search/3/c abc x/y", b"xxxABC", True),
        ("0 string a\\ b\\t\\n\\r\\\\\\x41\\101\\0 x/y", b"a b\t\n\r\\AA\0", True),
        ("1 byte 0x41 x/y", b"xA", True),
        ("0 beshort =0x0102 x/y", b"\1\2", True),
        ("0 leshort 0x0102 x/y", b"\2\1", True),
        ("0 belong !1 x/y", b"\0\0\0\1", False),
        ("0 lelong <2 x/y", b"\1\0\0\0", True),
        ("0 lelong >2 x/y", b"\1\0\0\0", False),
        ("0 belong&0xff00 0x0200 x/y", b"\1\1\2\2", True),
        ("0 byte x x/y", b"a", True),
        ("0 byte x x/y", b"", False),
        ("0 belong 1 x/y", b"\0\0\1", False),
    ],
)
def test_lines(line: str, head: bytes, holds: bool) -> None:
    assert identify(parse(line), head) == ("x/y" if holds else "")


def test_refinement() -> None:
    rules = parse(
        "0 string a x/a\n>1 string b X/AB\n>>2 string c x/abc\n>1 string d\n>>2 string e x/ade\n0 string ad x/last\n"
    )
    found = [identify(rules, head) for head in (b"a", b"ab", b"abc", b"ad", b"ade", b"b")]
    assert found == ["x/a", "x/ab", "x/abc", "x/a", "x/ade", ""]
    assert identify(parse("0 string a\n>1 string b x/ab\n0 string a x/else"), b"ac") == "x/else"


def test_comments_and_empty_lines() -> None:
    assert parse("# a comment\n\n   # another\n") == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0 string", "line 1: not of the form"),
        ("\n0 regex a x/y", "line 2: regex: no type of test"),
        ("0 string a b c d", "line 1: not of the form"),
        ("x string a x/y", "line 1: x: not a number"),
        ("0 belong abc x/y", "line 1: abc: not a number"),
        ("0 string a notype", "line 1: notype: no document type"),
        (">0 string a x/y", "line 1: no line above with 0 times >"),
        ("0 string a\n>>0 string a x/y", "line 2: no line above with 1 times >"),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        parse(text)


@given(st.binary(max_size=100))
def test_any_octets(head: bytes) -> None:
    assert isinstance(identify(RULES, head), str)


def test_noise_is_hardly_ever_known() -> None:
    known = sum(bool(identify(RULES, os.urandom(2000))) for _ in range(300))
    assert known < 10
