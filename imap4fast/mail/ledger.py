"""The database as one worker has it: asked where it can be had, done without where not, begun anew when it is broken.

A database that fails costs what it would have saved, never a mail: nothing is found, nothing is kept, and a note says
so. A broken one is renamed aside, once for all workers of the host (the quota's generation tells them), and the objects
that it knew are removed. A worker in a chroot can open a new one only where the spool lies inside.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from imap4fast.mail.quota import Share
from imap4fast.mail.spoolfiles import Files
from imap4fast.mail.store import FILE, Broken, Store

BEGUN_ANEW, WITHOUT, FAILED, OTHER_OCTETS = "begun-anew", "without", "failed", "other-octets"
ASIDE = "broken.db"
_RENEWALS = 3
"""How often one worker begins anew: a database that breaks more often than that has a reason that will stay."""
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})

T = TypeVar("T")


class Note(msgspec.Struct, frozen=True):
    """Something for the log: `kind` is one of the four words above."""

    kind: str
    text: str


class Ledger:
    """`paths` are where the spool's directory may be seen from, before and after a chroot; the database is opened at
    once, before the chroot. `notes` are for who logs. `full`: what was tried last failed since the disk is full.
    """

    def __init__(self, files: Files, share: Share, paths: tuple[str, ...]) -> None:
        self.notes: list[Note] = []
        self.full = False
        self._files = files
        self._share = share
        self._paths = paths
        self._renewals = 0
        self._generation = share.quota.generation
        self._store: Store | None = None
        self._reopen()

    def close(self) -> None:
        """Ends the connection."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def note(self, kind: str, text: str) -> None:
        """Something for the log."""
        self.notes.append(Note(kind, text))

    @contextmanager
    def changing(self, store: Store) -> Iterator[None]:
        """A change of rows and files. What the objects have is told to the quota while nobody else changes it."""
        with store.changing():
            yield
            self._share.quota.stored = store.totals().octets

    def tried(self, what: str, default: T, work: Callable[[Store], T]) -> T:
        """What `work` gives, or `default` where the database cannot be asked or fails."""
        self.full = False
        if self._generation != self._share.quota.generation:
            self._reopen()
        if self._store is None:
            return default
        try:
            return work(self._store)
        except sqlite3.Error as error:
            self._failed(what, error)
        return default

    def _failed(self, what: str, error: sqlite3.Error) -> None:
        self.note(FAILED, f"{what}: {error}")
        self.full = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
        if is_broken(error) and self._renewals < _RENEWALS:
            self._renewals += 1
            self.close()
            self._begin_anew(str(error))

    def _begin_anew(self, why: str) -> None:
        with self._share.locked() as held:
            quota = self._share.quota
            first = held and quota.generation == self._generation and self._path() is not None
            if first:
                set_aside(self._files)
                self.note(BEGUN_ANEW, why)
            self._reopen()
            if first:
                quota.generation += 1
                self._generation = quota.generation
        if first:
            self.tried("begin anew", None, self._remove_strangers)

    def _reopen(self) -> None:
        self.close()
        self._generation = self._share.quota.generation
        path = self._path()
        if path is None:
            self.note(WITHOUT, "its directory is outside the chroot; so it is until the worker is started anew")
            return
        try:
            self._store = open_store(self._files, path)
        except sqlite3.Error as error:
            self._failed("open", error)

    def _path(self) -> str | None:
        return next((path for path in self._paths if is_at(self._files.root, path)), None)

    def _remove_strangers(self, store: Store) -> None:
        with self.changing(store):
            known = {row.name for row in store.rows()}
            for name, _ in list(self._files.entries()):
                if name not in known:
                    self._files.unlink(name)


def is_broken(error: sqlite3.Error) -> bool:
    """It will not be better next time: the database is damaged, of another version, or no database."""
    return isinstance(error, Broken) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def is_at(directory: int, path: str) -> bool:
    """The open directory can be seen under this path."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(directory))
    except OSError:
        return False


def open_store(files: Files, path: str) -> Store:
    """The database in the spool's directory, which is at `path` now. Raises sqlite3.Error, OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    os.close(os.open(FILE, flags, 0o600, dir_fd=files.root))  # SQLite's own files get the same mode
    return Store(os.path.join(path, FILE))


def set_aside(files: Files) -> None:
    """Renames the database; one that was put aside before goes."""
    for ending in ("", "-wal", "-shm"):
        try:
            os.rename(FILE + ending, ASIDE + ending, src_dir_fd=files.root, dst_dir_fd=files.root)
        except FileNotFoundError:
            continue
