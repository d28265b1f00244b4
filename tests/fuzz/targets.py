"""What is fuzzed: each target takes bytes and raises AssertionError on a finding.

The first bytes choose state, server and chunks; the rest is what an end says. `imap4fast._wire` must be in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imap4fast._wire import COMMANDS, FAULTS, FIRST_FRAMING, MailIndex, Tls, lex, tokens
from imap4fast.mail.work import FREE, Scan
from imap4fast.scan import clamd, icap, rspamd, spamd
from imap4fast.scan.talk import Talk
from imap4fast.session.starttls import MOST_OCTETS
from tests.fuzz import fetching, flowing, mails
from tests.mime.soundness import sealed, sound, usable
from tests.unit.scan.feeding import MOST_HELD, held
from tests.unit.session import talks
from tests.unit.tls.ends import NAME, TLS12, TLS13, client_context, server_context
from tests.wire.grammar import Limits
from tests.wire.play import ASKED, CODES, DENIED, UNTAGGED, Play, pieces
from tests.wire.reference import Reference
from tests.wire.server import Script, Server
from tests.wire.server_reference import ServerReference

PERMITTED = set(COMMANDS) - set(DENIED)
LISTED = {*UNTAGGED, b"FETCH", b"EXISTS", b"EXPUNGE", b"VANISHED", b"ID"}
STATES = ("selected", "auth", "not")
RESULTS = ((b"OK",), (b"OK", b"NO"), (b"NO", b"OK", b"BAD"), (b"NO",))
LITERALS = ((True,), (True, False), (False, True), (False,))
HEAD = 4


def chosen(head: bytes) -> tuple[str, Script, tuple[int, ...]]:
    """State, server and chunk sizes of an input's first bytes."""
    a, b, c, d = head
    script = Script(
        results=RESULTS[a & 3],
        literals=LITERALS[(a >> 2) & 3],
        idles=((True,), (False,), (True, False))[(a >> 4) % 3],
        rounds=(a >> 6) & 1,
        forms=b % 3,
        data=(b"", b"* 3 EXISTS\r\n")[(b >> 4) & 1],
    )
    return STATES[(b >> 2) % 3], script, (1 + c % 17, 1 + d % 5)


def lexer(data: bytes) -> None:
    """A line has an answer, a checked one has tokens; what it announces stands at its end."""
    line = data.split(b"\n")[0]
    fault, code, tag, _, size, _ = lex(line)
    assert fault in FAULTS
    assert code in COMMANDS
    assert line.startswith(tag)
    if fault == "NONE":
        assert (size is None) == (not line.endswith(b"}") or size is None)
        tokens(line + b"\r\n")
    tokens(data)


def client(data: bytes) -> None:
    """Chunked as whole, and as the reference has it."""
    if len(data) < HEAD:
        return
    state, script, sizes = chosen(data[:HEAD])
    said = data[HEAD:]
    first = _client(said, state, script, None)
    assert first.result() == _client(said, state, script, sizes).result()
    _careless(first)
    expected = Reference(PERMITTED, Server(script), Limits(), state, known=set(COMMANDS)).run(said)
    mine = _rows(first)
    for got, wanted in zip(mine, expected.told, strict=False):
        if got != wanted and {got[0], wanted[0]} == {"fault", "framing"}:
            return
    assert mine == expected.told, (mine, expected.told)
    assert first.sent == expected.sent, (first.sent, expected.sent)
    assert first.relay.stopped == expected.ended


def server(data: bytes) -> None:
    """Chunked as whole, and as the reference has it."""
    if len(data) < HEAD:
        return
    _, _, sizes = chosen(data[:HEAD])
    said = data[HEAD:]
    first, second = _server(said, None), _server(said, sizes)
    assert first.result() == second.result()
    expected = ServerReference(set(CODES), LISTED, [b"a", b"b", b"c"]).run(said)
    shown = first.shown.removesuffix(b"* BYE closing\r\n") if expected.ended else first.shown
    assert first.relay.stopped == expected.ended, expected
    assert asked_as(first, expected), expected
    assert shown == expected.shown, expected


def asked_as(play: Play, expected: ServerReference) -> bool:
    """The same questions, but for one about the line whose fault ended the session."""
    asked = [question for question in play.questions if question != "SERVER_FAULT"]
    return asked == expected.asked or (expected.ended and asked[:-1] == expected.asked and asked[-1] == "UNLISTED")


def turns(data: bytes) -> None:
    """Both sides at once: 0x80 and above lets the server answer, all else is the client's, in chunks."""
    if len(data) < HEAD:
        return
    state, script, sizes = chosen(data[:HEAD])
    play = Play(state=state, script=script, max_pending=2 + data[2] % 63)
    chunk, size = b"", sizes[0]
    for at in range(HEAD, len(data)):
        byte = data[at]
        if byte >= 0x80:
            play.answer(byte & 3)
            continue
        chunk += data[at : at + 1]
        if len(chunk) == size:
            play.client(chunk)
            chunk, size = b"", sizes[at % 2]
    play.client(chunk)
    play.settle()
    assert play.relay.pending_count <= 2 + data[2] % 63
    _careless(play)


def raw(data: bytes) -> None:
    """A server that says anything at any time: memory, caps and no byte after the end."""
    if len(data) < HEAD:
        return
    state, _, _ = chosen(data[:HEAD])
    play = Play(state=state)
    for number, part in enumerate(data[HEAD:].split(b"\xfe")):
        (play.says if number % 2 else play.client)(part)
        if play.relay.stopped:
            break
    ended = play.relay.stopped
    sent, shown = play.sent, play.shown
    play.client(b"x NOOP\r\n")
    play.says(b"* 1 RECENT\r\n")
    assert not ended or (play.sent, play.shown) == (sent, shown)
    assert not play.errors


CONTEXTS = {
    version: (
        client_context(min_version=version, max_version=version),
        server_context(min_version=version, max_version=version),
    )
    for version in (TLS12, TLS13)
}
PLAIN = b"a1 FETCH 1 (FLAGS)\r\n" * 40


def tls(data: bytes) -> None:
    """Flights and records that are changed on the way to one leg: octets set, cut out, put in. It reads the beginning
    of what was sent or nothing, and what broke stays broken."""
    if len(data) < HEAD:
        return
    legs = [Tls(context) for context in CONTEXTS[TLS13 if data[0] & 1 else TLS12]]
    legs[0].set_server_name(NAME.encode())
    victim = data[0] >> 1 & 1
    said, hears, got = legs[0].pump(b"")[1], 1, b""
    for turn in range(8):
        if hears == victim and turn >> 1 == data[1] & 3:
            said = mutated(said, data[HEAD:])
        plain, said = chunked(legs[hears], said, 1 + data[2] * 8)
        got += plain if hears == victim else b""
        said = said or legs[hears].seal(PLAIN)
        hears = 1 - hears
    assert (PLAIN * 8).startswith(got)
    if legs[victim].faulted:
        assert legs[victim].fault_reason not in (None, "unknown")
        assert (legs[victim].seal(b"x"), legs[victim].pump(b"x")) == (b"", (b"", b""))


def mutated(said: bytes, changes: bytes) -> bytes:
    """Three octets a change: place (of 65536), and what stands there then; 0xF0 and above cuts, 0xE0 inserts."""
    out = bytearray(said)
    for at in range(0, len(changes) - 2, 3):
        place, value = (changes[at] << 8 | changes[at + 1]) * (len(out) + 1) >> 16, changes[at + 2]
        if value >= 0xF0:
            del out[place : place + 1 + (value & 15) ** 2]
        elif value >= 0xE0:
            out[place:place] = bytes((value & 15,)) * (1 + (value & 3))
        elif place < len(out):
            out[place] ^= value
    return bytes(out)


def chunked(leg: Tls, said: bytes, size: int) -> tuple[bytes, bytes]:
    parts = [leg.pump(said[at : at + size]) for at in range(0, len(said), size)]
    return b"".join(plain for plain, _ in parts), b"".join(cipher for _, cipher in parts)


def starttls(data: bytes) -> None:
    """What a server says before TLS, and behind 0xFE inside of it (`$` is our tag, `#` is long): the same for any
    chunking; before TLS nothing is learned; what stands for the greeting is one line of names alone."""
    if len(data) < HEAD:
        return
    before, _, inside = data[HEAD:].partition(b"\xfe")
    before, inside = (said.replace(b"$", talks.TAG).replace(b"#", b"x" * 2500) for said in (before, inside))
    vector = talks.Vector("", before, inside, required=bool(data[0] & 1))
    whole, cut = talks.talked(vector), talks.talked(vector, (1 + data[1] % 40, 1 + data[2]))
    if whole.fault != talks.INJECTED:
        assert (whole.greeting, whole.fault, whole.tls) == (cut.greeting, cut.fault, cut.tls)
        assert whole.sent == cut.sent
    assert whole.sent in (b"", talks.STARTTLS, talks.STARTTLS + talks.CAPABILITY)
    if whole.tls:
        clean = talks.talked(talks.Vector("", talks.HELLO + talks.BEGIN, inside))
        alike = (clean.greeting, clean.fault) == (whole.greeting, whole.fault)
        assert alike or len(before) + len(inside) > MOST_OCTETS
    elif whole.greeting is not None:
        assert not vector.required
        assert before.startswith(whole.greeting)
    if whole.greeting is not None:
        assert whole.greeting.find(b"\r\n") == len(whole.greeting) - 2
    if whole.tls and whole.greeting is not None:
        names = whole.greeting.removeprefix(b"* OK [CAPABILITY ").removesuffix(b"] ready\r\n")
        assert len(names) == len(whole.greeting) - 26
        assert names.decode("ascii").isprintable()
        assert not set(names) & set(b'](){}%*"\\')


def scanners(data: bytes) -> None:
    """What a scanner says, in chunks as whole: one outcome, a bounded part of it kept, and what is free was said to be
    so behind the last octet."""
    if len(data) < HEAD:
        return
    make, mail = talks_with_scanners(data[0], data[1] % 40)
    given = data[2] % 4
    first = talked(make(), mail, given, [data[HEAD:]])
    size = 1 + data[3] % 9
    second = talked(make(), mail, given, [data[at : at + size] for at in range(HEAD, len(data), size)])
    assert [one is None for one in coming(first)] == [one is None for one in coming(second)], (coming(first), data)
    assert first.result == second.result, data
    if isinstance(first.result, Scan) and first.result.status == FREE:
        assert given == 0 or not mail or isinstance(first, clamd.ScanFile), data  # clamd reads that file itself
        assert b"OK" in data or b"204" in data or b"200" in data


def talks_with_scanners(which: int, preview: int) -> tuple[Callable[[], Talk[Any]], bytes]:
    """A codec, and the mail for it."""
    service = icap.Service("host", "/service")
    mail = bytes(which >> 4)
    makes: list[Callable[[], Talk[Any]]] = [
        lambda: clamd.Instream(len(mail)),
        lambda: icap.Respmod(service, len(mail), preview - 1 if preview else None),
        lambda: spamd.Check(len(mail)),
        lambda: rspamd.Check("host", len(mail)),
        lambda: clamd.ScanFile(b"/a"),
        lambda: icap.Options(service),
        lambda: clamd.Stats(0),
        lambda: clamd.Version(0),
    ]
    return makes[which % len(makes)], mail


def talked(talk: Talk[Any], mail: bytes, given: int, pieces: list[bytes]) -> Talk[Any]:
    """The talk at its end. `given` 0: all of the mail was given before the answer, else less and less."""
    talk.begin()
    rest = mail[: len(mail) // (given + 1)]
    while talk.wants and rest:
        octets, rest = rest[: talk.wants], rest[talk.wants :]
        talk.give(octets)
    for octets in pieces:
        if not talk.done:
            talk.receive(octets)
            assert held(talk) < MOST_HELD
    talk.end()
    assert sum(one is not None for one in coming(talk)) == 1, coming(talk)
    return talk


def coming(talk: Talk[Any]) -> tuple[object, ...]:
    return talk.result, talk.nonsense, talk.cut


def mime(data: bytes) -> None:
    """Each mail has a sound index, with small caps as with large ones; lines end in LF or, where the first octet is
    odd, in CRLF."""
    mail = data[1:].replace(b"\n", b"\r\n") if data[:1] and data[0] & 1 else data[1:]
    sound(MailIndex.scan(mail, max_depth=100), mail)
    sound(MailIndex.scan(mail, max_header=100, max_parts=4, max_depth=3), mail)


def index(data: bytes) -> None:
    """A blob is refused, or holds whatever is asked of it: as it is, and with the checksum that it should have."""
    for blob in (data, sealed(data)):
        try:
            found = MailIndex.unpack(blob)
        except ValueError:
            continue
        usable(found)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "lexer": lexer,
    "client": client,
    "server": server,
    "turns": turns,
    "raw": raw,
    "tls": tls,
    "starttls": starttls,
    "scanners": scanners,
    "rewriting": mails.rewriting,
    "mime": mime,
    "index": index,
    "fetch": fetching.fetch,
    "flow": flowing.flow,
}


def _client(said: bytes, state: str, script: Script, sizes: tuple[int, ...] | None) -> Play:
    play = Play(state=state, script=script)
    play.client(said, pieces(sizes) if sizes else None)
    play.settle()
    return play


def _server(said: bytes, sizes: tuple[int, ...] | None) -> Play:
    play = Play()
    play.client(b"a NOOP\r\nb NOOP\r\nc NOOP\r\n")
    play.says(said, pieces(sizes) if sizes else None)
    return play


def _careless(play: Play) -> None:
    """No command that was not permitted, or not asked about, was seen by the careless server."""
    assert not play.errors, play.errors
    seen = [name for _, name in play.server.seen]
    assert set(seen) <= PERMITTED, (seen, play.sent)
    assert not {"UNEXPECTED_CONTINUE", "UNKNOWN_TAG"} & set(play.faults), (play.events, play.sent)
    asked = [event[1] for event in play.events if event[0] == "COMMAND"]
    assert all(seen.count(name) <= asked.count(name) for name in ASKED), (seen, asked)


def _rows(play: Play) -> list[tuple[object, ...]]:
    out: list[tuple[object, ...]] = []
    for name, *rest in play.events:
        if name == "CLIENT_FAULT":
            out.append(("framing",) if FAULTS.index(str(rest[0])) >= FIRST_FRAMING else ("fault", rest[1]))
        elif name == "REFUSED":
            out.append(("refused", rest[0], rest[1]))
        elif name == "TOO_BIG":
            out.append(("big", rest[0]))
    return out
