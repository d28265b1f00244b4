"""What is packed inside octets: which formats they are in, and their members (gzip, bzip2, xz, lzma, tar; zip and
opaque S/MIME beside).

Archives come from whoever sends mail, so nothing that they say of themselves is believed. Members come as octets; names
and dates are not looked at. The budget is the mail's (`streams.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from imap4fast.mail import opaque
from imap4fast.mail.streams import BROKEN, Blocks, Budget, Stream
from imap4fast.mail.zipped import unzipped

HEAD = 512
TAIL = 22 + 0xFFFF
"""The end record of a zip with the longest comment."""

Opener = Callable[[bytes, Budget], Iterator[Blocks]]


def openers(head: bytes, tail: bytes, names: Sequence[str] = ()) -> tuple[Opener, ...]:
    """The ways in which octets with this beginning and end can be unpacked; several where they are of several kinds."""
    found: list[Opener] = [opener for mark, opener in _MARKS if head.startswith(mark)]
    if head.startswith(_ZIP_STARTS) or tail.rfind(b"PK\5\6") >= 0:
        found.append(unzipped)
    if head[257:262] == b"ustar" or (_names_end(names, ".tar") and _tar_size(head[:512]) is not None):
        found.append(untarred)
    if opaque.is_opaque(head):
        found.append(opaque.opened)
    if _names_end(names, ".lzma") and head.startswith(b"]\0\0"):
        found.append(_decompressed_lzma)
    return tuple(found)


_ZIP_STARTS = (b"PK\3\4", b"PK\5\6", b"PK00PK\3\4", b"PK\7\x08PK\3\4")


def _names_end(names: Sequence[str], suffix: str) -> bool:
    return any(name.lower().endswith(suffix) for name in names)


def _compressed(kind: str, mark: bytes) -> Opener:
    """An opener for a format of streams: several one behind the other have one content."""

    def opened(octets: bytes, budget: Budget) -> Iterator[Blocks]:
        yield _row(octets, budget, kind, mark)

    return opened


def _row(octets: bytes, budget: Budget, kind: str, mark: bytes) -> Blocks:
    at, whole = 0, True
    while whole and (at == 0 or octets.startswith(mark, at)):
        budget.member()
        stream = Stream(octets, at, budget, kind)
        yield from stream.blocks()
        at, whole = max(stream.end, at + 1), stream.whole
    if not whole:
        budget.note(BROKEN)


_decompressed_lzma = _compressed("lzma", b"]\0\0")
_MARKS = (
    (b"\x1f\x8b", _compressed("gzip", b"\x1f\x8b")),
    (b"BZh", _compressed("bzip2", b"BZh")),
    (b"\xfd7zXZ\0", _compressed("xz", b"\xfd7zXZ\0")),
)


TAR_BLOCK = 512


def untarred(octets: bytes, budget: Budget) -> Iterator[Blocks]:
    """Members of a tar (POSIX, GNU, the old form): the octets behind each header, of whatever kind it says it is."""
    at = 0
    while at + TAR_BLOCK <= len(octets):
        header = octets[at : at + TAR_BLOCK]
        at += TAR_BLOCK
        size = _tar_size(header)
        if size is None:
            if header.strip(b"\0"):
                budget.note(BROKEN)
            return
        budget.member()
        if size:
            budget.spend(min(size, len(octets) - at))
            yield iter((octets[at : at + size],))
        if at + size > len(octets):
            budget.note(BROKEN)
        at += -(-size // TAR_BLOCK) * TAR_BLOCK


def _tar_size(header: bytes) -> int | None:
    """The size in a header whose sum is right; None for what is no header."""
    if len(header) < TAR_BLOCK:
        return None
    field, total = header[124:136], header[148:156].strip(b" \0")
    try:
        right = int(total, 8) == sum(header) - sum(header[148:156]) + 8 * 32
        size = int.from_bytes(field[1:]) if field[0] == 0x80 else int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return None
    return size if right and size >= 0 else None
