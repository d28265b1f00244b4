"""Legs that speak TLS: every conversation of the wire comes out of them as it does out of plain ones."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from imap4fast._wire import AUTHENTICATED, Relay
from tests.unit.tls.ends import TLS12, TLS13, PythonEnd, RawEnd
from tests.wire.client_dialogues import DIALOGUES
from tests.wire.client_vectors import VECTORS as CLIENT_VECTORS
from tests.wire.play import Event, Pipe, Play, pieces, single, whole
from tests.wire.secured import LEGS, Cutter, Secured, TlsPipe, at_random, leg_of
from tests.wire.server_vectors import VECTORS as SERVER_VECTORS
from tests.wire.vectors import ClientVector, ServerVector

CLIENTS = [*CLIENT_VECTORS, *DIALOGUES]
LONG = 3000
"""Octets from which on a vector is not fed octet by octet."""


def ways(vector: ClientVector | ServerVector, length: int) -> Iterator[Callable[..., Play]]:
    """Which legs, which version, and how the ciphertext is cut."""
    number = len(vector.name)
    for legs, version in itertools.product(LEGS, (TLS12, TLS13)):
        yield partial(Secured, legs=legs, version=version)
    for legs in LEGS:
        number += 1
        yield partial(Secured, legs=legs, version=(TLS12, TLS13)[number % 2], cuts=at_random(number))
    if length <= LONG:
        yield partial(Secured, legs="both", version=(TLS12, TLS13)[number % 2], cuts=single)


def counts(relay: Relay) -> tuple[int, ...]:
    return (relay.cin, relay.cout, relay.sin, relay.sout, relay.commands)


@pytest.mark.parametrize("vector", CLIENTS, ids=[vector.name for vector in CLIENTS])
def test_client_vectors(vector: ClientVector) -> None:
    plain = vector.play(whole)
    for make in ways(vector, len(vector.client)):
        secured = vector.play(whole, make=make)
        assert secured.result() == plain.result(), make
        assert secured.relay.stopped or counts(secured.relay) == counts(plain.relay), make
    records = vector.play(pieces((7, 1, 300)), make=partial(Secured, cuts=at_random(len(vector.client))))
    assert records.result() == plain.result()


@pytest.mark.parametrize("vector", SERVER_VECTORS, ids=[vector.name for vector in SERVER_VECTORS])
def test_server_vectors(vector: ServerVector) -> None:
    plain = vector.play(whole)
    for make in ways(vector, len(vector.server)):
        secured = vector.play(whole, make=make)
        assert secured.result() == plain.result(), make
        assert secured.relay.stopped or counts(secured.relay) == counts(plain.relay), make
    records = vector.play(pieces((7, 1, 300)), make=partial(Secured, cuts=at_random(len(vector.server))))
    assert records.result() == plain.result()


def leg(play: Secured, client: bool) -> TlsPipe:
    return play.client_end if client else play.server_end


def feed(play: Secured, client: bool, data: bytes) -> None:
    play.cipher(leg(play, client), data)


def raw_end(play: Secured, client: bool) -> RawEnd:
    end = leg(play, client).end
    assert isinstance(end, RawEnd)
    return end


SAYS = {True: b"a NOOP\r\n", False: b"* 3 EXISTS\r\n"}
HEARD = {True: "sent", False: "shown"}
QUESTION = {True: "CLIENT_TLS", False: "SERVER_TLS"}
SIDES = pytest.mark.parametrize("client", [True, False], ids=["client", "server"])
CUTS: list[Cutter] = [whole, single, at_random(1)]
CUT = pytest.mark.parametrize("cuts", CUTS, ids=["whole", "single", "random"])


class TestEnds:
    """close_notify, a connection that just ends, and records that are none."""

    @SIDES
    @CUT
    def test_close_notify_behind_data(self, client: bool, cuts: Cutter) -> None:
        """What stands before it is taken first; the session is asked once."""
        play = Secured(cuts=cuts)
        end = leg(play, client).end
        feed(play, client, end.seal(SAYS[client]) + end.close())
        assert getattr(play, HEARD[client]) == SAYS[client]
        assert play.questions == [QUESTION[client]]
        tls = play.relay.ctls if client else play.relay.stls
        assert (tls.closed, tls.faulted, tls.truncated) == (True, False, False)
        assert not play.relay.stopped

    @SIDES
    def test_what_comes_behind_it_is_not_looked_at(self, client: bool) -> None:
        play = Secured()
        end = leg(play, client).end
        feed(play, client, end.close())
        feed(play, client, b"\x17\x03\x03\x00\x05hello")
        feed(play, client, SAYS[client])
        assert (play.questions, getattr(play, HEARD[client])) == ([QUESTION[client]], b"")

    @SIDES
    def test_the_other_side_is_still_answered(self, client: bool) -> None:
        """Half close: who has ended its half may still listen."""
        play = Secured()
        play.client(b"a NOOP\r\n")
        feed(play, client, leg(play, client).end.close())
        if client:
            play.says(b"a OK done\r\n")
            assert play.shown == b"a OK done\r\n"
        else:
            play.client(b"b NOOP\r\n")
            assert play.sent == b"a NOOP\r\nb NOOP\r\n"

    @SIDES
    def test_the_session_ends(self, client: bool) -> None:
        play = Secured(answers={QUESTION[client]: 3})
        end = leg(play, client).end
        feed(play, client, end.close() + end.close())
        assert play.relay.stopped
        assert len(play.questions) == 1

    @SIDES
    def test_our_own_end_is_said_once_behind_all_data(self, client: bool) -> None:
        play = Secured()
        play.client(b"a NOOP\r\n")
        play.says(b"a OK done\r\n")
        pipe = leg(play, client)
        detach = play.relay.detach_client if client else play.relay.detach_server
        detach()
        said = pipe.cipher
        detach()
        assert pipe.cipher == said
        assert pipe.bytes == (b"a OK done\r\n" if client else b"a NOOP\r\n")
        assert isinstance(pipe.end, PythonEnd)
        assert pipe.end.closed

    @SIDES
    def test_nothing_is_written_behind_our_end(self, client: bool) -> None:
        play = Secured()
        pipe = leg(play, client)
        (play.relay.detach_client if client else play.relay.detach_server)()
        said = pipe.cipher
        play.client(b"a NOOP\r\n")
        play.says(b"* 3 EXISTS\r\n")
        assert play.relay.reply(b"* BYE x\r\n")
        play.relay.send_server(b"b NOOP\r\n")
        assert pipe.cipher == said

    @SIDES
    @CUT
    def test_truncation(self, client: bool, cuts: Cutter) -> None:
        """The connection ends without a word of TLS: told apart from close_notify."""
        play = Secured(cuts=cuts)
        feed(play, client, leg(play, client).end.seal(SAYS[client]))
        (play.relay.client_eof if client else play.relay.server_eof)()
        tls = play.relay.ctls if client else play.relay.stls
        assert (tls.truncated, tls.closed, tls.faulted) == (True, False, False)
        assert play.questions == []

    @SIDES
    def test_a_clean_end_is_none(self, client: bool) -> None:
        play = Secured()
        feed(play, client, leg(play, client).end.close())
        (play.relay.client_eof if client else play.relay.server_eof)()
        assert not (play.relay.ctls if client else play.relay.stls).truncated

    @SIDES
    @pytest.mark.parametrize("place", [0, 1, 3, 5, 20, -1])
    @CUT
    def test_a_broken_record(self, client: bool, place: int, cuts: Cutter) -> None:
        """Nothing of it is taken, nothing behind it; what stood before it is."""
        play = Secured(cuts=cuts)
        end = leg(play, client).end
        good, said = end.seal(SAYS[client]), leg(play, client).cipher
        bad = bytearray(end.seal(b"b NOOP\r\n" if client else b"* 4 EXISTS\r\n"))
        bad[place] ^= 0x41
        feed(play, client, good + bytes(bad) + end.seal(SAYS[client]))
        tls = play.relay.ctls if client else play.relay.stls
        assert tls.faulted
        assert tls.fault_reason
        assert getattr(play, HEARD[client]) == SAYS[client]
        assert play.questions == [QUESTION[client]]
        assert leg(play, client).cipher > said, "an alert goes out"

    @SIDES
    def test_a_broken_leg_says_nothing_more(self, client: bool) -> None:
        play = Secured()
        feed(play, client, b"GET / HTTP/1.0\r\n\r\n")
        pipe = leg(play, client)
        said = pipe.cipher
        (play.says if client else play.client)(SAYS[not client])
        (play.relay.detach_client if client else play.relay.detach_server)()
        assert pipe.cipher == said
        assert pipe.bytes == b""
        assert play.errors == []

    @SIDES
    def test_plain_octets_on_a_secured_leg(self, client: bool) -> None:
        play = Secured()
        feed(play, client, SAYS[client])
        assert (play.questions, getattr(play, HEARD[client])) == ([QUESTION[client]], b"")

    @SIDES
    def test_no_data_after_the_end_of_the_session(self, client: bool) -> None:
        play = Secured()
        play.relay.stop()
        feed(play, client, leg(play, client).end.seal(SAYS[client]))
        assert (play.sent, play.shown, play.questions) == (b"", b"", [])


class TestRecords:
    """What TLS says by itself, between and within lines."""

    @SIDES
    @pytest.mark.parametrize("both", [False, True], ids=["theirs", "both"])
    @CUT
    def test_new_keys(self, client: bool, both: bool, cuts: Cutter) -> None:
        play = Secured(raw=True, cuts=cuts)
        end, said, other = raw_end(play, client), SAYS[client], b""
        for cut in range(len(said)):
            data = end.seal(said[:cut]) if cut else b""
            data += end.update_keys(both)
            feed(play, client, data + end.seal(said[cut:]))
            line = b"a OK done\r\n" if client else b"a%d NOOP\r\n" % cut
            (play.says if client else play.client)(line)
            other += line
        assert getattr(play, HEARD[client]) == said * len(said)
        assert getattr(play, HEARD[not client]) == other
        assert not play.relay.stopped
        assert QUESTION[client] not in play.questions

    @SIDES
    def test_new_keys_without_end(self, client: bool) -> None:
        """Not a plain octet in 128 KiB: the leg breaks."""
        play = Secured(raw=True)
        end = raw_end(play, client)
        for _ in range(100):
            feed(play, client, b"".join(end.update_keys(False) for _ in range(100)))
        assert play.questions == [QUESTION[client]]
        tls = play.relay.ctls if client else play.relay.stls
        assert tls.fault_reason == "too much without a plain octet"

    def test_empty_records(self) -> None:
        play = Secured(version=TLS12, raw=True)
        end = leg(play, True).end
        feed(play, True, end.seal(b"a NO") + end.seal(b"") + end.seal(b"OP\r\n"))
        assert play.sent == b"a NOOP\r\n"

    @SIDES
    def test_renegotiation_is_refused(self, client: bool) -> None:
        """T-S17: not one flight of it is answered."""
        play = Secured(raw=True, version=TLS12)
        said = leg(play, client).cipher
        feed(play, client, raw_end(play, client).renegotiate())
        assert leg(play, client).cipher - said < 100, "no more than an alert"
        assert play.errors == []
        assert play.questions in ([], [QUESTION[client]])

    @pytest.mark.parametrize("size", [16383, 16384, 16385, 65536, 65537, 200000])
    @pytest.mark.parametrize("legs", LEGS)
    def test_literals_of_every_size(self, legs: str, size: int) -> None:
        """Slices and records do not show, both ways."""
        body = random.Random(size).randbytes(size)
        play = Secured(legs=legs, cuts=at_random(size))
        play.client(b"a APPEND x {%d}\r\n" % size)
        play.says(b"+ go\r\n")
        play.client(body + b"\r\nb FETCH 1 BODY[]\r\n")
        play.says(b"a OK done\r\n* 1 FETCH (BODY[] {%d}\r\n" % size + body + b")\r\nb OK done\r\n")
        assert play.sent.endswith(body + b"\r\nb FETCH 1 BODY[]\r\n")
        assert play.shown.endswith(b"{%d}\r\n" % size + body + b")\r\nb OK done\r\n")
        assert play.relay.cin == len(play.shown) + len(b"* OK ready\r\n")


class TestTurns:
    def test_a_pause_of_either_side_stops_the_other(self) -> None:
        play = Secured()
        play.relay.client_paused()
        assert not play.server_pipe.reading
        play.relay.client_resumed()
        assert play.server_pipe.reading
        play.relay.server_paused()
        assert not play.client_pipe.reading
        play.relay.server_resumed()
        assert play.client_pipe.reading

    def test_what_waits_is_plain_and_comes_in_order(self) -> None:
        """Held octets: behind AUTHENTICATE, with records that come while they wait."""
        play = Secured(state="not", cuts=at_random(3))
        play.client(b"a LOGIN jana x\r\nb NOOP\r\n")
        play.client(b"c NO")
        play.client(b"OP\r\nd NOOP\r\n")
        assert play.sent == b"a LOGIN jana x\r\n"
        play.says(b"a OK in\r\n")
        assert play.sent == b"a LOGIN jana x\r\nb NOOP\r\nc NOOP\r\nd NOOP\r\n"
        assert play.client_pipe.reading

    @pytest.mark.parametrize("seed", range(8))
    def test_two_relays_never_mix(self, seed: int) -> None:
        """The ciphertext of all legs of a process is made in one place."""
        drawn = random.Random(seed)
        plays = [Secured(legs=drawn.choice(LEGS), version=drawn.choice((TLS12, TLS13))) for _ in range(3)]
        sent, shown = [b""] * 3, [b""] * 3
        for turn in range(300):
            at = drawn.randrange(3)
            play = plays[at]
            play.cuts = at_random(turn)
            if drawn.random() < 0.5:
                line = b"%d%d NOOP\r\n" % (at, turn)
                play.client(line)
                sent[at] += line
                play.says(line.replace(b"NOOP", b"OK"))
                shown[at] += line.replace(b"NOOP", b"OK")
            else:
                line = b"* LIST () NIL {%d}\r\n" % turn + bytes((65 + at,)) * turn + b"\r\n"
                play.says(line)
                shown[at] += line
        for at, play in enumerate(plays):
            assert (play.sent, play.shown) == (sent[at], shown[at])
            assert not play.relay.stopped

    def test_a_question_in_one_relay_while_another_is_in_its_own(self) -> None:
        """A session that makes another one speak takes no octet of its own along."""
        other = Secured()

        def meddle(play: Play) -> int:
            other.relay.reply(b"* OK other\r\n")
            other.relay.send_server(b"x NOOP\r\n")
            play.relay.reply(b"* OK mine\r\n")
            return 0

        play = Secured(answers={"COMMAND": meddle}, state="auth")
        play.client(b"a NOOP\r\nb ID NIL\r\nc NOOP\r\n")
        assert play.sent == b"a NOOP\r\nb ID NIL\r\nc NOOP\r\n"
        assert play.shown == b"* OK mine\r\n"
        assert (other.sent, other.shown) == (b"x NOOP\r\n", b"* OK other\r\n")


class Wire(TlsPipe):
    """The transport of a real socket that takes little at a time; what it has not taken yet waits in it."""

    def __init__(self, relay: Relay, end: PythonEnd, client: bool) -> None:
        super().__init__(end)
        self.relay, self.client = relay, client
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setblocking(False)
        for sock in (self.near, self.far):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.waiting = bytearray()

    def write(self, data: bytes) -> None:
        if not self.waiting:
            (self.relay.client_paused if self.client else self.relay.server_paused)()
        self.waiting += data

    def carry(self) -> bool:
        """Let the other end take what there is. False: nothing moved."""
        moved = False
        try:
            while data := self.far.recv(3000):
                TlsPipe.write(self, data)
                moved = True
        except BlockingIOError:
            pass
        if self.waiting:
            try:
                del self.waiting[: self.near.send(self.waiting)]
                moved = True
            except BlockingIOError:
                pass
            if not self.waiting:
                (self.relay.client_resumed if self.client else self.relay.server_resumed)()
        return moved

    def close(self) -> None:
        self.near.close()
        self.far.close()


@SIDES
@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_ciphertext_keeps_its_order_through_a_full_socket(client: bool, version: int) -> None:
    """What the socket does not take goes by the transport, and nothing overtakes it."""
    relay = Relay()
    play = _Bare()
    relay.begin(play, Play().relay.gate)
    (near, end), (own, other) = leg_of(True, version), leg_of(False, version)
    pipes = (Wire(relay, end, True), Wire(relay, other, False))
    relay.attach_client(pipes[0], pipes[0].near.fileno(), 0.0)
    relay.secure_client(near)
    relay.attach_server(pipes[1], pipes[1].near.fileno(), 0.0)
    relay.secure_server(own)
    relay.server_data(other.seal(b"* OK ready\r\n"))
    relay.greeted()
    relay.state = AUTHENTICATED
    body = random.Random(1).randbytes(500_000)
    if client:
        said = b"* LIST () NIL {%d}\r\n" % len(body) + body + b"\r\n"
        sealed, hears, pipe = other.seal(said), relay.server_data, pipes[0]
        expected = b"* OK ready\r\n" + said
    else:
        announced = b"a APPEND x {%d}\r\n" % len(body)
        relay.client_data(end.seal(announced))
        relay.server_data(other.seal(b"+ go\r\n"))
        sealed, hears, pipe = end.seal(body + b"\r\n"), relay.client_data, pipes[1]
        expected = announced + body + b"\r\n"
    paused = False
    for at in range(0, len(sealed), 50_000):
        hears(sealed[at : at + 50_000])
        paused = paused or not pipes[1 if client else 0].reading
        while pipe.carry():
            pass
    assert paused
    assert pipe.bytes == expected
    for each in pipes:
        each.close()


class _Bare:
    """A session that passes everything."""

    def ask(self, question: int) -> int:
        return 0

    def broken(self, error: BaseException) -> None:
        raise AssertionError from error


def test_pipes_are_what_plain_plays_have() -> None:
    """A secured leg and a plain one in one play."""
    play = Secured(legs="client")
    assert type(play.server_pipe) is Pipe
    assert play.relay.stls is None
    events: list[Event] = play.events
    assert events == []
