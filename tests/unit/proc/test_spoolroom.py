"""A spool made for its user, swept without the master's rights, entered before a chroot and used inside it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imap4fast.errors import SetupError
from imap4fast.log.entry import Entry
from imap4fast.mail.ledger import BEGUN_ANEW, WITHOUT
from imap4fast.mail.spool import Limits, Spool
from imap4fast.mail.store import FILE, Broken
from imap4fast.proc import privileges, spoolroom
from imap4fast.proc.privileges import Identity
from imap4fast.proc.spoolroom import SpoolRoom
from tests.unit.mail import spools
from tests.unit.mail.spools import NOW, got, mail, put

LIMITS = Limits(1_000_000, 0, 0)
NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its root and its user")


class Logs:
    def __init__(self) -> None:
        self.lines: list[tuple[str, tuple[object, ...]]] = []

    def write(self, entry: Entry, *args: object) -> None:
        self.lines.append((entry.id, args))


@pytest.fixture
def place() -> Iterator[Path]:
    """Where everybody can go: pytest's own directories are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="imap4fast-spool.") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def room(path: Path, who: Identity | None = None, workers: int = 2, limits: Limits = LIMITS) -> tuple[SpoolRoom, Logs]:
    logs = Logs()
    return SpoolRoom(str(path), limits, workers, who, logs), logs  # type: ignore[arg-type]


def in_worker(made: SpoolRoom, column: int, who: Identity | None, work: Callable[[Spool], None]) -> int:
    """Runs it as a worker does: the fork, the entering, the chroot, the loss of rights."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            spool = made.enter(column)
            privileges.drop(who)
            work(spool)
            spool.close()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def keeps_and_finds(spool: Spool) -> None:
    assert put(spool, 1, mail(1), NOW), spool.take_notes()
    assert got(spool, 1) == mail(1)
    assert spool.take_notes() == []


def test_it_is_made_and_swept_and_used(place: Path) -> None:
    made, logs = room(place / "spool")
    assert logs.lines == [("SPOL-601-K", (0, 0, 0, 0, 0, 0, 0))]
    for path in (place / "spool", place / "spool" / "objects"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert in_worker(made, 0, None, keeps_and_finds) == 0
    made.close()
    (place / "spool" / "objects" / "stray").touch()
    made, logs = room(place / "spool")
    size = spools.octets_on_disk(place / "spool")
    assert logs.lines == [("SPOL-601-K", (1, size, 1, 0, 0, 0, 0))]
    assert in_worker(made, 1, None, lambda spool: finds(spool, 1)) == 0
    made.close()


def finds(spool: Spool, uid: int) -> None:
    assert got(spool, uid) == mail(uid)


def test_what_is_stored_is_known_to_all(place: Path) -> None:
    made, _ = room(place / "spool")
    assert in_worker(made, 0, None, keeps_and_finds) == 0
    assert made._quota.stored == spools.octets_on_disk(place / "spool")
    made.close()
    made, _ = room(place / "spool")
    assert made._quota.stored == spools.octets_on_disk(place / "spool")
    made.close()


@root_only
@pytest.mark.parametrize("inside", [True, False], ids=["inside the chroot", "outside the chroot"])
def test_workers_in_a_chroot(place: Path, inside: bool) -> None:
    jail = place / "jail"
    jail.mkdir()
    path = jail / "spool" if inside else place / "spool"
    who = Identity(NOBODY, NOBODY, str(jail))
    made, _ = room(path, who)
    assert (os.stat(path).st_uid, os.stat(path).st_gid) == (NOBODY, NOBODY)
    for column in (0, 1):
        assert in_worker(made, column, who, keeps_and_finds) == 0
    for file in path.rglob("*"):
        assert (file.stat().st_uid, file.stat().st_mode & 0o077) == (NOBODY, 0), file
    assert os.geteuid() == 0

    def breaks(spool: Spool) -> None:
        spool._ledger._failed("test", Broken("damaged"))
        kinds = [note.kind for note in spool.take_notes()]
        assert (BEGUN_ANEW in kinds, WITHOUT in kinds) == (inside, not inside)
        assert put(spool, 2, mail(2)) is inside

    assert in_worker(made, 0, who, breaks) == 0
    assert in_worker(made, 0, who, keeps_and_finds) == 0  # a new worker sees it in any case
    made.close()


@root_only
def test_the_sweep_has_no_rights_of_the_master(place: Path) -> None:
    """Files of root among the objects are not its to judge: they are not of the spool's user, so they go."""
    who = Identity(NOBODY, NOBODY, None)
    made, _ = room(place / "spool", who)
    made.close()
    (place / "spool" / "objects" / "stray").touch()
    made, logs = room(place / "spool", who)
    assert logs.lines[0][1][2] == 1
    made.close()
    os.chmod(place, 0o700)  # now its user cannot reach it
    with pytest.raises(SetupError, match=r"spool-dir .*unable to open|denied"):
        room(place / "spool", who)


@root_only
def test_the_directory_must_be_its_users(place: Path) -> None:
    (place / "spool").mkdir(mode=0o700)
    with pytest.raises(SetupError, match="belongs to user 0, not to 65534"):
        room(place / "spool", Identity(NOBODY, NOBODY, None))


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o707])
def test_nobody_else_may_look_into_it(place: Path, mode: int) -> None:
    (place / "spool").mkdir()
    (place / "spool").chmod(mode)
    with pytest.raises(SetupError, match=f"its mode is {mode:o}, it must be 700"):
        room(place / "spool")


def test_the_objects_directory_must_be_one(place: Path) -> None:
    room(place / "spool")[0].close()
    (place / "spool" / "objects").rmdir()
    (place / "other").mkdir()
    (place / "spool" / "objects").symlink_to(place / "other")
    with pytest.raises(SetupError, match="spool-dir"):
        room(place / "spool")


def test_the_parent_must_be_there(place: Path) -> None:
    with pytest.raises(SetupError, match="No such file"):
        room(place / "missing" / "spool")


def test_a_database_that_is_broken_is_told(place: Path) -> None:
    room(place / "spool")[0].close()
    (place / "spool" / FILE).write_bytes(b"no database" * 1000)
    made, logs = room(place / "spool")
    assert [line for line, _ in logs.lines] == ["SPOL-710-E", "SPOL-601-K"]
    made.close()


def test_a_sweep_that_dies_is_a_start_that_fails(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*args: object) -> None:
        os.kill(os.getpid(), 9)

    monkeypatch.setattr(spoolroom, "sweep", dies)
    with pytest.raises(SetupError, match="its sweep ended with status -9"):
        room(place / "spool")


def test_a_sweep_that_takes_too_long_is_ended(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoolroom, "SWEEP_S", 0.05)
    monkeypatch.setattr(spoolroom, "sweep", lambda *args: spoolroom.signal.pause())
    with pytest.raises(SetupError, match="its sweep ended with status -14"):
        room(place / "spool")


def test_a_lock_that_is_gone_stops_the_worker_only(place: Path) -> None:
    made, _ = room(place / "spool")
    (place / "spool" / "lock").unlink()
    with pytest.raises(SetupError, match="spool-dir"):
        made.enter(0)
    made.close()


def test_killed_workers_share_comes_back_with_the_next(place: Path) -> None:
    made, _ = room(place / "spool")

    def dies(spool: Spool) -> None:
        spool.create(900_000)
        os._exit(3)

    assert in_worker(made, 0, None, dies) == 3
    assert made._quota.in_flight() == 900_000
    assert in_worker(made, 0, None, lambda spool: spool.release(spool.create(900_000))) == 0
    assert made._quota.in_flight() == 0
    made.close()
