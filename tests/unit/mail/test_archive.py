"""Which formats octets are in, rows of streams, and tars."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.archive import HEAD, TAIL, openers, untarred
from imap4fast.mail.streams import BROKEN, Budget, Limits, LimitsExceeded
from tests.unit.mail.wrapped import tarred, zipped


def opened(octets: bytes, *names: str, budget: Budget | None = None) -> tuple[list[bytes], set[str]]:
    """Members by all openers."""
    budget = budget or Budget()
    found = openers(octets[:HEAD], octets[-TAIL:], names)
    return [b"".join(blocks) for opener in found for blocks in opener(octets, budget)], set(budget.notes)


@pytest.mark.parametrize(
    ("octets", "names"),
    [
        (gzip.compress(b"one", mtime=0), ()),
        (bz2.compress(b"one"), ()),
        (lzma.compress(b"one"), ()),
        (lzma.compress(b"one", lzma.FORMAT_ALONE), ("X.LZMA",)),
        (zipped(b"one"), ()),
        (b"#!/bin/sh\n" + zipped(b"one"), ()),
        (zipped(b"one") + b"x" * 60_000, ()),
        (tarred(b"one"), ()),
        (tarred(b"one", form=tarfile.GNU_FORMAT), ()),
        (tarred(b"one", form=tarfile.USTAR_FORMAT), ()),
    ],
)
def test_formats(octets: bytes, names: tuple[str, ...]) -> None:
    assert opened(octets, *names) == ([b"one"], set())


def test_a_tar_of_the_old_form_is_known_by_name_and_sum() -> None:
    header = bytearray(tarred(b"one")[:512])
    header[257:512] = bytes(255)
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    old = bytes(header) + b"one" + bytes(509 + 1024)
    assert opened(old, "x.tar") == ([b"one"], set())
    assert opened(old) == ([], set())
    assert opened(b"x" * 600, "x.tar") == ([], set())


def test_several_formats_at_once() -> None:
    polyglot = tarred(zipped(b"one"))[:-1024] + bytes(1024) + zipped(b"two")
    contents, _ = opened(polyglot)
    assert contents[0] == b"two"
    assert zipped(b"one") in contents


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_streams_in_a_row_are_one_content(pack: object) -> None:
    assert callable(pack)
    assert opened(pack(b"one") + pack(b"two")) == ([b"onetwo"], set())
    assert opened(pack(b"one") + bytes(100)) == ([b"one"], set())
    contents, notes = opened(pack(b"one") + pack(b"two")[:-3])
    assert contents[0].startswith(b"one")
    assert notes == {BROKEN}


def test_streams_in_a_row_are_counted() -> None:
    with pytest.raises(LimitsExceeded):
        opened(gzip.compress(b"") * 100, budget=Budget(Limits(members=99)))


def test_tar_members_and_long_names() -> None:
    contents, notes = opened(tarred(b"a" * 513, b"", b"b" * 1024))
    assert contents == [b"a" * 513, b"b" * 1024]
    assert not notes


def test_a_tar_that_is_cut_off() -> None:
    assert opened(tarred(b"a" * 600)[:800]) == ([b"a" * 288], {BROKEN})


def test_a_tar_with_a_broken_header() -> None:
    octets = bytearray(tarred(b"one", b"two"))
    octets[1024] ^= 1
    assert opened(bytes(octets)) == ([b"one"], {BROKEN})


def test_sizes_in_tar_headers_are_not_believed() -> None:
    for field in (b"77777777777\0", b"-0000000001\0", b"\x80" + b"\xff" * 11, b"0x1_0\0\0\0\0\0\0\0"):
        header = bytearray(tarred(b"one")[:512])
        header[124:136] = field
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        contents, notes = opened(bytes(header) + b"one")
        assert contents in ([], [b"one"])
        assert notes == {BROKEN}


@given(st.binary(max_size=1500))
def test_any_octets(octets: bytes) -> None:
    for mark in (b"", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"PK\3\4", tarred(b"")[:512]):
        opened(mark + octets, "x.tar", "x.lzma")
    list(untarred(octets, Budget()))
