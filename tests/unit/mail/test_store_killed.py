"""SIGKILL at any moment: what is served is whole and of the one who asks, and no byte is lost from the count."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from imap4fast.mail.quota import Quota, SpoolFullError
from imap4fast.mail.spool import Limits, Spool
from imap4fast.mail.spoolsweep import sweep
from tests.unit.mail import spools
from tests.unit.mail.spools import NOW, got, put

WORKERS, MAILS, KILLS = 4, 30, 50
PATIENCE_S = 30
LIMIT = 400_000
LIMITS = Limits(LIMIT, 0, 0)
ACCOUNTS = (b"ann", b"bob")


def letter(account: bytes, uid: int, size: int) -> bytes:
    """A mail that says whose it is."""
    start = b"To: %s\r\nX-Uid: %d\r\n\r\n" % (account, uid)
    return start + bytes([size % 251]) * size


def is_right(octets: bytes | None, account: bytes, uid: int) -> bool:
    """Nothing, or one of the mails that this account has under this UID."""
    if octets is None:
        return True
    size = len(octets) - len(letter(account, uid, 0))
    return size >= 0 and octets == letter(account, uid, size)


class Crowd:
    """Workers that keep, find and drop until they are killed; a killed one has a successor."""

    def __init__(self, path: Path, unnamed: bool, seed: int) -> None:
        self.path = path
        self.unnamed = unnamed
        self.chance = random.Random(seed)
        self.quota = Quota(WORKERS + 1, LIMIT)
        self.own = spools.spool(path, self.quota, WORKERS, LIMITS, unnamed)
        self.pids = [self._fork(column) for column in range(WORKERS)]

    def _fork(self, column: int) -> int:
        seed = self.chance.randrange(1 << 30)
        pid = os.fork()
        if not pid:
            signal.alarm(PATIENCE_S)
            try:
                busy(spools.spool(self.path, self.quota, column, LIMITS, self.unnamed), random.Random(seed))
            finally:
                os._exit(1)
        return pid

    def kill(self) -> None:
        """One of them at random; its successor sits down at once."""
        column = self.chance.randrange(WORKERS)
        os.kill(self.pids[column], signal.SIGKILL)
        _, status = os.waitpid(self.pids[column], 0)
        self.pids[column] = self._fork(column)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "a worker ended by itself"

    def look(self) -> int:
        """Reads a mail that may be there; 1 where it was."""
        account, uid = self.chance.choice(ACCOUNTS), self.chance.randrange(MAILS)
        octets = got(self.own, uid, account=account)
        assert is_right(octets, account, uid)
        assert self.quota.stored <= LIMIT  # in all it may be more for a moment: what is entered counts twice then
        return octets is not None

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *error: object) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.own.close()


def busy(spool: Spool, chance: random.Random) -> None:
    """What a worker does, faster."""
    while True:
        account, uid = chance.choice(ACCOUNTS), chance.randrange(MAILS)
        what = chance.random()
        if what < 0.6:
            try:
                put(spool, uid, letter(account, uid, chance.randrange(30_000)), NOW, account=account)
            except SpoolFullError:
                continue
        elif what < 0.95:
            assert is_right(got(spool, uid, account=account), account, uid)
        elif what < 0.99:
            spool.drop(spools.origin(uid, account=account).key())
        else:
            spool.drop_mailbox(account, b"mail.example:143", b"INBOX", b"/")
        spool.take_notes()


@pytest.mark.parametrize(("unnamed", "seed"), [(True, 1), (True, 2), (False, 3)])
def test_killed_at_any_moment(tmp_path: Path, unnamed: bool, seed: int) -> None:
    served = 0
    with Crowd(tmp_path, unnamed, seed) as crowd:
        for _ in range(KILLS):
            until = time.monotonic() + crowd.chance.uniform(0.0005, 0.02)
            while time.monotonic() < until:
                served += crowd.look()
            crowd.kill()
    assert served > KILLS
    check_what_is_left(tmp_path, crowd.quota)


def check_what_is_left(path: Path, quota: Quota) -> None:
    """After all were killed: successors clear the columns, and then every file has its row and is counted."""
    for column in range(WORKERS + 1):
        spools.spool(path, quota, column, LIMITS).close()
    assert quota.in_flight() == 0
    assert quota.stored <= LIMIT
    orphans = {name for name in spools.names(path) if not name.startswith("tmp.")}
    files = spools.files(path)
    swept = sweep(files, str(path), LIMITS, NOW, "")
    files.close()
    assert swept.broken == ""
    assert swept.orphans == 0, f"of {len(orphans)}"
    assert swept.octets == spools.octets_on_disk(path)
    spool = spools.spool(path, Quota(1, LIMIT), 0, LIMITS)
    found = [got(spool, uid, account=account) for account in ACCOUNTS for uid in range(MAILS)]
    pairs = [(account, uid) for account in ACCOUNTS for uid in range(MAILS)]
    assert all(is_right(octets, *pair) for octets, pair in zip(found, pairs, strict=True))
    assert sum(octets is not None for octets in found) == swept.objects > 0
    spool.close()


def test_killed_between_each_two_steps_of_keeping(tmp_path: Path) -> None:
    """Not left to chance: the process dies right after each system call that keeping a mail makes by itself."""
    quota = Quota(1, 1_000_000)
    spools.spool(tmp_path, quota).close()
    for step in range(40):
        pid = os.fork()
        if not pid:
            signal.alarm(PATIENCE_S)
            keep_and_die(tmp_path, quota, step)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in (0, -signal.SIGKILL)
        spool = spools.spool(tmp_path, quota)
        octets = got(spool, 1)
        assert octets in ([None, b"old" * 100] if status else []) + [letter(b"ann", 1, step)]
        assert spools.octets_on_disk(tmp_path) == (quota.stored if octets is not None else 0)
        spool.close()
        if not status:
            return
    pytest.fail("keeping has more steps than were tried")


def keep_and_die(path: Path, quota: Quota, step: int) -> None:
    """Keeps a mail in place of an older one, as far as the step."""
    left = [step]
    try:
        spool = spools.spool(path, quota)
        put(spool, 1, b"old" * 100)
        for owner, name in ((os, "link"), (os, "unlink"), (spool._share, "intend")):
            die_around(owner, name, left)
        store = spool._ledger._store
        assert store is not None
        for name in ("find", "put", "totals"):
            die_around(store, name, left)
        put(spool, 1, letter(b"ann", 1, step))
        os._exit(0)
    finally:
        os._exit(1)


def die_around(owner: object, name: str, left: list[int]) -> None:
    """From now on the call dies before or after its work, when no steps are left."""
    really = getattr(owner, name)

    def call(*args: object, **kwargs: object) -> object:
        count_down(left)
        result = really(*args, **kwargs)
        count_down(left)
        return result

    setattr(owner, name, call)


def count_down(left: list[int]) -> None:
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
