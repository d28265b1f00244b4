"""The spool of one worker: files, their database and the host's count of bytes, kept in step.

What is on the disk is one of three things. A file in flight has no name and dies with whoever has it open; its bytes
stand in the worker's column of the quota. An object has a name and a row. Everything else is an orphan, which nothing
serves and the next sweep removes. An object is linked, entered, replaced and removed under the database's write lock,
so that a SIGKILL at any moment leaves at worst an orphan, which the worker's column tells of, or a row without a file,
which is a miss.

Calls block, so they are for the I/O thread (net/disk.py), one at a time. Times are seconds since the epoch. What fails
with the database is a note (ledger.py), what fails with a mail's own file is raised: SpoolFullError, OSError.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec

from imap4fast.mail.ledger import FAILED, OTHER_OCTETS, Ledger, Note
from imap4fast.mail.quota import Share, SpoolFullError
from imap4fast.mail.spoolfiles import Files, is_whole, write
from imap4fast.mail.spoolkey import Origin, object_name
from imap4fast.mail.store import Kept, Store
from imap4fast.mail.verdict import is_lasting, settled
from imap4fast.mail.work import Verdicts

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the kernel says of a disk, or a share of it, that is full."""
VERDICT_BYTES = 2048
"""One verdict is kept for so many octets of spool-max: the table takes about a tenth of it at most."""
SPAM_AGE_S = 86400
"""How long a spam score holds without another look. Engines of viruses tell when their signatures change; those of spam
tell nothing of what they have learned.
"""
LEAST_VERDICTS = 10_000
TOUCH_S = 600
"""The use of a mail is noted once in so many seconds."""
BATCH = 256
GROWTH = 1 << 20
"""A file that becomes longer than was announced reserves so much at a time."""
_TRIES = 3

T = TypeVar("T")


class Limits(msgspec.Struct, frozen=True):
    """`spool-max` in octets (0: none), `spool-keep` and `verdict-keep` in seconds (0: for good)."""

    octets: int
    keep_s: int
    verdict_keep_s: int

    @property
    def verdicts(self) -> int:
        """How many verdicts there may be."""
        return max(LEAST_VERDICTS, self.octets // VERDICT_BYTES) if self.octets else 1 << 62

    @property
    def verdict_touch_s(self) -> int:
        """The use of verdicts is noted once in so many seconds."""
        return self.verdict_keep_s // 64 or 86400


class Found(msgspec.Struct, frozen=True):
    """A mail that is kept: `fd` is its object, open to read (-1: refused, there is none), `index` the packed index,
    `head` what was read of the mail's begin.
    """

    kept: Kept
    fd: int = -1
    index: bytes = b""
    head: bytes = b""


class Held(NamedTuple):
    """Verdicts that hold. `current`: they are what the engines would say; else the mail may be looked at again.
    `aged`: their spam score is so old that a higher one takes its place.
    """

    verdicts: Verdicts
    current: bool
    aged: bool = False


class Said(msgspec.Struct, frozen=True):
    """What engines said: `content` is the digest of the mail as it came, `engines` says which they are, `versions`
    those of their signatures.
    """

    content: bytes
    engines: bytes
    versions: bytes
    verdicts: Verdicts


class Spool:
    """Takes over what it is given, and closes it. Clears the column of a predecessor that was killed."""

    def __init__(self, files: Files, share: Share, paths: tuple[str, ...], limits: Limits) -> None:
        self.files = files
        self._share = share
        self._limits = limits
        self._reserved: dict[int, int] = {}
        self._touched: dict[bytes, int] = {}
        self._ledger = Ledger(files, share, paths)
        self._ledger.tried("open", None, self._inherit)
        share.clear()

    def _inherit(self, store: Store) -> None:
        """Removes what the predecessor linked and did not enter."""
        with self._ledger.changing(store):
            key, name = self._share.intended()
            kept = store.find(key)
            if name.strip(b"\0") and (kept is None or object_name(key, kept.sha256) != name.hex()):
                self.files.unlink(name.hex())

    def close(self) -> None:
        """Ends all; to be called when no file is in flight."""
        self._ledger.tried("close", None, self._flush)
        self._ledger.close()
        self._share.clear()
        self._share.close()
        self.files.close()

    def take_notes(self) -> list[Note]:
        """What is to be logged since the last time."""
        notes = self._ledger.notes
        if notes:
            self._ledger.notes = []
        return notes

    # Files in flight

    def create(self, octets: int = 0) -> int:
        """A file without a name for which so much is reserved. Raises SpoolFullError, OSError."""
        self._reserve(octets)
        try:
            fd = self._with_room(octets, self.files.create)
        except BaseException:
            self._share.release(octets)
            raise
        self._reserved[fd] = octets
        return fd

    def reserve(self, fd: int, octets: int) -> None:
        """From now on so much in all is reserved for the file. Raises SpoolFullError."""
        more = octets - self._reserved.get(fd, 0)
        if more > 0:
            self._reserve(more)
            self._reserved[fd] = octets

    def write(self, fd: int, offset: int, chunks: list[bytes]) -> int:
        """Writes the chunks at `offset`; where they end. Raises SpoolFullError, OSError."""
        end = offset + sum(map(len, chunks))
        if end > self._reserved.get(fd, 0):
            self._grow(fd, end)
        self._with_room(end, lambda: write(fd, chunks, offset))
        return end

    def _grow(self, fd: int, size: int) -> None:
        try:
            self.reserve(fd, max(size, self._reserved.get(fd, 0) + GROWTH))
        except SpoolFullError:
            self.reserve(fd, size)

    def release(self, fd: int) -> None:
        """Closes a file, in flight or not."""
        os.close(fd)
        self._share.release(self._reserved.pop(fd, 0))

    def _reserve(self, octets: int) -> None:
        for _ in range(_TRIES):
            if self._share.reserve(octets):
                return
            missing = self._share.missing(octets)
            if missing > self._share.quota.stored or not (missing <= 0 or self._evict(missing)):
                break
        raise SpoolFullError()

    def _with_room(self, octets: int, make: Callable[[], T]) -> T:
        """What `make` makes; where the disk is full the oldest objects go first, and more at each try."""
        for extra in range(_TRIES):
            try:
                return make()
            except OSError as error:
                if error.errno not in NO_ROOM or not self._evict(octets + extra * GROWTH):
                    raise
        return make()

    # Objects

    def find(self, key: bytes, now: int, ahead: int = 0) -> Found | None:
        """The mail that is kept under the key, opened, and up to `ahead` octets of it read. Raises OSError."""
        for _ in range(2):  # the second time where another worker has just put something else in its place
            kept = self._ledger.tried("find", None, lambda store: store.find(key))
            if kept is None:
                return None
            found = self._opened(key, kept, ahead)
            if found is not None:
                if now - kept.used >= TOUCH_S:
                    self._touched[key] = now
                return found
        self.drop(key)
        return None

    def _opened(self, key: bytes, kept: Kept, ahead: int) -> Found | None:
        if not kept.size:
            return Found(kept)
        fd = self.files.open(object_name(key, kept.sha256), kept.size)
        return None if fd is None else _read(fd, kept, ahead)

    def keep(self, origin: Origin, fd: int, kept: Kept, now: int, said: Said | None = None) -> bool:
        """Links the whole object behind `fd` and enters it, and what was said of it; the file stays open. True: it is
        kept now.

        A refused mail has no object, and `fd` is not looked at. Raises SpoolFullError where the object is larger than
        what is reserved and the rest does not fit.
        """
        if kept.size:
            if not is_whole(os.fstat(fd), kept.size):
                self._ledger.note(FAILED, f"keep: an object has not the {kept.size} octets that were announced")
                return False
            self.reserve(fd, kept.size)
        kept = msgspec.structs.replace(kept, created=now, used=now)
        if not self._linked(origin, fd, kept, said):
            self.files.unlink(object_name(origin.key(), kept.sha256))  # linked, maybe, but not entered
            return False
        if kept.size:
            self._share.release(self._reserved.pop(fd, 0))
        return True

    def finish(self, fd: int, kept: Kept, origin: Origin | None, said: Said | None, now: int, ahead: int) -> Found:
        """Reads an object as `find` does; before that, it is kept where `origin` says for whom, and what was said of it
        in any case. Raises SpoolFullError, OSError.
        """
        if (origin is None or not self.keep(origin, fd, kept, now, said)) and said is not None:
            self.keep_verdicts(said, now)
        return _read(fd, kept, ahead)

    def _linked(self, origin: Origin, fd: int, kept: Kept, said: Said | None) -> bool:
        try:
            return self._with_room(GROWTH, lambda: self._entered(origin, fd, kept, said))
        except OSError as error:
            self._ledger.note(FAILED, f"keep: {error.strerror}")
            return False

    def _entered(self, origin: Origin, fd: int, kept: Kept, said: Said | None) -> bool:
        entered = self._ledger.tried("keep", False, lambda store: self._keep(store, origin, fd, kept, said))
        if not entered and self._ledger.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return entered

    def _keep(self, store: Store, origin: Origin, fd: int, kept: Kept, said: Said | None) -> bool:
        key = origin.key()
        name = object_name(key, kept.sha256)
        with self._ledger.changing(store):
            if not store.put(origin, key, kept):
                self._look_at_other(store.find(key), kept)
                self._unlink(store.drop(key))
                store.put(origin, key, kept)
            self._share.intend(key, bytes.fromhex(name))
            if kept.size:
                self.files.link(fd, name)
            if said is not None:
                _settled(store, said, kept.used)
            self._flush(store)
        self._share.intend(bytes(32), bytes(32))
        return True

    def _look_at_other(self, old: Kept | None, new: Kept) -> None:
        # RFC 9051 section 2.3.1.1 forbids it: a server that is broken.
        if old is not None and old.original_sha256 != new.original_sha256:
            text = f"{old.original_size} octets became {new.original_size}, Message-ID {new.message_id}"
            self._ledger.note(OTHER_OCTETS, text)

    def drop(self, key: bytes) -> None:
        """Forgets what is kept under the key, as where its index cannot be read."""
        self._ledger.tried("drop", 0, lambda store: self._drop(store, [key]))

    def drop_mailbox(self, account: bytes, server: bytes, mailbox: bytes, delimiter: bytes) -> int:
        """Forgets all mails of a mailbox that was deleted or renamed, and of those below it; how many."""
        return self._ledger.tried(
            "drop", 0, lambda store: self._drop(store, store.keys_within(account, server, mailbox, delimiter))
        )

    def _drop(self, store: Store, keys: Iterable[bytes]) -> int:
        """Files first: killed in between, rows without files are left, and what is counted is too much."""
        gone = 0
        with self._ledger.changing(store):
            for key in keys:
                name = store.drop(key)
                self._unlink(name)
                gone += name is not None
        return gone

    def _unlink(self, name: str | None) -> None:
        if name is not None:
            self.files.unlink(name)

    def _evict(self, octets: int) -> bool:
        """Removes the mails used longest ago until so much, and some more, is free. False: there is none to remove."""
        more = octets + self._limits.octets // 64
        gone = self._ledger.tried("evict", 0, lambda store: self._evict_from(store, more))
        if self._ledger.full:  # the files are gone, and so the database has room now for what it has to write
            gone = self._ledger.tried("evict", 0, lambda store: self._evict_from(store, more))
        return gone > 0

    def _evict_from(self, store: Store, octets: int) -> int:
        gone = 0
        with self._ledger.changing(store):
            self._flush(store)
            while gone < octets and (oldest := store.oldest(BATCH)):
                for key, size in oldest:
                    self._unlink(store.drop(key))
                    gone += size
                    if gone >= octets:
                        break
        return gone

    # Verdicts

    def verdicts(self, content: bytes, engines: bytes, versions: bytes, now: int) -> Held | None:
        """The verdicts that hold for a mail with this digest under these engines. They are current where these very
        versions of their signatures said so, not too long ago; else `keep_verdicts` says what holds after another look.
        """
        ledger = self._ledger
        held = ledger.tried("verdicts", None, lambda store: store.verdicts(content, engines))
        if held is None:
            return None
        verdicts, by, scored, used = held
        if now - used > self._limits.verdict_touch_s:
            ledger.tried("verdicts", None, lambda store: store.touch_verdicts(content, engines, now))
        aged = _is_aged(verdicts, scored, now)
        return Held(verdicts, by == versions and not aged, aged)

    def keep_verdicts(self, said: Said, now: int) -> Verdicts:
        """Enters what engines said now; what holds: what they said first, unless they find a virus only now."""

        def work(store: Store) -> Verdicts:
            with store.changing():
                return _settled(store, said, now)

        return self._ledger.tried("verdicts", said.verdicts, work)

    # Upkeep

    def tidy(self, now: int) -> bool:
        """What is due once a minute or so: uses are written down, what is too old goes. True: there is more of it."""
        return self._ledger.tried("tidy", False, lambda store: self._tidy(store, now))

    def _tidy(self, store: Store, now: int) -> bool:
        limits = self._limits
        aged = store.made_before(now - limits.keep_s, BATCH) if limits.keep_s else []
        if aged or self._touched:
            with store.changing():
                self._flush(store)
            self._drop(store, aged)
        used = now - limits.verdict_keep_s if limits.verdict_keep_s else 0
        return store.forget_verdicts(used, limits.verdicts, BATCH) >= BATCH or len(aged) == BATCH

    def _flush(self, store: Store) -> None:
        if self._touched:
            store.touch(self._touched)
            self._touched.clear()

    def quarantine(self, directory: int, fd: int, text: str, stamp: str) -> str:
        """Copies the mail behind `fd` to the directory, and beside it the text that says why; both are whole when they
        have their names. The name without ending: `stamp` and the mail's digest. Raises OSError.
        """
        with open(fd, "rb", closefd=False) as file:
            file.seek(0)
            name = f"{stamp}-{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}"
        self.files.copy(fd, directory, f"{name}.eml")
        self.files.put(text.encode("utf-8", "surrogateescape"), directory, f"{name}.txt")
        return name


def _read(fd: int, kept: Kept, ahead: int) -> Found:
    if kept.mail_size <= ahead:
        whole = os.pread(fd, kept.size, 0)
        return Found(kept, fd, whole[kept.mail_size :], whole[: kept.mail_size])
    head = os.pread(fd, ahead, 0) if ahead else b""
    return Found(kept, fd, os.pread(fd, kept.index_size, kept.mail_size), head)


def _settled(store: Store, said: Said, now: int) -> Verdicts:
    held = store.verdicts(said.content, said.engines)
    old, scored = (held[0], held[2]) if held is not None else (None, now)
    if not is_lasting(said.verdicts):
        return said.verdicts if old is None else old
    aged = old is not None and _is_aged(old, scored, now)
    verdicts = settled(old, said.verdicts, aged=aged)
    if held is None or aged or (verdicts, said.versions) != held[:2]:
        store.put_verdicts(said.content, said.engines, said.versions, verdicts, now if aged else scored, now)
    return verdicts


def _is_aged(verdicts: Verdicts, scored: int, now: int) -> bool:
    return verdicts.spam is not None and now - scored > SPAM_AGE_S
