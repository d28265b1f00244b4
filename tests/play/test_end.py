"""How sessions end, and what the log then says."""

from __future__ import annotations

import pytest

from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import CommandAcl, SessionAcl
from imap4fast.config.values import HostMember, HostRange
from imap4fast.log import imap as entries
from imap4fast.session import commands, responses
from imap4fast.session import session as sessions
from tests.play.conftest import Make, Perform
from tests.play.stage import SERVER, Stage, accepting

READY = "S: * OK ready"
IN = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """


def ending(stage: Stage) -> tuple[object, object, object, object]:
    """(status and reason of 702, result and status of 888)"""
    end, event = stage.fields(entries.SESSION_END), stage.fields(entries.PROXY_EVENT)
    return end["STATUS"], end["REASON"], event["RESULT"], event["STATUS"]


class TestLogout:
    def test_the_server_closes(self, perform: Perform) -> None:
        stage = perform(f"""
            {IN}
            C: a LOGOUT
            S: * BYE see you
            S: a OK done
            """)
        assert not stage.is_closed
        stage.session.server_gone()
        assert stage.is_closed
        assert (stage.client.taken(), stage.server.taken()) == (b"", b"")
        assert ending(stage) == ("ACCEPTED", "logout", "OK", "ACCEPTED")

    def test_the_client_closes(self, perform: Perform) -> None:
        stage = perform(f"""
            {IN}
            C: a LOGOUT
            S: * BYE see you
            S: a OK done
            """)
        stage.session.client_gone()
        assert ending(stage) == ("ACCEPTED", "logout", "OK", "ACCEPTED")

    def test_before_login(self, perform: Perform) -> None:
        stage = perform(f"""
            {READY}
            C: a LOGOUT
            S: * BYE see you
            S: a OK done
            """)
        stage.session.server_gone()
        assert ending(stage) == ("ACCEPTED", "logout", "OK", "ACCEPTED")

    def test_what_is_pipelined_behind_waits(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C: a LOGOUT
            C| b NOOP
            S: * BYE see you
            """)

    def test_the_record(self, make: Make) -> None:
        stage = make()
        stage.play(f"""
            {IN}
            C: a LOGOUT
            S: * BYE see you
            S: a OK done
            """)
        stage.now += 2.5
        stage.session.server_gone()
        from_client = len("z LOGIN jana zq8-Correct-Horse\r\na LOGOUT\r\n")
        from_server = len("* OK ready\r\nz OK in\r\n* BYE see you\r\na OK done\r\n")
        assert stage.fields(entries.SESSION_END) == {
            "CLIENT": "192.0.2.7:40000", "SERVER": "192.0.2.20:143", "TRANSP": "NO", "USER": "jana", "CMDs": 2,
            "IN": from_server, "OUT": from_client, "TIME": "2.500", "STATUS": "ACCEPTED", "REASON": "logout",
        }  # fmt: skip
        assert stage.fields(entries.PROXY_EVENT) == {
            "CLIENT": "192.0.2.7", "CLIENT-IP": "192.0.2.7", "CLIENT-PORT": 40000, "SERVER": "192.0.2.20",
            "SERVER-IP": "192.0.2.20", "SERVER-PORT": 143, "SERVER-PORT-NAME": "imap2", "USER": "jana",
            "BYTES-CIN": from_server, "BYTES-COUT": from_client, "BYTES-SIN": from_server, "BYTES-SOUT": from_client,
            "DURATION": "2.500", "STATUS": "ACCEPTED", "RESULT": "OK", "RULE": "ALL",
        }  # fmt: skip

    def test_the_record_where_the_sides_differ(self, make: Make) -> None:
        stage = make()
        stage.play("""
            S| * OK [REFERRAL imap://x/] hi
            P: * OK hi
            C| a XFOO
            P: a BAD unknown command
            """)
        stage.session.client_gone()
        event = stage.fields(entries.PROXY_EVENT)
        assert event["BYTES-SIN"] == len("* OK [REFERRAL imap://x/] hi\r\n")
        assert event["BYTES-CIN"] == len("* OK hi\r\na BAD unknown command\r\n")
        assert (event["BYTES-COUT"], event["BYTES-SOUT"]) == (len("a XFOO\r\n"), 0)
        assert event["USER"] is None


class TestBye:
    def test_of_the_server(self, perform: Perform) -> None:
        stage = perform(f"""
            {IN}
            S: * BYE [UNAVAILABLE] going down
            """)
        assert stage.is_closed
        assert ending(stage) == ("FAILED", "server said BYE", "FAILED", "ACCEPTED")

    def test_only_one_is_shown(self, perform: Perform) -> None:
        """T-R16"""
        perform(f"""
            {IN}
            S: * BYE one
            S| * BYE two
            S| * BYE three
            """)

    def test_its_code_is_filtered(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            S| * BYE [REFERRAL imap://attacker.example/] moved
            P: * BYE moved
            """)

    def test_and_an_end_of_the_proxys_adds_none(self, make: Make) -> None:
        stage = make()
        stage.play(f"""
            {IN}
            S: * BYE one
            """)
        stage.session.shut_down()
        assert stage.client.taken() == b""


class TestGone:
    def test_the_server(self, perform: Perform) -> None:
        stage = perform(IN)
        stage.session.server_gone()
        assert stage.client.taken() == b"* BYE [UNAVAILABLE] mail server closed the connection\r\n"
        assert ending(stage) == ("FAILED", "server closed", "FAILED", "ACCEPTED")

    def test_the_server_before_its_greeting(self, make: Make) -> None:
        stage = make()
        stage.session.server_gone()
        assert stage.client.taken() == b"* BYE [UNAVAILABLE] mail server closed the connection\r\n"

    def test_the_server_in_the_middle_of_a_mail(self, make: Make) -> None:
        """Nothing of the proxy's own can stand inside a unit."""
        stage = make()
        stage.play(f"""
            {IN}
            C: s SELECT x
            S: s OK x
            C: a FETCH 1 BODY[]
            S: * 1 FETCH (BODY[] {{100}}
            S: abc¬
            """)
        stage.session.server_gone()
        assert stage.client.taken() == b""
        assert stage.is_closed

    def test_the_server_in_the_middle_of_a_line(self, make: Make) -> None:
        """Half a line was not shown: the BYE stands alone."""
        stage = make()
        stage.play(IN)
        assert stage.server_says("* 1 EXI¬") == (b"", b"")
        stage.session.server_gone()
        assert stage.client.taken() == b"* BYE [UNAVAILABLE] mail server closed the connection\r\n"

    def test_the_client(self, perform: Perform) -> None:
        stage = perform(IN)
        stage.session.client_gone()
        assert stage.server.taken() == b""
        assert ending(stage) == ("ACCEPTED", "client closed", "ABORTED", "ACCEPTED")

    def test_the_client_in_the_middle_of_a_mail(self, make: Make) -> None:
        stage = make()
        stage.play(f"""
            {IN}
            C: a APPEND x {{100}}
            S: + OK
            C: abc¬
            """)
        stage.session.client_gone()
        assert ending(stage)[2] == "ABORTED"

    def test_twice(self, make: Make) -> None:
        stage = make()
        stage.play(IN)
        stage.session.client_gone()
        stage.session.server_gone()
        stage.session.client_gone()
        assert len(stage.logged(entries.SESSION_END)) == len(stage.logged(entries.PROXY_EVENT)) == 1

    @pytest.mark.parametrize(
        ("timed_out", "said"),
        [(False, "mail server cannot be reached"), (True, "mail server did not take the connection in time")],
    )
    def test_no_server(self, make: Make, timed_out: bool, said: str) -> None:
        stage = make(unconnected=True)
        assert stage.client_says("a NOOP") == (b"", b"")
        stage.session.connect_failed(timed_out)
        assert stage.client.taken() == f"* BYE [UNAVAILABLE] {said}\r\n".encode()
        assert ending(stage) == ("FAILED", "no server", "FAILED", "ACCEPTED")
        assert stage.fields(entries.SESSION_END)["SERVER"] is None
        event = stage.fields(entries.PROXY_EVENT)
        assert (event["SERVER"], event["SERVER-PORT"], event["SERVER-PORT-NAME"]) == (None, 0, None)

    def test_the_proxy(self, make: Make) -> None:
        stage = make()
        stage.play(IN)
        stage.session.shut_down()
        assert stage.client.taken() == b"* BYE [UNAVAILABLE] proxy is shutting down\r\n"
        assert ending(stage) == ("FAILED", "shutdown", "FAILED", "ACCEPTED")

    def test_nothing_is_looked_at_afterwards(self, make: Make) -> None:
        stage = make()
        stage.play(IN)
        stage.session.shut_down()
        stage.client.taken()
        assert stage.client_says("a NOOP") == (b"", b"")
        assert stage.server_says("* 1 EXISTS") == (b"", b"")


class TestRefused:
    def test_by_the_session_acl_without_a_byte(self, make: Make) -> None:
        stage = make(session=SessionAcl(name="NOBODY", accept=False))
        assert stage.refused == b""
        assert stage.logged(entries.SESSION_ACL) == [("NOBODY", "REJECTED")]
        assert stage.logged(entries.COMMAND_ACL) == []
        assert ending(stage) == ("REJECTED", "session-acl", "FAILED", "REJECTED")
        assert stage.fields(entries.PROXY_EVENT)["RULE"] == "NOBODY"

    def test_no_session_acl_fits(self, make: Make) -> None:
        elsewhere = Conditions(from_=(HostMember(HostRange(4, 1, 1)),))
        stage = make(session=SessionAcl(name="FAR", accept=True, plug_to=(SERVER,), conditions=elsewhere))
        assert stage.refused == b""
        assert stage.logged(entries.SESSION_ACL) == [(None, "REJECTED")]
        assert stage.fields(entries.PROXY_EVENT)["RULE"] is None

    def test_without_plug_to(self, make: Make) -> None:
        """configuration.md section 3: a load warning and REJECTED at run time."""
        stage = make(session=SessionAcl(name="IN", accept=True))
        assert stage.refused == b""
        assert ending(stage) == ("REJECTED", "no plug-to", "FAILED", "REJECTED")

    def test_by_the_command_acl(self, make: Make) -> None:
        stage = make(CommandAcl(name="NO", accept=False))
        assert stage.refused == b"* BYE [NOPERM] access denied by policy\r\n"
        assert ending(stage) == ("REJECTED", "command-acl", "FAILED", "REJECTED")
        assert stage.connecting == ()

    def test_in_czech(self, make: Make) -> None:
        acl = SessionAcl(name="IN", accept=True, plug_to=(SERVER,), language="CZ-ISO-8859-2")
        stage = make(CommandAcl(name="NO", accept=False), session=acl)
        assert stage.refused == "* BYE [NOPERM] přístup byl odmítnut pravidly\r\n".encode("iso8859_2")


class TestInternalErrors:
    """One session ends, with its traceback in the log and nothing of what was said (architecture.md section 9)."""

    def test_in_a_command(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(session: sessions.Session) -> int:
            raise ValueError(session.relay.unit)

        monkeypatch.setitem(commands._LOOKS, b"LOGIN", broken)
        stage, other = make(), make()
        stage.play(f"""
            {READY}
            C| a LOGIN jana zq8-Correct-Horse
            P: * BYE [SERVERBUG] internal error
            """)
        assert stage.is_closed
        ((where, what),) = stage.logged(entries.INTERNAL_ERROR)
        assert where == "session"
        assert str(what).startswith("ValueError at ")
        assert ending(stage) == ("FAILED", "internal error", "FAILED", "ACCEPTED")
        other.play(f"""
            {READY}
            C: a NOOP
            """)

    def test_in_an_answer(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(name: bytes, authenticated: bool) -> bool:
            raise KeyError(name)

        stage = make(level=8)
        stage.play(IN)
        monkeypatch.setattr(type(stage.session.powers), "code_passes", lambda self, *args: broken(*args))
        stage.play("""
            S| * OK [XODD zq8-Correct-Horse] x
            P: * BYE [SERVERBUG] internal error
            """)
        assert len(stage.logged(entries.INTERNAL_ERROR)) == 1

    def test_in_the_second_search(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(session: sessions.Session) -> bool:
            raise RecursionError("deep")

        monkeypatch.setattr(sessions.Session, "logged_in", broken)
        stage = make()
        stage.play(f"""
            {READY}
            C: a LOGIN jana zq8-Correct-Horse
            S| a OK in
            P: * BYE [SERVERBUG] internal error
            """)

    def test_while_bye_is_on_its_way(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(session: sessions.Session, line: bytes, where: str = "") -> bytes:
            raise ZeroDivisionError

        monkeypatch.setattr(responses, "rewritten", broken)
        stage = make()
        assert stage.server_says("* OK ready") == (b"* BYE [SERVERBUG] internal error\r\n", b"")
        assert stage.is_closed


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("EN", b"a BAD unknown command\r\n"),
        ("CZ", "a BAD neznámý příkaz\r\n".encode()),
        ("CZ-ASCII", b"a BAD neznamy prikaz\r\n"),
        ("CZ-ISO-8859-2", "a BAD neznámý příkaz\r\n".encode("iso8859_2")),
        ("CZ-WINDOWS-1250", "a BAD neznámý příkaz\r\n".encode("cp1250")),
    ],
)
def test_in_the_language_of_the_session(make: Make, language: str, said: bytes) -> None:
    stage = make(accepting(language=language))
    stage.play(READY)
    assert stage.client_says("a XFOO") == (said, b"")
