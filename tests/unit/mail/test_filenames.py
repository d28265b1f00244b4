"""Names of a part: each that some mail program would show or save (T-M22, T-M23)."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.filenames import MOST, TooManyError, candidates, words
from tests.clock import SLOWER

DISPOSITION = b"Content-Disposition: attachment; "


def named(parameters: bytes) -> list[str]:
    return candidates(b"Content-Type: text/plain\r\n" + DISPOSITION + parameters + b"\r\n")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (b"filename=a.exe", ["a.exe"]),
        (b'filename="a b.txt"', ["a b.txt"]),
        (b'FileName = "a.exe" ; size=3', ["a.exe"]),
        (b'filename="a;b.exe"', ["a;b.exe"]),
        (b'filename="a\\"b.exe"', ['a"b.exe', 'a\\"b.exe', '"b.exe']),
        ("filename=žluť.pdf".encode(), ["žluť.pdf"]),
        (b"filename*=iso-8859-2''%BElu%BB.pdf", ["žluť.pdf"]),
    ],
)
def test_plain_names(parameters: bytes, expected: list[str]) -> None:
    assert named(parameters)[: len(expected)] == expected


@pytest.mark.parametrize(
    "parameters",
    [
        b'filename="a.txt"; filename*0="a."; filename*1="exe"',
        b"filename*=utf-8''a%2Eexe",
        b"filename*=utf-8'en'a.exe",
        b"filename*=a%2Eexe",
        b'filename="a.txt"; filename="a.exe"',
        b'filename="a.exe"; filename="a.txt"',
        b'filename*0="a.";\r\n filename*1="exe"',
        b'filename*1="exe"; filename*0="a."',
        b"filename*0*=utf-8''a%2; filename*1*=Eex; filename*2=e",
        b"filename*0=a.exe; filename*2=.txt",
        b"filename*0=a.; filename*1=txt; filename*1=exe",
        b"filename*0=a.; filename*1=exe; filename*1=txt",
        b'filename="a.exe. . "',
        b'filename="a.exe\0.txt"',
        b'filename="a.\0exe"',
        b'filename="a.exe\xe2\x80\xae"',
        b'filename="a.\xe2\x80\x8bexe"',
        b'filename="=?utf-8?b?YS5leGU=?="',
        b'filename="=?utf-8?b?YS5leGU?="',
        b'filename="=?utf-8?q?a=2E?=\r\n =?UTF-8?B?ZXhl?="',
        b"filename==?us-ascii?q?a=2Eexe?=",
        b'filename="=?x-none?q?a=2Eexe?="',
        b"filename*=utf-8''%3D%3Fq%3F; filename=a.exe",
        b'filename="a.exe',
        b"filename='a.exe'",
        b'filename="a.e\r\n xe"',
        b'filename="a%2Eexe"',
        b'filename="..\\\\..\\\\a.exe"',
        b'filename="C:/x/a.exe"',
        b'filename="a.exe::$DATA"',
        "filename=\uff41\uff0e\uff45\uff58\uff45".encode(),
        b'(filename="a.txt") filename="a.exe"',
        b'file(x)name="a.exe"',
        b'; ; ,filename="a.exe"',
        b'x="y"filename="a.exe"',
        b"name=a.exe",
    ],
)
def test_m23_a_program_is_among_the_names(parameters: bytes) -> None:
    assert "a.exe" in named(parameters)


def test_m23_both_fields_are_looked_at_and_all_of_them() -> None:
    header = b'Content-Type: text/plain; name="b.exe"\r\n' + DISPOSITION + b"filename=a.txt\r\n"
    assert candidates(header) == ["a.txt", "b.exe"]
    assert "c.exe" in candidates(header + b"Content-Disposition : inline; filename=c.exe\r\n")
    assert "c.exe" in candidates(header + b"content-type\0: x/y; name=c.exe\r\n")


def test_m22_a_fold_in_the_midst_of_the_parameter() -> None:
    assert "a.exe" in named(b"file\r\n name=a.exe")


def test_m23_what_is_shown_the_other_way_round() -> None:
    found = named("filename=\u202egpj.exe".encode())
    assert "gpj.exe" in found
    assert "\u202egpj.exe" in found


@pytest.mark.parametrize("parameters", [b"", b'filename=""', b"filename=", b'filename=" . "', b"size=3; xfilename=a"])
def test_no_name(parameters: bytes) -> None:
    assert named(parameters) == []


@pytest.mark.parametrize("name", [b"name=a%d", b"name*=utf-8''%%61%d", b'name=x; name="=?utf-8?q?a%d?="'])
def test_more_names_than_are_told_apart(name: bytes) -> None:
    many = b"; ".join(name % number for number in range(MOST + 1))
    with pytest.raises(TooManyError):
        named(many)
    assert named(b"; ".join([name % 1] * 1000)) == named(name % 1)


def test_no_field() -> None:
    assert candidates(b"") == []
    assert candidates(b"Subject: filename=a.exe\r\nX-Content-Type: x; name=a.exe\r\n") == []


def test_percent_signs_of_pieces_that_are_not_encoded_stay() -> None:
    assert named(b"filename*0*=utf-8''a; filename*1=%41.txt")[0] == "a%41.txt"


def test_words_of_one_charset_are_joined_before_they_are_decoded() -> None:
    assert words(b"=?utf-8?b?xb4=?= =?utf-8?q?=C5?=\r\n =?utf-8?q?=BE?= x") == "žž x"
    assert words(b"=?utf-8*en?q?a_b?=") == "a b"


@given(st.binary(max_size=200))
def test_any_octets(octets: bytes) -> None:
    for name in named(octets) + named(b"filename=" + octets) + candidates(octets) + [words(octets)]:
        name.encode("utf-8")


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=30))
def test_a_name_in_rfc_2231_comes_first(name: str) -> None:
    encoded = b"".join(b"%%%02X" % octet for octet in name.encode())
    assert named(b"filename*=utf-8''" + encoded)[0] == name


@pytest.mark.parametrize(
    "parameters",
    [
        b'name*0="a' * 30_000,
        b'name="' * 40_000,
        b"(" * 250_000,
        b"name" + b" " * 250_000,
        b"name*" + b" " * 250_000,
        b"name *" * 40_000,
        b"".join(b"name*%d=ab;" % number for number in range(20_000)),
        b"".join(b"name=a%d;" % number for number in range(20_000)),
        b'name="' + b"\\a" * 120_000,
        b'name="' + b"=?u?q?a?= " * 25_000,
        b"name=" + b"\r\n " * 80_000,
    ],
    ids=lambda parameters: repr(parameters[:12]),
)
def test_time_is_linear(parameters: bytes) -> None:
    before = time.process_time()
    with suppress(TooManyError):
        named(parameters)
    assert time.process_time() - before < 3 * SLOWER
