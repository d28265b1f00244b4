"""Limits in time, with a clock that the test turns (configuration.md sections 2 and 3)."""

from __future__ import annotations

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import SessionAcl
from imap4fast.log import imap as entries
from tests.play.conftest import Make
from tests.play.stage import BEGAN, SERVER, Stage, accepting, processing
from tests.play.test_download import IN as SCANNED

READY = "S: * OK ready"
IN = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """
SELECTED = f"""
    {IN}
    C: s SELECT INBOX
    S: s OK done
    """
TIMES = {
    "client_conn": SockOpt(recv_timeout=20, send_timeout=25),
    "server_conn": SockOpt(recv_timeout=30, send_timeout=35, reply_timeout=50),
    "idle_timeout": 200.0,
    "login_timeout": 60.0,
}


def ends(stage: Stage, after: float, said: str, item: str) -> None:
    """Nothing happens until `after` seconds from now, then the session ends with these words."""
    stage.wait(after - 1)
    assert not stage.is_closed
    stage.wait(2)
    assert stage.is_closed
    assert stage.client.taken() == ((said + "\r\n").encode() if said else b"")
    limits = stage.logged(entries.LIMIT)
    assert [name for name, _ in limits] == [item]


class TestBeforeLogin:
    def test_no_greeting(self, make: Make) -> None:
        stage = make(**TIMES)
        ends(stage, 30, "* BYE [UNAVAILABLE] mail server did not greet in time", "recv-timeout")
        assert stage.logged(entries.LIMIT) == [("recv-timeout", 30)]

    def test_half_a_greeting(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.server_says("* OK¬")
        ends(stage, 30, "* BYE [UNAVAILABLE] mail server did not greet in time", "recv-timeout")

    def test_no_login(self, make: Make) -> None:
        """From the connection on, whatever else is said (T-L07)."""
        stage = make(**TIMES)
        stage.play(READY)
        stage.wait(40)
        stage.play("""
            C: a NOOP
            S: a OK done
            """)
        ends(stage, 20, "* BYE no login in time", "login-timeout")
        assert stage.now - BEGAN == 60

    def test_none_counts_where_there_is_no_limit(self, make: Make) -> None:
        stage = make(**TIMES | {"login_timeout": 0.0})
        stage.play(READY)
        stage.wait(190)
        assert not stage.is_closed

    def test_a_slow_sasl_exchange(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            """)
        ends(stage, 60, "* BYE no login in time", "login-timeout")

    def test_an_endless_sasl_exchange(self, make: Make) -> None:
        """Without login-timeout the client's answer to a challenge is awaited for idle-timeout."""
        stage = make(**TIMES | {"login_timeout": 0.0})
        stage.play(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            """)
        ends(stage, 200, "* BYE session was idle for too long", "idle-timeout")


class TestIdle:
    def test_the_proxys(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        ends(stage, 200, "* BYE session was idle for too long", "idle-timeout")

    def test_the_session_acls(self, make: Make) -> None:
        acl = SessionAcl(name="IN", accept=True, plug_to=(SERVER,), idle_timeout=100.0)
        stage = make(session=acl, **TIMES)
        stage.play(IN)
        ends(stage, 100, "* BYE session was idle for too long", "idle-timeout")

    def test_the_command_acls(self, make: Make) -> None:
        acl = SessionAcl(name="IN", accept=True, plug_to=(SERVER,), idle_timeout=100.0)
        stage = make(accepting(idle_timeout=70.0), session=acl, **TIMES)
        stage.play(IN)
        ends(stage, 70, "* BYE session was idle for too long", "idle-timeout")
        assert stage.logged(entries.LIMIT) == [("idle-timeout", 70)]

    def test_none(self, make: Make) -> None:
        stage = make(accepting(idle_timeout=0.0), **TIMES)
        stage.play(IN)
        stage.wait(10000, step=10)
        assert not stage.is_closed

    def test_a_command_is_a_sign_of_life(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        stage.wait(150)
        stage.play("""
            C: a NOOP
            S: a OK done
            """)
        ends(stage, 200, "* BYE session was idle for too long", "idle-timeout")

    def test_the_servers_words_are_none(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        stage.wait(150)
        stage.play("S: * OK Still here")
        ends(stage, 50, "* BYE session was idle for too long", "idle-timeout")

    def test_in_idle_done_must_come_in_time(self, make: Make) -> None:
        """Issue 2 j: the server's keep-alives are no sign of life of the client."""
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a IDLE
            S: + idling
            """)
        for _ in range(3):
            stage.wait(60)
            stage.play("S: * OK Still here")
        ends(stage, 20, "* BYE session was idle for too long", "idle-timeout")

    def test_done_in_time(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a IDLE
            S: + idling
            """)
        stage.wait(190)
        stage.play("""
            C: DONE
            S: a OK done
            """)
        stage.wait(190)
        assert not stage.is_closed


class TestInTheMiddle:
    def test_half_a_command(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        stage.client_says("a NO¬")
        ends(stage, 20, "* BYE command was not completed in time", "recv-timeout")
        assert stage.logged(entries.LIMIT) == [("recv-timeout", 20)]

    def test_a_slow_line(self, make: Make) -> None:
        """T-L05: counts from its first byte."""
        stage = make(**TIMES)
        stage.play(IN)
        for octet in "a N":
            assert not stage.is_closed
            stage.client_says(octet + "¬")
            stage.wait(7)
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("recv-timeout", 20)]

    def test_a_literal_then_silence(self, make: Make) -> None:
        """T-L04"""
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a APPEND x {{1000}}
            S: + OK
            C: abc¬
            """)
        ends(stage, 20, "* BYE command was not completed in time", "recv-timeout")

    def test_a_literal_that_trickles(self, make: Make) -> None:
        """T-L04: 1 KiB a second on average."""
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a APPEND x {{1000000}}
            S: + OK
            """)
        for _ in range(6):
            stage.client_says("x¬")
            stage.wait(5)
        assert stage.is_closed

    def test_a_literal_that_is_fast_enough(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a APPEND x {{1000000}}
            S: + OK
            """)
        for _ in range(20):
            stage.client_says("x" * 8192 + "¬")
            stage.wait(5)
        assert not stage.is_closed

    def test_half_a_line_behind_a_long_upload(self, make: Make) -> None:
        """Its time begins with it, not with the upload, though the clock never saw the client between the two."""
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a APPEND x {{1000000}}
            S: + OK
            """)
        for _ in range(10):
            stage.client_says("x" * 100000 + "¬")
            stage.wait(5)
        stage.client_says("")
        stage.client_says("b NOO¬")
        ends(stage, 20, "* BYE command was not completed in time", "recv-timeout")

    def test_lines_that_are_never_seen_whole(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        for at in range(100):
            stage.client_says(f"b{at} NOO¬")
            stage.wait(1)
            stage.client_says("P")
            stage.server_says(f"b{at} OK done")
            stage.client_says(f"c{at} NOO¬")
            stage.wait(1)
            stage.client_says("P")
            stage.server_says(f"c{at} OK done")
        assert not stage.is_closed

    def test_half_a_line_behind_a_gathered_literal(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C| a CREATE {{5}}
            P: + OK
            """)
        stage.wait(10)
        stage.play("""
            C| INBOX¬
            C| ␍␊¬
            P> a CREATE {5}
            S| + OK
            P> INBOX
            C| b NOO¬
            S: a OK done
            """)
        ends(stage, 20, "* BYE command was not completed in time", "recv-timeout")

    def test_a_gathered_literal(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C| a CREATE {{5}}
            P: + OK
            """)
        ends(stage, 20, "* BYE command was not completed in time", "recv-timeout")

    def test_half_a_response(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        stage.server_says("* 1 EXI¬")
        ends(stage, 30, "* BYE [UNAVAILABLE] mail server did not answer in time", "recv-timeout")

    def test_half_a_mail_gets_no_bye(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {SELECTED}
            C: a FETCH 1 BODY[]
            S: * 1 FETCH (BODY[] {{100}}
            S: abc¬
            """)
        ends(stage, 30, "", "recv-timeout")

    def test_no_reply(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {SELECTED}
            C: a SEARCH BODY x
            """)
        ends(stage, 50, "* BYE [UNAVAILABLE] mail server did not answer in time", "reply-timeout")

    def test_signs_of_life_while_a_command_is_pending(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {SELECTED}
            C: a SEARCH BODY x
            """)
        for _ in range(4):
            stage.wait(40)
            stage.play("S: * OK [INPROGRESS] working")
        assert not stage.is_closed

    def test_no_plus(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a APPEND x {{5}}
            """)
        ends(stage, 50, "* BYE [UNAVAILABLE] mail server did not answer in time", "reply-timeout")

    def test_idle_without_plus(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a IDLE
            """)
        ends(stage, 50, "* BYE [UNAVAILABLE] mail server did not answer in time", "reply-timeout")

    def test_done_without_answer(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(f"""
            {IN}
            C: a IDLE
            S: + idling
            C: DONE
            """)
        ends(stage, 50, "* BYE [UNAVAILABLE] mail server did not answer in time", "reply-timeout")


class TestOurOwnDisk:
    """The server is not read while our disk is slow: its silence is ours then."""

    def choked(self, make: Make) -> Stage:
        stage = make(processing(), **TIMES)
        stage.play(SCANNED)
        stage.post.choking = True
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b")
        assert not stage.server.reading
        return stage

    def test_a_server_that_is_not_read(self, make: Make) -> None:
        stage = self.choked(make)
        stage.wait(100)
        assert not stage.is_closed
        stage.post.ready[0]()
        assert stage.server.reading
        stage.wait(29)
        assert not stage.is_closed
        stage.wait(2)
        assert stage.logged(entries.LIMIT) == [("recv-timeout", 30)]

    def test_it_has_all_its_time_again(self, make: Make) -> None:
        stage = self.choked(make)
        stage.wait(100)
        stage.post.choking = False
        stage.post.ready[0]()
        stage.wait(29)
        stage.relay.server_data(b"\r\n\r\nc)\r\n")
        stage.wait(29)
        assert not stage.is_closed
        assert b"A: b" in stage.server_says("own-4 OK done")[0]

    def test_a_client_that_is_not_read(self, make: Make) -> None:
        stage = make(processing(), **TIMES)
        stage.play(SCANNED)
        stage.post.choking = True
        stage.client_says("a APPEND x {1000}")
        stage.client_says("abc¬")
        assert stage.relay.held
        stage.wait(100)
        stage.post.choking = False
        stage.post.ready[0]()
        stage.wait(19)
        assert not stage.is_closed
        stage.wait(2)
        assert stage.logged(entries.LIMIT) == [("recv-timeout", 20)]


class TestWriting:
    def test_a_client_that_takes_nothing(self, make: Make) -> None:
        """T-L06"""
        stage = make(**TIMES)
        stage.play(IN)
        stage.client.queued = 1000
        stage.relay.client_paused()
        ends(stage, 26, "", "send-timeout")
        assert stage.logged(entries.LIMIT) == [("send-timeout", 25)]

    def test_a_client_that_takes_little(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        stage.client.queued = 1000
        stage.relay.client_paused()
        for _ in range(5):
            stage.wait(20)
            stage.client.queued -= 1
        assert not stage.is_closed

    def test_a_server_that_takes_nothing(self, make: Make) -> None:
        stage = make(**TIMES)
        stage.play(IN)
        stage.server.queued = 1000
        stage.relay.server_paused()
        ends(stage, 36, "* BYE [UNAVAILABLE] mail server did not answer in time", "send-timeout")
        assert stage.logged(entries.LIMIT) == [("send-timeout", 35)]


class TestMaxTime:
    def test_whatever_happens(self, make: Make) -> None:
        stage = make(accepting(max_time=150.0), **TIMES)
        stage.play(IN)
        stage.wait(100)
        stage.play("""
            C: a NOOP
            S: a OK done
            """)
        ends(stage, 50, "* BYE [LIMIT] time limit of the session reached", "max-time")
        assert stage.logged(entries.LIMIT) == [("max-time", 150)]

    def test_also_before_the_greeting(self, make: Make) -> None:
        stage = make(accepting(max_time=10.0), **TIMES)
        ends(stage, 10, "* BYE [LIMIT] time limit of the session reached", "max-time")


@pytest.mark.parametrize("seconds", [0, 5])
def test_a_session_that_is_over_has_no_time(make: Make, seconds: int) -> None:
    stage = make(**TIMES)
    stage.play("S: * OK ready")
    stage.session.shut_down()
    stage.session.tick(stage.now + 10000 + seconds)
    assert stage.logged(entries.LIMIT) == []
