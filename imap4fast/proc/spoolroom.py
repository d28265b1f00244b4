"""The spool as processes have it: made and swept by the master's order, entered by each worker before its chroot.

The spool's files and its database were written by workers, which talk to the network. So the master itself reads
neither: a short-lived process with the rights of a worker sweeps, and a worker opens the database with its later
rights. The master holds the two directories, and the map in which all workers count their bytes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import msgspec

from imap4fast.errors import SetupError
from imap4fast.log import spol
from imap4fast.log.setup import Logs
from imap4fast.mail.quota import Quota, Share
from imap4fast.mail.spool import Limits, Spool
from imap4fast.mail.spoolfiles import Files, make_cradles, open_cradles
from imap4fast.mail.spoolsweep import Swept, sweep
from imap4fast.proc import privileges, signals

OBJECTS, LOCK = "objects", "lock"
SWEEP_S = 900.0
"""How long the sweep may take: after a crash of the machine it reads the newest objects whole."""
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_LINKS = "/proc/self/fd"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class SpoolRoom:
    """The directory at `path`, made where it is missing (its parent is not), for `workers` that run as `who`.

    Raises SetupError when it cannot be used: it must be its user's, and nobody else's to look into.
    """

    def __init__(self, path: str, limits: Limits, workers: int, who: privileges.Identity | None, logs: Logs) -> None:
        self._path = os.path.abspath(path)
        self._limits = limits
        self._who = who
        with _setup(self._path):
            self._root = _made(self._path, who)
            swept = _swept(self._root, self._path, limits, who)
            self._objects = _checked(os.open(OBJECTS, _DIRECTORY | os.O_NOFOLLOW, dir_fd=self._root), who)
        self._quota = Quota(workers, limits.octets)
        self._quota.stored = swept.octets
        _log(swept, logs)

    def enter(self, column: int) -> Spool:
        """In a worker, before its chroot and while it still has all rights: its part. Raises SetupError."""
        with _setup(self._path):
            links = os.open(_LINKS, _DIRECTORY) if os.path.isdir(_LINKS) else None
            with _rights_of(self._who):
                places = os.dup(self._root), os.dup(self._objects), links
                files = Files(*places, str(column), cradles=open_cradles(self._root))
                lock = os.open(LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._root)
                return Spool(files, Share(self._quota, column, lock), self._paths(), self._limits)

    def _paths(self) -> tuple[str, ...]:
        """Where the directory is seen from: the host, and the chroot where it lies inside."""
        root = self._who.root if self._who is not None else None
        if root is None:
            return (self._path,)
        inside = os.path.relpath(os.path.realpath(self._path), os.path.realpath(root))
        return (self._path,) if inside.startswith("..") else (self._path, os.path.join("/", inside))

    def close(self) -> None:
        """In the master, when all is over."""
        os.close(self._root)
        os.close(self._objects)


@contextmanager
def _setup(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SetupError(f"spool-dir {path}", error.strerror or error) from error


def _log(swept: Swept, logs: Logs) -> None:
    if swept.broken:
        logs.write(spol.BEGUN_ANEW, swept.broken)
    found = swept.orphans, swept.missing, swept.damaged, swept.temporary, swept.aged
    logs.write(spol.SWEPT, swept.objects, swept.octets, *found)


def _user(who: privileges.Identity | None) -> tuple[int, int]:
    return (os.geteuid(), os.getegid()) if who is None else (who.uid, who.gid)


def _made(path: str, who: privileges.Identity | None) -> int:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return _checked(os.open(path, _DIRECTORY), who)
    root = os.open(path, _DIRECTORY | os.O_NOFOLLOW)
    if _user(who) != (os.geteuid(), os.getegid()):
        os.fchown(root, *_user(who))
    return _checked(root, who)


def _checked(directory: int, who: privileges.Identity | None) -> int:
    """Mails lie there: only their user may look, and nobody else may put anything there."""
    found = os.fstat(directory)
    if found.st_uid != _user(who)[0]:
        raise PermissionError(errno.EPERM, f"it belongs to user {found.st_uid}, not to {_user(who)[0]}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(errno.EPERM, f"its mode is {stat.S_IMODE(found.st_mode):o}, it must be 700")
    return directory


@contextmanager
def _rights_of(who: privileges.Identity | None) -> Iterator[None]:
    """Files are opened as their user opens them."""
    if who is None:
        yield
        return
    before = os.geteuid(), os.getegid()
    os.setegid(who.gid)
    os.seteuid(who.uid)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])


def _swept(root: int, path: str, limits: Limits, who: privileges.Identity | None) -> Swept:
    """What the sweep found; it runs in a process of its own. Raises OSError."""
    reads, writes = os.pipe()
    mask = signals.block_all()
    try:
        pid = os.fork()
        if not pid:
            _be_sweeper(root, path, limits, who, writes, mask)
    finally:
        signals.restore(mask)
        os.close(writes)
    with open(reads, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        why = said.decode(errors="replace") or f"its sweep ended with status {status}"
        raise OSError(errno.EIO, why)
    return msgspec.msgpack.decode(said, type=Swept)


def _be_sweeper(
    root: int, path: str, limits: Limits, who: privileges.Identity | None, writes: int, mask: set[int]
) -> NoReturn:
    """In the child."""
    status, said = 1, b""
    try:
        signals.reset_in_worker()
        signals.restore(mask)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, SWEEP_S)
        privileges.drop(None if who is None else privileges.Identity(who.uid, who.gid, None))
        said = msgspec.msgpack.encode(_sweep(root, path, limits))
        status = 0
    except (OSError, SetupError, sqlite3.Error) as error:
        said = str(error).encode(errors="replace")
    finally:
        os.write(writes, said)
        os._exit(status)


def _sweep(root: int, path: str, limits: Limits) -> Swept:
    with contextlib.suppress(FileExistsError):
        os.mkdir(OBJECTS, 0o700, dir_fd=root)
    objects = _checked(os.open(OBJECTS, _DIRECTORY | os.O_NOFOLLOW, dir_fd=root), None)
    make_cradles(root)
    os.close(os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=root))
    return sweep(Files(root, objects, None, "sweep"), path, limits, int(time.time()), _boot())


def _boot() -> str:
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
