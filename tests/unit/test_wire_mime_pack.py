"""The index as octets: it comes back whole, and nothing else does."""

from __future__ import annotations

import random
import struct

import pytest

from imap4fast._wire import MailIndex
from tests.mime import corpus

MAILS = list(corpus.mails().values())
SAMPLE = max((mail for mail in MAILS if len(mail) < 3000), key=lambda mail: len(MailIndex.scan(mail, max_depth=100)))


def test_round_trip() -> None:
    for mail in MAILS:
        index = MailIndex.scan(mail, max_depth=100)
        again = MailIndex.unpack(index.pack())
        assert len(again) == len(index)
        for number in range(len(index)):
            assert again.part(number) == index.part(number)
            assert again.decoded_size(number) == index.decoded_size(number)
        for name in ("size", "lines", "faults", "leaves", "envelope", "body", "bodystructure", "preview"):
            assert getattr(again, name) == getattr(index, name)
        assert again.section(b"1.MIME") == index.section(b"1.MIME")
        assert again.pack() == index.pack()


def test_the_same_mail_gives_the_same_octets() -> None:
    for mail in MAILS[::10]:
        assert MailIndex.scan(mail).pack() == MailIndex.scan(bytes(mail)).pack()


@pytest.mark.parametrize("blob", [b"", b"x", b"\0" * 56, b"\0" * 1000, b"M4I1" + b"\xff" * 100])
def test_other_octets_are_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="index"):
        MailIndex.unpack(blob)
    with pytest.raises(TypeError):
        MailIndex.unpack(bytearray(blob))  # type: ignore[arg-type]


def test_what_is_cut_or_longer_is_refused() -> None:
    blob = MailIndex.scan(SAMPLE).pack()
    for size in range(len(blob)):
        with pytest.raises(ValueError, match="index"):
            MailIndex.unpack(blob[:size])
    with pytest.raises(ValueError, match="index"):
        MailIndex.unpack(blob + b"\0")


def test_each_octet_that_is_changed_is_noticed() -> None:
    blob = MailIndex.scan(SAMPLE).pack()
    draw = random.Random(3)
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= draw.randrange(1, 256)
        with pytest.raises(ValueError, match="index"):
            MailIndex.unpack(bytes(changed))


def sealed(blob: bytearray) -> bytes:
    """With the checksum that the octets have now: as one would have them who means harm."""
    h = 2166136261
    data = bytes(blob[8:])
    whole = len(data) // 4 * 4
    for (word,) in struct.iter_unpack("=I", data[:whole]):
        h = ((h ^ word) * 16777619) & 0xFFFFFFFF
        h ^= h >> 15
    for octet in data[whole:]:
        h = ((h ^ octet) * 16777619) & 0xFFFFFFFF
    blob[4:8] = struct.pack("=I", h)
    return bytes(blob)


def test_the_checksum_is_the_one_above() -> None:
    blob = MailIndex.scan(SAMPLE).pack()
    assert sealed(bytearray(blob)) == blob


def used(index: MailIndex) -> None:
    """All that is asked of an index, which must hold whatever is in it."""
    for number in range(len(index)):
        part = index.part(number)
        assert (
            0 <= part.header <= part.header + part.header_size == part.body <= part.body + part.body_size <= index.size
        )
        assert all(index.part(child).parent == number for child in part.children)
        index.decoded_size(number)
    for spec in (b"", b"HEADER", b"1", b"1.1.HEADER", b"2.TEXT", b"1.2.3.4.5"):
        found = index.section(spec)
        assert found is None or 0 <= found[0] <= found[0] + found[1] <= index.size
    assert sorted({*index.leaves}) == list(index.leaves)
    MailIndex.unpack(index.pack())


def test_whatever_is_taken_can_be_used() -> None:
    blob = MailIndex.scan(SAMPLE).pack()
    head = 56 + 96 * 12
    draw = random.Random(4)
    taken = 0
    for _ in range(20000):
        changed = bytearray(blob)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(8, min(len(blob), head))
            changed[at] = draw.choice((0, 1, 2, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        try:
            index = MailIndex.unpack(sealed(changed))
        except ValueError:
            continue
        taken += 1
        used(index)
    assert taken > 100
