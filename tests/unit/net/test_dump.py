"""What level full shows of a session, and what it must not show however the octets are cut."""

from __future__ import annotations

import asyncio
import base64
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import LogSink, Proxy
from imap4fast.log import netc as entries
from imap4fast.log.escape import Block
from imap4fast.log.setup import Logs
from imap4fast.net.dump import MOST_WAITING, Dump
from tests.play.stage import Notebook, Stage, accepting
from tests.unit.net.running import easy, run, serving

HELLO = "* OK ready"
LOGIN = ("a LOGIN jana Q9ZQ9Z", "a OK in")


def login(stage: Stage) -> Stage:
    stage.server_says(HELLO)
    stage.client_says(LOGIN[0])
    stage.server_says(LOGIN[1])
    return stage


def shown(stage: Stage, side: str = "CLIENT") -> list[bytes]:
    """The octets shown of a side, chunk by chunk."""
    return [cast(Block, args[3]).data for args in stage.logged(entries.DATA) if args[0] == side]


def withheld(stage: Stage, side: str = "CLIENT") -> list[object]:
    """Why the others were not."""
    return [args[3] for args in stage.logged(entries.DATA_WITHHELD) if args[0] == side]


def test_nothing_of_either_side_before_login() -> None:
    stage = login(Stage())
    assert shown(stage) == shown(stage, "SERVER") == []
    assert withheld(stage) == ["BEFORE-LOGIN"]
    assert withheld(stage, "SERVER") == ["BEFORE-LOGIN"] * 2


def test_everything_after_login() -> None:
    stage = login(Stage())
    stage.client_says('b SELECT "In box"')
    stage.server_says("* 3 EXISTS")
    assert shown(stage) == [b'b SELECT "In box"\r\n']
    assert shown(stage, "SERVER") == [b"* 3 EXISTS\r\n"]
    (line,) = [one.line for one in stage.notebook.written if one.args[:1] == ("CLIENT",) and one.entry is entries.DATA]
    assert 'NETC-120-F DATA FROM=CLIENT OFFSET=21 SIZE=19 BYTES="b SELECT \\"In box\\"\\x0d\\x0a" SESSION=7' in line


def test_a_server_that_repeats_the_password() -> None:
    stage = Stage()
    stage.server_says(HELLO)
    stage.client_says("a LOGIN jana Q9ZQ9Z")
    stage.server_says("a NO no such LOGIN jana Q9ZQ9Z")
    login_again = ("b LOGIN jana Q9ZQ9Z", "b OK [ALERT] your password Q9ZQ9Z is old")
    stage.client_says(login_again[0])
    stage.server_says(login_again[1])
    assert shown(stage, "SERVER") == []


@pytest.mark.parametrize(
    "said",
    [
        "b LOGIN jana Q9ZQ9Z",
        "b login jana Q9ZQ9Z",
        "LOGIN jana Q9ZQ9Z",
        "  b  LOGIN jana Q9ZQ9Z",
        "b\tLOGIN\tjana\tQ9ZQ9Z",
        'b (LOGIN "jana" "Q9ZQ9Z")',
        "b UID LOGIN jana Q9ZQ9Z",
        "b AUTHENTICATE PLAIN Q9ZQ9ZQ9",
        "b␀LOGIN jana Q9ZQ9Z",
        f"{'t' * 100} LOGIN jana Q9ZQ9Z",
    ],
)
def test_a_client_that_logs_in_again_is_shown_no_more(said: str) -> None:
    stage = login(Stage())
    stage.client_says(said)
    stage.client_says("Q9ZQ9Z")
    stage.client_says("c NOOP")
    assert shown(stage) == []
    assert withheld(stage)[1:] == ["LOGIN-AGAIN"] * 3


@pytest.mark.parametrize("more", [b"", b"x", b" "])
def test_ends_of_lines_without_end(more: bytes) -> None:
    """Any number of CRs, in any chunks; a line that begins behind them is seen."""
    stage = login(Stage())
    stage.relay.client_data(b"b NOOP" + more + b"\r" * 5000)
    assert not stage.is_closed
    stage.relay.client_data(b"LOGIN jana Q9ZQ9Z")
    assert not any(b"Q9Z" in chunk for chunk in shown(stage))
    assert withheld(stage)[-1] == "LOGIN-AGAIN"


@pytest.mark.parametrize("said", ['b SEARCH SUBJECT "login"', "b LIST LOGINS *", "b CREATE x-LOGIN-y/z"])
def test_other_words_do_not_hide(said: str) -> None:
    stage = login(Stage())
    stage.client_says(said)
    assert shown(stage) == [said.encode() + b"\r\n"]


@pytest.mark.parametrize("said", ['b ID ("name" "Q9Z")', "b id (Q9Z", "b  ID (Q9Z", "ID (Q9Z"])
def test_arguments_of_id(said: str) -> None:
    stage = login(Stage())
    stage.client_says(f"{said}¬")
    stage.client_says("Q9Z")
    stage.client_says("c NOOP")
    stage.client_says("d IDLE")
    assert shown(stage) == [b"c NOOP\r\n", b"d IDLE\r\n"]
    assert withheld(stage)[1:] == ["PRIVATE"] * 2


def test_literals_of_id() -> None:
    stage = login(Stage())
    for said in ('b ID ("name" {3}', 'Q9Z "os" {3+}', "Q9Z)", "c NOOP"):
        stage.client_says(said)
    assert shown(stage) == [b"c NOOP\r\n"]


def test_tokens_of_urlauth() -> None:
    stage = login(Stage())
    stage.client_says("b NOOP")
    url = '"imap://x/;urlauth=a:internal:Q9Z"'
    stage.server_says(f"* GENURLAUTH {url[:16]}¬")
    stage.server_says(f"{url[16:30]}¬")
    stage.server_says(url[30:])
    stage.server_says("* 3 EXISTS")
    stage.client_says(f"c URLFETCH {url}")
    stage.client_says("d NOOP")
    assert shown(stage, "SERVER") == [b"* 3 EXISTS\r\n"]
    assert shown(stage) == [b"b NOOP\r\n", b"d NOOP\r\n"]


def test_an_answer_to_a_challenge_that_comes_late() -> None:
    stage = Stage()
    stage.server_says(HELLO)
    stage.client_says("a AUTHENTICATE PLAIN")
    stage.server_says("a OK without asking")
    stage.client_says("Q9ZQ9ZQX¬")
    stage.client_says("Q9ZQ")
    stage.client_says("b NOOP")
    assert shown(stage) == [b"b NOOP\r\n"]
    assert withheld(stage) == ["BEFORE-LOGIN", "LOGIN-UNCLEAR", "LOGIN-UNCLEAR"]


@pytest.mark.parametrize("together", [False, True])
def test_a_second_login_that_came_before_the_first_was_answered(together: bool) -> None:
    """Its literal comes when a login has succeeded already."""
    stage = Stage()
    stage.server_says(HELLO)
    first, second = "a LOGIN jana Q9ZQ9Z", "b LOGIN jana {7+}"
    if together:
        stage.client_says(f"{first}␍␊{second}")
    else:
        stage.client_says(first)
        stage.client_says(second)
    stage.server_says("a OK in")
    stage.client_says("Q9Z Q9Z")
    assert shown(stage) == []


def test_a_login_after_one_that_failed_is_no_second_one() -> None:
    stage = Stage()
    stage.server_says(HELLO)
    stage.client_says("x CAPABILITY")
    for tag in "abc":
        stage.client_says(f"{tag} LOGIN jana Q9ZQ9Z")
        stage.server_says(f"{tag} {'OK in' if tag == 'c' else 'NO wrong'}")
    stage.client_says("d NOOP")
    assert shown(stage) == [b"d NOOP\r\n"]


def test_limits() -> None:
    stage = login(
        Stage(log_debug=LogSink(data_limit=7), client_conn=SockOpt(log_limit=3), server_conn=SockOpt(log_limit=0))
    )
    stage.client_says("b NOOP")
    stage.server_says("b OK " + "x" * 10000)
    assert shown(stage) == [b"b N"]
    assert shown(stage, "SERVER") == [b"b OK " + b"x" * 10000 + b"\r\n"]
    lines = [one.line for one in stage.notebook.written if one.entry is entries.DATA]
    assert 'SIZE=8 BYTES="b N...+5"' in lines[0]


def test_the_default_limit_is_that_of_the_log() -> None:
    stage = login(Stage(log_debug=LogSink(data_limit=2)))
    stage.client_says("b NOOP")
    assert shown(stage) == [b"b "]


def test_below_level_full_nothing_is_written() -> None:
    stage = login(Stage(level=8))
    stage.client_says("b NOOP")
    assert stage.logged(entries.DATA) == stage.logged(entries.DATA_WITHHELD) == []


def test_a_level_that_was_lowered() -> None:
    stage = login(Stage())
    stage.notebook.level = 6
    stage.client_says("b NOOP")
    stage.notebook.level = 9
    stage.client_says("c NOOP")
    assert shown(stage) == [b"c NOOP\r\n"]


class Flushed(Notebook):
    """Counts flushes."""

    def __init__(self) -> None:
        super().__init__(9)
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_what_waits_in_memory_is_limited() -> None:
    logs = Flushed()
    dump = Dump(Proxy(name="P", server_conn=SockOpt(log_limit=0)), cast(Logs, logs))
    for _ in range(20):
        dump.server_chunk(1, 0, b"x" * (MOST_WAITING // 4), "")
    assert logs.flushes == 4


TURNS = (
    # what the client says; what the server says to what reaches it
    ("a CAPABILITY\r\n", "a OK done\r\n"),
    ("b LOGIN jana Q9ZQ9Z\r\n", "b NO no LOGIN jana Q9ZQ9Z\r\n"),
    ("c LOGIN {4+}\r\njana {7+}\r\nQ9Z Q9Z\r\n", "c OK in\r\n"),
    ("d SELECT box\r\n", "* 3 EXISTS\r\nd OK done\r\n"),
    ('h ID ("name" {3+}\r\nZ9Q "os" "Q9Z")\r\n', '* ID ("name" "server")\r\nh OK done\r\n'),
    (
        'i URLFETCH "imap://x/;urlauth=a:internal:Q9Z"\r\n',
        '* URLFETCH "imap://x/;URLAUTH=a:internal:Q9Z" NIL\r\ni OK done\r\n',
    ),
    ("e APPEND box {22+}\r\nx\r\nwe do not ask login\r\n", "e OK done\r\n"),
)
AGAIN = (
    "f LOGIN jana Q9ZQ9Z\r\n",
    "f login {4}\r\njana {7}\r\nQ9Z Q9Z\r\n",
    'f LOGIN {4+}\r\njana "Q9Z Q9Z"\r\n',
    "f LOGIN {2000000+}\r\nQ9Z Q9Z\r\n",
    "f AUTHENTICATE PLAIN Q9ZQ9ZQ9\r\n",
    "f AUTHENTICATE PLAIN\r\nQ9ZQ9ZQ9\r\n",
    "f (AUTHENTICATE LOGIN)\r\nQ9ZQ\r\nQ9ZX\r\n",
    "LOGIN jana Q9ZQ9Z\r\nQ9Z Q9Z\r\n",
)
ANSWERS = {said[0]: answered for said, answered in TURNS}
SECRET_CHARS = frozenset(b"Q9Z")
"""Passwords are made of these, nothing else of the session is."""


def cut(text: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[low:high] for low, high in pairwise(edges)]


class Server:
    """Says "+" where it is asked for octets, and to each command what TURNS has for its tag."""

    def __init__(self, stage: Stage, places: list[int]) -> None:
        self.stage = stage
        self.places = places
        self.heard = b""
        self.tag = ""

    def answer(self) -> None:
        self.heard += self.stage.server.taken()
        while b"\r\n" in self.heard:
            line, _, self.heard = self.heard.partition(b"\r\n")
            if line[1:2] == b" ":
                self.tag = line[:1].decode()
            if line.endswith(b"}"):
                self.stage.relay.server_data(b"+ go on\r\n")
                self.heard += self.stage.server.taken()
            elif line != b"x":  # the first line of the mail
                for part in cut(ANSWERS.get(self.tag, "").encode(), self.places):
                    self.stage.relay.server_data(part)


@given(
    st.sampled_from(AGAIN), st.lists(st.integers(0, 1000), max_size=40) | st.just(list(range(1000))),
    st.lists(st.integers(0, 40), max_size=3), st.booleans(),
)  # fmt: skip
def test_no_password_however_a_session_is_cut(again: str, places: list[int], others: list[int], late: bool) -> None:
    stage = Stage(accepting())
    stage.server_says(HELLO)
    server = Server(stage, others)
    said = "".join(turn[0] for turn in TURNS) + again + "g NOOP\r\n"
    for chunk in cut(said.encode(), places):
        stage.relay.client_data(chunk)
        if not late:
            server.answer()
    server.answer()
    dumped = b"".join(shown(stage)) + b"".join(shown(stage, "SERVER"))
    assert not SECRET_CHARS & set(dumped), dumped


def test_the_session_that_is_cut_is_shown_otherwise() -> None:
    """So that the test above can fail: line by line its first part is shown."""
    stage = Stage(accepting())
    stage.server_says(HELLO)
    server = Server(stage, [])
    for said, _ in TURNS:
        stage.relay.client_data(said.encode())
        server.answer()
    assert stage.session.user == "jana"
    assert shown(stage) == [b"d SELECT box\r\n", TURNS[-1][0].encode()]
    assert shown(stage, "SERVER") == [
        b"* 3 EXISTS\r\nd OK done\r\n", b'* ID ("name" "server")\r\nh OK done\r\n', b"+ go on\r\n", b"e OK done\r\n"
    ]  # fmt: skip


@given(st.binary(max_size=12), st.binary(min_size=1, max_size=40), st.integers(0, 80))
def test_sasl_lines_in_any_session(user: bytes, password: bytes, place: int) -> None:
    line = base64.b64encode(b"\0" + user + b"\0" + password) + b"\r\n"
    stage = Stage()
    stage.server_says(HELLO)
    stage.client_says("a AUTHENTICATE PLAIN")
    for chunk in cut(line, [place]):
        stage.relay.client_data(chunk)
    stage.server_says("+ ")
    stage.server_says("a OK in")
    assert shown(stage) == shown(stage, "SERVER") == []


SESSION = b"a LOGIN jana Q9ZQ9Z\r\nb NOOP\r\n"


@pytest.mark.parametrize("level", [8, 9])
def test_in_the_live_service(level: int) -> None:
    async def main() -> None:
        async with serving(easy, level=level) as running:
            reader, writer = await running.client()
            await reader.readline()
            for line in (b"a LOGIN jana Q9ZQ9Z\r\n", b"b NOOP\r\n", b"c LOGOUT\r\n"):
                writer.write(line)
                await reader.readline()
            writer.close()
            await running.until(lambda: running.service.sessions == 0)
            blocks = [
                (args[0], cast(Block, args[3]).data)
                for args in (line.args for line in running.notebook.written if line.entry is entries.DATA)
            ]
            talk = [
                ("CLIENT", b"b NOOP\r\n"), ("SERVER", b"b OK done\r\n"),
                ("CLIENT", b"c LOGOUT\r\n"), ("SERVER", b"* BYE bye\r\nc OK done\r\n"),
            ]  # fmt: skip
            assert blocks == (talk if level == 9 else [])
            await asyncio.sleep(0)

    run(main())
