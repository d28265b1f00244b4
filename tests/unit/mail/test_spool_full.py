"""The disk is full before spool-max is reached, on a file system of our own; and spool-max under many processes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from imap4fast.mail.ledger import FAILED
from imap4fast.mail.quota import Quota, SpoolFullError
from imap4fast.mail.spool import NO_ROOM, Limits
from tests.unit.mail import spools
from tests.unit.mail.spools import NOW, got, mail, octets_on_disk, put

DISK_BYTES = 12 << 20
PROCESSES, ROUNDS, LIMIT = 8, 60, 500_000
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)], check=True)
    yield spools.made(place / "spool")
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@root_only
def test_where_the_disk_is_full_old_mails_make_room(small: Path) -> None:
    spool = spools.spool(small)
    for uid in range(200):
        assert put(spool, uid, mail(uid, 100_000), NOW + uid), spool.take_notes()
        assert {note.kind for note in spool.take_notes()} <= {FAILED}  # the database found the disk full, too
    left = [uid for uid in range(200) if got(spool, uid) is not None]
    assert left == list(range(left[0], 200))
    assert len(left) > 20
    spool.close()


@root_only
def test_what_is_larger_than_the_disk_is_refused(small: Path) -> None:
    quota = Quota(1, 0)
    spool = spools.spool(small, quota)
    put(spool, 1, mail(1))
    fd = spool.create()
    with pytest.raises((OSError, SpoolFullError)) as caught:
        spool.write(fd, 0, [bytes(1 << 20)] * 13)
    assert isinstance(caught.value, SpoolFullError) or caught.value.errno in NO_ROOM
    spool.release(fd)
    assert put(spool, 2, mail(2))
    assert got(spool, 2) == mail(2)
    assert quota.in_flight() == 0
    spool.close()


@root_only
def test_a_disk_that_others_have_filled_costs_the_keeping_only(small: Path) -> None:
    spool = spools.spool(small)
    put(spool, 1, mail(1))
    fd = spool.create()
    octets = mail(2)
    spool.write(fd, 0, [octets, spools.index_of(octets)])
    fill(small / "filler")
    kept = [spool.keep(spools.origin(uid), fd, spools.kept(octets), NOW) for uid in range(2, 200)]
    assert False in kept  # at the latest when the database must grow
    assert {note.kind for note in spool.take_notes()} == {FAILED}
    assert got(spool, 1) in (mail(1), None)
    (small / "filler").unlink()
    spool.release(fd)
    assert put(spool, 300, mail(3))
    assert got(spool, 300) == mail(3)
    spool.close()


@root_only
def test_what_another_writes_has_room_made_for_it(small: Path) -> None:
    """As a helper does, that has the file alone."""
    spool = spools.spool(small)
    while octets_there(small) < DISK_BYTES // 2:
        assert put(spool, octets_there(small), mail(1, 100_000))
    held = octets_there(small)
    fd = spool.create(1_000_000)
    fill(small / "filler")
    with pytest.raises(OSError, match="No space left"):
        os.pwrite(fd, bytes(1_000_000), 0)
    spool.make_room(fd)
    assert os.fstat(fd).st_size == 0
    assert held - octets_there(small) >= 1_000_000
    assert os.pwrite(fd, bytes(1_000_000), 0) == 1_000_000
    spool.release(fd)
    spool.close()


def fill(path: Path) -> None:
    """To the last octet."""
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def test_many_processes_never_have_more_than_spool_max(tmp_path: Path) -> None:
    """Each has files in flight and keeps some; the sum of what lies there is looked at all the time."""
    quota = Quota(PROCESSES + 1, LIMIT)
    spools.spool(tmp_path, quota, PROCESSES, Limits(LIMIT, 0, 0)).close()
    pids = [fork_one(tmp_path, quota, column) for column in range(PROCESSES)]
    most = 0
    while pids:
        most = max(most, octets_there(tmp_path))
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            assert os.waitstatus_to_exitcode(status) == 0
            pids.remove(pid)
    assert LIMIT // 2 < most <= LIMIT
    assert quota.in_flight() == 0
    assert octets_on_disk(tmp_path) == quota.stored <= LIMIT


def octets_there(path: Path) -> int:
    """Of the objects; one that goes meanwhile counts for nothing."""
    total = 0
    for name in spools.names(path):
        try:
            total += (path / "objects" / name).stat().st_size
        except FileNotFoundError:
            continue
    return total


def fork_one(path: Path, quota: Quota, column: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.alarm(30)
    status = 1
    try:
        work(path, quota, column)
        status = 0
    finally:
        os._exit(status)


def work(path: Path, quota: Quota, column: int) -> None:
    chance = random.Random(column)
    spool = spools.spool(path, quota, column, Limits(LIMIT, 0, 0))
    refused = 0
    for step in range(ROUNDS):
        octets = mail(step, chance.randrange(60_000))
        try:
            flying = spool.create()
            spool.write(flying, 0, [octets[: chance.randrange(60_000)]])
            put(spool, column * ROUNDS + step, octets, NOW + step)
        except SpoolFullError:
            refused += 1
        assert in_flight(spool) <= quota.column(column)
        spool.release(flying)
    spool.close()
    assert refused < ROUNDS


def in_flight(spool: spools.Spool) -> int:
    """What the files really have."""
    return sum(os.fstat(fd).st_size for fd in spool._reserved)
