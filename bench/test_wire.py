"""What the wire costs alone: scanning of server lines and literals, tokens of commands, a question to Python.

Guidance (architecture.md section 11): server lines at 500 MB/s or more, a 64 KiB chunk of a literal in 1 us or less.
`MB/s` and `us` of each row are in the extra columns of pytest-benchmark; nothing here fails by time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imap4fast._wire import ASK, AUTHENTICATED, COMMANDS, PASS, SELECTED, Gate, Relay, lex

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

CHUNK = 65536
UNTAGGED = (b"LIST", b"SEARCH", b"FLAGS", b"RECENT")
FLAGS = b"* 1234 FETCH (UID 56789 FLAGS (\\Seen \\Answered $Forwarded) MODSEQ (1234567))\r\n"
ADDRESS = b'(("Jana Novakova" NIL "jana.novakova" "mail.example.org"))'
ENVELOPE = (
    b'* 1234 FETCH (UID 56789 ENVELOPE ("Wed, 17 Jul 2026 02:23:25 +0200" "Re: minutes of the weekly meeting (draft)" '
    + b" ".join([ADDRESS] * 5)
    + b' NIL "<20260717.1@mail.example.org>" "<20260717.2@mail.example.org>"))\r\n'
)
HEADERS = (
    b"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority References)])"
)


class Nowhere:
    """A transport that forgets; and a session that passes what it is asked."""

    def write(self, data: bytes) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def ask(self, question: int) -> int:
        return 0

    def broken(self, exc: Exception) -> None:
        raise exc


def relay(*, asked: tuple[bytes, ...] = (), state: int = SELECTED) -> Relay:
    """A session with its greeting behind it."""
    made, end = Relay(), Nowhere()
    made.begin(end, Gate(bytes(ASK if name in asked else PASS for name in COMMANDS), (), UNTAGGED))
    made.attach_client(end, -1, 0.0)
    made.attach_server(end, -1, 0.0)
    made.server_data(b"* OK hi\r\n")
    made.greeted()
    made.resume()
    made.server_data(b"* OK still\r\n")
    made.state = state
    return made


def whole_lines(line: bytes) -> bytes:
    """Lines of one chunk of about 64 KiB."""
    return line * (CHUNK // len(line))


def rate(benchmark: BenchmarkFixture, run: Callable[[bytes], None], data: bytes) -> None:
    benchmark(run, data)
    if benchmark.stats is not None:
        median = benchmark.stats.stats.median
        benchmark.extra_info["MB/s"] = round(len(data) / median / 1e6)
        benchmark.extra_info["us"] = round(median * 1e6, 3)


@pytest.mark.parametrize(
    "line", [FLAGS, ENVELOPE, b'* LIST (\\HasNoChildren) "/" "Archive/2026"\r\n'], ids=["flags", "envelope", "list"]
)
def test_server_lines(benchmark: BenchmarkFixture, line: bytes) -> None:
    made = relay()
    rate(benchmark, made.server_data, whole_lines(line))
    assert not made.stopped


def test_server_lines_cut_anywhere(benchmark: BenchmarkFixture) -> None:
    """Chunks that end inside a line: one line of each is joined."""
    made = relay()
    data = whole_lines(FLAGS)

    def run(data: bytes) -> None:
        made.server_data(data[:40000])
        made.server_data(data[40000:])

    rate(benchmark, run, data)
    assert not made.stopped


def test_literal_of_the_server(benchmark: BenchmarkFixture) -> None:
    made = relay()
    made.server_data(b"* 1 FETCH (BODY[] {9000000000000000}\r\n")
    rate(benchmark, made.server_data, b"x" * CHUNK)
    assert not made.stopped


def test_literal_of_an_upload(benchmark: BenchmarkFixture) -> None:
    made = relay()
    made.client_data(b"a APPEND x {4294967295+}\r\n")
    made.server_data(b"+ OK\r\n")
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        made.client_data, (b"x" * CHUNK,), rounds=2000, iterations=10, warmup_rounds=5
    )
    if benchmark.stats is not None:
        benchmark.extra_info["us"] = round(benchmark.stats.stats.median * 1e6, 3)
    assert made.in_literal


@pytest.mark.parametrize(
    "line",
    [b"a1 NOOP", b"a1 UID FETCH 1:* (FLAGS)", b"a1 UID FETCH 1:200 " + HEADERS, b'a1 LIST "" "*"'],
    ids=["noop", "uid-fetch", "header-fetch", "list"],
)
def test_tokens(benchmark: BenchmarkFixture, line: bytes) -> None:
    """By `lex`, which makes a tuple besides; `test_commands` has the relay's own cost."""
    assert benchmark(lex, line)[0] == "NONE"


@pytest.mark.parametrize(
    "line",
    [b"NOOP", b"UID FETCH 1:* (FLAGS)", b"UID FETCH 1:200 " + HEADERS],
    ids=["noop", "uid-fetch", "header-fetch"],
)
def test_commands(benchmark: BenchmarkFixture, line: bytes) -> None:
    """50 commands in one chunk and their answers in another: the whole way of a command, per 50."""
    made = relay()
    client = b"".join(b"a%d %b\r\n" % (n, line) for n in range(50))
    server = b"".join(b"a%d OK done\r\n" % n for n in range(50))

    def run(data: bytes) -> None:
        made.client_data(data)
        made.server_data(server)

    rate(benchmark, run, client)
    benchmark.extra_info["ns/command"] = round(benchmark.extra_info.get("us", 0) * 20)
    assert made.pending_count == 0


def test_question_to_python(benchmark: BenchmarkFixture) -> None:
    """A line that is asked about, and the answer."""
    made = relay(state=AUTHENTICATED)
    rate(benchmark, made.server_data, b"* CAPABILITY IMAP4rev1 IDLE NAMESPACE UIDPLUS\r\n")
    assert not made.stopped
