"""Targets about FETCH: what a client asks for, and FETCH data of a server where mails are processed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imap4fast._wire import COMMANDS, PASS, Gate
from imap4fast.imap.fetch import Content, FetchError, Items, Kind, Request, quick_request, request_of
from imap4fast.imap.fetchdata import FetchDataError, items_of
from imap4fast.imap.responses import DYNAMIC_ITEMS
from imap4fast.session.printing import Piece, Range, UnknownEncodingError, UnreadableError, printed
from tests.play.post import Kept, Post
from tests.wire import fetch_grammar
from tests.wire.fetch_grammar import Asked, Item
from tests.wire.play import ANSWER, CODES, UNTAGGED, Play, Split, gate, pieces

if TYPE_CHECKING:
    from imap4fast._wire import Token

HEAD = 4
FETCHED = re.compile(rb"\* [0-9]+ FETCH ", re.IGNORECASE)
ASKED = (b"FETCH", b"UID-FETCH")
FATES = ("PASS", "REPLACE", "DROP")
SEEDS = [
    b"1 BODY[]", b"2,4:* (UID FLAGS BODY.PEEK[1.2]<0.10>)", b"1 full", b"$ (RFC822.SIZE PREVIEW (LAZY))",
    b"1 (BODY[HEADER.FIELDS (From \"To\" {4}\r\nDate)]<1.2> BINARY.SIZE[1] BINARY[1]<0.3>)", b"1 RFC822.TEXT.PEEK",
    b"1 (FLAGS) (CHANGEDSINCE 5 VANISHED PARTIAL -1:-100)", b"1 BODY.PEEK[1.HEADER.FIELDS.NOT (a)] (CHANGEDSINCE 0)",
    b"1 (BODY[1.MIME] BODY.PEEK[3.TEXT] BODYSTRUCTURE ENVELOPE MODSEQ X-GM-LABELS)", b"1 PREVIEW (LAZY)",
]  # fmt: skip
SAID = [
    b"(UID 5 FLAGS (\\Seen $x) INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\" MODSEQ (7))\r\n",
    b"(BODY[] {3}\r\na)( UID 2)\r\n", b"(UID 5 BODY[1.2]<5> NIL X (a (b \"c\" {1}\r\n) d)))\r\n",
    b"(BINARY[1] ~{2}\r\n\0a X-GM-LABELS ({1}\r\na {1}\r\nb))\r\n",
    b"(FLAGS () BODY[HEADER.FIELDS (\"X]\")] \"a\\\"b\")\r\n", b"()\r\n",
    b"(FLAGS (\"a\\\\\" (b)) UID 4294967295)\r\n",
]  # fmt: skip
MAILS = (
    b"Subject: hi\r\nFrom: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\nhello\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nDate: y\r\n\r\nin\r\n"
    b"--x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--x--\r\n",
    b'Content-Transfer-Encoding: odd\r\nX]: ("y\r\n\r\n\xff\r\n',
    b"",
)


def seeds() -> list[bytes]:
    """Of the target `fetch`, whose first octet says which end it is."""
    return [b"\0\2\3\1" + said for said in SEEDS] + [bytes((1, 2, 3, 1)) + said for said in SAID]


def fetch(data: bytes) -> None:
    """A client's FETCH, or FETCH data of a server's, by the first octet; two more are sizes of chunks."""
    if len(data) < HEAD:
        return
    sizes = (1 + data[1] % 17, 1 + data[2] % 5)
    if data[0] & 1:
        served(data[HEAD:], tuple(data[3] // 3**turn % 3 for turn in range(4)), pieces(sizes))
    else:
        command(
            b"a %bFETCH " % (b"UID " if data[0] & 2 else b"") + data[HEAD:] + b"\r\n", MAILS[data[3] % 3], pieces(sizes)
        )


# ---- what a client asks for


def command(said: bytes, mail: bytes, split: Split) -> None:
    """In chunks as whole; a second reading asks for the same; each item asked for is in the answer once."""
    faults, units = commands(said, None)
    assert (faults, units) == commands(said, split)
    for unit, tokens in units:
        expected = fetch_grammar.asked(unit)
        found = read(unit, tokens)
        assert (found is None) == (expected is None), (unit, found, expected)
        if found is not None:
            assert as_asked(found) == expected, (unit, found, expected)
            answered(found.items, mail)
    if faults[:1] in (["BAD_FETCH"], ["BAD_SET"]) and b"{" not in said:
        assert fetch_grammar.asked(said) is None or b"$" in said, said


def commands(said: bytes, split: Split | None) -> tuple[list[str], list[tuple[bytes, list[Token]]]]:
    """Faults, and the units of FETCH with their tokens."""
    units: list[tuple[bytes, list[Token]]] = []

    def take(play: Play) -> int:
        units.append((play.relay.unit, play.relay.tokens()))
        return ANSWER["DROP"]

    play = Play(
        gate=gate(denied=[name for name in COMMANDS if name not in ASKED], asked=ASKED), answers={"COMMAND": take}
    )
    play.client(said, split)
    assert not play.errors, play.errors
    return play.faults, units


def read(unit: bytes, tokens: Sequence[Token]) -> Request | None:
    """As session reads it; the quick way says the same or nothing."""
    try:
        found = request_of(tokens)
    except FetchError:
        found = None
    try:
        quick = quick_request(unit)
    except FetchError:
        assert found is None, unit
        return None
    assert quick is None or quick == found, (unit, quick, found)
    return found


def as_asked(request: Request) -> Asked:
    return Asked(request.set, request.items.dynamic, tuple(map(as_item, request.items.contents)), request.modifiers)


def as_item(item: Content) -> Item:
    name, _, section = item.label.partition(b"[")
    if item.kind is Kind.FIELDS:
        section = item.section + (b".FIELDS.NOT" if item.negate else b".FIELDS")
    peeked = PEEKED.get(name) if name in PEEKED and not item.seen else None
    return ((peeked or name).decode(), section.removesuffix(b"]"), item.fields, item.span, item.seen)


PEEKED = {b"RFC822": b"RFC822.PEEK", b"RFC822.TEXT": b"RFC822.TEXT.PEEK"}


def answered(items: Items, octets: bytes) -> None:
    """The answer has each item under its name; a part is that part of the whole; a name asks for the same again."""
    answer = printed_from(octets, items.contents, slow=False)
    assert answer == printed_from(octets, items.contents, slow=True)
    if isinstance(answer, Exception):
        assert isinstance(answer, UnknownEncodingError)
        assert any(item.kind in (Kind.BINARY, Kind.BINARY_SIZE) for item in items.contents)
        return
    found = fetch_grammar.said(b"* 1 FETCH (" + answer + b")\r\n")
    assert found is not None, answer
    names = [item.label if item.span is None else item.label + b"<%d>" % item.span[0] for item in items.contents]
    assert [name for name, _ in found] == [name.upper() for name in names]
    for item, (_, value) in zip(items.contents, found, strict=True):
        if item.span is not None:
            (_, whole), *_ = fetch_grammar.said(b"* 1 FETCH (%b)\r\n" % shown(octets, item._replace(span=None))) or []
            first, size = item.span
            assert fetch_grammar.string(value) == fetch_grammar.string(whole)[first : first + size]
        again = request_of([b"1", [*named(item)]]).items.contents
        assert [one._replace(seen=False, span=None) for one in again] == [item._replace(seen=False, span=None)]


def named(item: Content) -> list[Token]:
    """The name of an item in an answer as the tokens of a command."""
    if item.kind is not Kind.FIELDS:
        return [item.label]
    head, _, rest = item.label.partition(b" (")
    names: list[Token] = []
    reader = fetch_grammar.Reader(rest)
    while not reader.takes(b")"):
        reader.takes(b" ")
        names.append((reader.quoted(),) if reader.takes(b'"') else reader.run(fetch_grammar.ATOM))
    return [head, names, b"]"]


def shown(octets: bytes, item: Content) -> bytes:
    answer = printed_from(octets, [item], slow=False)
    assert isinstance(answer, bytes)
    return answer


def printed_from(octets: bytes, contents: Sequence[Content], *, slow: bool) -> bytes | Exception:
    """What the client gets between the parentheses, or what is wrong."""
    post = Post()
    post.slow = slow
    said: list[list[Piece] | Exception] = []
    printed(Kept(octets, post), contents, said.append)
    post.settle()
    (found,) = said
    if isinstance(found, Exception):
        assert not isinstance(found, UnreadableError)
        return NotKnownError()
    return b"".join(octets[one.offset : one.offset + one.size] if isinstance(one, Range) else one for one in found)


class NotKnownError(UnknownEncodingError):
    """One is as the other."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NotKnownError)

    __hash__ = None  # type: ignore[assignment]


# ---- what a server says


def served(said: bytes, fates: tuple[int, ...], split: Split) -> None:
    """In chunks as whole; what passes at once is dynamic alone; what is asked about is read as a second reader does."""
    play = listening(b"* 7 FETCH " + said, fates, None)
    assert play.result() == listening(b"* 7 FETCH " + said, fates, split).result()
    for shown in fetch_grammar.units(play.shown)[0]:
        if FETCHED.match(shown):
            items = fetch_grammar.said(shown)
            assert items, shown
            assert {name for name, _ in items} <= DYNAMIC_ITEMS, shown
            assert items_of(shown) == items
    for name, *rest in play.events:
        if name == "FETCH":
            (unit,) = rest
            assert isinstance(unit, bytes)
            assert any(fates) or unit in b"* 7 FETCH " + said
            alike(unit)


def alike(unit: bytes) -> None:
    expected = fetch_grammar.said(unit)
    try:
        found = items_of(unit)
    except FetchDataError:
        # A name in quotes can only answer what the proxy never asks for.
        assert expected is None or any(b'"' in name for name, _ in expected), (unit, expected)
        return
    assert found == expected, (unit, found, expected)


class Listening(Play):
    """A session that processes mails: of each literal it says who gets it."""

    fates: tuple[int, ...] = (0,)
    asked = 0
    octets = b""

    def fetch_octets(self, octets: bytes) -> None:
        self.octets += octets

    def _fetch_literal(self) -> str:
        self.asked += 1
        return FATES[self.fates[self.asked % len(self.fates)]]

    def _fetch(self) -> str:
        return "DROP"

    def result(self) -> tuple[object, ...]:
        return (*super().result(), self.octets)


PROCESSING = Gate(bytes([PASS] * len(COMMANDS)), CODES, (*UNTAGGED, b"FETCH"), False, DYNAMIC_ITEMS)


def listening(said: bytes, fates: tuple[int, ...], split: Split | None) -> Listening:
    play = Listening(gate=PROCESSING)
    play.fates = fates
    play.relay.process_mails(b"own-")
    play.says(said, split)
    return play
