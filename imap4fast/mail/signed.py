"""Which parts of a mail a signature or an encryption covers (T-M31): RFC 1847, S/MIME (RFC 8551), OpenPGP in the text.

A part that is covered cannot be changed without the signature being lost, and what is encrypted cannot be looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from imap4fast._wire import MailIndex, MimePart
from imap4fast.mail import fields, mimefields, structured
from imap4fast.mail.canonical import Octets

SIGNED = "signed"
ENCRYPTED = "encrypted"

MULTIPARTS = {b"signed": SIGNED, b"encrypted": ENCRYPTED}
SMIME = (b"pkcs7-mime", b"x-pkcs7-mime")
SMIME_SIGNED = (b"signed-data", b"certs-only", b"compressed-data", b"signed-receipt")
"""Kinds of S/MIME that are no encryption: whoever has the octets can read them."""
ARMOUR = re.compile(rb"\n-----BEGIN PGP (?:(SIGNED )?MESSAGE)-----[ \t]*\r\n")


class Cover(NamedTuple):
    """`kind` is SIGNED or ENCRYPTED, `part` is the multipart or leaf that says so, `parts` are all that it covers, with
    itself and all in it."""

    kind: str
    part: int
    parts: frozenset[int]


def covers(data: Octets, index: MailIndex) -> tuple[Cover, ...]:
    """All signatures and encryptions, outer ones first."""
    found = ((number, kind_of(data, index.part(number))) for number in range(len(index)))
    return tuple(Cover(kind, number, frozenset(inside(index, number))) for number, kind in found if kind)


def kind_of(data: Octets, part: MimePart) -> str:
    """SIGNED, ENCRYPTED, or "" for a part that is neither."""
    if part.type == b"multipart":
        return MULTIPARTS.get(part.subtype, "")
    if part.type == b"application" and part.subtype in SMIME:
        return smime(data, part)
    if part.kind == "leaf" and part.type in (b"text", b""):
        armour = ARMOUR.search(data, max(part.body - 1, 0), part.body + part.body_size)
        return "" if armour is None else SIGNED if armour[1] else ENCRYPTED
    return ""


def smime(data: Octets, part: MimePart) -> str:
    """By the parameter smime-type; without it the content may be encrypted, and is taken for that."""
    said = fields.first(data[part.header : part.header + part.header_size], mimefields.TYPE)
    types = structured.parse(said.value).all(b"smime-type") if said else []
    return SIGNED if types and types[0].lower() in SMIME_SIGNED else ENCRYPTED


def inside(index: MailIndex, number: int) -> Iterator[int]:
    yield number
    for child in index.part(number).children:
        yield from inside(index, child)
