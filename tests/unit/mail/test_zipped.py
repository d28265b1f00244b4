"""Zips: every member by every way in which a program may find it, and a note where ways differ (T-M40, T-A03)."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.builtin import Engine
from imap4fast.mail.streams import BROKEN, ENCRYPTED, UNSUPPORTED, Budget, Limits, LimitsExceeded
from imap4fast.mail.work import SKIPPED
from imap4fast.mail.zipped import unzipped
from tests.clock import SLOWER
from tests.unit.mail.wrapped import zipped


def opened(octets: bytes, budget: Budget | None = None) -> tuple[list[bytes], set[str]]:
    budget = budget or Budget()
    contents = [b"".join(blocks) for blocks in unzipped(octets, budget)]
    return contents, set(budget.notes)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_members(method: int) -> None:
    assert opened(zipped(b"one", b"", b"two" * 1000, method=method)) == ([b"one", b"", b"two" * 1000], set())


@pytest.mark.parametrize("method", METHODS)
def test_members_written_to_a_pipe(method: int) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.octets = bytearray()

        def write(self, octets: object) -> int:
            assert isinstance(octets, (bytes, bytearray, memoryview))
            self.octets += octets
            return len(octets)

        def writable(self) -> bool:
            return True

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", method) as archive:
        archive.writestr("a", b"one")
        archive.writestr("b", b"two")
    assert opened(bytes(pipe.octets)) == ([b"one", b"two"], set())


def test_zip64() -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a", "w", force_zip64=True) as member,
    ):
        member.write(b"one")
    assert opened(file.getvalue()) == ([b"one"], set())


def test_folders_and_comments() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.mkdir("folder")
        archive.writestr("folder/a", b"one")
        archive.comment = b"c" * 60_000
    assert opened(file.getvalue()) == ([b"", b"one"], set())


def test_m40_junk_before_and_behind() -> None:
    assert opened(b"MZ" + b"j" * 3000 + zipped(b"one") + b"k" * 100) == ([b"one"], set())


def test_m40_a_member_that_the_directory_does_not_name() -> None:
    both, one = zipped(b"good", b"evil"), zipped(b"good")
    hidden = both[: both.find(b"PK\1\2")]
    directory = bytearray(one[one.find(b"PK\1\2") :])
    directory[-6:-2] = len(hidden).to_bytes(4, "little")
    assert opened(hidden + bytes(directory)) == ([b"good", b"evil"], {BROKEN})


def test_m40_directory_and_local_header_disagree_on_the_method() -> None:
    octets = bytearray(zipped(b"x" * 100))
    at = octets.find(b"PK\3\4")
    octets[at + 8 : at + 10] = b"\0\0"
    contents, notes = opened(bytes(octets))
    assert b"x" * 100 in contents
    assert notes == {BROKEN}


def test_m40_no_directory() -> None:
    whole = zipped(b"one", b"two")
    assert opened(whole[: whole.find(b"PK\1\2")]) == ([b"one", b"two"], {BROKEN})


def test_m40_cut_off() -> None:
    contents, notes = opened(zipped(bytes(range(256)) * 10, method=zipfile.ZIP_STORED)[:2000])
    assert contents[0].startswith(bytes(range(256)))
    assert notes == {BROKEN}


def test_m40_a_directory_that_points_nowhere() -> None:
    octets = bytearray(zipped(b"one"))
    at = octets.find(b"PK\1\2")
    octets[at + 42 : at + 46] = (5).to_bytes(4, "little")
    assert opened(bytes(octets)) == ([b"one"], {BROKEN})


def test_the_mark_of_a_member_inside_a_member_is_no_member() -> None:
    inner = zipped(b"inner")
    assert opened(zipped(inner, method=zipfile.ZIP_STORED)) == ([inner], set())
    assert opened(b"cmp eax, PK\3\4 jne" + bytes(100) + zipped(b"one")) == ([b"one"], set())


def test_encrypted_and_unsupported() -> None:
    octets = bytearray(zipped(b"one"))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        octets[octets.find(mark) + place] |= 1
    assert opened(bytes(octets)) == ([b""], {ENCRYPTED})
    octets = bytearray(zipped(b"one"))
    for mark, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        octets[octets.find(mark) + place] = 93
    assert opened(bytes(octets)) == ([b""], {UNSUPPORTED})


@pytest.mark.parametrize(("mark", "place"), [(b"PK\3\4", 6), (b"PK\1\2", 8)])
def test_m40_directory_and_local_header_disagree_on_encryption(mark: bytes, place: int) -> None:
    """Who believes the one that says no can read it."""
    octets = bytearray(zipped(b"one"))
    octets[octets.find(mark) + place] |= 1
    contents, notes = opened(bytes(octets))
    assert b"one" in contents
    assert notes == {BROKEN, ENCRYPTED}


def overlapping(entries: int, kernel: int) -> bytes:
    """A bomb after Fifield's: every member is the local header before it, quoted, and then all that follows."""
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(bytes(kernel)) + packer.flush()
    names = [f"{number:04}".encode() for number in range(entries)]
    locals_ = [struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 33, 0, 0, 0, 4, 0) + name for name in names]
    quoted = [struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header for header in locals_[1:]]
    octets = locals_[0] + b"".join(quoted) + body
    offsets = [octets.find(header) for header in locals_]
    central = b"".join(
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 33, 0, 0, 0, 4, 0, 0, 0, 0, 0, offset) + name
        for offset, name in zip(offsets, names, strict=True)
    )
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, entries, entries, len(central), len(octets), 0)
    return octets + central + end


def test_a03_overlapping_members() -> None:
    contents, notes = opened(overlapping(5, 10_000))
    assert [content[-10_000:] for content in contents] == [bytes(10_000)] * 5
    assert BROKEN in notes
    before = time.process_time()
    with pytest.raises(LimitsExceeded):
        opened(overlapping(200, 10 << 20))
    assert time.process_time() - before < 5 * SLOWER


def test_a03_the_same_member_named_again_is_read_once() -> None:
    octets = zipped(b"one")
    at = octets.find(b"PK\1\2")
    end = octets.find(b"PK\5\6")
    entry = octets[at:end]
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1000, 1000, len(entry) * 1000, at, 0)
    assert opened(octets[:at] + entry * 1000 + tail) == ([b"one"], {BROKEN})


def test_members_are_counted() -> None:
    many = zipped(*[b""] * 50)
    assert len(opened(many)[0]) == 50
    with pytest.raises(LimitsExceeded):
        opened(many, Budget(Limits(members=60)))


@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 255))
def test_any_octets_and_any_change(octets: bytes, place: int, value: int) -> None:
    opened(octets)
    opened(b"PK\3\4" + octets + b"PK\1\2" + octets + b"PK\5\6" + octets)
    changed = bytearray(zipped(b"one", b"two"))
    changed[place] = value
    with contextlib.suppress(LimitsExceeded):  # it may say LZMA, and ask for more memory than there is to be
        opened(bytes(changed))


def test_lzma_that_asks_for_more_memory_than_there_is_to_be() -> None:
    changed = bytearray(zipped(b"one", method=zipfile.ZIP_LZMA))
    properties = changed.index(b"file0.txt") + len(b"file0.txt") + 4
    changed[properties + 1 : properties + 5] = b"\xff" * 4
    with pytest.raises(LimitsExceeded):
        opened(bytes(changed))
    assert Engine().scan_leaf(bytes(changed), b"binary").status == SKIPPED


@pytest.mark.parametrize("octets", [b"PK\3\4" * 300_000, b"PK\3\4" + bytes(30) * 50_000, b"PK\5\6" * 100_000], ids=len)
def test_time_is_linear(octets: bytes) -> None:
    before = time.process_time()
    opened(octets)
    assert time.process_time() - before < 3 * SLOWER
