"""Every growth has a cap: memory of the relay under ends that announce, nest, repeat and never finish."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from tests.wire.play import ANSWER, Play, gate
from tests.wire.server import Script

KIB = 1024
MIB = 1024 * KIB


class _Mallinfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    ]


_mallinfo2 = ctypes.CDLL(None).mallinfo2
_mallinfo2.restype = _Mallinfo2


def in_use() -> int:
    """Bytes that malloc has given out."""
    info = _mallinfo2()
    return int(info.uordblks + info.hblkhd)


class Sink:
    """A transport that forgets what it is given."""

    def __init__(self) -> None:
        self.reading = True
        self.size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.fixture
def counted() -> None:
    """malloc must be glibc's own."""
    if not in_use():
        pytest.skip("a sanitizer's allocator is in place of malloc: nothing to read")


def sunk(**options: object) -> Play:
    play = Play(**options)  # type: ignore[arg-type]
    play.relay.attach_client(Sink(), -1, 0.0)
    play.relay.attach_server(Sink(), -1, 0.0)
    play._event = lambda name: (name,)  # type: ignore[method-assign]
    return play


def grown(play: Play, chunks: Iterator[bytes], *, server: bool = False) -> int:
    """The most that was in use above the start while these chunks came."""
    before, peak = in_use(), 0
    feed = play.relay.server_data if server else play.relay.client_data
    for number, chunk in enumerate(chunks):
        feed(chunk)
        if number % 16 == 0:
            peak = max(peak, in_use() - before)
    return max(peak, in_use() - before)


def repeat(chunk: bytes, total: int, first: bytes = b"") -> Iterator[bytes]:
    if first:
        yield first
    for _ in range(total // len(chunk)):
        yield chunk


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("chunk", [b"x" * 65536, b"UID 1 " * 100, b"x" * 7])
def test_a_client_line_without_end(chunk: bytes) -> None:
    play = sunk()
    assert grown(play, repeat(chunk, 2 * MIB, b"a SEARCH ")) <= 256 * KIB
    assert play.relay.stopped


@pytest.mark.usefixtures("counted")
def test_a_server_line_without_end() -> None:
    play = sunk()
    assert grown(play, repeat(b"1 " * 8192, 16 * MIB, b"* SEARCH "), server=True) <= 3 * MIB
    assert play.relay.stopped


@pytest.mark.usefixtures("counted")
def test_an_announcement_allocates_nothing() -> None:
    play = sunk(state="selected")
    assert grown(play, iter([b"a CREATE {65536}\r\n"])) <= 8 * KIB
    play = sunk()
    assert grown(play, iter([b"a APPEND x {4294967295}\r\n"])) <= 8 * KIB
    play = sunk()
    assert grown(play, iter([b"* 1 FETCH (BODY[] {9000000000000000000}\r\n"]), server=True) <= 8 * KIB


@pytest.mark.usefixtures("counted")
def test_a_refused_literal_is_not_kept() -> None:
    play = sunk(answers={"CLIENT_FAULT": ANSWER["DROP"]})
    assert grown(play, repeat(b"x" * 16384, MIB, b"a XFOO {1048576+}\r\n")) <= 64 * KIB


@pytest.mark.usefixtures("counted")
def test_gathered_literals_have_a_sum() -> None:
    play = sunk(answers={"CLIENT_FAULT": ANSWER["DROP"]})
    assert grown(play, repeat(b" {65536+}\r\n" + b"x" * 65536, 4 * MIB, b"a SEARCH")) <= 640 * KIB


@pytest.mark.usefixtures("counted")
def test_uploads_stream() -> None:
    play = sunk()
    play.client(b"a APPEND x {67108864+}\r\n")
    play.says(b"+ OK\r\n")
    assert grown(play, repeat(b"x" * 65536, 64 * MIB)) <= 128 * KIB
    assert play.relay.sout > 64 * MIB


@pytest.mark.usefixtures("counted")
def test_downloads_stream() -> None:
    play = sunk()
    assert grown(play, repeat(b"x" * 65536, 64 * MIB, b"* 1 FETCH (BODY[] {67108864}\r\n"), server=True) <= 128 * KIB
    assert play.relay.cin > 64 * MIB


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    "setup",
    [
        b"",
        b"a LOGIN u p\r\n",
        b"a SELECT x\r\n",
        b"a IDLE\r\n",
        b"a APPEND x {5}\r\n",
        b"a APPEND x {500000+}\r\n",
        b"a CREATE {1+}\r\nx\r\n",
    ],
)
def test_a_client_that_is_held_is_not_read(setup: bytes) -> None:
    play = sunk(state="not" if b"LOGIN" in setup else "selected", greet=bool(setup))
    sink = play.relay
    client = Sink()
    sink.attach_client(client, -1, 0.0)
    sink.client_data(setup or b"a NOOP\r\n")
    chunks = 0
    while client.reading and chunks < 100:
        sink.client_data(b"x" * 1000)
        chunks += 1
    assert chunks <= 2  # one may wait without a pause


def test_a_large_chunk_that_waits_is_enough() -> None:
    sink = sunk(state="selected").relay
    client = Sink()
    sink.attach_client(client, -1, 0.0)
    sink.client_data(b"a SELECT x\r\n")
    sink.client_data(b"x" * 200_000)
    assert not client.reading


@pytest.mark.usefixtures("counted")
def test_pending_commands_are_few() -> None:
    play = sunk()
    client = Sink()
    play.relay.attach_client(client, -1, 0.0)
    before = in_use()
    for number in range(100_000):
        if not client.reading:
            break
        play.relay.client_data(b"t%d NOOP\r\n" % number)
    assert not client.reading
    assert play.relay.pending_count <= 64
    assert in_use() - before <= 64 * KIB


@pytest.mark.usefixtures("counted")
def test_replies_that_wait_for_the_end_of_a_unit_are_few() -> None:
    play = sunk()
    client = Sink()
    play.relay.attach_client(client, -1, 0.0)
    play.relay.server_data(b"* 1 FETCH (BODY[] {100}\r\nabc")
    before = in_use()
    for number in range(50_000):
        if not client.reading or play.relay.stopped:
            break
        play.relay.client_data(b"t%d DELETE aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" % number)
    assert not client.reading or play.relay.stopped
    assert in_use() - before <= 512 * KIB


@pytest.mark.usefixtures("counted")
def test_a_relay_gives_everything_back() -> None:
    def life() -> None:
        play = Play(script=Script(forms=1), gate=gate(asked=(b"CREATE",)))
        play.client(b"a CREATE {5}\r\nINBOX\r\nb APPEND x {5}\r\nhello\r\nc FETCH 1 BODY[]\r\nd IDLE\r\nDO")
        play.settle()
        play.says(b"* 1 FETCH (BODY[] {500}\r\nhel")
        play.client(b"x")

    for _ in range(200):
        life()
    before = in_use()
    for _ in range(5000):
        life()
    assert in_use() - before <= 256 * KIB
