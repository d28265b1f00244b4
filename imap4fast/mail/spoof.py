"""Headers that make a mail seem another's: what is taken out, and what is only flagged.

Taken out: control characters in text that is shown, encoded or not (T-H01), and fields of ours that the sender put in
(T-H07). Flagged: several From (T-H02), an address in a display name that is not the address (T-H05).
"""

from __future__ import annotations

import re

from imap4fast._wire import decode_words
from imap4fast.mail import fields, words
from imap4fast.mail.fields import Field

OURS = (b"x-imap4fast-", b"x-kernun-")
"""What the names of fields that only a proxy adds begin with."""
SHOWN = frozenset(
    b"from sender reply-to to cc bcc subject resent-from resent-sender resent-to resent-cc comments keywords "
    b"content-description".split()
)
ONCE = frozenset(b"from sender reply-to to cc bcc message-id in-reply-to references subject date".split())
"""RFC 5322 section 3.6: at most one of each."""
ENCODED_WORD = re.compile(rb"=\?[^?\s]+\?[BbQq]\?[^?]*\?=(?:[ \t\r\n]*=\?[^?\s]+\?[BbQq]\?[^?]*\?=)*")
WORD = re.compile(r"[^\s\"'<>(),;:]+")
ANGLE = re.compile(r"<([^<>]*)>\s*(?:\([^()]*\)\s*)*$")

CONTROLS_SHOWN = "T-H01"
SEVERAL_FROM = "T-H02"
ADDRESS_IN_NAME = "T-H05"
FORGED = "T-H07"


def flags(header: bytes) -> frozenset[str]:
    """Rows of the attack table that a header fits."""
    found = fields.fields(header)
    senders = [field.value for field in found if field.name == b"from"]
    tests = {
        CONTROLS_SHOWN: any(field.name in SHOWN and hides(field) for field in found),
        SEVERAL_FROM: len(senders) > 1,
        ADDRESS_IN_NAME: any(map(is_named_as_another, senders)),
        FORGED: any(field.name.startswith(OURS) for field in found),
    }
    return frozenset(row for row, holds in tests.items() if holds)


def cleaned(header: bytes, own: frozenset[bytes] = frozenset(), one_each: bool = False) -> bytes:
    """`header` without control characters in what is shown and without fields of ours, but for those named in `own`
    (in lower case); with `one_each` also without second fields of what stands once, as the ENVELOPE has it. Itself
    where there is nothing to take out."""
    before = fields.fields(header)
    after: list[Field] = []
    seen: set[bytes] = set()
    for field in before:
        again = one_each and field.name in ONCE and field.name in seen
        seen.add(field.name)
        if not again and (field.name in own or not field.name.startswith(OURS)):
            after.append(plain(field) if field.name in SHOWN and hides(field) else field)
    return header if after == before else fields.joined(after, header)


def hides(field: Field) -> bool:
    """Whether a control character is in it, or in what one of its encoded words says."""
    value = field.value
    if not value.translate(None, PRINTABLE) and b"=?" not in value:
        return False
    if words.CONTROLS.search(value.decode("latin-1").translate(LATIN).replace("\t", " ")):
        return True
    return b"=?" in value and any(words.CONTROLS.search(decode_words(word)) for word in ENCODED_WORD.findall(value))


PRINTABLE = bytes(range(32, 127)) + b"\t"
LATIN = dict.fromkeys(range(128, 256), "x")
"""Raw 8-bit octets are no characters yet."""


def plain(field: Field) -> Field:
    """Encoded words that hide something are written anew without it; raw control characters are blanks."""
    name, _, _ = field.octets.partition(b":")
    value = ENCODED_WORD.sub(honest, field.value)
    return Field(field.name, words.field(name, value.translate(BLANKED)))


BLANKED = bytes(32 if code < 32 or code == 127 else code for code in range(256))


def honest(found: re.Match[bytes]) -> bytes:
    text = decode_words(found[0])
    return words.word_list(words.collapsed(text)) if words.CONTROLS.search(text) else found[0]


def is_named_as_another(value: bytes) -> bool:
    """A display name that holds an address other than the one in angle brackets."""
    text = words.tame(decode_words(value))
    if not (angle := ANGLE.search(text)):
        return False
    address = angle[1].strip().lower()
    named = (word.lower() for word in WORD.findall(text[: angle.start()]) if "@" in word[1:-1])
    return any(each != address for each in named)
