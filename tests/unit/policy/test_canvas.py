"""Where the octets of a mail are: small ones in memory, large ones in the target, which holds the result in the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from mmap import mmap

import pytest

from imap4fast.policy import canvas
from imap4fast.policy.canvas import Canvas
from tests.unit.policy.jobs import files


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "IN_MEMORY", 10)
    monkeypatch.setattr(canvas, "_AT_ONCE", 7)


def test_a_small_mail_is_in_memory() -> None:
    with files(b"0123456789") as (source, target):
        assert Canvas(source, target, 10).original == b"0123456789"


def test_a_large_mail_is_mapped() -> None:
    with files(b"0123456789a") as (source, target):
        original = Canvas(source, target, 11).original
        assert isinstance(original, mmap)
        assert original[:] == b"0123456789a"


def test_an_empty_mail() -> None:
    with files(b"") as (source, target):
        page = Canvas(source, target, 0)
        assert page.original == b""
        page.finish(page.original, b"index")
        assert os.pread(target, 100, 0) == b"index"


def test_a_mail_that_is_shorter_than_said() -> None:
    with files(b"012") as (source, target), pytest.raises(ValueError, match="not all there"):
        Canvas(source, target, 5)


def test_what_is_made_in_turns_and_what_is_left() -> None:
    with files(b"x" * 20) as (source, target):
        page = Canvas(source, target, 20)
        first = page.put([b"a" * 8, memoryview(b"b" * 8)])
        second = page.put([memoryview(first)[:8], b"c" * 12])
        third = page.put([memoryview(second)[4:], b"d"])
        assert (first[:] if page._at else second[:]) == b"a" * 8 + b"c" * 12
        assert third[:] == b"a" * 4 + b"c" * 12 + b"d"
        page.finish(third, b"index")
        assert os.pread(target, 1 << 24, 0) == b"aaaa" + b"c" * 12 + b"dindex"


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_the_result_stands_at_the_start(rounds: int) -> None:
    with files(b"x" * 20) as (source, target):
        page = Canvas(source, target, 20)
        octets = page.original
        for number in range(rounds):
            octets = page.put([octets[:], b"%d" % number])
        page.finish(octets, b"!")
        assert os.pread(target, 1 << 24, 0) == b"x" * 20 + b"012"[:rounds] + b"!"


def test_small_pieces_stay_in_memory() -> None:
    with files(b"x" * 20) as (source, target):
        page = Canvas(source, target, 20)
        assert page.put([b"abc", b"def"]) == b"abcdef"
        assert os.fstat(target).st_size == 0


def test_pieces_may_come_one_by_one() -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(100):
            yield b"%02d" % number

    with files(b"x" * 20) as (source, target):
        assert Canvas(source, target, 20).put(pieces())[:] == b"".join(b"%02d" % number for number in range(100))


def test_a_mail_does_not_grow_beyond_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "_SLACK", 0)
    with files(b"x" * 2000) as (source, target), pytest.raises(ValueError, match="beyond all bounds"):
        Canvas(source, target, 2000).put([b"x" * 5000])


def test_jobs_that_make_no_mail() -> None:
    with files(b"") as (source, target):
        page = Canvas(source, target, 0)
        page.end(page.append(b"def", page.append(b"abc", 0)))
        assert os.pread(target, 100, 0) == b"abcdef"
