"""The bytes of the spool, counted for all worker processes of the host.

One anonymous shared map, made before the fork: what the stored objects have, and a column for each worker with what
its files in flight may still take. A column is written by its worker alone, so the share of a killed worker comes back
when the next one in its seat clears it. Who reserves holds a file lock, which the kernel takes from the dead. Nothing
here is believed by the master: workers talk to the network and could write anything.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

from imap4fast.errors import ServiceError

_STORED, _GENERATION, _COLUMNS = 0, 1, 2
_WORD = 8
_INTENT_BYTES = 64
_TRIES, _PAUSE_S = 300, 0.001


class SpoolFullError(ServiceError):
    """There is no room: spool-max is reached by mails in flight, or the disk is full."""

    def __init__(self, why: object = "spool-max is reached") -> None:
        super().__init__("spool", why)


class Quota:
    """The map itself; make it before the fork. `limit` 0: there is none."""

    def __init__(self, workers: int, limit: int) -> None:
        self.workers = workers
        self.limit = limit
        size = (_COLUMNS + workers) * _WORD
        memory = memoryview(mmap.mmap(-1, size + workers * _INTENT_BYTES))
        self._words = memory[:size].cast("Q")
        self._intents = memory[size:]

    @property
    def stored(self) -> int:
        """Bytes of the objects; whoever changes it holds the database's write lock."""
        return self._words[_STORED]

    @stored.setter
    def stored(self, octets: int) -> None:
        self._words[_STORED] = octets

    @property
    def generation(self) -> int:
        """How often the database was begun anew; changed under `Share.locked`."""
        return self._words[_GENERATION]

    @generation.setter
    def generation(self, number: int) -> None:
        self._words[_GENERATION] = number

    def in_flight(self) -> int:
        """Bytes that are reserved by all workers."""
        return sum(self._words[_COLUMNS:])

    def total(self) -> int:
        """What the spool has, or a little more: a mail that is just being entered counts twice for a moment."""
        return self.stored + self.in_flight()

    def column(self, number: int) -> int:
        """Bytes that one worker has reserved."""
        return self._words[_COLUMNS + number]

    def set_column(self, number: int, octets: int) -> None:
        """For the column's own worker only."""
        self._words[_COLUMNS + number] = octets

    def intent(self, number: int) -> memoryview:
        """What a worker is about to link: key and name of the object, or zeros."""
        return self._intents[number * _INTENT_BYTES : (number + 1) * _INTENT_BYTES]


class Share:
    """One worker's part of the quota. `lock` is a file opened by this very process: one inherited would lock nothing
    against the process that it came from.
    """

    def __init__(self, quota: Quota, column: int, lock: int) -> None:
        self.quota = quota
        self._column = column
        self._lock = lock
        self._intent = quota.intent(column)

    def clear(self) -> None:
        """Gives back all, as what a predecessor had who was killed."""
        self.quota.set_column(self._column, 0)
        self._intent[:] = bytes(_INTENT_BYTES)

    def close(self) -> None:
        """Closes the lock's file."""
        os.close(self._lock)

    def intend(self, key: bytes, name: bytes) -> None:
        """Says what is about to be linked, for a successor; zeros: it is entered."""
        self._intent[:] = key + name

    def intended(self) -> tuple[bytes, bytes]:
        """What was said last."""
        found = bytes(self._intent)
        return found[:32], found[32:]

    def reserve(self, octets: int) -> bool:
        """Takes so much for files in flight. False: it does not fit, or the lock could not be had."""
        quota = self.quota
        with self.locked() as held:
            if not held or (quota.limit and quota.total() + octets > quota.limit):
                return False
            quota.set_column(self._column, quota.column(self._column) + octets)
        return True

    def release(self, octets: int) -> None:
        """Gives back what `reserve` took."""
        self.quota.set_column(self._column, max(0, self.quota.column(self._column) - octets))

    def missing(self, octets: int) -> int:
        """How much would have to go before so much fits; 0 or less: it fits."""
        return self.quota.total() + octets - self.quota.limit if self.quota.limit else 0

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """The lock of the whole host, for microseconds. False: somebody, maybe a stopped process, holds it too long."""
        held = self._acquire()
        try:
            yield held
        finally:
            if held:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _acquire(self) -> bool:
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                select.select((), (), (), _PAUSE_S)
            else:
                return True
        return False
