"""Opaque S/MIME as a kind of archive: its members are the mail inside and what its parts decode to (T-M31)."""

from __future__ import annotations

from collections.abc import Iterator

from imap4fast._wire import MailIndex
from imap4fast.mail import cms, mimefields, transfer
from imap4fast.mail.streams import BROKEN, Blocks, Budget

MARKS = (
    b"\x06\x09" + cms.SIGNED_DATA,
    b"\x06\x0b" + cms.COMPRESSED_DATA,
)
MARK_BEFORE = 12
"""Where the mark stands at the latest: behind the tag and the length of the outer sequence."""


def is_opaque(head: bytes) -> bool:
    """Whether octets that begin so are CMS with a content that anybody can read."""
    return head.startswith(b"\x30") and any(head.find(mark, 0, MARK_BEFORE + len(mark)) > 0 for mark in MARKS)


def opened(octets: bytes, budget: Budget) -> Iterator[Blocks]:
    """The mail inside as it is, for what no part of it shows, and each reading of each part."""
    inside = cms.content(octets, max(budget.octets, 1))
    if inside is None:
        # A signature apart from what it signs has no content; what cannot be read is noted.
        if not cms.is_detached(octets):
            budget.note(BROKEN)
        return
    budget.member()
    budget.spend(len(inside))
    yield iter((inside,))
    index = MailIndex.scan(inside)
    for number in index.leaves:
        part = index.part(number)
        header = inside[part.header : part.body]
        encodings = [field.value for field in mimefields.read(header).mime.encodings] or [b""]
        for reading in transfer.readings(inside[part.body : part.body + part.body_size], *encodings):
            budget.member()
            budget.spend(len(reading))
            yield iter((reading,))
