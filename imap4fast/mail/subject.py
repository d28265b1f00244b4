"""The text that a mail-acl puts before the subject.

It is put before the decoded text, which is encoded anew where it needs it: encoded CR and LF are spaces then, and never
line ends (T-H03). A subject that begins with the text already is left as it is, however it is encoded or folded; of
several Subject fields the first is marked and the others go, since some clients show the last (T-H04).
"""

from __future__ import annotations

from imap4fast._wire import decode_words
from imap4fast.mail import fields, words

NAME = b"subject"


def prefixed(header: bytes, prefix: str) -> bytes:
    """`header` (as `fields` has it) with `prefix` before its subject; itself where it is there and alone."""
    found = [field for field in fields.fields(header) if field.name == NAME]
    if not words.collapsed(prefix):
        return header
    if len(found) == 1 and is_prefixed(found[0].value, prefix) and is_tame(found[0].value):
        return header
    text = decode_words(found[0].value) if found else ""
    return fields.replaced(header, NAME, line(text, prefix))


def line(text: str, prefix: str) -> bytes:
    """The whole field, folded."""
    if not begins_with(text, prefix):
        text = prefix + text
    return words.field(b"Subject", words.encoded(text.strip(" ")))


def is_prefixed(value: bytes, prefix: str) -> bool:
    return begins_with(decode_words(value), prefix)


def is_tame(value: bytes) -> bool:
    """Neither the octets nor what they decode to hold control characters or raw 8-bit ones."""
    text = decode_words(value)
    return value.isascii() and not words.CONTROLS.search(text.replace("\t", " "))


def begins_with(text: str, prefix: str) -> bool:
    """Blanks and control characters aside, which encoding and folding change."""
    return words.collapsed(text).startswith(words.collapsed(prefix))
