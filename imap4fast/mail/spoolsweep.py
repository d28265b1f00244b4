"""What the start of the service does to a spool: rows and files are brought together, and everything counted anew.

Removed are files without a row (linked, then killed), rows without their file, what is not a plain file of ours and of
the size that its row says, left-over temporary names, what is too old and what is over spool-max. After a boot the
newest objects are read whole: octets of theirs may not have reached the disk when the machine went down.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from itertools import takewhile

import msgspec

from imap4fast.mail.ledger import is_broken, open_store, set_aside
from imap4fast.mail.spool import BATCH, Limits
from imap4fast.mail.spoolfiles import TEMPORARY, Files, is_whole
from imap4fast.mail.store import Row, Store

UNSURE_S = 900
"""Octets that were written so long before the newest are on the disk (the kernel writes after half a minute)."""
_READ_BYTES = 1 << 20


class Swept(msgspec.Struct):
    """What was found. `broken` says why the database was begun anew, "" that it was not."""

    objects: int = 0
    octets: int = 0
    orphans: int = 0
    missing: int = 0
    damaged: int = 0
    temporary: int = 0
    aged: int = 0
    broken: str = ""


def sweep(files: Files, path: str, limits: Limits, now: int, boot: str) -> Swept:
    """Brings the spool, which is at `path`, into order. `boot` is the kernel's boot_id. Raises OSError, and
    sqlite3.Error where the database can neither be used nor begun anew.
    """
    swept = Swept()
    store = _sound_store(files, path, swept)
    try:
        damaged = _damaged(files, store, boot)
        with store.changing():
            _bring_together(files, store, damaged, swept)
            _remove_old(files, store, limits, now, swept)
            totals = store.recount()
            store.set_boot(boot)
        while store.forget_verdicts(
            now - limits.verdict_keep_s if limits.verdict_keep_s else 0, limits.verdicts, BATCH
        ):
            continue
        store.checkpoint()
        swept.objects, swept.octets = totals.objects, totals.octets
    finally:
        store.close()
    return swept


def _sound_store(files: Files, path: str, swept: Swept) -> Store:
    try:
        store = open_store(files, path)
        try:
            swept.broken = store.faults()
        except BaseException:
            store.close()
            raise
        if not swept.broken:
            return store
        store.close()
    except sqlite3.Error as error:
        if not is_broken(error):
            raise
        swept.broken = str(error)
    set_aside(files)
    return open_store(files, path)


def _damaged(files: Files, store: Store, boot: str) -> set[bytes]:
    """The keys of objects whose octets are not what they were; looked at only where the machine was started anew."""
    if store.boot() in ("", boot):
        return set()
    return {row.key for row in _unsure(store) if row.size and not _is_intact(files, row)}


def _unsure(store: Store) -> Iterator[Row]:
    rows = store.rows()
    newest = next(rows, None)
    if newest is not None:
        yield newest
        yield from takewhile(lambda row: row.created > newest.created - UNSURE_S, rows)


def _is_intact(files: Files, row: Row) -> bool:
    fd = files.open(row.name, row.size)
    if fd is None:
        return True  # a row without its file; what else there is to say about it is said elsewhere
    try:
        return _sha256(fd, row.mail_size) == row.sha256
    finally:
        os.close(fd)


def _sha256(fd: int, size: int) -> bytes:
    state, offset = hashlib.sha256(), 0
    while offset < size:
        octets = os.pread(fd, min(_READ_BYTES, size - offset), offset)
        if not octets:
            break
        state.update(octets)
        offset += len(octets)
    return state.digest()


def _bring_together(files: Files, store: Store, damaged: set[bytes], swept: Swept) -> None:
    found = dict(files.entries())
    good: set[str] = set()
    for row in list(store.rows()):
        if row.key in damaged:
            swept.damaged += 1
        elif not row.size or (row.name in found and is_whole(found[row.name], row.size)):
            good.add(row.name)
            continue
        else:
            swept.missing += 1
        store.drop(row.key)
    for name in found.keys() - good:
        files.unlink(name)
        if name.startswith(TEMPORARY):
            swept.temporary += 1
        else:
            swept.orphans += 1


def _remove_old(files: Files, store: Store, limits: Limits, now: int, swept: Swept) -> None:
    while limits.keep_s and (keys := store.made_before(now - limits.keep_s, BATCH)):
        _remove(files, store, keys, swept)
    over = store.recount().octets - limits.octets if limits.octets else 0
    while over > 0 and (oldest := store.oldest(BATCH)):
        for key, size in oldest:
            if over > 0:
                _remove(files, store, [key], swept)
                over -= size


def _remove(files: Files, store: Store, keys: list[bytes], swept: Swept) -> None:
    for key in keys:
        name = store.drop(key)
        if name is not None:
            files.unlink(name)
            swept.aged += 1
