"""One line of text or JSON: its head, its values, and that nothing of an argument breaks it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import fill
from imap4fast.log.entry import Entry, Form
from imap4fast.log.escape import shown
from imap4fast.log.imap import PROXY_EVENT, SESSION_ACL, SESSION_START
from imap4fast.log.lines import BAD_ARGUMENTS, JsonLines, TextLines, body, encoded

START = SESSION_START.form
ARGS = ("198.51.100.7:40123", "192.0.2.20:143", "NO")
NOON = 1757317222.75  # 2025-09-08 07:40:22.75 UTC
ANY = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.binary(),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
)


@pytest.fixture(autouse=True)
def prague() -> Iterator[None]:
    """Local time is Prague's, two hours before UTC in September."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def text_lines(clock: Callable[[], float] = lambda: NOON, limit: int = 4096, *, datagram: bool = False) -> TextLines:
    return TextLines("imap4", "fw", 2018, clock, limit, datagram=datagram)


def json_lines(clock: Callable[[], float] = lambda: NOON, limit: int = 4096, *, datagram: bool = False) -> JsonLines:
    return JsonLines("imap4", "fw", 2018, clock, limit, datagram=datagram)


def test_a_line_of_text() -> None:
    assert text_lines().line(START, ARGS, 0) == (
        "Sep 8 09:40:22 fw imap4[2018]: IMAP-701-I SESSION-START FROM=198.51.100.7:40123 TO=192.0.2.20:143 TRANSP=NO\n"
    )


def test_a_track_stands_behind_the_text() -> None:
    assert text_lines().line(START, ARGS, 17).endswith(" TRANSP=NO SESSION=17\n")


def test_a_datagram_has_no_host_and_a_day_of_two_columns() -> None:
    assert text_lines(datagram=True).line(START, ARGS, 3).startswith("Sep  8 09:40:22 imap4[2018]: IMAP-701-I ")


def test_the_head_follows_clock_and_pid() -> None:
    moments = iter([NOON, NOON + 0.2, NOON + 0.25, NOON + 86400, NOON + 86400])
    lines = text_lines(lambda: next(moments))
    heads = [lines.line(START, ARGS, 0).partition(" fw ")[0] for _ in range(4)]
    assert heads == ["Sep 8 09:40:22", "Sep 8 09:40:22", "Sep 8 09:40:23", "Sep 9 09:40:22"]
    lines.pid = 99
    assert " imap4[99]: " in lines.line(START, ARGS, 0)


def test_names_of_program_and_host_are_escaped() -> None:
    line = TextLines("im\nap", "f\x1bw", 1, lambda: NOON, 0).line(START, ARGS, 0)
    assert " f\\x1bw im\\x0aap[1]: " in line


def test_a_line_of_json() -> None:
    line = json_lines().line(SESSION_ACL.form, ("READERS", "ACCEPTED"), 17)
    assert line.endswith("}\n")
    assert json.loads(line) == {
        "time": "2025-09-08T09:40:22.750+02:00",
        "host": "fw",
        "app": "imap4",
        "pid": 2018,
        "track": 17,
        "id": "IMAP-721-I",
        "severity": "I",
        "PHASE": "1",
        "NAME": "READERS",
        "STATUS": "ACCEPTED",
        "text": "ACL PHASE=1 NAME=READERS ACCEPTED",
    }


def test_json_keeps_numbers_and_null() -> None:
    args = ("c", "c", 40123, None, None, None, None, b"j\xff", 1, 2, 3, 2**70, 1.5, "REJECTED", "OK", None)
    record = json.loads(json_lines().line(PROXY_EVENT.form, args, 0))
    assert (record["CLIENT-PORT"], record["SERVER-PORT"], record["RULE"]) == (40123, None, None)
    assert (record["USER"], record["DURATION"], record["BYTES-SOUT"]) == ("j\\xff", "1.500", str(2**70))
    assert record["PROTOCOL"] == "TCP"
    assert " SERVER-PORT=0 " in record["text"]


def test_json_for_a_datagram_follows_the_head() -> None:
    lines = json_lines(datagram=True)
    lines.pid = 7
    head, _, record = lines.line(START, ARGS, 2).partition(": ")
    assert head == "Sep  8 09:40:22 imap4[7]"
    assert json.loads(record)["TRANSP"] == "NO"


def test_milliseconds_are_padded() -> None:
    assert '"time":"2025-09-08T09:40:22.004+02:00"' in json_lines(lambda: NOON - 0.746).line(START, ARGS, 0)


@pytest.mark.parametrize(
    "args", [(), ("a",), ("a", "b"), ("a", "b", "c", "d"), ("a", 1, None, b"x"), (None, None), ("a b", "c", "d", "e")]
)
def test_a_wrong_count_of_arguments_is_marked_and_shown(args: tuple[object, ...]) -> None:
    text = body(START, args, 0)
    assert text.startswith(f"{BAD_ARGUMENTS} SESSION-START FROM=%s")
    assert text.endswith(" ".join(shown(arg, 0) for arg in args))


def test_text_where_a_number_belongs_is_marked() -> None:
    limit = Entry("TEST", 1, "I", "N=%u", "help").form
    assert body(limit, ("7",), 0) == f"{BAD_ARGUMENTS} N=%u 7"
    assert body(limit, (7,), 0) == "N=7"
    assert body(limit, (True,), 0) == "N=1"
    assert body(limit, (None,), 0) == "N=0"


@given(st.lists(ANY, max_size=5))
def test_any_arguments_make_one_clean_line(args: list[object]) -> None:
    for lines in (text_lines(), json_lines(), text_lines(datagram=True), json_lines(datagram=True)):
        line = lines.line(START, tuple(args), 1)
        assert line.endswith("\n")
        assert line[:-1].isprintable()
        assert line.encode().count(b"\n") == 1


@given(st.tuples(ANY, ANY, ANY), st.sampled_from([0, 3, 4096]))
def test_the_quick_way_and_the_careful_one_agree(args: tuple[object, ...], limit: int) -> None:
    one_by_one = [shown(arg, limit) for arg in args]
    assert body(START, args, limit) == "SESSION-START FROM={} TO={} TRANSP={}".format(*one_by_one)


QUOTES = st.text(st.sampled_from(' ="\\<>aé~\x7f\n'), max_size=12) | st.sampled_from(["<NULL>", "<NULL> ", "<NULLS"])


@given(QUOTES, QUOTES, st.sampled_from([0, 3, 4096]))
def test_the_quick_way_puts_quotes_where_the_careful_one_does(first: str, second: str, limit: int) -> None:
    args = (first, second.encode(), "NO")
    expected = f"SESSION-START FROM={shown(first, limit)} TO={shown(second.encode(), limit)} TRANSP=NO"
    assert body(START, args, limit) == expected


def test_only_what_must_be_escaped_is_left_to_the_careful_way() -> None:
    assert fill(START.template, ("<a@b>", 'say "a=b"', ""), 0) == (
        'SESSION-START FROM=<a@b> TO="say \\"a=b\\"" TRANSP=""'
    )
    assert (
        fill(START.template, ("<NULL>", b"<NULL>", None), 0) == 'SESSION-START FROM="<NULL>" TO="<NULL>" TRANSP=<NULL>'
    )
    for value in ("a\\b", "a\nb", "\x7f", "é", b"\xff"):
        assert fill(START.template, (value, "b", "c"), 0) is None
    assert fill(START.template, ('"' * 2000, "b", "c"), 0) is None


def test_long_values_are_cut() -> None:
    assert body(START, ("a" * 10, "b" * 3, "c"), 8) == "SESSION-START FROM=aaaaaaaa...+2 TO=bbb TRANSP=c"
    assert re.search(r'"FROM":"aaaaaaaa\.\.\.\+2"', json_lines(limit=8).line(START, ("a" * 10, "b", "c"), 0))


KEPT = st.tuples(
    st.sampled_from([START, PROXY_EVENT.form, SESSION_ACL.form]),
    st.lists(ANY, max_size=4).map(tuple),
    st.integers(0, 2**31),
    st.floats(NOON, NOON + 3),
)


@given(st.lists(KEPT, max_size=6), st.sampled_from([0, 3, 4096]))
def test_a_block_is_its_lines(kept: list[tuple[Form, tuple[object, ...], int, float]], limit: int) -> None:
    for lines in (text_lines(limit=limit), json_lines(limit=limit)):
        assert lines.block(kept) == b"".join(encoded(lines.line(*entry)) for entry in kept)


def test_a_block_of_arguments_that_need_no_escaping() -> None:
    numbers = (0, 7, 10, -1, 2**63 - 1, -(2**63), 2**70)
    entry = Entry("TEST", 1, "I", "N=%d and %s, %s", "help", unnamed=("A", "B")).form
    kept = [(entry, (number, "x" * 2000, None), 3, NOON) for number in numbers]
    lines = text_lines()
    assert lines.block(kept) == b"".join(encoded(lines.line(*entry)) for entry in kept)
    assert lines.block(kept[:1]).startswith(b"Sep 8 09:40:22 fw imap4[2018]: TEST-1-I N=0 and xxx")
    assert lines.block([]) == b""
