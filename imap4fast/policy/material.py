"""The files that mail processing needs: read by the master, before chroot and again at reload.

Helpers have no file system: what they are to know comes from here, by the paths that the configuration names.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator

import msgspec

from imap4fast.config.mailsettings import BUILTIN, Antivirus
from imap4fast.config.settings import Settings
from imap4fast.config.types import quoted
from imap4fast.errors import ConfigError
from imap4fast.mail.doctype import Catalogue

LARGEST = 16 * 1024**2
"""Most octets of one file: all of them are in the memory of every helper."""

_DIGEST = re.compile(r"([0-9A-Fa-f]{64})(?:\s.*)?")


class Material(msgspec.Struct, frozen=True):
    """Octets of files by their paths, as the configuration names them."""

    files: dict[str, bytes] = {}

    def of(self, path: str | None) -> bytes:
        """The octets of a file; none for no path."""
        return b"" if path is None else self.files[path]


class Wanted(msgspec.Struct, frozen=True):
    """A file, and where it is named: `place` is a file and line, `item` the section and item."""

    path: str
    place: str
    item: str
    kind: str = "text"


def read(settings: Settings) -> Material:
    """All files that the ACLs name. ConfigError: a block for each that cannot be used."""
    faults = []
    files: dict[str, bytes] = {}
    for wanted in wanted_files(settings):
        try:
            files[wanted.path] = octets = files.get(wanted.path) or _octets(wanted.path)
            _check(octets, wanted.kind)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            faults.append(f"{wanted.place}: error: {wanted.item} {quoted(wanted.path)}: {why}")
    if faults:
        raise ConfigError("\n".join(faults))
    return Material(files)


def wanted_files(settings: Settings) -> tuple[Wanted, ...]:
    """Every file that mail processing reads, as often as it is named."""
    return tuple(_wanted(settings))


def digests(material: Material, engine: Antivirus) -> frozenset[bytes]:
    """The SHA-256 digests that a built-in engine knows as viruses."""
    return frozenset(_digests(material.of(engine.digests)))


def catalogue(settings: Settings, material: Material) -> Catalogue:
    """Types by extension and by first octets: as the files say, else as built in. ValueError: what is wrong in one."""
    found = settings.proxy.doctype_identification
    return Catalogue(*(None if path is None else material.of(path) for path in (found.mime_types, found.magic)))


def _wanted(settings: Settings) -> Iterator[Wanted]:
    proxy = settings.proxy
    found = proxy.doctype_identification
    for item, path in (("mime-types", found.mime_types), ("magic", found.magic)):
        if path is not None:
            yield Wanted(path, f"{found.path}:{found.line}", f"doctype-identification: {item}", item)
    for engine in _engines(settings):
        if engine.connection.kind == BUILTIN and engine.digests is not None:
            place = f"{engine.path}:{engine.line}"
            yield Wanted(engine.digests, place, f"antivirus {engine.name}: digests", "digests")
    for mail in proxy.mail_acls:
        if mail.replace_body is not None:
            yield Wanted(mail.replace_body, f"{mail.path}:{mail.line}", f"mail-acl {mail.name}: replace-body")
    for doc in proxy.doc_acls:
        if doc.replace_file is not None:
            path, media_type = doc.replace_file
            kind = "text" if (media_type or "text/plain").startswith("text/") else "octets"
            yield Wanted(path, f"{doc.path}:{doc.line}", f"doc-acl {doc.name}: replace-file", kind)


def _engines(settings: Settings) -> Iterator[Antivirus]:
    """The virus scanners that are in use, each once."""
    seen = set()
    for acl in settings.proxy.command_acls:
        for use in (*acl.download.use_antivirus, *acl.upload.use_antivirus):
            if use.enable and use.engine.name not in seen:
                seen.add(use.engine.name)
                yield use.engine


def _octets(path: str) -> bytes:
    """A regular file's; nobody waits for the other end of a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        octets = file.read(LARGEST + 1)
    if len(octets) > LARGEST:
        raise ValueError(f"more than {LARGEST // 1024**2}M")
    return octets


def _check(octets: bytes, kind: str) -> None:
    if kind == "text":
        _text(octets)
    elif kind == "digests":
        list(_digests(octets))
    elif kind == "mime-types":
        Catalogue(octets)
    elif kind == "magic":
        Catalogue(None, octets)


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte 0x{octets[error.start]:02x} at {error.start} is not UTF-8") from None


def _digests(octets: bytes) -> Iterator[bytes]:
    """One in a line, in hex; what follows it behind a blank, and lines that begin with `#`, say nothing."""
    for number, line in enumerate(_text(octets).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _DIGEST.fullmatch(line.strip())
        if found is None:
            raise ValueError(f"line {number}: a SHA-256 digest of 64 digits in hex expected")
        yield bytes.fromhex(found[1])
