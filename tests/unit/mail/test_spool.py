"""Files, rows and bytes in step."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from imap4fast.mail import spool as module
from imap4fast.mail import spoolfiles
from imap4fast.mail.ledger import FAILED, OTHER_OCTETS
from imap4fast.mail.quota import Quota, SpoolFullError
from imap4fast.mail.spool import BATCH, GROWTH, SPAM_AGE_S, TOUCH_S, Limits, Said
from imap4fast.mail.spoolkey import object_name
from imap4fast.mail.work import ERROR, FOUND, FREE, Scan, Verdicts
from tests.unit.mail.spools import (
    MANY,
    NOW,
    got,
    index_of,
    kept,
    mail,
    names,
    octets_on_disk,
    origin,
    put,
    spool,
)

CONTENT, ENGINES = b"c" * 32, b"e" * 32
CLEAN, BAD = Verdicts(Scan(FREE), spam=1.0), Verdicts(Scan(FOUND, "Eicar"), spam=2.0)


class Scene:
    """A spool of its own, the first of two workers'."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.quota = Quota(2, 100_000)
        self.limits = Limits(100_000, 1000, 6400)
        self.spool = spool(path, self.quota, 0, self.limits)

    def kinds(self) -> list[str]:
        return [note.kind for note in self.spool.take_notes()]


@pytest.fixture(params=["unnamed", "copied"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    made.spool.files._unnamed = request.param == "unnamed"
    yield made
    assert made.kinds() == []
    made.spool.close()
    assert made.quota.in_flight() == 0


def test_a_mail_that_is_kept_is_found(scene: Scene) -> None:
    assert got(scene.spool, 1) is None
    assert put(scene.spool, 1, mail(1))
    assert got(scene.spool, 1) == mail(1)
    assert got(scene.spool, 1, account=b"bob") is None
    assert got(scene.spool, 1, uidvalidity=8) is None
    assert len(names(scene.path)) == 1


def test_the_row_says_what_it_was_given(scene: Scene) -> None:
    octets = mail(1)
    fd = scene.spool.create()
    scene.spool.write(fd, 0, [octets, index_of(octets)])
    row = kept(octets, kind="changed", reason="r", code="c", message_id="<m@x>", original_size=5)
    assert scene.spool.keep(origin(1), fd, row, NOW)
    scene.spool.release(fd)
    found = scene.spool.find(origin(1).key(), NOW)
    assert found is not None
    assert found.kept == replace(row, created=NOW, used=NOW)
    scene.spool.release(found.fd)


def test_a_refused_mail_has_no_object(scene: Scene) -> None:
    refused = kept(b"", kind="refused", reason="virus", code="UNAVAILABLE", index_size=0)
    assert scene.spool.keep(origin(1), -1, refused, NOW)
    found = scene.spool.find(origin(1).key(), NOW)
    assert found is not None
    assert (found.fd, found.index, found.kept.reason) == (-1, b"", "virus")
    assert names(scene.path) == set()


def test_what_is_not_of_the_size_that_was_said_is_not_kept(scene: Scene) -> None:
    octets = mail(1)
    fd = scene.spool.create(5000)
    scene.spool.write(fd, 0, [octets, index_of(octets)[:-1]])
    assert not scene.spool.keep(origin(1), fd, kept(octets), NOW)
    scene.spool.release(fd)
    assert scene.kinds() == [FAILED]
    assert names(scene.path) == set()


def test_bytes_pass_from_flight_to_the_store(scene: Scene) -> None:
    octets = mail(1)
    size = len(octets) + len(index_of(octets))
    fd = scene.spool.create(5000)
    assert (scene.quota.in_flight(), scene.quota.stored) == (5000, 0)
    scene.spool.write(fd, 0, [octets, index_of(octets)])
    scene.spool.keep(origin(1), fd, kept(octets), NOW)
    assert (scene.quota.in_flight(), scene.quota.stored) == (0, size)
    scene.spool.release(fd)
    assert (scene.quota.in_flight(), scene.quota.stored) == (0, size)
    scene.spool.drop(origin(1).key())
    assert (scene.quota.stored, names(scene.path)) == (0, set())


def test_a_file_that_outgrows_what_was_announced_reserves_more(scene: Scene) -> None:
    fd = scene.spool.create(10)
    assert scene.spool.write(fd, 0, [b"x" * 10]) == 10
    assert scene.quota.in_flight() == 10
    assert scene.spool.write(fd, 10, [b"x"]) == 11
    assert scene.quota.in_flight() == 11  # a step of GROWTH would not fit
    assert scene.limits.octets < GROWTH
    with pytest.raises(SpoolFullError):
        scene.spool.write(fd, 11, [b"x" * 100_000])
    assert os.fstat(fd).st_size == 11
    scene.spool.release(fd)


def test_a_large_spool_grows_in_steps(tmp_path: Path) -> None:
    quota = Quota(1, 10 * GROWTH)
    made = spool(tmp_path, quota, 0, Limits(10 * GROWTH, 0, 0))
    fd = made.create()
    made.write(fd, 0, [b"x"])
    assert quota.in_flight() == GROWTH
    made.reserve(fd, 5)
    assert quota.in_flight() == GROWTH
    made.release(fd)
    made.close()


def test_the_object_may_be_larger_than_reserved_where_there_is_room(scene: Scene) -> None:
    octets = mail(1)
    fd = scene.spool.create(10)
    os.write(fd, octets + index_of(octets))  # as a helper writes
    assert scene.spool.keep(origin(1), fd, kept(octets), NOW)
    scene.spool.release(fd)
    large = mail(2, 99_990)
    fd = scene.spool.create(0)
    os.write(fd, large + index_of(large))
    with pytest.raises(SpoolFullError):
        scene.spool.keep(origin(2), fd, kept(large), NOW)
    scene.spool.release(fd)
    assert octets_on_disk(scene.path) == scene.quota.stored


def test_the_longest_unused_make_room(scene: Scene) -> None:
    for uid in range(5):
        put(scene.spool, uid, mail(uid, 18_000), NOW + uid)
    got(scene.spool, 0, NOW + TOUCH_S + 1)
    fd = scene.spool.create(30_000)
    scene.spool.release(fd)
    left = [uid for uid in range(5) if got(scene.spool, uid, NOW) is not None]
    assert left == [0, 3, 4]
    assert octets_on_disk(scene.path) == scene.quota.stored < 80_000


def test_an_open_object_is_read_on_after_it_went(scene: Scene) -> None:
    put(scene.spool, 1, mail(1, 60_000))
    found = scene.spool.find(origin(1).key(), NOW)
    assert found is not None
    scene.spool.release(scene.spool.create(90_000))
    assert names(scene.path) == set()
    assert os.pread(found.fd, 60_000, 0) == mail(1, 60_000)
    scene.spool.release(found.fd)


def test_nothing_is_removed_for_what_cannot_fit(scene: Scene) -> None:
    put(scene.spool, 1, mail(1, 10_000))
    fd = scene.spool.create(60_000)
    with pytest.raises(SpoolFullError):
        scene.spool.create(50_000)
    assert got(scene.spool, 1) is not None
    assert scene.quota.in_flight() == 60_000
    scene.spool.release(fd)


def test_the_other_worker_sees_all_of_it(scene: Scene) -> None:
    other = spool(scene.path, scene.quota, 1, scene.limits)
    put(scene.spool, 1, mail(1, 50_000))
    assert got(other, 1) == mail(1, 50_000)
    fd = other.create(80_000)  # the first one's object makes room
    assert got(scene.spool, 1) is None
    with pytest.raises(SpoolFullError):
        scene.spool.create(30_000)
    other.release(fd)
    other.close()


def test_the_same_mail_again_and_another_in_its_place(scene: Scene) -> None:
    for _ in range(2):
        assert put(scene.spool, 1, mail(1))
    assert len(names(scene.path)) == 1
    assert scene.quota.stored == octets_on_disk(scene.path)
    assert scene.kinds() == []
    assert put(scene.spool, 1, mail(2, 500))
    assert scene.kinds() == [OTHER_OCTETS]
    assert got(scene.spool, 1) == mail(2, 500)
    assert len(names(scene.path)) == 1
    assert scene.quota.stored == octets_on_disk(scene.path)


def test_a_row_without_its_file_is_a_miss_and_goes(scene: Scene) -> None:
    put(scene.spool, 1, mail(1))
    (scene.path / "objects" / names(scene.path).pop()).unlink()
    assert got(scene.spool, 1) is None
    assert scene.quota.stored == 0
    assert put(scene.spool, 1, mail(1))
    assert got(scene.spool, 1) == mail(1)


def test_a_file_of_another_size_is_a_miss_and_goes(scene: Scene) -> None:
    put(scene.spool, 1, mail(1))
    path = scene.path / "objects" / names(scene.path).pop()
    os.truncate(path, 10)
    assert got(scene.spool, 1) is None
    assert not path.exists()


def test_an_object_of_one_account_never_serves_another(scene: Scene) -> None:
    """The very same octets: two files, and each key its own (T-C06)."""
    for account in (b"ann", b"bob"):
        put(scene.spool, 1, mail(1), account=account)
    assert len(names(scene.path)) == 2
    scene.spool.drop(origin(1).key())
    assert got(scene.spool, 1) is None
    assert got(scene.spool, 1, account=b"bob") == mail(1)


def test_a_mailbox_is_dropped_with_those_below(scene: Scene) -> None:
    for name in (b"Work", b"Work/a", b"Workers"):
        put(scene.spool, 1, mail(1), mailbox=name)
    assert scene.spool.drop_mailbox(b"ann", b"mail.example:143", b"Work", b"/") == 2
    assert scene.spool.drop_mailbox(b"ann", b"mail.example:143", b"Work", b"/") == 0
    assert got(scene.spool, 1, mailbox=b"Workers") == mail(1)
    assert got(scene.spool, 1, mailbox=b"Work/a") is None
    assert len(names(scene.path)) == 1


def test_old_mails_go(scene: Scene) -> None:
    put(scene.spool, 1, mail(1), NOW)
    put(scene.spool, 2, mail(2), NOW + 500)
    assert not scene.spool.tidy(NOW + 1000)
    assert got(scene.spool, 1) is not None
    assert not scene.spool.tidy(NOW + 1001)
    assert got(scene.spool, 1) is None
    assert got(scene.spool, 2) == mail(2)
    assert scene.quota.stored == octets_on_disk(scene.path)


def test_much_that_is_old_goes_in_parts(tmp_path: Path) -> None:
    made = spool(tmp_path, limits=replace(MANY, keep_s=10))
    for uid in range(BATCH + 5):
        put(made, uid, b"x")
    assert made.tidy(NOW + 11)
    assert not made.tidy(NOW + 11)
    assert names(tmp_path) == set()
    made.close()


def test_uses_are_written_by_and_by(scene: Scene) -> None:
    put(scene.spool, 1, mail(1))
    got(scene.spool, 1, NOW + TOUCH_S - 1)
    scene.spool.tidy(NOW)
    assert used(scene, 1) == NOW
    got(scene.spool, 1, NOW + TOUCH_S)
    assert used(scene, 1) == NOW
    scene.spool.tidy(NOW)
    assert used(scene, 1) == NOW + TOUCH_S


def used(scene: Scene, uid: int) -> int:
    found = scene.spool.find(origin(uid).key(), NOW)
    assert found is not None
    scene.spool.release(found.fd)
    return found.kept.used


def test_what_the_predecessor_linked_and_did_not_enter_goes(scene: Scene) -> None:
    put(scene.spool, 1, mail(1))
    orphan = object_name(origin(2).key(), b"m" * 32)
    (scene.path / "objects" / orphan).write_bytes(b"half")
    scene.quota.set_column(1, 777)
    scene.quota.intent(1)[:] = origin(2).key() + bytes.fromhex(orphan)
    spool(scene.path, scene.quota, 1, scene.limits).close()
    assert orphan not in names(scene.path)
    assert scene.quota.in_flight() == 0
    entered = names(scene.path).pop()
    scene.quota.intent(1)[:] = origin(1).key() + bytes.fromhex(entered)
    spool(scene.path, scene.quota, 1, scene.limits).close()
    assert got(scene.spool, 1) == mail(1)


def test_verdicts_hold(scene: Scene) -> None:
    ask, say = scene.spool.verdicts, scene.spool.keep_verdicts
    assert ask(CONTENT, ENGINES, b"v1", NOW) is None
    assert say(Said(CONTENT, ENGINES, b"v1", CLEAN), NOW) == CLEAN
    assert ask(CONTENT, ENGINES, b"v1", NOW) == (CLEAN, True, False)
    assert ask(CONTENT, ENGINES, b"v2", NOW) == (CLEAN, False, False)
    assert say(Said(CONTENT, ENGINES, b"v2", Verdicts(Scan(FREE), spam=9.0)), NOW) == CLEAN
    assert ask(CONTENT, ENGINES, b"v2", NOW) == (CLEAN, True, False)
    blocked = Verdicts(Scan(FOUND, "Eicar"), spam=1.0)
    assert say(Said(CONTENT, ENGINES, b"v3", BAD), NOW) == blocked
    assert say(Said(CONTENT, ENGINES, b"v4", CLEAN), NOW) == blocked
    assert ask(CONTENT, ENGINES, b"v4", NOW) == (blocked, True, False)
    assert ask(CONTENT, b"others", b"v4", NOW) is None


def test_a_spam_score_is_looked_at_again_after_a_day(scene: Scene) -> None:
    """Engines of spam do not tell what they have learned; only a higher score changes what clients see."""
    ask, say = scene.spool.verdicts, scene.spool.keep_verdicts
    say(Said(CONTENT, ENGINES, b"v1", CLEAN), NOW)
    say(Said(CONTENT, ENGINES, b"v2", CLEAN), NOW + SPAM_AGE_S - 10)  # other signatures, the same score
    assert ask(CONTENT, ENGINES, b"v2", NOW + SPAM_AGE_S) == (CLEAN, True, False)
    late = NOW + SPAM_AGE_S + 1
    assert ask(CONTENT, ENGINES, b"v2", late) == (CLEAN, False, True)
    assert say(Said(CONTENT, ENGINES, b"v2", Verdicts(Scan(FREE), spam=0.5)), late) == CLEAN
    assert ask(CONTENT, ENGINES, b"v2", late) == (CLEAN, True, False)
    higher = Verdicts(Scan(FREE), spam=9.0)
    assert say(Said(CONTENT, ENGINES, b"v2", higher), late + 5) == CLEAN
    assert say(Said(CONTENT, ENGINES, b"v2", higher), late + SPAM_AGE_S + 1) == higher
    assert ask(CONTENT, ENGINES, b"v2", late + SPAM_AGE_S + 1) == (higher, True, False)


def test_verdicts_without_a_score_do_not_age(scene: Scene) -> None:
    free = Verdicts(Scan(FREE))
    scene.spool.keep_verdicts(Said(CONTENT, ENGINES, b"v1", free), NOW)
    assert scene.spool.verdicts(CONTENT, ENGINES, b"v1", NOW + 100 * SPAM_AGE_S) == (free, True, False)


def test_no_result_is_no_verdict(scene: Scene) -> None:
    none = Verdicts(Scan(ERROR))
    assert scene.spool.keep_verdicts(Said(CONTENT, ENGINES, b"v1", none), NOW) == none
    assert scene.spool.verdicts(CONTENT, ENGINES, b"v1", NOW) is None
    scene.spool.keep_verdicts(Said(CONTENT, ENGINES, b"v1", CLEAN), NOW)
    assert scene.spool.keep_verdicts(Said(CONTENT, ENGINES, b"v2", none), NOW) == CLEAN
    assert scene.spool.verdicts(CONTENT, ENGINES, b"v2", NOW) == (CLEAN, False, False)


def test_verdicts_come_with_the_mail(scene: Scene) -> None:
    octets = mail(1)
    for version, said in ((b"v1", CLEAN), (b"v2", Verdicts(Scan(FREE), spam=7.0))):
        fd = scene.spool.create()
        scene.spool.write(fd, 0, [octets, index_of(octets)])
        assert scene.spool.keep(origin(1), fd, kept(octets), NOW, Said(CONTENT, ENGINES, version, said))
        scene.spool.release(fd)
        assert scene.spool.verdicts(CONTENT, ENGINES, version, NOW) == (CLEAN, True, False)


@pytest.mark.parametrize("ahead", [0, 5, 1000, 9999])
def test_a_mail_is_found_with_its_head(scene: Scene, ahead: int) -> None:
    put(scene.spool, 1, mail(1))
    found = scene.spool.find(origin(1).key(), NOW, ahead)
    assert found is not None
    assert (found.index, found.head) == (index_of(mail(1)), mail(1)[:ahead])
    scene.spool.release(found.fd)


def test_verdicts_outlive_bodies_and_age_by_their_use(scene: Scene) -> None:
    put(scene.spool, 1, mail(1))
    scene.spool.keep_verdicts(Said(CONTENT, ENGINES, b"v1", CLEAN), NOW)
    scene.spool.tidy(NOW + 6400)
    assert got(scene.spool, 1) is None
    assert scene.spool.verdicts(CONTENT, ENGINES, b"v1", NOW + 6400) == (CLEAN, True, False)
    scene.spool.tidy(NOW + 12_800)
    assert scene.spool.verdicts(CONTENT, ENGINES, b"v1", NOW + 12_800) == (CLEAN, True, False)
    scene.spool.tidy(NOW + 19_201)
    assert scene.spool.verdicts(CONTENT, ENGINES, b"v1", NOW + 19_201) is None


def test_how_many_verdicts_there_may_be() -> None:
    assert Limits(2 << 30, 0, 0).verdicts == 1 << 20
    assert Limits(1000, 0, 0).verdicts == module.LEAST_VERDICTS
    assert Limits(0, 0, 0).verdicts > 1 << 40


def test_quarantine_has_copy_and_reason(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("quarantine")
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    fd = scene.spool.create()
    scene.spool.write(fd, 0, [mail(1)])
    name = scene.spool.quarantine(directory, fd, "because \udcff", "20260102-030405")
    again = scene.spool.quarantine(directory, fd, "because \udcff", "20260102-030405")
    assert name == again
    assert set(os.listdir(place)) == {f"{name}.eml", f"{name}.txt"}
    assert (place / f"{name}.eml").read_bytes() == mail(1)
    assert (place / f"{name}.txt").read_bytes() == b"because \xff"
    assert name.startswith("20260102-030405-")
    os.close(directory)
    with pytest.raises(OSError, match="descriptor"):
        scene.spool.quarantine(directory, fd, "", "")
    scene.spool.release(fd)


def test_a_database_that_is_locked_costs_the_keeping_only(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    put(scene.spool, 1, mail(1))
    holder = sqlite3.connect(scene.path / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    store = scene.spool._ledger._store
    assert store is not None
    store._sql.execute("PRAGMA busy_timeout = 20")
    assert not put(scene.spool, 2, mail(2))
    assert scene.kinds() == [FAILED]
    assert got(scene.spool, 1) == mail(1)
    holder.execute("COMMIT")
    holder.close()
    assert put(scene.spool, 2, mail(2))
    assert len(names(scene.path)) == 2


def test_a_link_that_fails_costs_the_keeping_only(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    put(scene.spool, 1, mail(1))

    def fails(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(spoolfiles.os, "link", fails)
    monkeypatch.setattr(spoolfiles.os, "rename", fails)
    assert not put(scene.spool, 2, mail(2))
    assert scene.kinds() == [FAILED]
    monkeypatch.undo()
    assert put(scene.spool, 2, mail(2))
    assert scene.quota.stored == octets_on_disk(scene.path)


def test_a_closed_spool_lets_go_of_all(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    made = spool(tmp_path)
    put(made, 1, mail(1))
    made.close()
    assert len(os.listdir("/proc/self/fd")) == before
