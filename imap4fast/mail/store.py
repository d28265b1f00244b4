"""The spool's database: which object answers for which mail, and what the engines said.

SQLite in WAL mode, shared by the host's workers. Whoever changes anything holds the write lock from the first word on
(`changing`), and files come and go under it: so rows and files are never changed by two at once. synchronous is NORMAL:
the last changes may be lost with the machine's power, consistency never. Raises sqlite3.Error; ledger.py knows what to
do then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import msgspec

from imap4fast.mail.spoolkey import KEY_BYTES, Origin, mailbox_name, object_name, owner_digest, place_digest
from imap4fast.mail.work import Verdicts

FILE = "store.db"
VERSION = 1
BUSY_S = 1.0
"""How long a change waits for those of others; they take milliseconds, unless a process was stopped in one."""

_SCHEMA = """
CREATE TABLE mailboxes(owner BLOB NOT NULL, name BLOB NOT NULL, PRIMARY KEY(owner, name)) WITHOUT ROWID;
CREATE TABLE objects(
    key BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, mail_size INTEGER NOT NULL, index_size INTEGER NOT NULL,
    sha256 BLOB NOT NULL, original_size INTEGER NOT NULL, original_sha256 BLOB NOT NULL, reason TEXT NOT NULL,
    code TEXT NOT NULL, message_id TEXT NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX objects_used ON objects(used);
CREATE TABLE verdicts(
    content BLOB NOT NULL, engines BLOB NOT NULL, versions BLOB NOT NULL, verdicts BLOB NOT NULL,
    created INTEGER NOT NULL, used INTEGER NOT NULL, UNIQUE(content, engines)
);
CREATE INDEX verdicts_used ON verdicts(used);
CREATE TABLE totals(octets INTEGER NOT NULL, objects INTEGER NOT NULL, verdicts INTEGER NOT NULL);
INSERT INTO totals VALUES(0, 0, 0);
CREATE TABLE boot(id TEXT NOT NULL);
CREATE TRIGGER object_comes AFTER INSERT ON objects BEGIN
    UPDATE totals SET octets = octets + new.mail_size + new.index_size, objects = objects + 1;
END;
CREATE TRIGGER object_goes AFTER DELETE ON objects BEGIN
    UPDATE totals SET octets = octets - old.mail_size - old.index_size, objects = objects - 1;
END;
CREATE TRIGGER verdict_comes AFTER INSERT ON verdicts BEGIN UPDATE totals SET verdicts = verdicts + 1; END;
CREATE TRIGGER verdict_goes AFTER DELETE ON verdicts BEGIN UPDATE totals SET verdicts = verdicts - 1; END;
"""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA temp_store = MEMORY",  # a worker in a chroot has no directory for temporary files
    "PRAGMA journal_size_limit = 8388608",
    "PRAGMA cache_size = -2048",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)

_COLUMNS = (
    "kind, mail_size, index_size, sha256, original_size, original_sha256, reason, code, message_id, created, used"
)
_FIND = f"SELECT {_COLUMNS} FROM objects WHERE key = ?"  # noqa: S608
_ENTER = f"INSERT INTO objects(key, {_COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(key) DO NOTHING"
_NAME_MAILBOX = "INSERT OR IGNORE INTO mailboxes VALUES(?, ?)"
_PUT_VERDICTS = """
INSERT INTO verdicts VALUES(?,?,?,?,?,?) ON CONFLICT(content, engines) DO UPDATE SET
    versions = excluded.versions, verdicts = excluded.verdicts, created = excluded.created, used = excluded.used
"""
_LAST = b"\xff" * KEY_BYTES

T = TypeVar("T")
_decode_verdicts = msgspec.msgpack.Decoder(Verdicts).decode
_values = msgspec.structs.astuple
_encode = msgspec.msgpack.Encoder().encode


_Size = Annotated[int, msgspec.Meta(ge=0)]
_Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a processed mail. `kind`, `reason` and `code` are the outcome's; `sha256` is of the mail as it is
    shown, `original_sha256` of what the server sent. Times are seconds since the epoch. A refused mail has no object:
    both sizes are 0.
    """

    kind: str
    mail_size: _Size
    index_size: _Size
    sha256: _Digest
    original_size: _Size
    original_sha256: _Digest
    reason: str = ""
    code: str = ""
    message_id: str = ""
    created: int = 0
    used: int = 0

    @property
    def size(self) -> int:
        """Of the object's file."""
        return self.mail_size + self.index_size


class Totals(msgspec.Struct, frozen=True, array_like=True):
    """What the database holds: octets of objects, objects, verdicts."""

    octets: int
    objects: int
    verdicts: int


class Row(msgspec.Struct, frozen=True):
    """What the sweep sees of a mail: `name` and `size` are of its file, `sha256` of the first `mail_size` octets."""

    key: bytes
    name: str
    size: int
    mail_size: int
    sha256: bytes
    created: int


class Broken(sqlite3.DatabaseError):
    """What the database holds is not what this program would have put there."""


class Store:
    """One process's connection, for one thread at a time. `path` must hold for as long as SQLite opens its files: all
    are open once this has been made, and a chroot may follow. Makes the schema in an empty file.
    """

    def __init__(self, path: str) -> None:
        self._sql = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            for setting in _SETTINGS:
                self._sql.execute(setting).fetchall()
            if not self._version():
                self._make()
            self._check()
        except BaseException:
            self._sql.close()
            raise

    def _version(self) -> int:
        return int(self._sql.execute("PRAGMA user_version").fetchone()[0])

    def _make(self) -> None:
        with self.changing():
            if self._version():  # another process was first
                return
            for statement in _statements(_SCHEMA):
                self._sql.execute(statement)
            self._sql.execute(f"PRAGMA user_version = {VERSION}")

    def _check(self) -> None:
        found = self._version()
        if found != VERSION:
            raise Broken(f"version {found} where {VERSION} was expected")
        self.totals()

    def close(self) -> None:
        """Ends the connection."""
        self._sql.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """A change that is made whole or not at all; nobody else changes anything meanwhile."""
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._sql.execute("COMMIT")
        except BaseException:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise

    def faults(self) -> str:
        """What SQLite finds wrong in the whole file; empty: nothing."""
        found = str(self._sql.execute("PRAGMA quick_check(1)").fetchone()[0])
        return "" if found == "ok" else found

    def checkpoint(self) -> None:
        """Brings the log into the database and empties it."""
        self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def totals(self) -> Totals:
        """How much there is, exactly."""
        return _shaped(self._sql.execute("SELECT octets, objects, verdicts FROM totals").fetchone(), Totals)

    # Objects

    def find(self, key: bytes) -> Kept | None:
        """What is kept under the key."""
        row = self._sql.execute(_FIND, (key,)).fetchone()
        return None if row is None else _shaped(row, Kept)

    def put(self, origin: Origin, key: bytes, kept: Kept) -> bool:
        """Enters a mail under its key. False: something is kept there, and stays."""
        self._sql.execute(_NAME_MAILBOX, (owner_digest(origin.account, origin.server), mailbox_name(origin.mailbox)))
        return self._sql.execute(_ENTER, (key, *_values(kept))).rowcount == 1

    def drop(self, key: bytes) -> str | None:
        """Forgets the mail with this key; the file that went with it."""
        row = self._sql.execute("SELECT key, sha256 FROM objects WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        self._sql.execute("DELETE FROM objects WHERE key = ?", (key,))
        return object_name(*row)

    def keys_within(self, account: bytes, server: bytes, mailbox: bytes, delimiter: bytes) -> list[bytes]:
        """The keys of all mails of the mailbox and of those below it. Case is ignored: where that is one mailbox too
        many its mails are fetched once more.
        """
        owner, name = owner_digest(account, server), mailbox.upper()
        below = name + delimiter
        rows = self._sql.execute("SELECT name FROM mailboxes WHERE owner = ?", (owner,)).fetchall()
        within = [
            found for (found,) in rows if found.upper() == name or (delimiter and found.upper().startswith(below))
        ]
        return [key for found in within for key in self._keys_of(place_digest(owner, found))]

    def _keys_of(self, place: bytes) -> list[bytes]:
        rows = self._sql.execute("SELECT key FROM objects WHERE key BETWEEN ? AND ?", (place, place + _LAST))
        return [key for (key,) in rows]

    def oldest(self, count: int) -> list[tuple[bytes, int]]:
        """(key, octets) of the mails that were used longest ago."""
        return self._sql.execute(
            "SELECT key, mail_size + index_size FROM objects ORDER BY used LIMIT ?", (count,)
        ).fetchall()

    def made_before(self, created: int, count: int) -> list[bytes]:
        """The keys of mails that were entered before; rows stand in the order of their entering."""
        rows = self._sql.execute("SELECT key, created FROM objects ORDER BY rowid LIMIT ?", (count,)).fetchall()
        return [key for key, then in rows if then < created]

    def touch(self, keys: dict[bytes, int]) -> None:
        """Mails that were used, and when."""
        self._sql.executemany("UPDATE objects SET used = ? WHERE key = ?", [(then, key) for key, then in keys.items()])

    # Verdicts

    def verdicts(self, content: bytes, engines: bytes) -> tuple[Verdicts, bytes, int, int] | None:
        """The verdicts that hold for these octets under these engines, the versions that said so last, when they were
        scored, and used.
        """
        row = self._sql.execute(
            "SELECT verdicts, versions, created, used FROM verdicts WHERE content = ? AND engines = ?",
            (content, engines),
        ).fetchone()
        if row is None:
            return None
        try:
            return _decode_verdicts(row[0]), row[1], row[2], row[3]
        except (msgspec.DecodeError, TypeError):  # of another version's shape: as if there were none
            return None

    def put_verdicts(
        self, content: bytes, engines: bytes, versions: bytes, verdicts: Verdicts, scored: int, now: int
    ) -> None:
        """Enters verdicts in place of those that held; `scored`: since when their spam score holds."""
        self._sql.execute(_PUT_VERDICTS, (content, engines, versions, _encode(verdicts), scored, now))

    def touch_verdicts(self, content: bytes, engines: bytes, now: int) -> None:
        """The verdicts were used."""
        self._sql.execute("UPDATE verdicts SET used = ? WHERE content = ? AND engines = ?", (now, content, engines))

    def forget_verdicts(self, used: int, most: int, count: int) -> int:
        """Forgets verdicts not used since, and the longest unused of more than `most`; at most `count` of each."""
        first = "DELETE FROM verdicts WHERE rowid IN (SELECT rowid FROM verdicts {} ORDER BY used LIMIT ?)"
        gone = self._sql.execute(first.format("WHERE used < ?"), (used, count)).rowcount
        over = min(count, self.totals().verdicts - most)
        if over > 0:
            gone += self._sql.execute(first.format(""), (over,)).rowcount
        return gone

    # For the sweep, which runs alone

    def rows(self) -> Iterator[Row]:
        """All that is kept, newest first."""
        rows = self._sql.execute("SELECT key, sha256, mail_size, index_size, created FROM objects ORDER BY rowid DESC")
        for key, sha256, mail_size, index_size, created in rows:
            yield Row(key, object_name(key, sha256), mail_size + index_size, mail_size, sha256, created)

    def recount(self) -> Totals:
        """Counts anew, and forgets mailboxes of which nothing is kept."""
        for owner, name in self._sql.execute("SELECT owner, name FROM mailboxes").fetchall():
            if not self._keys_of(place_digest(owner, name)):
                self._sql.execute("DELETE FROM mailboxes WHERE owner = ? AND name = ?", (owner, name))
        self._sql.execute(
            "UPDATE totals SET octets = (SELECT COALESCE(SUM(mail_size + index_size), 0) FROM objects), "
            "objects = (SELECT COUNT(*) FROM objects), verdicts = (SELECT COUNT(*) FROM verdicts)"
        )
        return self.totals()

    def boot(self) -> str:
        """The boot in which the last sweep ran; "" where none did."""
        row = self._sql.execute("SELECT id FROM boot").fetchone()
        return "" if row is None else str(row[0])

    def set_boot(self, boot: str) -> None:
        """Notes the boot of a sweep."""
        self._sql.execute("DELETE FROM boot")
        self._sql.execute("INSERT INTO boot VALUES(?)", (boot,))


def _shaped(row: object, shape: type[T]) -> T:
    try:
        return msgspec.convert(row, shape)
    except msgspec.ValidationError as error:
        raise Broken(f"a row of another shape: {error}") from error


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would end the change that is under way."""
    waiting = ""
    for line in script.splitlines():
        waiting += line + "\n"
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
