"""Every content item that the index answers, against a real Dovecot's answer for the same octets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from imap4fast._wire import MailIndex, decode_transfer, header_fields
from tests.e2e.dovecot import Dovecot
from tests.e2e.wire import Wire
from tests.mime import corpus
from tests.mime.answers import Value, items, parsed
from tests.mime.sections import numbers, questions

LEAST_MAILS = 300
NAMES = b"SUBJECT From x-other to CONTENT-TYPE mime-version nothing"
NAMES_TUPLE = tuple(NAMES.split())

MAILS = corpus.mails()


@pytest.fixture(scope="module")
def mailbox(dovecot: Dovecot) -> Iterator[Wire]:
    """A mailbox with the whole corpus, selected; mail n of it is the n-th of MAILS."""
    with dovecot.login("oracle") as wire:
        for name, mail in MAILS.items():
            reply = wire.append(b"INBOX", mail)
            assert reply.status == "OK", (name, reply)
        wire.ok(b"SELECT INBOX")
        yield wire


def fetched(wire: Wire, number: int, asked: str) -> dict[bytes, Value]:
    reply = wire.ok(b"FETCH %d (%s)" % (number, asked.encode()), 30)
    units = [unit for unit in reply.untagged if b" FETCH (" in unit[:30]]
    found: dict[bytes, Value] = {}
    for unit in units:
        found |= items(unit)
    return found


def octets(value: Value) -> bytes:
    assert isinstance(value, bytes), value
    return value


def cut(mail: bytes, index: MailIndex, spec: str) -> bytes:
    """A section by the index; as in Dovecot nothing where it is of no part."""
    found = index.section(spec.encode())
    if found is None:
        return b""
    offset, size = found
    assert 0 <= offset <= offset + size <= len(mail)
    return mail[offset : offset + size]


class Compared:
    """Counts what was compared and keeps what differed."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.differences: list[str] = []

    def __call__(self, item: str, ours: object, theirs: object) -> None:
        self.counts[item] += 1
        if ours != theirs:
            pairs = enumerate(zip(str(ours), str(theirs), strict=False))
            first = next((at for at, (our, their) in pairs if our != their), 0)
            shown = slice(max(0, first - 200), first + 400)
            self.differences.append(f"{item}\n   ours {str(ours)[shown]}\n theirs {str(theirs)[shown]}")


def compare_structure(wire: Wire, number: int, mail: bytes, index: MailIndex, compared: Compared) -> None:
    theirs = fetched(wire, number, "ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE RFC822.HEADER RFC822.TEXT")
    compared("RFC822.SIZE", str(index.size), theirs[b"RFC822.SIZE"])
    compared("ENVELOPE", parsed(index.envelope), theirs[b"ENVELOPE"])
    compared("BODY", parsed(index.body), theirs[b"BODY"])
    compared("BODYSTRUCTURE", parsed(index.bodystructure), theirs[b"BODYSTRUCTURE"])
    compared("RFC822.HEADER", cut(mail, index, "HEADER"), theirs[b"RFC822.HEADER"])
    compared("RFC822.TEXT", cut(mail, index, "TEXT"), theirs[b"RFC822.TEXT"])


def compare_sections(wire: Wire, number: int, mail: bytes, index: MailIndex, compared: Compared) -> None:
    asked = questions(index)
    theirs = fetched(wire, number, " ".join(f"BODY.PEEK[{spec}]" for spec in asked))
    for spec in asked:
        kind = re.sub(r"^[\d.]+", "n.", spec)
        compared(f"BODY[{kind}]", (spec, cut(mail, index, spec)), (spec, octets(theirs[f"BODY[{spec}]".encode()])))


def compare_fields(wire: Wire, number: int, mail: bytes, index: MailIndex, compared: Compared) -> None:
    messages = [spec for spec, part in numbers(index).items() if index.part(part).kind == "message"]
    for spec in ["", *messages[:5]]:
        prefix = f"{spec}." if spec else ""
        header = cut(mail, index, f"{prefix}HEADER")
        ends = header.endswith(b"\n") if spec == "" else re.search(rb"(^|\n)\r?\n$", header)
        if not ends:
            # Dovecot reads fields of such a header beyond its part, up to the next empty line; and whether it adds
            # an empty line after a last field without newline depends on its cache.
            compared.counts["header without end"] += 1
            continue
        for negate in (False, True):
            name = f"{prefix}HEADER.FIELDS{'.NOT' if negate else ''}"
            (theirs,) = fetched(wire, number, f"BODY.PEEK[{name} ({NAMES.decode()})]").values()
            ours = header_fields(header, NAMES_TUPLE, negate)
            compared(name.lstrip("0123456789."), ours, octets(theirs))


def compare_binary(wire: Wire, number: int, mail: bytes, index: MailIndex, compared: Compared) -> None:
    leaves = {spec: part for spec, part in numbers(index).items() if index.part(part).kind == "leaf"}
    bodies = {part: cut(mail, index, spec) for spec, part in leaves.items()}
    all_clean = all(clean(body, index.part(part).transfer) for part, body in bodies.items())
    all_clean = all_clean and all(index.part(part).transfer for part in range(len(index)))
    for spec, part in list(leaves.items())[:20]:
        encoding = index.part(part).transfer
        ours = decode_transfer(bodies[part], encoding) if encoding else None
        assert index.decoded_size(part) == (None if ours is None else len(ours))
        if not clean(bodies[part], encoding):
            # Dovecot answers NO, or its process dies: there is nothing to compare with.
            compared.counts["not clean"] += 1
            continue
        theirs = octets(fetched(wire, number, f"BINARY.PEEK[{spec}]")[f"BINARY[{spec}]".encode()])
        compared("BINARY[n]", (spec, ours), (spec, theirs))
        # For a size Dovecot decodes all of the mail.
        if all_clean:
            size = fetched(wire, number, f"BINARY.SIZE[{spec}]")[f"BINARY.SIZE[{spec}]".encode()]
            if size != str(len(theirs)):
                # It reckons with headers that have no empty line, down to numbers below zero.
                compared.counts["BINARY.SIZE[n] that is not the size of Dovecot's own BINARY[n]"] += 1
                continue
            compared("BINARY.SIZE[n]", (spec, str(index.decoded_size(part))), (spec, size))


def clean(raw: bytes, encoding: bytes) -> bool:
    """Whether it is encoded as it says. Of the rest we decode what there is."""
    if encoding == b"base64":
        text = re.sub(rb"[ \t\r\n]", b"", raw)
        return len(text) % 4 == 0 and re.fullmatch(rb"[A-Za-z0-9+/]*={0,2}", text) is not None
    if encoding == b"quoted-printable":
        return not re.search(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r\n)|\r(?!\n)", raw)
    return encoding != b""


def compare_preview(wire: Wire, number: int, mail: bytes, index: MailIndex, compared: Compared) -> None:
    theirs = fetched(wire, number, "PREVIEW")[b"PREVIEW"]
    compared("PREVIEW", index.preview, theirs)


Comparison = Callable[[Wire, int, bytes, MailIndex, Compared], None]

COMPARISONS: tuple[Comparison, ...] = (compare_structure, compare_sections, compare_fields, compare_binary)


def test_the_corpus_is_large_enough() -> None:
    assert len(MAILS) >= LEAST_MAILS


def compare_all(wire: Wire, comparison: Comparison) -> tuple[Counter[str], list[str]]:
    """How many items of each kind were compared, and those that differ."""
    compared = Compared()
    differing: list[str] = []
    for number, name in enumerate(MAILS, 1):
        mail = octets(fetched(wire, number, "BODY.PEEK[]")[b"BODY[]"])
        index = MailIndex.scan(mail, max_parts=10000, max_depth=100)
        comparison(wire, number, mail, index, compared)
        differing += [f"{name}: {difference}" for difference in compared.differences]
        compared.differences.clear()
    print(dict(compared.counts))
    return compared.counts, differing


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_items_are_as_dovecot_has_them(mailbox: Wire, comparison: Comparison) -> None:
    counts, differing = compare_all(mailbox, comparison)
    assert counts.total() >= 2 * LEAST_MAILS
    assert not differing, f"{len(differing)} of {counts.total()}\n" + "\n".join(differing[:40])


def test_previews_are_nearly_all_as_dovecot_has_them(mailbox: Wire) -> None:
    """A server chooses its previews (RFC 8970). They differ where an encoding is broken or boundaries are odd."""
    counts, differing = compare_all(mailbox, compare_preview)
    assert counts.total() >= LEAST_MAILS
    assert len(differing) <= 0.03 * counts.total(), "\n".join(differing)
