"""Compressed streams: content, ends, faults, and the budget that bounds them all."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib

import pytest

from imap4fast.mail.streams import BROKEN, LIMITS, Budget, Limits, LimitsExceeded, Stream
from imap4fast.mail.work import SKIPPED, UNKNOWN

CONTENT = os.urandom(3000) + bytes(3 << 20) + b"end"


def deflated(octets: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(octets) + packer.flush()


PACKED = {
    "deflate": deflated(CONTENT),
    "gzip": gzip.compress(CONTENT),
    "bzip2": bz2.compress(CONTENT),
    "xz": lzma.compress(CONTENT),
    "lzma": lzma.compress(CONTENT, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("kind", PACKED)
def test_content_and_end(kind: str) -> None:
    packed = b"before" + PACKED[kind] + b"behind"
    stream = Stream(packed, 6, Budget(), kind)
    blocks = list(stream.blocks())
    assert b"".join(blocks) == CONTENT
    assert max(map(len, blocks)) <= 1 << 20
    assert stream.whole
    assert packed[stream.end :] == b"behind"


@pytest.mark.parametrize("kind", PACKED)
def test_what_is_cut_off_is_given_as_far_as_it_goes(kind: str) -> None:
    budget = Budget()
    stream = Stream(PACKED[kind][:-20], 0, budget, kind)
    content = b"".join(stream.blocks())
    assert not stream.whole
    assert CONTENT.startswith(content)


@pytest.mark.parametrize("kind", PACKED)
def test_junk(kind: str) -> None:
    stream = Stream(b"\x1f\x8b\xff" * 100, 0, Budget(), kind)
    assert not b"".join(stream.blocks())
    assert not stream.whole


@pytest.mark.parametrize("kind", PACKED)
def test_octets_are_spent(kind: str) -> None:
    weight = 1 if kind in ("deflate", "gzip") else 4
    exact = Budget(Limits(octets=len(CONTENT) * weight))
    list(Stream(PACKED[kind], 0, exact, kind).blocks())
    assert exact.octets == 0
    with pytest.raises(LimitsExceeded):
        list(Stream(PACKED[kind], 0, Budget(Limits(octets=len(CONTENT) * weight - 1)), kind).blocks())


def test_a_dictionary_larger_than_memory_is_a_limit() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
    # Made by hand: compressing with such a dictionary takes the memory that is refused here.
    small = lzma.compress(b"x" * 5000, lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    header = bytearray(small[12:24])
    header[4] = 2 * (30 - 12)
    header[8:12] = zlib.crc32(bytes(header[:8])).to_bytes(4, "little")
    assert filters[0]["dict_size"] == 2 << (header[4] // 2 + 11)
    with pytest.raises(LimitsExceeded):
        list(Stream(small[:12] + bytes(header) + small[24:], 0, Budget(), "xz").blocks())


def test_budget() -> None:
    budget = Budget(Limits(octets=10, members=2))
    budget.spend(10)
    budget.member()
    budget.member()
    with pytest.raises(LimitsExceeded):
        budget.member()
    with pytest.raises(LimitsExceeded):
        budget.spend(1)
    budget.note(BROKEN)
    budget.note(LIMITS)
    assert budget.notes == {BROKEN: UNKNOWN, LIMITS: SKIPPED}
    assert budget.anew().notes == {}
    with pytest.raises(LimitsExceeded):
        budget.spend(0)
