"""A database that fails, is damaged, or cannot be seen: a note, and no mail is lost by it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from imap4fast.mail import ledger
from imap4fast.mail.ledger import ASIDE, BEGUN_ANEW, FAILED, WITHOUT, is_at, is_broken, set_aside
from imap4fast.mail.quota import Quota
from imap4fast.mail.spool import Spool
from imap4fast.mail.store import FILE, Broken
from tests.unit.mail import spools
from tests.unit.mail.spools import MANY, got, mail, names, put


def kinds(spool: Spool) -> list[str]:
    return [note.kind for note in spool.take_notes()]


def spoil(path: Path) -> None:
    """As a disk that fails would: the pages are no longer what they were, also those in the log."""
    for ending in ("", "-wal"):
        file = path / (FILE + ending)
        if file.exists() and file.stat().st_size:
            file.write_bytes(os.urandom(file.stat().st_size))


def test_a_damaged_database_is_put_aside_at_the_start(tmp_path: Path) -> None:
    first = spools.spool(tmp_path)
    put(first, 1, mail(1))
    first.close()
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    spool = spools.spool(tmp_path)
    assert kinds(spool) == [FAILED, BEGUN_ANEW]
    assert (tmp_path / ASIDE).read_bytes().startswith(b"no database")
    assert names(tmp_path) == set()
    assert put(spool, 1, mail(1))
    assert got(spool, 1) == mail(1)
    assert kinds(spool) == []
    spool.close()


def test_another_version_is_put_aside(tmp_path: Path) -> None:
    spools.spool(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("PRAGMA user_version = 99")
    other.close()
    spool = spools.spool(tmp_path)
    assert kinds(spool) == [FAILED, BEGUN_ANEW]
    assert put(spool, 1, mail(1))
    spool.close()


def test_damage_under_way_is_met_by_all_workers_once(tmp_path: Path) -> None:
    quota = Quota(2, 0)
    one, other = (spools.spool(tmp_path, quota, column) for column in (0, 1))
    for uid in range(300):
        put(one, uid, mail(uid))
    checkpoint(tmp_path)
    spoil(tmp_path)
    answers = [got(one, uid) for uid in range(300)]
    assert answers.count(None) > 0  # what the connection still knew by heart may be right
    assert all(answer in (None, mail(uid)) for uid, answer in enumerate(answers))
    assert BEGUN_ANEW in kinds(one)
    assert quota.generation == 1
    assert put(one, 1, mail(1))
    assert got(other, 1) == mail(1)
    assert got(other, 2) is None
    assert BEGUN_ANEW not in kinds(other)
    assert quota.stored == spools.octets_on_disk(tmp_path)
    for spool in (one, other):
        spool.close()


def checkpoint(path: Path) -> None:
    connection = sqlite3.connect(path / FILE)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def test_a_table_that_is_gone_is_damage(tmp_path: Path) -> None:
    spool = spools.spool(tmp_path)
    put(spool, 1, mail(1))
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("DROP TABLE objects")
    other.commit()
    other.close()
    assert got(spool, 1) is None
    assert kinds(spool) == [FAILED, BEGUN_ANEW]
    assert put(spool, 1, mail(1))
    spool.close()


def test_one_that_breaks_again_and_again_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = spools.spool(tmp_path)

    def breaks(*args: object) -> None:
        raise Broken("again")

    monkeypatch.setattr(ledger, "open_store", breaks)
    spool._ledger._failed("test", Broken("first"))
    assert got(spool, 1) is None
    assert not put(spool, 1, mail(1))
    noted = kinds(spool)
    assert noted.count(BEGUN_ANEW) <= ledger._RENEWALS
    assert noted.count(FAILED) <= ledger._RENEWALS + 1
    spool.close()


def test_a_worker_that_cannot_see_the_directory_does_without(tmp_path: Path) -> None:
    spools.made(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    quota = Quota(1, 0)
    files, share = spools.files(tmp_path), spools.share(tmp_path, quota)
    spool = Spool(files, share, ("/no/such/place", str(elsewhere)), MANY)
    assert kinds(spool) == [WITHOUT]
    assert not put(spool, 1, mail(1))
    assert got(spool, 1) is None
    assert quota.in_flight() == 0
    assert names(tmp_path) == set()
    assert os.listdir(elsewhere) == []
    spool.close()


def test_a_broken_database_that_cannot_be_seen_is_left(tmp_path: Path) -> None:
    """In a chroot: nothing is renamed that could not be replaced."""
    spool = spools.spool(tmp_path)
    spool._ledger._paths = ("/no/such/place",)
    spool._ledger._failed("test", Broken("damaged"))
    assert kinds(spool) == [FAILED, WITHOUT]
    assert not (tmp_path / ASIDE).exists()
    assert not put(spool, 1, mail(1))
    spool.close()


def test_the_second_path_is_used_where_the_first_is_gone(tmp_path: Path) -> None:
    spools.made(tmp_path / "a")
    spool = Spool(
        spools.files(tmp_path / "a"),
        spools.share(tmp_path / "a", Quota(1, 0)),
        ("/no/such/place", str(tmp_path / "a")),
        MANY,
    )
    assert put(spool, 1, mail(1))
    assert kinds(spool) == []
    spool.close()


def test_the_database_is_for_its_user_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spool = spools.spool(tmp_path)
        put(spool, 1, mail(1))
    finally:
        os.umask(before)
    for ending in ("", "-wal", "-shm"):
        assert (tmp_path / (FILE + ending)).stat().st_mode & 0o777 == 0o600
    spool.close()


def test_a_link_in_the_place_of_the_database_is_not_followed(tmp_path: Path) -> None:
    spools.made(tmp_path)
    (tmp_path / FILE).symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        spools.spool(tmp_path)
    assert not (tmp_path / "other").exists()


def test_what_is_broken() -> None:
    assert is_broken(Broken("x"))
    assert not is_broken(sqlite3.OperationalError("no code"))
    memory = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError) as caught:
        memory.execute("SELECT * FROM nothing")
    memory.close()
    assert is_broken(caught.value)


def test_where_a_directory_is(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    assert is_at(fd, str(tmp_path))
    assert not is_at(fd, "/")
    assert not is_at(fd, "/no/such/place")
    os.close(fd)


def test_putting_aside_replaces_what_lies_there(tmp_path: Path) -> None:
    spools.made(tmp_path)
    (tmp_path / ASIDE).write_bytes(b"old")
    (tmp_path / FILE).write_bytes(b"new")
    files = spools.files(tmp_path)
    set_aside(files)
    set_aside(files)
    files.close()
    assert (tmp_path / ASIDE).read_bytes() == b"new"
