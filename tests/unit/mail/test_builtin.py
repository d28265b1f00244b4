"""The built-in engines: EICAR, digests and GTUBE wherever they hide; bombs bounded and never free (T-A01 to T-A05)."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import lzma
import mmap
import os
import quopri
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import builtin, transfer
from imap4fast.mail.builtin import EICAR, EICAR_NAME, GTUBE, Engine, spam_score
from imap4fast.mail.streams import BROKEN, ENCRYPTED, LIMITS, Budget, Limits
from imap4fast.mail.work import FOUND, FREE, SKIPPED, UNKNOWN, Scan
from tests.clock import SLOWER
from tests.unit.mail.wrapped import binhex, tarred, uuencoded, yencoded, zipped

ENGINE = Engine()
VIRUS = Scan(FOUND, EICAR_NAME, "(builtin)")
CLEAN = Scan(FREE, "", "(builtin)")

Wrap = Callable[[bytes], bytes]


def lines(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


CONTAINERS: dict[str, Wrap] = {
    "zip": zipped,
    "zip stored": lambda octets: zipped(octets, method=0),
    "zip bzip2": lambda octets: zipped(octets, method=12),
    "zip lzma": lambda octets: zipped(octets, method=14),
    "zip among others": lambda octets: zipped(b"one", octets, b"two"),
    "zip behind a program": lambda octets: b"MZ" + bytes(5000) + zipped(octets),
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "tar": tarred,
    "uuencode": lambda octets: b"hello\r\n" + uuencoded(octets, "x.com"),
    "yEnc": lambda octets: yencoded(octets, "x.com"),
    "BinHex": lambda octets: binhex(octets, "x.com"),
    "mail": lambda octets: b"Content-Transfer-Encoding: base64\r\n\r\n" + lines(octets),
    "data URL": lambda octets: b'<a href="data:x/y;base64,' + base64.b64encode(octets) + b'">',
}


def test_the_test_strings_are_those_of_the_field() -> None:
    assert hashlib.sha256(EICAR).hexdigest() == "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
    assert len(EICAR) == len(GTUBE) == 68
    source = Path(builtin.__file__).read_bytes()
    assert EICAR not in source
    assert GTUBE not in source


@pytest.mark.parametrize("wrap", CONTAINERS.values(), ids=CONTAINERS)
def test_a01_found_in_it_and_in_it_twice_over(wrap: Wrap) -> None:
    assert ENGINE.scan(wrap(EICAR)) == VIRUS
    assert ENGINE.scan(wrap(b"text\r\n")) == CLEAN
    for outer in CONTAINERS.values():
        assert ENGINE.scan(outer(wrap(b"padding" * 50 + EICAR))) == VIRUS
        assert ENGINE.scan(outer(wrap(b"padding" * 50))) == CLEAN


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (EICAR, b""),
        (b"text\r\n" + EICAR + b"\r\n", b"7bit"),
        (lines(EICAR), b"base64"),
        (lines(EICAR), b"x-base64"),
        (lines(EICAR), b"7bit; base64"),
        (b"!" + lines(EICAR), b"base64"),
        (base64.b64encode(EICAR[:4]) + base64.b64encode(EICAR[4:]), b"base64"),
        (quopri.encodestring(EICAR), b"quoted-printable"),
        (EICAR.replace(b"$", b"=24"), b"Quoted-Printable"),
        (EICAR.replace(b"H", b"=\r\nH").replace(b"X", b"=58"), b"quoted-printable"),
        (EICAR.replace(b"$", b"= \r\n$"), b"quoted-printable"),
        (uuencoded(EICAR, "x"), b"x-uuencode"),
        (lines(zipped(zipped(EICAR))), b"base64"),
        (lines(EICAR.decode().encode("utf-16-le")), b"base64"),
        (lines(EICAR.decode().encode("utf-16")), b"base64"),
        (lines(EICAR.decode().encode("utf-16-be")), b"base64"),
    ],
)
def test_a01_found_in_every_reading_of_a_leaf(body: bytes, header: bytes) -> None:
    assert ENGINE.scan_leaf(body, header) == VIRUS
    assert ENGINE.scan_leaf(memoryview(body), header) == VIRUS


def test_a_mail_as_a_whole() -> None:
    mail = b"Subject: x\r\n\r\n%s\r\n"
    assert ENGINE.scan_mail(mail % EICAR) == VIRUS
    assert ENGINE.scan_mail(mail % uuencoded(zipped(EICAR), "x")) == VIRUS
    assert ENGINE.scan_mail(mail % b"begin 644 x\r\nnothing") == CLEAN
    assert Engine(frozenset({hashlib.sha256(mail).digest()})).scan_mail(mail).status == FOUND


def test_digests() -> None:
    evil = os.urandom(500)
    engine = Engine(frozenset({hashlib.sha256(evil).digest()}))
    assert engine.scan(evil).status == FOUND
    assert engine.scan(evil).name == f"Digest.{hashlib.sha256(evil).hexdigest()[:16]}"
    assert engine.scan(evil + b"x") == CLEAN
    assert engine.scan_leaf(lines(evil), b"base64").status == FOUND
    for wrap in CONTAINERS.values():
        assert engine.scan(wrap(evil)).status == FOUND


def test_digests_of_what_goes_by_in_pieces() -> None:
    evil = os.urandom(5 << 20)
    engine = Engine(frozenset({hashlib.sha256(evil).digest()}))
    for octets in (evil, bytearray(evil), memoryview(evil), gzip.compress(evil, 1)):
        assert engine.scan(octets).status == FOUND
    assert engine.scan_leaf(lines(evil), b"base64").status == FOUND
    assert Engine(frozenset({b"x"})).scan_leaf(lines(evil), b"base64") == CLEAN


@pytest.mark.parametrize("place", [0, 4 << 20, (5 << 20) - 30, (6 << 20) - 68])
def test_large_content_hides_nothing(place: int, tmp_path: Path) -> None:
    octets = bytearray(os.urandom(6 << 20))
    octets[place : place + 68] = EICAR
    assert ENGINE.scan(octets) == VIRUS
    assert ENGINE.scan_leaf(lines(octets), b"base64") == VIRUS
    assert ENGINE.scan_leaf(lines(octets) + b"!!!!\r\n", b"base64") == VIRUS
    assert ENGINE.scan(gzip.compress(octets, 1)) == VIRUS
    (tmp_path / "mail").write_bytes(octets)
    with (tmp_path / "mail").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert ENGINE.scan(mapped) == VIRUS
        assert ENGINE.scan_mail(mapped) == VIRUS


def test_large_archives_and_texts_are_opened() -> None:
    padding = os.urandom(5 << 20)
    for octets in (zipped(padding, EICAR), tarred(padding, gzip.compress(EICAR)), padding + zipped(EICAR)):
        assert ENGINE.scan(octets) == VIRUS
        assert ENGINE.scan(memoryview(octets)) == VIRUS
        assert ENGINE.scan_leaf(lines(octets), b"base64") == VIRUS
        assert ENGINE.scan(gzip.compress(octets, 1)) == VIRUS
    assert ENGINE.scan(memoryview(b"text\r\n" * 1_000_000 + uuencoded(EICAR, "x"))) == VIRUS


@pytest.mark.parametrize("step", [500, 60_000])
def test_m20_nuls_in_a_large_mail_hide_no_part_of_it(step: int) -> None:
    """Wherever they stand in what goes by in pieces: pieces from its midst do not begin as mail does."""
    text = bytearray(b"Subject: x\r\n\r\n" + b"text and text\r\n" * 500_000)
    text[100::step] = bytes(len(text[100::step]))
    mail = bytes(text) + b"\r\n\r\nContent-\0Transfer-Encoding: base64\r\n\r\n" + lines(EICAR)
    for octets in (mail, memoryview(mail)):
        assert ENGINE.scan(octets) == VIRUS
    assert ENGINE.scan_leaf(lines(mail), b"base64") == VIRUS
    assert ENGINE.scan(memoryview(bytes(text))) == CLEAN


def test_words_that_look_like_marks_keep_nobody_from_being_free() -> None:
    log = b"metadata: one, two; begin at 10; data:, x begin 644\r\n" * 120_000
    for octets in (log, memoryview(log), zipped(log), gzip.compress(log), log[: 1 << 20]):
        assert ENGINE.scan(octets) == CLEAN
    assert ENGINE.scan_leaf(lines(log), b"base64") == CLEAN


@pytest.mark.parametrize("place", [0, (1 << 20) - 10, 5 << 20])
def test_files_in_long_texts(place: int) -> None:
    """Of a text that goes by in blocks what stands behind a mark is held."""
    text = (
        b"line of text\r\n" * (place // 14) + b"\r\n" + uuencoded(os.urandom(9000) + EICAR, "x") + b"text\r\n" * 800_000
    )
    for octets in (memoryview(text), gzip.compress(text, 1), zipped(text)):
        assert ENGINE.scan(octets) == VIRUS
    assert ENGINE.scan_leaf(lines(text), b"base64") == VIRUS


def nested(pack: Wrap, times: int, content: bytes) -> bytes:
    for _ in range(times):
        content = pack(content)
    return content


@pytest.mark.parametrize("pack", [zipped, gzip.compress, tarred, lambda octets: uuencoded(octets, "x")])
def test_a03_depth(pack: Wrap) -> None:
    assert ENGINE.scan(nested(pack, 15, gzip.compress(EICAR))) == VIRUS
    assert ENGINE.scan(nested(pack, 17, gzip.compress(b"x"))) == Scan(SKIPPED, LIMITS, "(builtin)")


def forty_two() -> bytes:
    """After 42.zip: zips of sixteen zips, five levels of them, each of the lowest with a large file."""
    content = zipped(bytes(30 << 20))
    for _ in range(4):
        content = zipped(*[content] * 16)
    return content


BOMBS: dict[str, Callable[[], bytes]] = {
    "42.zip": forty_two,
    "gzip 1:1000 twice": lambda: gzip.compress(gzip.compress(bytes(400 << 20), 9), 9),
    "gzip in gzip in gzip": lambda: nested(gzip.compress, 3, bytes(300 << 20)),
    "bzip2": lambda: bz2.compress(bytes(100 << 20)),
    "xz": lambda: lzma.compress(bytes(100 << 20)),
    "many members": lambda: zipped(*[b""] * 11_000),
    "tar in gzip": lambda: gzip.compress(tarred(bytes(100 << 20))),
    "tar of empty files": lambda: gzip.compress(tarred(b"")[:512] * 20_000),
    "uuencode of a bomb": lambda: uuencoded(gzip.compress(bytes(300 << 20)), "x"),
}


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS)
def test_a03_bombs_are_not_free_and_bounded(make: Callable[[], bytes]) -> None:
    bomb = make()
    before = time.process_time()
    assert ENGINE.scan(bomb) == Scan(SKIPPED, LIMITS, "(builtin)")
    assert time.process_time() - before < 10 * SLOWER
    tracemalloc.start()
    ENGINE.scan_leaf(lines(bomb), b"base64", budget=Budget(Limits(octets=80 << 20, held=16 << 20)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_a03_no_end_of_nesting() -> None:
    """A file that unpacks to itself cannot be told from one nested for ever: depth ends both."""
    assert ENGINE.scan(nested(gzip.compress, 100, b"x")) == Scan(SKIPPED, LIMITS, "(builtin)")


def test_a03_a_virus_before_the_bomb_is_still_found() -> None:
    assert ENGINE.scan(zipped(EICAR, bytes(300 << 20))) == VIRUS


def test_a03_one_budget_for_all_leaves_of_a_mail() -> None:
    budget = Budget(Limits(octets=2000))
    leaf = lines(gzip.compress(bytes(1500)))
    assert ENGINE.scan_leaf(leaf, b"base64", budget=budget) == CLEAN
    assert ENGINE.scan_leaf(leaf, b"base64", budget=budget).name == LIMITS
    assert ENGINE.scan_leaf(b"text", b"", budget=budget) == CLEAN
    assert ENGINE.scan_leaf(lines(gzip.compress(EICAR)), b"base64", budget=budget).name == LIMITS


def test_what_cannot_be_read_is_not_free() -> None:
    assert ENGINE.scan(zipped(os.urandom(900))[:500]) == Scan(UNKNOWN, BROKEN, "(builtin)")
    assert ENGINE.scan(gzip.compress(os.urandom(900))[:500]) == Scan(UNKNOWN, BROKEN, "(builtin)")
    locked = bytearray(zipped(b"one"))
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.find(mark) + place] |= 1
    assert ENGINE.scan(bytes(locked)) == Scan(SKIPPED, ENCRYPTED, "(builtin)")
    assert ENGINE.scan(zipped(bytes(locked), gzip.compress(b"one")[:9])) == Scan(UNKNOWN, BROKEN, "(builtin)")


@given(st.binary(max_size=300), st.sampled_from([b"", b"base64", b"quoted-printable", b"?"]))
def test_any_octets(octets: bytes, header: bytes) -> None:
    assert ENGINE.scan(octets) == ENGINE.scan(bytearray(octets))
    ENGINE.scan_leaf(octets, header)
    ENGINE.scan_mail(octets)
    spam_score(octets, [transfer.readings(octets, header)])


def test_a05_gtube() -> None:
    assert spam_score(b"x\r\n" + GTUBE + b"\r\n") == 1000.0
    assert spam_score(b"x\r\n" + GTUBE[:-1]) == 0.0
    assert spam_score(b"", [transfer.readings(lines(b"x" + GTUBE), b"base64")]) == 1000.0
    assert (
        spam_score(memoryview(b"x"), [transfer.readings(GTUBE.replace(b"*", b"=2A"), b"quoted-printable"), [b"x"]])
        == 1000.0
    )
    assert spam_score(b"x", [transfer.readings(lines(b"x"), b"base64")]) == 0.0


def test_gtube_in_a_mapped_file(tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(b"x\r\n" + GTUBE)
    with (tmp_path / "mail").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert spam_score(mapped) == 1000.0


def test_memory_of_a_large_part_is_that_of_its_pieces(tmp_path: Path) -> None:
    (tmp_path / "mail").write_bytes(lines(os.urandom(24 << 20)))
    with (tmp_path / "mail").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        tracemalloc.start()
        assert ENGINE.scan_leaf(mapped, b"base64") == CLEAN
        assert ENGINE.scan_mail(mapped) == CLEAN
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 12 << 20


def test_a_clean_leaf_costs_little_more_than_its_decoding() -> None:
    body = lines(os.urandom(3 << 20))
    best = {"decode": 1.0, "scan": 1.0}
    for _ in range(10):
        for name, act in (
            ("decode", lambda: base64.decodebytes(body)),
            ("scan", lambda: ENGINE.scan_leaf(body, b"base64")),
        ):
            before = time.process_time()
            act()
            best[name] = min(best[name], time.process_time() - before)
    assert best["scan"] < 1.5 * SLOWER * best["decode"]
