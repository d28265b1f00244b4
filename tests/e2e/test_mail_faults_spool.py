"""Faults of the spool and limits of mails: no room, damaged files, too much. What is shown is whole and its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.carriers import clean
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import PASSWORD, Lab
from tests.e2e.mailproxy import BLOCKING, NORMAL_LOG, Processing
from tests.e2e.mailrows import SECRET, body, faced, is_replacement, plain
from tests.e2e.mailserver import MailServer
from tests.e2e.saw import Saw
from tests.e2e.wire import Wire

DISK_BYTES = 6 << 20
LARGE = clean(1, 9_000_000)
"""More than the disk has."""
MIDDLE = clean(2, 900_000)
SMALL = plain(b"small")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB, and a folder for a spool on it."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts a small tmpfs")
    mount, umount = shutil.which("mount"), shutil.which("umount")
    assert mount
    assert umount
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run([mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "none", str(place)], check=True)
    (place / "spool").mkdir(mode=0o700)
    yield place
    subprocess.run([umount, "-l", str(place)], check=True)


class Scene:
    """A session on a scripted server, with a spool that the test may spoil."""

    def __init__(self, lab: Lab, saw: Saw, mails: list[bytes], spool: Path, proxy: str = "", **items: str) -> None:
        self.lab = lab
        self.saw = saw
        self.spool = spool
        processing = replace(BLOCKING, spool=str(spool), proxy=proxy, more=NORMAL_LOG, **items)  # type: ignore[arg-type]
        self.processing: Processing = processing
        self.config = processing.config() | {"plug": (lab.fake.address,)}
        self.server = MailServer(mails)
        self.wire: Wire = faced(lab, self.server, processing)
        self.wire.wait_s = 30.0

    def again(self) -> None:
        """Another session, of the same user."""
        self.wire = self.lab.keep(self.lab.proxy(**self.config).wire()).greet()
        self.wire.wait_s = 30.0
        self.wire.ok(b"LOGIN joe %s" % PASSWORD)
        self.wire.ok(b"SELECT INBOX")

    def log(self, *patterns: str) -> None:
        for pattern in patterns:
            self.saw.log(*self.lab.log(pattern, **self.config))

    def shows(self, uid: int) -> None:
        assert body(self.wire.ok(b"UID FETCH %d BODY.PEEK[]" % uid)) == self.server.mails[uid]

    def no_room(self, uid: int) -> None:
        """NO [LIMIT], nothing of the mail."""
        reply = self.wire.command(b"UID FETCH %d (BODY.PEEK[] RFC822.SIZE)" % uid)
        assert reply.tagged.startswith(b"NO [LIMIT]"), reply.tagged
        assert not [one for one in all_fetched(reply) if "BODY[]" in one.items]
        self.saw.client(reply)

    def objects(self) -> list[Path]:
        return sorted((self.spool / "objects").iterdir())


def filled(path: Path) -> Path:
    """A file that takes all that is left of its file system."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return path


def test_disk_too_small_for_a_mail(lab: Lab, saw: Saw, disk: Path) -> None:
    """A mail larger than what is free on the disk, down and up; small ones go on."""
    at = Scene(lab, saw, [LARGE, SMALL, MIDDLE], disk / "spool")
    at.no_room(1)
    upload = at.wire.append(b"INBOX", LARGE)
    assert upload.tagged.startswith(b"NO [LIMIT]"), upload
    assert at.server.appended == []
    at.log(r"IMAP-706-I MAIL DIRECTION=IN .* RESULT=REFUSED .*", r"IMAP-706-I MAIL DIRECTION=OUT .* RESULT=REFUSED .*")
    at.shows(2)
    at.shows(3)
    assert at.wire.append(b"INBOX", MIDDLE).status == "OK"
    assert at.server.appended == [MIDDLE]
    lab.forget(**at.config)


def test_disk_full_of_mails(lab: Lab, saw: Saw, disk: Path) -> None:
    """More mails than the disk has room for, below spool-max: the oldest make room."""
    mails = [clean(number, 90_000) for number in range(1, 121)]
    at = Scene(lab, saw, mails, disk / "spool")
    reply = at.wire.ok(b"UID FETCH 1:* (BODY.PEEK[] RFC822.SIZE)", 120)
    assert {one.uid: one.octets("BODY[]") for one in all_fetched(reply)} == at.server.mails
    saw.client(f"{len(mails)} mails, {reply.tagged.decode()}")
    at.log(r"IMAP-706-I MAIL DIRECTION=IN .* RESULT=PASSED .*")
    asked = len(at.server.fetched)
    at.again()
    at.shows(len(mails))
    assert len(at.server.fetched) == asked, "the last one was kept"
    lab.forget(**at.config)


def test_disk_filled_by_others(lab: Lab, saw: Saw, disk: Path) -> None:
    """Not an octet is left for the proxy; when there is room again, all is there."""
    at = Scene(lab, saw, [SMALL, MIDDLE], disk / "spool")
    at.wire.ok(b"NOOP")
    filler = filled(disk / "filler")
    at.no_room(2)
    at.no_room(1)
    assert at.wire.append(b"INBOX", MIDDLE).tagged.startswith(b"NO [LIMIT]")
    assert at.server.appended == []
    at.log(r"IMAP-706-I MAIL DIRECTION=IN .* RESULT=REFUSED .*")
    filler.unlink()
    at.shows(1)
    at.shows(2)
    lab.forget(**at.config)


def test_spool_at_its_limit(lab: Lab, saw: Saw, tmp_path: Path) -> None:
    """spool-max is less than one mail, and less than uploads that are under way together."""
    at = Scene(lab, saw, [LARGE, SMALL, MIDDLE], _private(tmp_path / "spool"), "spool-max 4M;")
    at.no_room(1)
    at.log(r"IMAP-706-I MAIL DIRECTION=IN .* RESULT=REFUSED .*")
    at.shows(2)
    wires = [at.wire]
    for _ in range(5):
        at.again()
        wires.append(at.wire)
    for wire in wires:
        wire.send(b"a APPEND INBOX {%d}\r\n" % len(MIDDLE))
        wire.unit()
    for wire in wires:
        wire.flood(MIDDLE + b"\r\n")
    ends = [wire.answer(b"a", 60).tagged for wire in wires]
    refused = [end for end in ends if end.startswith(b"NO [LIMIT]")]
    assert len(refused) + sum(end.startswith(b"OK") for end in ends) == len(wires), ends
    assert at.server.appended == [MIDDLE] * (len(wires) - len(refused))
    at.shows(3)
    assert sum(path.stat().st_size for path in at.objects()) <= 4 << 20


def test_spool_makes_room(lab: Lab, saw: Saw, tmp_path: Path) -> None:
    """Kept mails above spool-max: those used longest ago go, and are fetched again when they are asked for."""
    mails = [clean(number, 500_000) for number in range(1, 13)]
    at = Scene(lab, saw, mails, _private(tmp_path / "spool"), "spool-max 4M;")
    for uid in at.server.mails:
        at.shows(uid)
    assert sum(path.stat().st_size for path in at.objects()) <= 4 << 20
    at.again()
    asked = len(at.server.fetched)
    at.shows(12)
    assert len(at.server.fetched) == asked, "it was kept"
    at.shows(1)
    assert len(at.server.fetched) == asked + 1
    saw.client("all mails, the oldest fetched twice")


@pytest.mark.parametrize("way", ["shortened", "removed", "lengthened"])
def test_object_spoiled(lab: Lab, saw: Saw, tmp_path: Path, way: str) -> None:
    """The file of a kept mail is not what was written: the mail is fetched and judged anew."""
    at = Scene(lab, saw, [MIDDLE], _private(tmp_path / "spool"))
    at.shows(1)
    (path,) = at.objects()
    if way == "removed":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size + (1000 if way == "lengthened" else -1000))
    at.again()
    at.shows(1)
    assert at.server.fetched == [1, 1]
    saw.client("the mail, fetched a second time")


def test_index_spoiled(lab: Lab, saw: Saw, tmp_path: Path) -> None:
    """What is kept of a mail's structure cannot be read: the mail is fetched and judged anew."""
    at = Scene(lab, saw, [MIDDLE], _private(tmp_path / "spool"))
    at.shows(1)
    (path,) = at.objects()
    with path.open("r+b") as file:
        file.seek(len(MIDDLE))
        file.write(b"\xff" * (path.stat().st_size - len(MIDDLE)))
    at.again()
    at.shows(1)
    assert at.server.fetched == [1, 1]
    saw.client("the mail, fetched a second time")


@pytest.mark.parametrize("what", ["database", "object", "orphan"])
def test_spool_spoiled_while_the_proxy_was_down(lab: Lab, saw: Saw, tmp_path: Path, what: str) -> None:
    """Found at the next start, told, and not served."""
    at = Scene(lab, saw, [MIDDLE, SMALL], _private(tmp_path / "spool"))
    at.shows(1)
    at.shows(2)
    lab.forget(**at.config)
    path = max(at.objects(), key=lambda one: one.stat().st_size)
    if what == "database":
        (found,) = [one for one in at.spool.iterdir() if one.suffix == ".db"]
        found.write_bytes(SECRET * 1000)
    elif what == "object":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.with_name("0" * len(path.name)).write_bytes(SECRET)
    at.again()
    at.shows(1)
    at.shows(2)
    told = {
        "database": [r"SPOL-710-E .*", r"SPOL-601-K .* ORPHANS=2 .*"],
        "object": [r"SPOL-601-K .* MISSING=1 .*"],
        "orphan": [r"SPOL-601-K .* ORPHANS=1 .*"],
    }
    saw.log(*(lab.began(pattern, **at.config) for pattern in told[what]))
    assert not [one for one in at.objects() if SECRET in one.read_bytes()]
    saw.client("the mails")


def test_mail_above_max_mail_in(lab: Lab, saw: Saw, tmp_path: Path) -> None:
    """It is not asked for: a mail says why in its place. Others come."""
    at = Scene(lab, saw, [LARGE, SMALL], _private(tmp_path / "spool"), command="max-mail-in 1M;")
    reply = at.wire.ok(b"UID FETCH 1:2 (BODY.PEEK[] RFC822.SIZE)")
    first, second = all_fetched(reply)
    assert is_replacement(first.octets("BODY[]"), LARGE)
    assert first.integer("RFC822.SIZE") == len(first.octets("BODY[]"))
    assert second.octets("BODY[]") == SMALL
    assert at.server.fetched == [2]
    saw.client("a mail that says why, and " + reply.tagged.decode())
    at.log(r"IMAP-740-W LIMIT NAME=max-mail-in .*", r"IMAP-762-W MAIL-DENIED .* REASON=SIZE .*")


def test_mail_above_max_mail_out(lab: Lab, saw: Saw, tmp_path: Path) -> None:
    """Refused at its announcement; with {n+} its octets are let go by."""
    at = Scene(lab, saw, [SMALL], _private(tmp_path / "spool"), command="max-mail-out 100K;")
    at.wire.send(b"a APPEND INBOX {%d}\r\n" % len(MIDDLE))
    reply = at.wire.answer(b"a")
    assert reply.tagged.startswith(b"NO [TOOBIG]"), reply
    assert at.wire.append(b"INBOX", MIDDLE).tagged.startswith(b"NO [TOOBIG]")
    saw.client(reply)
    at.log(r"IMAP-740-W LIMIT NAME=max-mail-out .*")
    assert at.wire.append(b"INBOX", SMALL).status == "OK"
    assert at.server.appended == [SMALL]


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder
