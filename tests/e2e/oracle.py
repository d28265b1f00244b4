"""Every FETCH item of every mail of a mailbox, asked in the same way of two servers, and what differs.

One of the two is Dovecot itself: it is taken as right (protocol.md, end of section 5).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.e2e.corpus import Sample
from tests.e2e.imapanswers import Atom, Fetched, Value, all_fetched, fetched, is_fetch
from tests.e2e.wire import Reply, Wire

WINDOW = 24
"""Commands on their way at once."""
HUGE = 4_000_000_000
FIELDS = b"(From Subject Content-Type X-None received)"

WHOLE = (
    b"UID",
    b"FLAGS",
    b"INTERNALDATE",
    b"RFC822.SIZE",
    b"ENVELOPE",
    b"BODY",
    b"BODYSTRUCTURE",
    b"BODY.PEEK[]",
    b"BODY.PEEK[HEADER]",
    b"BODY.PEEK[TEXT]",
    b"BODY.PEEK[HEADER.FIELDS " + FIELDS + b"]",
    b"BODY.PEEK[HEADER.FIELDS.NOT " + FIELDS + b"]",
    b"RFC822",
    b"RFC822.HEADER",
    b"RFC822.TEXT",
)
MACROS = (b"ALL", b"FAST", b"FULL")


@dataclass(frozen=True)
class Part:
    """A part by its numbers, as BODYSTRUCTURE tells of it. `size` is None for a multipart."""

    path: str
    kind: str
    size: int | None


def parts(structure: Value, path: str = "") -> Iterator[Part]:
    """The parts below a mail or a message/rfc822; a body that is no multipart is part 1 of its mail."""
    assert isinstance(structure, list), structure
    if isinstance(structure[0], list):
        yield from _children(structure, path)
    else:
        yield from _part(structure, f"{path}1")


def _children(structure: list[Value], path: str) -> Iterator[Part]:
    for number, child in enumerate(structure, 1):
        if not isinstance(child, list):
            break
        yield from _part(child, f"{path}{number}")


def _part(structure: list[Value], path: str) -> Iterator[Part]:
    if isinstance(structure[0], list):
        yield Part(path, "multipart", None)
        yield from _children(structure, path + ".")
        return
    size = structure[6]
    assert isinstance(size, Atom), structure
    is_mail = (bytes(structure[0] or b"").lower(), bytes(structure[1] or b"").lower()) == (b"message", b"rfc822")  # type: ignore[arg-type]
    yield Part(path, "message" if is_mail else "leaf", int(size))
    if is_mail:
        yield from parts(structure[8], path + ".")


@dataclass(frozen=True)
class Plan:
    """What is asked of one mail."""

    uid: int
    items: tuple[bytes, ...]
    binary: tuple[bytes, ...]


def plan(uid: int, structure: Value, size: int) -> Plan:
    """Whole mail and sections, with ranges at the edges of most; the choice depends on the mail's number alone."""
    pick = random.Random(uid)
    found = list(parts(structure))
    sections = [section for part in found for section in _sections(part)]
    ranged = [("", size), ("TEXT", size // 2), ("HEADER", 200), ("HEADER.FIELDS " + FIELDS.decode(), 60)]
    chosen = pick.sample(found, min(4, len(found)))
    ranged += [(part.path, size // 2 if part.size is None else part.size) for part in chosen]
    ranged += [(part.path + ".MIME", 60) for part in chosen[:2]]
    items = [*WHOLE, *(b"BODY.PEEK[%s]" % section.encode() for section in sections)]
    for section, length in ranged:
        items += [b"BODY.PEEK[%s]<%d.%d>" % (section.encode(), *span) for span in _spans(length, pick)]
    leaves = [part for part in found if part.kind == "leaf"]
    binary = [b"BINARY.PEEK[%s]" % part.path.encode() for part in leaves]
    for part in pick.sample(leaves, min(2, len(leaves))):
        binary += [b"BINARY.PEEK[%s]<%d.%d>" % (part.path.encode(), *span) for span in _spans(part.size or 0, pick)]
    return Plan(uid, _once(items), _once(binary))


def _sections(part: Part) -> Iterator[str]:
    yield part.path
    yield part.path + ".MIME"
    if part.kind == "message":
        yield from (part.path + end for end in (".HEADER", ".TEXT"))
    if part.kind == "message" and len(part.path) < 12:  # a command may have so many arguments, no more
        yield f"{part.path}.HEADER.FIELDS {FIELDS.decode()}"
        yield f"{part.path}.HEADER.FIELDS.NOT {FIELDS.decode()}"


def _spans(size: int, pick: random.Random) -> list[tuple[int, int]]:
    """Offset and length: first octet, second, one in the middle, last, at the end, beyond it, all and more."""
    middle = pick.randrange(size) if size else 0
    last = max(0, size - 1)
    return [(0, 1), (1, 1), (middle, pick.randrange(1, 200)), (last, 1), (last, 7), (size, 1), (size + 9, 5), (0, HUGE)]


def _once(items: list[bytes]) -> tuple[bytes, ...]:
    """Without those whose answer would bear a name that is there already."""
    named = {re.sub(rb"\.\d+>$", b">", item.replace(b".PEEK", b"")): item for item in reversed(items)}
    return tuple(reversed(named.values()))


# asking


@dataclass
class Answer:
    """To one command about one mail: how it ended, and what came."""

    status: str = ""
    text: bytes = b""
    items: dict[str, Value] = field(default_factory=dict)


def sweep(wire: Wire, wanted: dict[int, bytes], form: bytes = b"UID FETCH") -> dict[int, Answer]:
    """One command for each number, several on their way at once; answers by number (by UID where `form` is of UIDs)."""
    answers = {number: Answer() for number in wanted}
    by_uid = form.startswith(b"UID")
    tags: dict[bytes, int] = {}
    waiting = list(reversed(wanted.items()))
    while waiting or tags:
        while waiting and len(tags) < WINDOW:
            number, items = waiting.pop()
            tag = wire.tag()
            tags[tag] = number
            wire.send(b"%s %s %d %s\r\n" % (tag, form, number, items))
        unit = wire.unit(60)
        if is_fetch(unit):
            _take(answers, fetched(unit), by_uid)
        elif not unit.startswith(b"* "):
            tag, _, text = unit.partition(b" ")
            answer = answers[tags.pop(tag)]
            answer.status, answer.text = _status(text), text
    return answers


def _status(text: bytes) -> str:
    """The word, and of a NO its code."""
    found = re.match(rb"NO \[[A-Z-]+|\w+", text)
    return found[0].decode() if found else ""


def _take(answers: dict[int, Answer], one: Fetched, by_uid: bool) -> None:
    known = answers[one.uid if by_uid else one.number].items
    again = [name for name in one.items if name in known and known[name] != one.items[name]]
    assert not again, (one.number, again)
    known.update(one.items)


def structures(wire: Wire) -> list[Plan]:
    """The plan for every mail of the selected mailbox."""
    reply = wire.ok(b"UID FETCH 1:* (UID RFC822.SIZE BODYSTRUCTURE)", 120)
    return [plan(one.uid, one.items["BODYSTRUCTURE"], one.integer("RFC822.SIZE")) for one in all_fetched(reply)]


def decoded_sizes(whole: dict[int, Answer]) -> dict[int, Answer]:
    """What BINARY.SIZE must say by the octets that BINARY gave. Dovecot 2.3 itself tells other sizes for some."""
    sizes = {}
    for number, answer in whole.items():
        items = {
            name.replace("BINARY[", "BINARY.SIZE["): Atom(b"%d" % len(value))
            for name, value in answer.items.items()
            if re.fullmatch(r"BINARY\[[\d.]*\]", name) and isinstance(value, bytes)
        }
        sizes[number] = Answer("OK", b"", {"UID": answer.items["UID"], **items})
    return sizes


# comparing


@dataclass(frozen=True)
class Difference:
    """One item of one mail that the two sides tell differently; `item` is `status` for how a command ended."""

    name: str
    item: str
    right: Value
    got: Value

    def __str__(self) -> str:
        return f"{self.name} {self.item}: {self.got!r:.300} instead of {self.right!r:.300}"


@dataclass
class Comparison:
    """Counts what was compared and keeps what differs."""

    mails: set[str] = field(default_factory=set)
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, name: str, right: Answer, got: Answer) -> None:
        self.mails.add(name)
        pairs = [("status", _bytes(right.status), _bytes(got.status))]
        missing = Atom(b"(no answer)")
        for item in right.items | got.items:
            pairs.append((item, right.items.get(item, missing), got.items.get(item, missing)))
        self.compared += len(pairs)
        self.differences += [Difference(name, *pair) for pair in pairs if pair[1] != pair[2]]

    def add_all(self, names: dict[int, str], right: dict[int, Answer], got: dict[int, Answer]) -> None:
        assert right.keys() == got.keys()
        for number, answer in right.items():
            self.add(names[number], answer, got[number])


def _bytes(text: str) -> bytes:
    return text.encode()


@dataclass
class Explained:
    """Differences that are meant: which mails, items and values, and why. An entry that explains none is a fault."""

    name: str
    item: str
    reason: str
    when: Callable[[Difference], bool] = lambda _: True
    used: int = 0

    def fits(self, difference: Difference) -> bool:
        named = re.fullmatch(self.name, difference.name) and re.fullmatch(self.item, difference.item)
        return bool(named and self.when(difference))


def same_but_for_line_ends(difference: Difference) -> bool:
    """Two strings that differ only in how many line ends are at their ends."""
    right, got = difference.right, difference.got
    return isinstance(right, bytes) and isinstance(got, bytes) and right.rstrip() == got.rstrip()


def unexplained(differences: Sequence[Difference], table: Sequence[Explained]) -> list[Difference]:
    """Those that no entry explains; entries count what they explain."""
    left = []
    for difference in differences:
        fitting = [entry for entry in table if entry.fits(difference)]
        for entry in fitting:
            entry.used += 1
        if not fitting:
            left.append(difference)
    return left


def report(left: Sequence[Difference], most: int = 25) -> str:
    """The text of a failure."""
    rows = [str(one) for one in left[:most]]
    return f"{len(left)} differences in {len({one.name for one in left})} mails:\n" + "\n".join(rows)


# filling


def fill(wire: Wire, mailbox: bytes, samples: Sequence[Sample], step: int = 40) -> None:
    """Put the mails into a mailbox, in order, with dates and flags of their own; by MULTIAPPEND."""
    for start in range(0, len(samples), step):
        tag = wire.tag()
        parts_of = [tag + b" APPEND " + mailbox]
        for number, sample in enumerate(samples[start : start + step], start):
            flags = (b"()", b"(\\Seen)", b"(\\Flagged $Own)")[number % 3]
            date = b'"%02d-Mar-2021 10:%02d:12 +0100"' % (number % 28 + 1, number % 60)
            parts_of.append(b" %s %s {%d+}\r\n%s" % (flags, date, len(sample.octets), sample.octets))
        wire.send(b"".join(parts_of) + b"\r\n")
        reply: Reply = wire.answer(tag, 120)
        assert reply.status == "OK", reply
