"""The engines `builtin`: EICAR and SHA-256 digests for viruses, GTUBE for spam.

They need no service and find what tests and operators put there, wherever it hides: in every reading of a part, in
files inside text, in archives inside archives. Octets without anything of the kind cost little more than a search for
a few marks. The test strings are put together at run time, so that no scanner objects to this file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from mmap import mmap

from imap4fast.mail import archive, embedded, transfer
from imap4fast.mail.streams import LIMITS, Blocks, Budget, LimitsExceeded
from imap4fast.mail.work import FOUND, FREE, SKIPPED, UNKNOWN, Scan

ENGINE = "(builtin)"
"""The engine in verdicts: a name that no section of a configuration can have."""

EICAR_NAME = "Eicar-Test-Signature"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-" + b"TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
GTUBE_SCORE = 1000.0

_RARE = b"^"
"""A letter of EICAR that little text has, and no base64: to look for it costs next to nothing."""

_WIDE = tuple(EICAR.decode("ascii").encode(charset) for charset in ("utf-16-le", "utf-16-be"))

LARGE = 4 << 20
"""Octets from which on content is looked at in passing, and held whole only where it is an archive or has files."""

_OVERLAP = 2048
"""What a window repeats of the one before: more than any mark is long."""

Content = bytes | bytearray | memoryview | mmap


class Engine:
    """The engine, with the operator's `digests` (SHA-256, raw octets).

    All calls for one mail share one `budget`, so that a mail of a thousand bombs costs as much as one; without it each
    call has its own.
    """

    def __init__(self, digests: frozenset[bytes] = frozenset()) -> None:
        self._digests = digests

    def scan_mail(self, octets: Content, budget: Budget | None = None) -> Scan:
        """Looks at a mail as a whole, which finds what stands in no leaf; the leaves are for `scan_leaf`."""
        budget = (budget or Budget()).anew()
        whole = octets if isinstance(octets, mmap) else _whole(octets)
        name = _signature(whole) or self._digest(whole)
        if not name and embedded.suspected(whole, documents=False):
            name = self._first([whole], (), budget) or ""
        return _result(name, budget)

    def scan(self, octets: Content, names: Sequence[str] = (), budget: Budget | None = None) -> Scan:
        """Looks at octets as they are (a whole mail, a decoded part), called `names`."""
        budget = (budget or Budget()).anew()
        return _result(self._first([octets], names, budget) or "", budget)

    def scan_leaf(
        self, octets: Content, encoding_header: bytes, names: Sequence[str] = (), budget: Budget | None = None
    ) -> Scan:
        """Looks at a part's body in every reading of its transfer encoding."""
        budget = (budget or Budget()).anew()
        if len(octets) > LARGE:
            with memoryview(octets) as view:
                pieces = transfer.pieces(view, encoding_header)
                name = self._first([pieces], names, budget) if pieces else None
            if name is not None:
                return _result(name, budget)
        return self.scan_readings(transfer.readings(_whole(octets), encoding_header), names, budget)

    def scan_readings(self, readings: Iterable[bytes], names: Sequence[str], budget: Budget) -> Scan:
        """Looks at a part's body by its readings, where the caller has them."""
        return _result(self._first(readings, names, budget.anew()) or "", budget)

    def _first(self, contents: Iterable[Content | Blocks], names: Sequence[str], budget: Budget) -> str | None:
        """The name of what is found first; "" for nothing. Where the budget ends the rest is left, and noted.

        None: content in pieces has to be looked at as a whole.
        """
        try:
            return next((name for octets in contents if (name := self._look(octets, names, budget))), "")
        except (LimitsExceeded, embedded.TooMuch):
            budget.notes[LIMITS] = SKIPPED
            return ""
        except (_NeedsWhole, transfer.NotClean):
            return None

    def _look(self, octets: Content | Blocks, names: Sequence[str], budget: Budget) -> str:
        if isinstance(octets, Iterator):
            return self._passing(octets, names, budget)
        if len(octets) > LARGE and isinstance(octets, (bytearray, memoryview)):
            with suppress(_NeedsWhole):
                return self._passing(_windows(octets), names, budget)
        data = octets if isinstance(octets, (bytes, mmap)) else bytes(octets)
        return _signature(data) or self._digest(data) or self._inside(data, names, budget)

    def _passing(self, blocks: Blocks, names: Sequence[str], budget: Budget) -> str:
        """Looks at content that goes by in blocks; of text with files in it the rest is held."""
        passing = _Passing(self._digests, names)
        for block in blocks:
            passing.feed(block)
            if len(passing.text) > budget.held:
                raise LimitsExceeded
        name = passing.end()
        return name or (self._look(bytes(passing.text), (), budget) if passing.text else "")

    def _digest(self, data: bytes | mmap) -> str:
        return _digest_name(hashlib.sha256(data).digest(), self._digests) if self._digests else ""

    def _inside(self, data: bytes | mmap, names: Sequence[str], budget: Budget) -> str:
        """Looks into archives and into files in text, one level deeper."""
        openers = archive.openers(data[: archive.HEAD], data[-archive.TAIL :], names)
        if not openers and not embedded.suspected(data):
            return ""
        if budget.depth == 0:
            raise LimitsExceeded
        budget.depth -= 1
        members = (content for opener in openers for content in opener(_whole(data), budget))
        name = next((name for content in members if (name := self._content(content, budget))), "")
        if not name:
            files = embedded.found(data, budget.octets)
            name = next((name for title, file in files if (name := self._file(title, file, budget))), "")
        budget.depth += 1
        return name

    def _file(self, title: str, octets: bytes, budget: Budget) -> str:
        budget.member()
        budget.spend(len(octets))
        return self._look(octets, (title,), budget)

    def _content(self, blocks: Blocks, budget: Budget) -> str:
        """Looks at what comes out of an archive: whole up to a size, in passing beyond, archives in it always whole."""
        held = bytearray()
        for block in blocks:
            held += block
            if len(held) > LARGE and not archive.openers(bytes(held[: archive.HEAD]), b""):
                return self._long_content(chain((bytes(held),), blocks), budget)
            if len(held) > budget.held:
                raise LimitsExceeded
        budget.held -= len(held)
        name = self._look(bytes(held), (), budget)
        budget.held += len(held)
        return name

    def _long_content(self, blocks: Blocks, budget: Budget) -> str:
        try:
            return self._passing(blocks, (), budget)
        except _NeedsWhole:
            budget.notes[LIMITS] = SKIPPED
            return ""


class _NeedsWhole(Exception):  # noqa: N818 -- it says that another way has to be taken, not that something is wrong
    """What goes by is an archive."""


class _Passing:
    """One content that goes by in blocks: what was found in it, and its rest from where files stand in text."""

    def __init__(self, digests: frozenset[bytes], names: Sequence[str]) -> None:
        self._digests = digests
        self._names = names
        self._hash = hashlib.sha256()
        self._carry = b""
        self._begun = False
        self._is_document = False
        self._name = ""
        self.text = bytearray()

    def feed(self, block: bytes) -> None:
        if not self._begun:
            self._begin(block)
        if self._digests:
            self._hash.update(block)
        window = self._carry[-_OVERLAP:] + block
        self._name = self._name or _signature(window)
        if self.text:
            self.text += self._read(block)
        elif embedded.suspected(read := self._read(window)):
            self.text += read
        self._carry = window[-archive.TAIL :]

    def _begin(self, block: bytes) -> None:
        if archive.openers(block[: archive.HEAD], b"", self._names):
            raise _NeedsWhole
        self._begun = True
        self._is_document = embedded.begins_document(block)

    def _read(self, octets: bytes) -> bytes:
        """What is looked at for files; of a document no piece is taken for binary because of its NULs."""
        return bytes(embedded.without_nuls(octets)) if self._is_document else octets

    def end(self) -> str:
        """The name of what was found, "" for nothing."""
        name = self._name or _digest_name(self._hash.digest(), self._digests)
        if not name and archive.openers(b"", self._carry):
            raise _NeedsWhole
        return name


def _windows(octets: bytearray | memoryview) -> Iterator[bytes]:
    for at in range(0, len(octets), transfer.SLICE):
        yield bytes(octets[at : at + transfer.SLICE])


def _signature(data: bytes | mmap) -> str:
    if data.find(_RARE) < 0:
        return ""
    if data.find(EICAR) >= 0:
        return EICAR_NAME
    return EICAR_NAME if data.find(b"\0") >= 0 and any(data.find(wide) >= 0 for wide in _WIDE) else ""


def _digest_name(digest: bytes, digests: frozenset[bytes]) -> str:
    return f"Digest.{digest.hex()[:16]}" if digest in digests else ""


def _result(name: str, budget: Budget) -> Scan:
    """Found, else what could not be looked at, else free."""
    if name:
        return Scan(FOUND, name, ENGINE)
    for status in (UNKNOWN, SKIPPED):
        noted = [note for note, noted in budget.notes.items() if noted == status]
        if noted:
            return Scan(status, noted[0], ENGINE)
    return Scan(FREE, "", ENGINE)


def spam_score(octets: Content, texts: Iterable[Iterable[bytes]] = ()) -> float:
    """1000.0 for a mail with GTUBE in its octets, or in a reading of a text part, else 0.0."""
    whole = octets if isinstance(octets, mmap) else _whole(octets)
    if whole.find(GTUBE) >= 0 or any(GTUBE in reading for readings in texts for reading in readings):
        return GTUBE_SCORE
    return 0.0


def _whole(octets: Content) -> bytes:
    return octets if isinstance(octets, bytes) else bytes(octets[:])
