"""Rows: what is kept of mails, and verdicts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from imap4fast.mail.spoolkey import object_name
from imap4fast.mail.store import Broken, Kept, Row, Store, Totals
from imap4fast.mail.work import FOUND, FREE, Scan, Verdicts
from tests.unit.mail.spools import NOW, kept, mail, origin

CONTENT, ENGINES = b"c" * 32, b"e" * 32
CLEAN, BAD = Verdicts(Scan(FREE)), Verdicts(Scan(FOUND, "Eicar"), (Scan(FREE),), 1.5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(str(tmp_path / "store.db"))
    yield made
    made.close()


def put(store: Store, uid: int, now: int = NOW, size: int = 1000, **where: object) -> Kept:
    row = kept(mail(uid, size), created=now, used=now, reason="why", code="LIMIT", message_id="<a@b>")
    store.drop(origin(uid, **where).key())
    store.put(origin(uid, **where), origin(uid, **where).key(), row)
    return row


def test_what_is_put_is_found(store: Store) -> None:
    row = put(store, 1)
    assert store.find(origin(1).key()) == row
    assert row.size == row.mail_size + row.index_size
    assert store.find(origin(2).key()) is None


def test_a_later_one_takes_the_place(store: Store) -> None:
    put(store, 1)
    later = put(store, 1, NOW + 1, 50)
    assert store.find(origin(1).key()) == later
    assert store.totals() == Totals(later.size, 1, 0)


def test_what_is_there_stays_where_another_is_put(store: Store) -> None:
    row, key = put(store, 1), origin(1).key()
    assert not store.put(origin(1), key, kept(mail(2, 50)))
    assert store.find(key) == row
    assert store.totals() == Totals(row.size, 1, 0)
    assert store.put(origin(2), origin(2).key(), kept(mail(2, 50)))


def test_dropping_gives_the_file(store: Store) -> None:
    row = put(store, 1)
    assert store.drop(origin(1).key()) == object_name(origin(1).key(), row.sha256)
    assert store.drop(origin(1).key()) is None
    assert store.totals() == Totals(0, 0, 0)


def test_a_change_is_made_whole_or_not(store: Store) -> None:
    def fails() -> None:
        with store.changing():
            put(store, 1)
            store._sql.execute("INSERT INTO boot VALUES(NULL)")

    with pytest.raises(sqlite3.IntegrityError):
        fails()
    assert store.totals().objects == 0
    with store.changing():
        put(store, 1)
    assert store.totals().objects == 1


def test_changes_of_two_connections_wait_for_one_another(store: Store, tmp_path: Path) -> None:
    other = Store(str(tmp_path / "store.db"))
    other._sql.execute("PRAGMA busy_timeout = 50")
    with store.changing():
        put(store, 1)
        assert other.totals().objects == 0  # readers do not wait
        with pytest.raises(sqlite3.OperationalError, match="locked"), other.changing():
            put(other, 2)
    assert other.totals().objects == 1
    other.close()


def test_the_oldest_use_first(store: Store) -> None:
    rows = {uid: put(store, uid, NOW + uid) for uid in (1, 2, 3)}
    store.touch({origin(1).key(): NOW + 9})
    assert store.oldest(2) == [(origin(2).key(), rows[2].size), (origin(3).key(), rows[3].size)]
    found = store.find(origin(1).key())
    assert found is not None
    assert (found.created, found.used) == (NOW + 1, NOW + 9)


def test_made_before(store: Store) -> None:
    for uid in (1, 2, 3):
        put(store, uid, NOW + uid)
    put(store, 1, NOW + 4)
    assert store.made_before(NOW + 4, 10) == [origin(2).key(), origin(3).key()]
    assert store.made_before(NOW + 4, 1) == [origin(2).key()]
    assert store.made_before(NOW, 10) == []


def test_mailboxes(store: Store) -> None:
    for uid, name in enumerate((b"Work", b"Work/2024", b"Workers", b"work/x", b"Home")):
        put(store, uid, mailbox=name)
    put(store, 9, mailbox=b"Work", account=b"bob")
    put(store, 10, mailbox=b"Work", server=b"other")
    within = store.keys_within(b"ann", b"mail.example:143", b"Work", b"/")
    assert set(within) == {
        origin(uid, mailbox=name).key() for uid, name in ((0, b"Work"), (1, b"Work/2024"), (3, b"work/x"))
    }
    assert store.keys_within(b"ann", b"mail.example:143", b"Work", b"") == [origin(0, mailbox=b"Work").key()]
    assert store.keys_within(b"ann", b"mail.example:143", b"None", b"/") == []


def test_verdicts(store: Store) -> None:
    assert store.verdicts(CONTENT, ENGINES) is None
    store.put_verdicts(CONTENT, ENGINES, b"1", CLEAN, NOW, NOW)
    store.put_verdicts(CONTENT, ENGINES, b"2", BAD, NOW - 3, NOW + 1)
    assert store.verdicts(CONTENT, ENGINES) == (BAD, b"2", NOW - 3, NOW + 1)
    assert store.verdicts(CONTENT, b"other") is None
    store.touch_verdicts(CONTENT, ENGINES, NOW + 5)
    assert store.verdicts(CONTENT, ENGINES) == (BAD, b"2", NOW - 3, NOW + 5)
    assert store.totals().verdicts == 1


def test_verdicts_are_forgotten_by_age_and_by_number(store: Store) -> None:
    for number in range(10):
        store.put_verdicts(bytes([number]), ENGINES, b"", CLEAN, NOW, NOW + number)
    assert store.forget_verdicts(NOW + 2, 100, 1) == 1
    assert store.forget_verdicts(NOW + 2, 100, 100) == 1
    assert store.forget_verdicts(0, 5, 100) == 3
    assert store.totals().verdicts == 5
    assert store.verdicts(bytes([4]), ENGINES) is None
    assert store.verdicts(bytes([5]), ENGINES) is not None


@pytest.mark.parametrize("blob", [b"", b"\xc1", b"\x91\x01", "text"])
def test_verdicts_of_another_shape_are_none(store: Store, blob: object) -> None:
    store.put_verdicts(CONTENT, ENGINES, b"", CLEAN, NOW, NOW)
    store._sql.execute("UPDATE verdicts SET verdicts = ?", (blob,))
    assert store.verdicts(CONTENT, ENGINES) is None


@pytest.mark.parametrize(
    "change", ["sha256 = 'x'", "sha256 = x'00'", "mail_size = -1", "mail_size = 'many'", "kind = 5"]
)
def test_a_row_of_another_shape_is_broken(store: Store, change: str) -> None:
    put(store, 1)
    store._sql.execute("DROP TRIGGER object_comes")
    store._sql.execute(f"UPDATE objects SET {change}")
    if change == "kind = 5":  # the column makes a text of it
        store.find(origin(1).key())
        return
    with pytest.raises(Broken):
        store.find(origin(1).key())


def test_it_is_the_same_after_a_new_start(store: Store, tmp_path: Path) -> None:
    row = put(store, 1)
    store.close()
    again = Store(str(tmp_path / "store.db"))
    assert again.find(origin(1).key()) == row
    again.close()


def test_the_modes_of_the_database(store: Store) -> None:
    modes = [store._sql.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert modes == ["wal", 1]


def test_another_version_is_broken(store: Store, tmp_path: Path) -> None:
    store._sql.execute("PRAGMA user_version = 99")
    with pytest.raises(Broken, match="version 99"):
        Store(str(tmp_path / "store.db"))


def test_a_database_without_its_totals_is_broken(store: Store, tmp_path: Path) -> None:
    store._sql.execute("DELETE FROM totals")
    with pytest.raises(Broken, match="shape"):
        Store(str(tmp_path / "store.db"))


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not at all" * 500)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        Store(str(tmp_path / "store.db"))


def test_faults_are_found(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(str(path))
    assert store.faults() == ""
    for uid in range(200):
        put(store, uid)
    store.checkpoint()
    store.close()
    whole = bytearray(path.read_bytes())
    for page in range(len(whole) // 8192, len(whole) // 4096):
        whole[page * 4096 : page * 4096 + 64] = b"\xee" * 64
    path.write_bytes(whole)
    store = Store(str(path))
    assert store.faults() != ""
    store.close()


def test_what_the_sweep_reads_and_counts(store: Store) -> None:
    rows = [put(store, uid, NOW + uid) for uid in (1, 2)]
    key = origin(2).key()
    assert next(store.rows()) == Row(key, object_name(key, rows[1].sha256), rows[1].size, 1000, rows[1].sha256, NOW + 2)
    assert len(list(store.rows())) == 2
    store._sql.execute("UPDATE totals SET octets = 5, objects = 77")
    put(store, 3, mailbox=b"Gone")
    store.drop(origin(3, mailbox=b"Gone").key())
    assert store.recount() == Totals(rows[0].size + rows[1].size, 2, 0)
    assert [name for (name,) in store._sql.execute("SELECT name FROM mailboxes")] == [b"INBOX"]


def test_the_boot_of_the_last_sweep(store: Store) -> None:
    assert store.boot() == ""
    store.set_boot("one")
    store.set_boot("two")
    assert store.boot() == "two"
