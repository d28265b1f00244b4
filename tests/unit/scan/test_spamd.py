"""spamd: what is sent, and what each answer comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.scan.spamd import Check, Ping
from imap4fast.scan.talk import Score
from tests.unit.scan.feeding import answered, flooded, give_all, same_at_every_split, survives

MAIL = b"Subject: x\r\n\r\ntext"
REPLY = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: True ; 12.3 / 5.0\r\n\r\n"


@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_the_request(piece: int) -> None:
    talk = Check(len(MAIL))
    assert talk.begin() == [b"CHECK SPAMC/1.5\r\nContent-length: 18\r\n\r\n"]
    assert give_all(talk, MAIL, piece) == MAIL
    assert talk.half_closes


def test_a_user() -> None:
    assert Check(5, "joe").begin() == [b"CHECK SPAMC/1.5\r\nContent-length: 5\r\nUser: joe\r\n\r\n"]
    with pytest.raises(ValueError, match="user"):
        Check(5, "joe\r\nX: y")


@pytest.mark.parametrize(
    ("spam", "score"),
    [
        (b"True ; 12.3 / 5.0", 12.3),
        (b"False ; -1.5 / 5.0", -1.5),
        (b"False ; 0 / 5", 0.0),
        (b"True ; 1000.0 / 5.0", 1000.0),
        (b"yes ; 7.25 / -1.0", 7.25),
    ],
)
def test_scores(spam: bytes, score: float) -> None:
    reply = b"SPAMD/1.1 0 EX_OK\r\nSpam: %s\r\n\r\n" % spam
    talk = same_at_every_split(lambda: Check(len(MAIL)), MAIL, reply, end=True)
    assert (talk.result, talk.reusable) == (Score(score), False)


@pytest.mark.parametrize(
    "reply",
    [
        b"SPAMD/1.0 76 Bad header line: (Content-Length mismatch: Expected 5 bytes, got 11 bytes)\r\n",
        b"SPAMD/1.1 74 EX_IOERR\r\nContent-length: 0\r\n\r\n",
    ],
)
def test_complaints(reply: bytes) -> None:
    talk = same_at_every_split(lambda: Check(len(MAIL)), MAIL, reply, end=True)
    assert talk.result is not None
    assert talk.result.value is None
    assert talk.result.why.startswith(reply[:10].decode())


@pytest.mark.parametrize(
    "reply",
    [
        b"SPAMD/1.1 0 EX_OK\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5.0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; inf / 5.0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1e9 / 5.0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 99999999999999 / 5.0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: Maybe ; 1.0 / 5.0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1.0\r\n\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1.0 / 5.0\r\nSpam: False ; 0 / 5.0\r\n\r\n",
        b"SPAMD/x 0 EX_OK\r\nSpam: True ; 1.0 / 5.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSpam: True ; 1.0 / 5.0\r\n\r\n",
        b"\r\n\r\n",
        b"x" * 20000,
    ],
)
def test_t_a04_nonsense_is_no_score(reply: bytes) -> None:
    talk = answered(Check(len(MAIL)), MAIL, [reply])
    assert (talk.result, talk.cut) == (None, None)
    assert talk.nonsense is not None


def test_t_a04_a_score_before_the_end_is_nonsense() -> None:
    talk = Check(len(MAIL))
    talk.begin()
    talk.give(MAIL[:-1])
    talk.receive(REPLY)
    assert talk.result is None
    assert talk.nonsense is not None


@pytest.mark.parametrize("said", [b"", REPLY[:9], REPLY[:-1]])
def test_t_a04_a_connection_that_closes_gave_no_score(said: bytes) -> None:
    talk = answered(Check(len(MAIL)), MAIL, [said])
    talk.end()
    assert talk.result is None
    assert talk.cut is not None or talk.nonsense is not None


def test_ping() -> None:
    talk = same_at_every_split(Ping, b"", b"SPAMD/1.5 0 PONG\r\n", end=True)
    assert talk.result == "SPAMD/1.5"
    assert Ping().begin() == [b"PING SPAMC/1.5\r\n\r\n"]


@pytest.mark.parametrize("reply", [b"SPAMD/1.5 76 no\r\n", b"PONG\r\n", b"x" * 20000])
def test_no_pong(reply: bytes) -> None:
    talk = answered(Ping(), b"", [reply])
    assert talk.result is None
    assert talk.nonsense is not None


def test_an_endless_answer_is_not_kept() -> None:
    assert flooded(Check(0), b"SPAMD/1.1 0 EX_OK\r\n", b"x" * 65536).nonsense is not None
    assert flooded(Ping(), b"", b"x" * 65536).nonsense is not None


WORDS = [REPLY, b"SPAMD/1.1 ", b"0 EX_OK\r\n", b"Spam: ", b"True ; 1.0 / 5.0\r\n", b"\r\n"]


@given(st.lists(st.binary(max_size=30) | st.sampled_from(WORDS), max_size=20), st.integers(0, 5))
def test_any_answer(pieces: list[bytes], give_after: int) -> None:
    talk = survives(lambda: Check(40), bytes(40), pieces, give_after)
    if talk.result is not None and talk.result.value is not None:
        assert b"SPAMD/1." in b"".join(pieces)
    survives(Ping, b"", pieces, 0)
