"""Counters, back-pressure and `tick` of the relay: which timeout runs out when (configuration.md sections 2 and 3)."""

from __future__ import annotations

import pytest

from imap4fast._wire import TIMEOUTS
from tests.wire.play import Play

TIMES = {
    "idle_s": 1800.0,
    "client_recv_s": 60.0,
    "server_recv_s": 60.0,
    "reply_s": 300.0,
    "client_send_s": 60.0,
    "server_send_s": 60.0,
}


def play(**options: object) -> Play:
    made = Play(**options)  # type: ignore[arg-type]
    for name, value in TIMES.items():
        setattr(made.relay, name, value)
    return made


def first(made: Play, until: float = 4000.0, start: float = 0.0) -> tuple[str, float]:
    """The first timeout and its time, with a tick every half second."""
    now = start
    while now <= until:
        found = made.relay.tick(now)
        if found:
            return TIMEOUTS[found], now
        now += 0.5
    return "NONE", until


def test_idle() -> None:
    assert first(play()) == ("IDLE-TIMEOUT", 1800.0)


def test_idle_counts_from_the_last_byte() -> None:
    made = play()
    assert first(made, 1000.0) == ("NONE", 1000.0)
    made.client(b"a NOOP\r\n")
    made.says(b"a OK x\r\n")
    name, when = first(made, start=1000.5)
    assert name == "IDLE-TIMEOUT"
    assert 2800.0 <= when <= 2801.0


def test_keep_alives_of_the_server_are_no_sign_of_life_of_an_idling_client() -> None:
    made = play()
    made.client(b"a IDLE\r\n")
    made.says(b"+ idling\r\n")
    now = 0.0
    while not made.relay.tick(now) and now < 4000:
        made.says(b"* OK Still here\r\n")
        now += 60.0
    assert TIMEOUTS[made.relay.tick(now)] == "IDLE-TIMEOUT"
    assert 1740.0 <= now <= 1860.0


def test_greeting() -> None:
    made = play(greet=False)
    made.relay.greeting_until = 30.0
    assert first(made) == ("GREETING", 30.0)


def test_login() -> None:
    made = play(state="not")
    made.relay.login_until = 60.0
    assert first(made) == ("LOGIN-TIMEOUT", 60.0)


def test_login_counts_no_more_once_logged_in() -> None:
    made = play(state="auth")
    made.relay.login_until = 60.0
    assert first(made, 100.0)[0] == "NONE"


def test_max_time_comes_first() -> None:
    made = play()
    made.relay.end_at = 100.0
    assert first(made) == ("MAX-TIME", 100.0)


@pytest.mark.parametrize("begun", [b"a NO", b"a CREATE {5}\r\nIN", b"a CREATE {5}\r\nINBOX", b"a XFOO {50+}\r\nIN"])
def test_a_unit_that_is_begun_must_end(begun: bytes) -> None:
    made = play()
    made.client(begun)
    name, when = first(made)
    assert name == "CLIENT-RECV"
    assert 60.0 <= when <= 63.0


def test_t_l05_a_slow_line_is_timed_from_its_first_byte() -> None:
    made = play()
    now = 0.0
    for at in range(0, 500, 25):
        made.client(b"aNOOPNOOPNOOPNOOPNOOP"[at // 25 : at // 25 + 1])
        found, now = first(made, at + 24.5, at)
        if found != "NONE":
            break
    assert found == "CLIENT-RECV"
    assert now <= 75.0


def test_t_l04_a_literal_has_a_least_rate() -> None:
    made = play()
    made.client(b"a APPEND x {1000000}\r\n")
    made.says(b"+ OK\r\n")
    now = 0.0
    found = "NONE"
    while found == "NONE" and now < 4000:
        made.client(b"x")
        found, now = first(made, now + 19.5, now)
        now += 0.5
    assert found == "CLIENT-RECV"
    assert now <= 140.0


def test_t_l04_a_literal_at_a_good_rate_goes_on() -> None:
    made = play()
    made.client(b"a APPEND x {10000000+}\r\n")
    made.says(b"+ OK\r\n")
    for second in range(1000):
        made.client(b"x" * 2048)
        assert made.relay.tick(float(second)) == 0


def test_reply() -> None:
    made = play()
    made.relay.tick(0.0)
    made.client(b"a NOOP\r\n")
    name, when = first(made, start=1.0)
    assert name == "REPLY-TIMEOUT"
    assert 300.0 <= when <= 303.0


def test_idle_waits_for_no_reply() -> None:
    made = play()
    made.client(b"a IDLE\r\n")
    made.says(b"+ idling\r\n")
    assert first(made, 1000.0)[0] == "NONE"


def test_the_server_in_a_unit() -> None:
    made = play()
    made.says(b"* 1 FETCH (BODY[] {5}\r\nhe")
    name, when = first(made)
    assert name == "SERVER-RECV"
    assert 60.0 <= when <= 62.0


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_side_that_does_not_read(side: str) -> None:
    made = play()
    pipe = made.client_pipe if side == "client" else made.server_pipe
    pipe.queued = 1000
    getattr(made.relay, f"{side}_paused")()
    name, when = first(made)
    assert name == f"{side.upper()}-SEND"
    assert 60.0 <= when <= 62.0


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_side_that_reads_slowly_lives(side: str) -> None:
    made = play()
    pipe = made.client_pipe if side == "client" else made.server_pipe
    getattr(made.relay, f"{side}_paused")()
    for second in range(0, 1000, 10):
        pipe.queued = 100_000 - second
        assert made.relay.tick(float(second)) == 0


def test_back_pressure() -> None:
    made = play()
    made.relay.client_paused()
    assert not made.server_pipe.reading
    assert not made.client_pipe.reading
    made.relay.client_resumed()
    assert made.server_pipe.reading
    assert made.client_pipe.reading
    made.relay.server_paused()
    assert not made.client_pipe.reading
    assert made.server_pipe.reading
    made.relay.server_resumed()
    assert made.client_pipe.reading


def test_counters_are_octets_at_the_sockets() -> None:
    made = play()
    before = (made.relay.cin, made.relay.cout, made.relay.sin, made.relay.sout)
    made.client(b"a FETCH  1 FLAGS\r\nb DELETE x\r\n")
    made.says(b"* XYZZY\r\n* 1 RECENT\r\n")
    after = (made.relay.cin, made.relay.cout, made.relay.sin, made.relay.sout)
    assert [b - a for a, b in zip(before, after, strict=True)] == [
        len(b"b NO refused\r\n* 1 RECENT\r\n"),
        len(b"a FETCH  1 FLAGS\r\nb DELETE x\r\n"),
        len(b"* XYZZY\r\n* 1 RECENT\r\n"),
        len(b"a FETCH 1 FLAGS\r\n"),
    ]


def test_max_bytes_in() -> None:
    made = play(max_bytes_in=100)
    made.says(b"* 1 RECENT\r\n" * 5)
    assert made.questions == []
    made.says(b"* 1 RECENT\r\n" * 5)
    assert made.questions == ["LIMIT"]
    assert made.relay.cin <= 100
    assert made.relay.stopped


def test_max_bytes_out() -> None:
    made = play(max_bytes_out=100)
    made.client(b"".join(b"t%d NOOP\r\n" % n for n in range(10)))
    assert made.questions == []
    made.client(b"".join(b"u%d NOOP\r\n" % n for n in range(10)))
    assert made.questions == ["LIMIT"]
    assert made.relay.sout <= 100
    assert made.relay.stopped
