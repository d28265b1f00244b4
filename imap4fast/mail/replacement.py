"""What stands for a mail or a part that is not shown: small, the same each time, and known again when it comes back.

A replacement carries in one field of ours what it was made from. It is recognised by making it once more from that and
comparing the octets, so that a sender who forges the field gains nothing but one of our own texts (T-H07).
"""

from __future__ import annotations

import hashlib

import msgspec

from imap4fast._wire import decode_words
from imap4fast.mail import coding, fields, headercorrections, spoof, structured, subject, template, texts, words
from imap4fast.mail.canonical import repaired
from imap4fast.mail.edit import Replacement
from imap4fast.mail.fields import Field
from imap4fast.mail.structured import Parameter
from imap4fast.mail.template import Values

MARK = b"X-Imap4fast-Replaced"
MARK_NAME = MARK.lower()
TITLES = (b"From", b"Sender", b"Reply-To", b"To", b"Cc", b"In-Reply-To", b"References")
"""Fields of the original that its replacement keeps, beside Date, Message-ID and Subject."""
LONGEST_FIELD = 2000
"""Octets kept of one of them."""
LONGEST_DATE = 100
LONGEST_SUBJECT = 500


class Why(msgspec.Struct, frozen=True):
    """Why a mail is not shown: a word of `texts.REASONS`, and what is known: `rule` (the ACL), `virus`, `size` of the
    original, and `detail`, in words that go to the log too."""

    reason: str
    rule: str = ""
    virus: str = ""
    size: int = 0
    detail: str = ""


def mail(header: bytes, why: Why, seed: bytes, language: str = "EN", date: str = "") -> bytes:
    """A whole mail that says in place of another one why that is not shown. `header` is the other's; `date` the
    server's INTERNALDATE, for one without a Date; a missing Message-ID is made from `seed`."""
    found = fields.fields(header)
    text, charset = texts.mail_text(why.reason, values(why), why.detail, language)
    encoding, body = encoded_text(text.encode(charset, "replace"))
    lines = [kept for title in TITLES if (kept := kept_field(found, title))]
    lines += [
        words.field(b"Date", date_of(found, date)),
        words.field(b"Message-ID", message_id(found, seed)),
        subject_line(found, language),
        b"MIME-Version: 1.0\r\n",
        words.field(b"Content-Type", structured.printed(b"text/plain", [Parameter(b"charset", charset.encode())])),
        words.field(b"Content-Transfer-Encoding", encoding),
        words.field(MARK, marked(b"mail", mail_facts(why, language))),
    ]
    return b"".join(lines) + b"\r\n" + body


def is_ours(octets: bytes) -> bool:
    """Whether a whole mail is a replacement, such as `mail` makes."""
    header = octets[: octets.find(b"\r\n\r\n") + 4]
    facts = read_mark(header, b"mail")
    if facts is None or facts.get("reason") not in texts.REASONS or facts.get("language") not in texts.LANGUAGES:
        return False
    why = Why(facts["reason"], facts["rule"], facts["virus"], number(facts["size"]), facts["detail"])
    return octets == mail(header, why, b"", facts["language"])


def part(values: Values, text: bytes, media_type: str = "text/plain") -> Replacement:
    """A part that stands for a denied one: `text` is a template in UTF-8 that is filled in, or, where `media_type` is
    no text, the octets themselves."""
    context = template.context_of(media_type)
    parameters = [Parameter(b"charset", b"utf-8")] if context else []
    if context:
        filled = template.filled(text.decode("utf-8", "replace"), values, context)
        encoding, body = encoded_text(repaired(filled.encode("utf-8")))
    else:
        encoding, body = coding.encoded(text, is_text=False)
    facts = {name: str(getattr(values, name)) for name in Values.__struct_fields__}
    lines = (
        words.field(b"Content-Type", structured.printed(media_type.encode("ascii", "replace"), parameters)),
        words.field(b"Content-Transfer-Encoding", encoding),
        b"Content-Disposition: inline\r\n",
        words.field(MARK, marked(b"part", facts)),
    )
    return Replacement(b"".join(lines), body)


def part_is_ours(header: bytes, octets: bytes, text: bytes, media_type: str = "text/plain") -> bool:
    """Whether a part is a replacement, such as `part` makes of that template; of a whole mail that is one part only
    what is said of its content is compared."""
    facts = read_mark(header, b"part")
    if facts is None:
        return False
    made = part(
        Values(facts["filename"], facts["type"], number(facts["size"]), facts["virus"], facts["rule"]), text, media_type
    )
    there = {field.name: field.octets for field in fields.fields(header)}
    return octets == made.octets and all(there.get(field.name) == field.octets for field in fields.fields(made.header))


def values(why: Why) -> Values:
    return Values(size=why.size, virus=why.virus, rule=why.rule)


def encoded_text(octets: bytes) -> tuple[bytes, bytes]:
    """(encoding, body) of canonical text."""
    lines_are_short = max(map(len, octets.split(b"\r\n"))) < coding.LONGEST_LINE
    if octets.isascii() and lines_are_short and not coding.may_be_boundary(octets):
        return b"7bit", octets
    return coding.encoded(octets, is_text=True)


def mail_facts(why: Why, language: str) -> dict[str, str]:
    said = {"reason": why.reason, "rule": why.rule, "virus": why.virus, "size": str(why.size), "detail": why.detail}
    return {**said, "language": language}


def marked(kind: bytes, facts: dict[str, str]) -> bytes:
    """What a replacement was made from, as parameters: what the text shows of each value, and no more."""
    said = {name.encode("ascii"): template.in_text(value) for name, value in facts.items()}
    return structured.printed(
        kind, [Parameter(b"%s*" % name, structured.extended(value)) for name, value in said.items()]
    )


def read_mark(header: bytes, kind: bytes) -> dict[str, str] | None:
    """The facts in the one field of ours; None where there is none that can be ours."""
    found = [field.value for field in fields.fields(header) if field.name == MARK_NAME]
    if len(found) != 1:
        return None
    value = structured.parse(found[0])
    names = set(Values.__struct_fields__) if kind == b"part" else set(mail_facts(Why(""), ""))
    facts = {name.decode("ascii").rstrip("*"): structured.recoded(said).decode() for name, said, _ in value.parameters}
    return facts if value.main == kind and not value.faults and set(facts) == names else None


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def kept_field(found: list[Field], title: bytes) -> bytes:
    """The first field of that name, without what hides in it and no longer than need be; b"" for none."""
    field = next((each for each in found if each.name == title.lower()), None)
    if field is None:
        return b""
    value = safe_value(field)
    return words.field(title, value) if value else b""


def safe_value(field: Field) -> bytes:
    if not field.octets.isascii():
        field = headercorrections.encoded_field(field)
    if spoof.hides(field):
        field = spoof.plain(field)
    value = field.value
    if len(value) <= LONGEST_FIELD:
        return value
    separator = b"," if b"," in value[:LONGEST_FIELD] else b" "
    return value[:LONGEST_FIELD].rpartition(separator)[0]


def date_of(found: list[Field], date: str) -> bytes:
    """The mail's own Date where it may be one, else INTERNALDATE in the form of RFC 5322."""
    said = next((each.value for each in found if each.name == b"date"), b"")
    if said and len(said) < LONGEST_DATE and words.is_plain(said.decode("latin-1")):
        return said
    return date.strip().replace("-", " ", 2).encode("ascii", "replace") or b"Thu, 01 Jan 1970 00:00:00 +0000"


def message_id(found: list[Field], seed: bytes) -> bytes:
    said = next((each.value for each in found if each.name == b"message-id"), b"")
    if said.startswith(b"<") and said.endswith(b">") and words.is_plain_word(said):
        return said
    return b"<%s@imap4fast.invalid>" % hashlib.sha256(b"message-id " + seed).hexdigest()[:40].encode("ascii")


def subject_line(found: list[Field], language: str) -> bytes:
    said = next((each.value for each in found if each.name == subject.NAME), b"")
    return subject.line(decode_words(said)[:LONGEST_SUBJECT], texts.PREFIXES[language])
