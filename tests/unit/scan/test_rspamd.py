"""rspamd: what is sent, and what each answer comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.scan.rspamd import MOST_REPLY, Check, Ping
from imap4fast.scan.talk import Score
from tests.unit.scan.feeding import answered, flooded, give_all, outcome, same_at_every_split, survives

HOST = "127.0.0.1:11333"
MAIL = b"Subject: x\r\n\r\ntext"
JSON = b'{"is_skipped":false,"score":12.5,"required_score":15.0,"action":"no action","symbols":{"X":{"name":"X"}}}'


def reply(body: bytes, status: bytes = b"200 OK", fields: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\nServer: rspamd/3.4\r\n%sContent-Length: %d\r\n\r\n%s" % (status, fields, len(body), body)


@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_the_request(piece: int) -> None:
    talk = Check(HOST, len(MAIL))
    head = b"".join(talk.begin())
    assert head.startswith(b"POST /checkv2 HTTP/1.1\r\nHost: 127.0.0.1:11333\r\n")
    assert b"\r\nContent-Length: 18\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert give_all(talk, MAIL, piece) == MAIL


def test_an_empty_mail() -> None:
    talk = answered(Check(HOST, 0), b"", [reply(JSON)])
    assert talk.result == Score(12.5)


def test_a_score() -> None:
    talk = same_at_every_split(lambda: Check(HOST, len(MAIL)), MAIL, reply(JSON))
    assert outcome(talk) == (Score(12.5), None, None, True, "rspamd/3.4")


@pytest.mark.parametrize("fields", [b"Connection: close\r\n", b"Date: x\r\nConnection: close\r\n"])
def test_a_connection_that_is_to_close_is_not_used_again(fields: bytes) -> None:
    talk = answered(Check(HOST, len(MAIL)), MAIL, [reply(JSON, fields=fields)])
    assert (talk.result, talk.reusable) == (Score(12.5), False)


def test_octets_behind_the_answer_spoil_the_connection() -> None:
    talk = answered(Check(HOST, len(MAIL)), MAIL, [reply(JSON) + b"HTTP/1.1 200"])
    assert (talk.result, talk.reusable) == (Score(12.5), False)


def test_chunks_and_bodies_up_to_the_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(JSON), JSON)
    assert same_at_every_split(lambda: Check(HOST, len(MAIL)), MAIL, chunked).result == Score(12.5)
    open_ended = b"HTTP/1.1 200 OK\r\n\r\n" + JSON
    talk = same_at_every_split(lambda: Check(HOST, len(MAIL)), MAIL, open_ended, end=True)
    assert (talk.result, talk.reusable) == (Score(12.5), False)


def test_t_a05_what_a_pattern_decided_at_once_has_its_score() -> None:
    gtube = b'{"is_skipped":true,"score":15.0,"required_score":15.0,"action":"reject"}'
    assert answered(Check(HOST, len(MAIL)), MAIL, [reply(gtube)]).result == Score(15.0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (reply(b'{"error":"bad <mail>"}', b"400 Bad"), "400 bad _mail_"),
        (reply(b'{"error":"no"}'), "200 no"),
        (reply(b"<html>", b"502 Bad Gateway"), "502"),
        (reply(JSON, b"503 Busy"), "503"),
    ],
)
def test_complaints(said: bytes, why: str) -> None:
    assert answered(Check(HOST, len(MAIL)), MAIL, [said]).result == Score(None, why)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"score":null}',
        b'{"score":"1"}',
        b'{"score":1e999}',
        b'{"score":NaN}',
        b'{"score":true}',
        b"\xff",
        b'{"score":1}{"score":2}',
    ],
)
def test_t_a04_nonsense_is_no_score(body: bytes) -> None:
    talk = answered(Check(HOST, len(MAIL)), MAIL, [reply(body)])
    assert (talk.result, talk.cut) == (None, None)
    assert talk.nonsense is not None


@pytest.mark.parametrize("said", [b"1: stream: OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"\0" * 10, b"x" * 70000])
def test_t_a04_no_http_is_nonsense(said: bytes) -> None:
    talk = answered(Check(HOST, len(MAIL)), MAIL, [said])
    assert talk.result is None
    assert talk.nonsense is not None


def test_t_a04_a_score_before_the_end_is_nonsense() -> None:
    talk = Check(HOST, len(MAIL))
    talk.begin()
    talk.give(MAIL[:-1])
    talk.receive(reply(JSON))
    assert talk.result is None
    assert talk.nonsense is not None


@pytest.mark.parametrize("end", [0, 9, len(reply(JSON)) - 1])
def test_t_a04_a_connection_that_closes_gave_no_score(end: int) -> None:
    talk = answered(Check(HOST, len(MAIL)), MAIL, [reply(JSON)[:end]] if end else [])
    talk.end()
    assert talk.result is None
    assert talk.cut


def test_ping() -> None:
    talk = same_at_every_split(lambda: Ping(HOST), b"", reply(b"pong\r\n"))
    assert talk.result == "rspamd/3.4"
    assert b"".join(Ping(HOST).begin()).startswith(b"GET /ping HTTP/1.1\r\n")


@pytest.mark.parametrize("said", [reply(b"no", b"404 No"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"\0"])
def test_no_pong(said: bytes) -> None:
    talk = answered(Ping(HOST), b"", [said])
    assert talk.result is None
    assert talk.nonsense is not None


def test_an_endless_answer_is_not_kept() -> None:
    talk = flooded(Check(HOST, 0), b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536, 2 * MOST_REPLY)
    assert talk.nonsense == "endless answer"
    assert flooded(Check(HOST, 0), b"HTTP/1.1 200 OK\r\n", b"x" * 65536).nonsense is not None
    flooded(Check(HOST, 0), b"", b"HTTP/1.1 100 Go on\r\n\r\n" * 1000, 1 << 20)


WORDS = [reply(JSON), b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Go on\r\n\r\n", b"Content-Length: 5\r\n", b"\r\n", JSON]


@given(st.lists(st.binary(max_size=30) | st.sampled_from(WORDS), max_size=20), st.integers(0, 5))
def test_any_answer(pieces: list[bytes], give_after: int) -> None:
    talk = survives(lambda: Check(HOST, 40), bytes(40), pieces, give_after)
    if talk.result is not None and talk.result.value is not None:
        assert b"HTTP/1.1 200 OK" in b"".join(pieces)
    survives(lambda: Ping(HOST), b"", pieces, 0)
