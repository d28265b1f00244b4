"""APPEND and REPLACE where mails are processed: taken by the proxy, decided, then uploaded under its own command."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import pytest

from imap4fast.imap.replies import ENGLISH, Reply
from tests.play.conftest import Make, Perform
from tests.play.stage import Stage, processing
from tests.play.test_download import IN, selected


class TestOneMail:
    def test_synchronising(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a APPEND "Sent Mail" (\\Seen $x) " 7-Feb-1994 21:52:25 -0800" {{9}}
            P: + OK
            C| A: b
            C|
            C| c¬
            C|
            P> own-3 APPEND "Sent Mail" (\\Seen $x) " 7-Feb-1994 21:52:25 -0800" {{9}}
            S| + go on
            P> A: b
            P>
            P> c
            S| own-3 OK [APPENDUID 1 2] done
            P: a OK [APPENDUID 1 2] done
            C| b NOOP
            P> own-4 NOOP
            """,
            processing(),
        )

    def test_without_waiting(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C| a APPEND Sent {{9+}}
            C| A: b
            C|
            C| c¬
            C|
            P> own-3 APPEND Sent {{9}}
            S| + go on
            P> A: b
            P>
            P> c
            S| own-3 NO [OVERQUOTA] full
            P: a NO [OVERQUOTA] full
            """,
            processing(),
        )

    def test_infected(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a APPEND Sent {5+}")
        to_client, to_server = stage.client_says("VIRUS")
        assert (to_client[:14], to_server) == (b"a NO [CANNOT] ", b"")
        assert stage.client_says("b NOOP")[1] == b"own-3 NOOP\r\n"

    def test_no_room(self, make: Make) -> None:
        stage = selected(make)
        stage.post.full = True
        assert stage.client_says("a APPEND Sent {5}")[0].startswith(b"a NO [LIMIT] ")
        assert stage.client_says("b APPEND Sent {5+}")[0].startswith(b"b NO [LIMIT] ")
        assert stage.client_says("VIRUS") == (b"", b"")
        assert stage.client_says("c NOOP")[1] == b"own-3 NOOP\r\n"

    def test_the_answer_to_idle_leaves_a_mail_that_waits_for_the_disk_alone(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a IDLE")
        stage.server_says("+ idling")
        stage.post.choking = True
        stage.relay.client_data(b"DONE\r\nb APPEND Sent {19+}\r\nA: ")
        stage.relay.client_data(b"\r\nc NOOP\r\nA: b")
        assert stage.server.taken() == b"DONE\r\n"
        assert stage.server_says("own-3 OK idled") == (b"a OK idled\r\n", b"")
        stage.post.choking = False
        for ready in stage.post.ready:
            ready()
        stage.relay.client_data(b"\r\n\r\n")
        assert stage.server.taken() == b"own-4 APPEND Sent {19}\r\n"
        assert stage.server_says("+ go on")[1] == b"A: \r\nc NOOP\r\nA: b\r\n\r\n"

    def test_T_L08_no_more_room_when_it_came(self, make: Make) -> None:
        stage = selected(make)
        stage.post.filled = True
        stage.client_says("a APPEND Sent {5+}")
        to_client, to_server = stage.client_says("hello")
        assert (to_client, to_server) == (b"a NO [LIMIT] " + ENGLISH[Reply.SPOOL_FULL].encode() + b"\r\n", b"")

    @pytest.mark.parametrize("size", ["21", "21+"])
    def test_too_large(self, make: Make, size: str) -> None:
        stage = selected(make, max_mail_out=20)
        assert stage.client_says(f"a APPEND Sent {{{size}}}")[0].startswith(b"a NO [TOOBIG] ")
        if size == "21+":
            stage.client_says("x" * 21)
        assert stage.client_says("c NOOP")[1] == b"own-3 NOOP\r\n"
        assert stage.post.received == []

    def test_T_L09_empty(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a APPEND Sent {0}")
        to_client, to_server = stage.client_says("")
        assert (to_client[:5], to_server) == (b"a NO ", b"")

    def test_name_as_literal(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a APPEND {{4}}
            P: + OK
            C| Sent {{1}}
            P: + OK
            C| x
            P> own-3 APPEND "Sent" {{1}}
            S| + go on
            P> x
            S| own-3 OK done
            P: a OK done
            """,
            processing(),
        )

    def test_name_that_only_a_literal_can_say(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a APPEND {{2+}}
            C| é {{1+}}
            C| x
            P> own-3 APPEND {{2}}
            S| + name
            P> é {{1}}
            S| + go on
            P> x
            S| own-3 OK done
            P: a OK done
            """,
            processing(),
        )

    def test_utf8(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| e ENABLE UTF8=ACCEPT
            P> own-3 ENABLE UTF8=ACCEPT
            S: * ENABLED UTF8=ACCEPT
            S| own-3 OK done
            P: e OK done
            C| a APPEND Sent (\\Draft) UTF8 (~{{1+}}
            C| x)
            P> own-4 APPEND Sent (\\Draft) UTF8 (~{{1}}
            S| + go on
            P> x)
            S| own-4 OK done
            P: a OK done
            """,
            processing(),
        )

    def test_literal8(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a APPEND Sent ~{{1+}}
            C| x
            P> own-3 APPEND Sent {{1}}
            S| + go on
            P> x
            S| own-3 OK done
            P: a OK done
            """,
            processing(),
        )

    def test_replace(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a UID REPLACE 7 Drafts {{1+}}
            C| x
            P> own-3 UID REPLACE 7 Drafts {{1}}
            S| + go on
            P> x
            S| * 4 EXISTS
            P: * 4 EXISTS
            S| * 2 EXPUNGE
            S| own-3 OK done
            P: * 2 EXPUNGE
            P: a OK done
            """,
            processing(),
        )


class TestManyMails:
    SCRIPT = f"""
        {IN}
        C| a APPEND Sent {{1+}}
        C| x (\\Seen) {{2+}}
        """

    def test_all_pass(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {self.SCRIPT}
            C| yz
            P> own-3 APPEND Sent {{1}}
            S| + go on
            P> x (\\Seen) {{2}}
            S| + go on
            P> yz
            S| own-3 OK [APPENDUID 1 2:3] done
            P: a OK [APPENDUID 1 2:3] done
            """,
            processing(),
        )

    def test_one_is_refused(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a APPEND Sent {5+}")
        stage.client_says("VIRUS {1+}")
        to_client, to_server = stage.client_says("y")
        assert (to_client[:14], to_server) == (b"a NO [CANNOT] ", b"")

    def test_an_empty_one_cancels(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a APPEND Sent {1+}")
        stage.client_says("x {0+}")
        to_client, to_server = stage.client_says("")
        assert (to_client[:5], to_server) == (b"a NO ", b"")
        assert all(box.dropped for box in stage.post.received)


class TestBarred:
    @pytest.mark.parametrize(
        "line", ['CATENATE (URL "/Drafts;UIDVALIDITY=1/;UID=2")', "CATENATE (TEXT {5}", 'CATENATE (URL "x" TEXT {5+}']
    )
    def test_catenate(self, make: Make, line: str) -> None:
        stage = selected(make)
        to_client, to_server = stage.client_says(f"a APPEND Sent {line}")
        assert (to_client[:5], to_server) == (b"a NO ", b"")

    def test_T_F26_tail(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a APPEND INBOX {5+}")
        to_client, to_server = stage.client_says("hello b DELETE x")
        assert b"a BAD " in to_client
        assert to_server == b""
        assert stage.session.over

    def test_utf8_that_nobody_enabled(self, make: Make) -> None:
        stage = selected(make)
        assert stage.client_says("a APPEND x UTF8 (~{3+}")[0].startswith(b"a BAD ")
        assert stage.client_says("abc)") == (b"", b"")
        assert stage.client_says("c NOOP")[1] == b"own-3 NOOP\r\n"

    def test_T_F28_utf8_without_its_end(self, make: Make) -> None:
        stage = selected(make)
        stage.relay.utf8 = True
        stage.client_says("a APPEND x UTF8 (~{3+}")
        to_client, to_server = stage.client_says("abc")
        assert b"a BAD " in to_client
        assert to_server == b""


class TestFaults:
    def begun(self, make: Make) -> Stage:
        stage = selected(make)
        stage.post.slow = True
        stage.client_says("a APPEND Sent {5+}")
        stage.client_says("hello")
        return stage

    def test_the_client_goes_while_it_is_processed(self, make: Make) -> None:
        stage = self.begun(make)
        stage.client_ended()
        assert stage.post.given_up == 1
        stage.post.settle()
        assert stage.server.taken() == b""

    def test_T_F27_silence(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a APPEND INBOX {5}")
        stage.relay.client_data(b"hel")
        stage.wait(200)
        assert stage.session.over
        assert stage.post.received[0].dropped

    def test_the_server_refuses_before_plus(self, make: Make) -> None:
        stage = self.begun(make)
        stage.post.settle()
        assert stage.server.taken() == b"own-3 APPEND Sent {5}\r\n"
        to_client, to_server = stage.server_says("own-3 NO [TRYCREATE] none")
        assert (to_client, to_server) == (b"a NO [TRYCREATE] none\r\n", b"")
        assert stage.client_says("b NOOP")[1] == b"own-4 NOOP\r\n"

    def test_the_server_answers_in_the_midst(self, make: Make) -> None:
        stage = self.begun(make)
        stage.post.settle()
        stage.server_says("+ go on")
        stage.server_says("own-3 NO full")
        assert stage.session.over

    def test_choking(self, make: Make) -> None:
        stage = selected(make)
        stage.post.choking = True
        stage.client_says("a APPEND Sent {8}")
        stage.relay.client_data(b"hell")
        stage.relay.client_data(b"o all\r\n")
        assert stage.post.received[0].octets == b"hell"
        stage.post.ready[0]()
        assert stage.post.received[0].octets == b"hello al"
        stage.post.ready[0]()
        assert stage.server.taken() == b""
