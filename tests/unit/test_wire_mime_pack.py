"""The index as octets: it comes back whole, and nothing else does."""

from __future__ import annotations

import random

import pytest

from imap4fast._wire import MailIndex
from tests.mime import corpus
from tests.mime.soundness import sealed, usable

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


def test_the_checksum_is_the_one_above() -> None:
    blob = MailIndex.scan(SAMPLE).pack()
    assert sealed(blob[:4] + bytes(4) + blob[8:]) == blob


def test_whatever_is_taken_can_be_used() -> None:
    blob = MailIndex.scan(SAMPLE).pack()
    head = 56 + 96 * 12
    draw = random.Random(4)
    taken = 0
    for _ in range(8000):
        changed = bytearray(blob)
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(8, min(len(blob), head))
            changed[at] = draw.choice((0, 1, 2, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        try:
            index = MailIndex.unpack(sealed(bytes(changed)))
        except ValueError:
            continue
        taken += 1
        usable(index)
    assert taken > 100
