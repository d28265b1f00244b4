"""Spools in directories of a test's own, and mails to put into them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from imap4fast.mail.quota import Quota, Share
from imap4fast.mail.spool import Limits, Spool
from imap4fast.mail.spoolfiles import Files
from imap4fast.mail.spoolkey import Origin
from imap4fast.mail.store import Kept

NOW = 1_700_000_000
MANY = Limits(octets=0, keep_s=0, verdict_keep_s=0)


def made(path: Path) -> Path:
    """The directories of a spool, as the start of the service makes them."""
    (path / "objects").mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    (path / "lock").touch(mode=0o600)
    return path


def files(path: Path, unnamed: bool = True, links: bool = True, tag: str = "0") -> Files:
    flags = os.O_RDONLY | os.O_DIRECTORY
    found = os.open("/proc/self/fd", flags) if links else None
    return Files(os.open(path, flags), os.open(path / "objects", flags), found, tag, unnamed)


def share(path: Path, quota: Quota, column: int = 0) -> Share:
    return Share(quota, column, os.open(path / "lock", os.O_RDWR))


def spool(
    path: Path, quota: Quota | None = None, column: int = 0, limits: Limits = MANY, unnamed: bool = True
) -> Spool:
    """One worker's spool; everything below `path` is made where it is missing."""
    made(path)
    if quota is None:
        quota = Quota(1, limits.octets)
    return Spool(files(path, unnamed, tag=str(column)), share(path, quota, column), (str(path),), limits)


def origin(uid: int, **other: object) -> Origin:
    fields: dict[str, object] = {
        "account": b"ann",
        "server": b"mail.example:143",
        "mailbox": b"INBOX",
        "uidvalidity": 7,
        "uid": uid,
        "residual": b"r" * 32,
        **other,
    }
    return Origin(**fields)  # type: ignore[arg-type]


def mail(number: int, size: int = 1000) -> bytes:
    """A mail of this size, different for each number."""
    start = f"Subject: mail {number}\r\n\r\n".encode()
    return (start * (size // len(start) + 1))[:size]


def index_of(octets: bytes) -> bytes:
    """What stands for a packed index."""
    return b"index of " + hashlib.sha256(octets).hexdigest().encode()


def kept(octets: bytes, **other: object) -> Kept:
    """What is entered of a mail that passed."""
    sha = hashlib.sha256(octets).digest()
    fields: dict[str, object] = {
        "kind": "passed",
        "mail_size": len(octets),
        "index_size": len(index_of(octets)),
        "sha256": sha,
        "original_size": len(octets),
        "original_sha256": sha,
        **other,
    }
    return Kept(**fields)  # type: ignore[arg-type]


def put(target: Spool, uid: int, octets: bytes, now: int = NOW, **other: object) -> bool:
    """Keeps a mail as a worker does, and closes its file."""
    whole = octets + index_of(octets)
    fd = target.create(len(whole))
    try:
        target.write(fd, 0, [whole])
        return target.keep(origin(uid, **other), fd, kept(octets), now)
    finally:
        target.release(fd)


def got(target: Spool, uid: int, now: int = NOW, **other: object) -> bytes | None:
    """The mail that is served for this UID, checked against its index; None: none."""
    found = target.find(origin(uid, **other).key(), now)
    if found is None:
        return None
    octets = os.pread(found.fd, found.kept.mail_size, 0)
    assert found.index == index_of(octets)
    assert hashlib.sha256(octets).digest() == found.kept.sha256
    target.release(found.fd)
    return octets


def names(path: Path) -> set[str]:
    """What lies among the objects."""
    return set(os.listdir(path / "objects"))


def octets_on_disk(path: Path) -> int:
    return sum((path / "objects" / name).stat().st_size for name in names(path))
