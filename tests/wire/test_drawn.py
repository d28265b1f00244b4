"""Drawn bytes: any chunking is one chunk, the references agree, what passes is identical, nothing is smuggled."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from imap4fast._wire import COMMANDS, FAULTS, FIRST_FRAMING
from tests.wire.drawn import CLIENT, SERVER, SIZES, STATES, scripts
from tests.wire.grammar import Limits
from tests.wire.play import ASKED, CODES, DENIED, UNTAGGED, Play, pieces
from tests.wire.reference import Reference
from tests.wire.server import Script, Server
from tests.wire.server_reference import ServerReference

PERMITTED = set(COMMANDS) - set(DENIED)
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PENDING = b"a NOOP\r\nb NOOP\r\nc NOOP\r\n"
LISTED = {*UNTAGGED, b"FETCH", b"EXISTS", b"EXPUNGE", b"VANISHED", b"ID"}


def play_client(data: bytes, state: str, script: Script, sizes: list[int] | None = None) -> Play:
    play = Play(state=state, script=script)
    play.client(data, pieces(sizes) if sizes else None)
    play.settle()
    return play


def play_server(data: bytes, sizes: list[int] | None = None) -> Play:
    play = Play()
    play.client(PENDING)
    play.says(data, pieces(sizes) if sizes else None)
    return play


def rows(play: Play) -> list[tuple[object, ...]]:
    """The refusals, in the reference's form."""
    out: list[tuple[object, ...]] = []
    for name, *rest in play.events:
        if name == "CLIENT_FAULT":
            out.append(("framing",) if FAULTS.index(str(rest[0])) >= FIRST_FRAMING else ("fault", rest[1]))
        elif name == "REFUSED":
            out.append(("refused", rest[0], rest[1]))
        elif name == "TOO_BIG":
            out.append(("big", rest[0]))
    return out


@SETTINGS
@given(CLIENT, STATES, scripts(), SIZES)
def test_any_chunking_of_the_client_is_one_chunk(data: bytes, state: str, script: Script, sizes: list[int]) -> None:
    assert play_client(data, state, script, sizes).result() == play_client(data, state, script).result()


@SETTINGS
@given(SERVER, SIZES)
def test_any_chunking_of_the_server_is_one_chunk(data: bytes, sizes: list[int]) -> None:
    assert play_server(data, sizes).result() == play_server(data).result()


@SETTINGS
@given(CLIENT, STATES, scripts())
def test_client_as_the_reference(data: bytes, state: str, script: Script) -> None:
    play = play_client(data, state, script)
    limits = Limits()
    expected = Reference(PERMITTED, Server(script), limits, state, known=set(COMMANDS)).run(data)
    note(repr((play.sent, play.events)))
    note(repr((expected.sent, expected.told)))
    mine = rows(play)
    if "SERVER_FAULT" in play.questions:
        # A server that is told less than it thinks; not the client's doing.
        return
    for got, wanted in zip(mine, expected.told, strict=False):
        if got != wanted and {got[0], wanted[0]} == {"fault", "framing"}:
            # Two errors in one line: which of them is named first is open, what was sent before is not.
            return
    assert mine == expected.told
    assert play.sent == expected.sent
    assert play.relay.stopped == expected.ended


@SETTINGS
@given(SERVER)
def test_server_as_the_reference(data: bytes) -> None:
    play = play_server(data)
    expected = ServerReference(set(CODES), LISTED, [b"a", b"b", b"c"]).run(data)
    note(repr((play.shown, play.events, expected)))
    shown = play.shown.removesuffix(b"* BYE closing\r\n") if expected.ended else play.shown
    assert play.relay.stopped == expected.ended
    asked = [question for question in play.questions if question != "SERVER_FAULT"]
    if expected.ended and asked[-1:] == ["UNLISTED"]:
        # The line whose fault ended the session may have been asked about first.
        assert expected.asked in (asked, asked[:-1])
    else:
        assert asked == expected.asked
    assert shown == expected.shown


@SETTINGS
@given(CLIENT, STATES, scripts())
def test_what_passes_is_identical(data: bytes, state: str, script: Script) -> None:
    """Where no form of literal had to be changed and no space was too many, each byte sent is a byte that came."""
    play = play_client(data, state, script)
    if not re.search(rb"\{[0-9]*\+\}|\{0[0-9]|  | \r", data):
        at = 0
        for line in play.sent.splitlines(keepends=True):
            found = data.find(line, at)
            assert found >= 0
            at = found + len(line)


@SETTINGS
@given(
    CLIENT,
    STATES,
    scripts(),
    SIZES,
    st.lists(st.one_of(st.integers(0, 3), st.just(-1)), min_size=1, max_size=30),
    st.integers(2, 64),
)
def test_nothing_denied_reaches_a_careless_server(
    data: bytes, state: str, script: Script, sizes: list[int], turns: list[int], most: int
) -> None:
    """Whatever the order of turns: the server answers some of what it owes, or the client says its next chunk."""
    play = Play(state=state, script=script, max_pending=most)
    chunks = list(pieces(sizes)(data))
    turn = 0
    while chunks and not play.relay.stopped:
        owed = turns[turn % len(turns)]
        turn += 1
        if owed >= 0:
            play.answer(owed)
        play.client(chunks.pop(0))
        assert play.relay.pending_count <= most
    play.settle()
    play.read()
    assert not play.errors
    note(repr((play.sent, play.events, play.server.seen)))
    seen = [name for _, name in play.server.seen]
    assert set(seen) <= PERMITTED, seen
    assert "UNEXPECTED_CONTINUE" not in play.faults
    assert "UNKNOWN_TAG" not in play.faults
    asked = [event[1] for event in play.events if event[0] == "COMMAND"]
    for name in ASKED:
        assert seen.count(name) <= asked.count(name)
