"""The proxy alone before a server (architecture.md section 5): what it answers by itself, and logins that wait.

T-S01, T-S10, T-S11, T-S14 of protocol.md; the handshake itself is for tests/unit/net/test_securing.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import CommandAcl, SessionAcl, SslParams, SslUse
from imap4fast.log import imap as entries
from imap4fast.log import ssle
from tests.play.conftest import Make
from tests.play.sasl import PASSWORD, plain
from tests.play.stage import PACES, SERVER, Stage, accepting, of_user, words

NAMES = "IMAP4rev1 LITERAL+ SASL-IR ID STARTTLS"
SHUT = f"* OK [CAPABILITY {NAMES} LOGINDISABLED] ready\r\n".encode()
OPEN = f"* OK [CAPABILITY {NAMES}] ready\r\n".encode()
PRIVACY = "NO [PRIVACYREQUIRED] encrypted connection required"
QUOTED = 'zq8 "quoted" \\back'
TURNS = [pace for pace in PACES if pace != "ahead"]

Alone = Callable[..., Stage]


def session_acl(required: bool = True, **items: Any) -> SessionAcl:
    use = SslUse(SslParams("PUBLIC", require_tls=required), starttls=True)
    return SessionAcl("IN", accept=True, plug_to=(SERVER,), client_ssl=use, **items)


def maker(make: Make, pace: str) -> Alone:
    def new(*commands: CommandAcl, required: bool = True, acl: dict[str, Any] | None = None, **items: Any) -> Stage:
        stage = make(*commands, session=session_acl(required, **(acl or {})), unconnected=True, pace=pace, **items)
        assert stage.connecting == ()
        return stage

    return new


@pytest.fixture(params=PACES)
def alone(request: pytest.FixtureRequest, make: Make) -> Alone:
    """`alone(*command_acls, required=..., acl=items of the session-acl, **items)` at every pace."""
    return maker(make, request.param)


@pytest.fixture(params=TURNS)
def in_turns(request: pytest.FixtureRequest, make: Make) -> Alone:
    """The same where the order of lines counts, or the client has to wait."""
    return maker(make, request.param)


@pytest.fixture(params=[6, 9], ids=["brief", "detailed"])
def level(request: pytest.FixtureRequest) -> int:
    """Where nobody wants a line of them, the relay decides some things by itself."""
    return int(request.param)


def greeted(stage: Stage, said: bytes = SHUT) -> Stage:
    assert stage.client.taken() == said
    return stage


def opened(stage: Stage) -> Stage:
    return greeted(stage, OPEN)


def logged_in(stage: Stage) -> None:
    assert stage.session.user == "jana"
    assert stage.fields(entries.COMMAND_ACL)["NAME"] == "ALL"


class TestByItself:
    def test_greeting(self, alone: Alone) -> None:
        greeted(alone())
        opened(alone(required=False))

    def test_greeting_in_another_language(self, alone: Alone) -> None:
        said = SHUT.replace(b"ready", "připraveno".encode())
        greeted(alone(acl={"language": "CZ"}), said)

    @pytest.mark.parametrize("required", [True, False])
    def test_capability(self, alone: Alone, required: bool) -> None:
        stage = alone(required=required)
        stage.client.taken()
        stage.play(f"""
            C| a CAPABILITY
            P: * CAPABILITY {NAMES}{" LOGINDISABLED" if required else ""}
            P: a OK done
            """)

    def test_commands_that_need_no_server(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a NOOP
            P: a OK done
            C| b ID NIL
            P: * ID NIL
            P: b OK done
            C| c ID ("name" "x" "version" NIL)
            P: * ID NIL
            P: c OK done
            C| d noop
            P: d OK done
            """)
        assert stage.relay.commands == 4
        assert stage.connecting == ()
        assert stage.logged(entries.COMMAND_ACL) == []

    def test_logout(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a LOGOUT
            P: * BYE goodbye
            P: a OK done
            """)
        assert stage.is_closed
        end = stage.fields(entries.SESSION_END)
        assert (end["STATUS"], end["REASON"], end["SERVER"], end["CMDs"]) == ("ACCEPTED", "logout", None, 1)
        event = stage.fields(entries.PROXY_EVENT)
        assert (event["RESULT"], event["BYTES-SIN"], event["BYTES-SOUT"]) == ("OK", 0, 0)

    def test_nothing_behind_logout_is_answered(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a LOGOUT
            P: * BYE goodbye
            P: a OK done
            C| b NOOP
            """)

    @pytest.mark.parametrize("command", ["CAPABILITY x", "NOOP x", "LOGOUT x", "STARTTLS x", "ID", "ID x", "ID (a"])
    def test_wrong_arguments(self, alone: Alone, command: str) -> None:
        stage = greeted(alone())
        stage.play(f"""
            C| a {command}
            P: a BAD syntax error in command
            """)
        assert not stage.is_closed
        assert not stage.tls_began

    @pytest.mark.parametrize(
        "params", ["(" + '"a" NIL ' * 30 + '"a" NIL)', f'("{"k" * 31}" NIL)', f'("k" "{"v" * 1025}")', '("a")']
    )
    def test_an_id_above_its_limits(self, alone: Alone, params: str) -> None:
        """RFC 2971 section 3.3, before login, too (protocol.md 1.3)."""
        stage = greeted(alone())
        stage.play(f"""
            C| a ID {params}
            P: a BAD syntax error in command
            """)


class TestRefused:
    @pytest.mark.parametrize("command", ["SELECT INBOX", "IDLE", "ENABLE X", "FETCH 1 FLAGS", 'LIST "" *', "CLOSE"])
    def test_what_needs_a_login(self, alone: Alone, command: str) -> None:
        stage = greeted(alone())
        stage.play(f"""
            C| a {command}
            P: a BAD command is not possible now
            C| b NOOP
            P: b OK done
            """)

    def test_a_literal_of_a_refused_command_is_eaten(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a APPEND INBOX {8+}
            P: a BAD command is not possible now
            C| b LOGOUT
            C| c NOOP
            P: c OK done
            """)

    def test_unknown_commands_are_counted(self, alone: Alone) -> None:
        """T-S14: a browser that is told to speak to us."""
        stage = greeted(alone())
        stage.play("""
            C| GET / HTTP/1.1
            P: GET BAD syntax error in command
            C| Host: x
            P: Host: BAD unknown command
            C| Accept: text
            P: Accept: BAD unknown command
            P: * BYE too many bad commands
            """)
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("max-bad-prelogin", 3)]

    def test_bad_commands_before_a_login_count_behind_it(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play("""
            C| a XFOO
            P: a BAD unknown command
            C| b NOOP x
            P: b BAD syntax error in command
            C| c LOGIN jana zq8-wrong-guess
            """)
        stage.connected()
        stage.play("""
            S| * OK hi
            P> c LOGIN jana zq8-wrong-guess
            S: c NO wrong
            C| d XFOO
            P: d BAD unknown command
            P: * BYE too many bad commands
            """)

    def test_framing(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a NOOP␊¬
            P: * BAD malformed data, end of command unknown
            P: * BYE malformed data, end of command unknown
            """)
        assert stage.is_closed

    def test_a_long_line(self, alone: Alone) -> None:
        stage = greeted(alone(max_line=100))
        stage.play(f"""
            C| a NOOP {"x" * 100}¬
            P: * BAD [TOOBIG] line is too long
            P: * BYE [TOOBIG] line is too long
            """)

    def test_a_long_literal(self, in_turns: Alone) -> None:
        """T-L02"""
        stage = opened(in_turns(required=False))
        stage.play("""
            C| a LOGIN {8193}
            P: a BAD [TOOBIG] literal is too long
            """)
        assert stage.connecting == ()


class TestPrivacy:
    """T-S10"""

    @pytest.mark.parametrize(
        "command",
        [
            f"LOGIN jana {PASSWORD}",
            f'LOGIN "jana" "{PASSWORD}"',
            f"login  jana   {PASSWORD} ",
            "AUTHENTICATE PLAIN",
            f"AUTHENTICATE PLAIN {plain('jana')}",
            "AUTHENTICATE XOAUTH2 =",
        ],
    )
    def test_no_login_without_tls(self, alone: Alone, level: int, command: str) -> None:
        stage = greeted(alone(level=level))
        stage.play(f"""
            C| a {command}
            P: a {PRIVACY}
            C| b NOOP
            P: b OK done
            """)
        assert stage.connecting == ()
        assert stage.logged(entries.COMMAND_REFUSED) == [(command.split()[0].upper().encode(), "TLS_REQUIRED")]
        assert stage.logged(entries.COMMAND_ACL) == []

    def test_by_literals_that_wait_for_nobody(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play(f"""
            C| a LOGIN {{4+}}
            P: a {PRIVACY}
            C| jana {{{len(PASSWORD)}+}}
            C| {PASSWORD}
            C| b NOOP
            P: b OK done
            """)
        assert stage.connecting == ()

    def test_by_literals(self, in_turns: Alone) -> None:
        """The proxy asks for nothing that must not go over the wire."""
        stage = greeted(in_turns())
        stage.play(f"""
            C| a LOGIN jana {{{len(PASSWORD)}}}
            P: a {PRIVACY}
            C| b LOGIN {{4}}
            P: b {PRIVACY}
            C| c NOOP
            P: c OK done
            """)

    def test_an_end_of_the_session_tells_of_no_login(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play(f"""
            C| a LOGIN jana {PASSWORD}
            P: a {PRIVACY}
            C| b LOGOUT
            P: * BYE goodbye
            P: b OK done
            """)
        assert stage.fields(entries.SESSION_END)["USER"] is None
        assert stage.logged(entries.LOGIN) == []


class TestStartTls:
    def test_it_begins(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a STARTTLS
            P: a OK begin TLS
            """)
        assert stage.tls_began
        assert not stage.is_closed
        assert stage.relay.unread == 0

    def test_after_other_commands(self, in_turns: Alone) -> None:
        stage = greeted(in_turns())
        stage.play("""
            C| a CAPABILITY
            P: * CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID STARTTLS LOGINDISABLED
            P: a OK done
            C| b LOGIN jana zq8-wrong-guess
            P: b NO [PRIVACYREQUIRED] encrypted connection required
            C| c starttls
            P: c OK begin TLS
            """)
        assert stage.tls_began

    @pytest.mark.parametrize("cut", range(1, len(b"a STARTTLS\r\n")))
    def test_a_line_in_two_pieces(self, make: Make, cut: int) -> None:
        """What stands before the line's end is no octet behind it."""
        stage = greeted(maker(make, "whole")())
        stage.relay.client_data(b"a STARTTLS\r\n"[:cut])
        stage.relay.client_data(b"a STARTTLS\r\n"[cut:])
        assert stage.client.taken() == b"a OK begin TLS\r\n"
        assert stage.tls_began

    @pytest.mark.parametrize(
        "behind", [b"b LOGIN evil evil\r\n", b"b NOOP\r\n", b"b", b"\r\n", b"\n", b"\0", b"\x16\x03\x01\x00\x01"]
    )
    @pytest.mark.parametrize("cut", [0, 5])
    def test_octets_behind_it_end_the_session(self, make: Make, behind: bytes, cut: int) -> None:
        """T-S01: in one segment, or with the line begun in another one."""
        stage = greeted(maker(make, "whole")())
        said = b"a STARTTLS\r\n" + behind
        for chunk in (said[:cut], said[cut:]):
            stage.relay.client_data(chunk)
        assert not stage.tls_began
        assert stage.is_closed
        assert stage.client.taken() == b"* BYE malformed data, end of command unknown\r\n"
        assert stage.logged(ssle.INJECTED) == [("CLIENT", len(behind))]
        assert stage.fields(entries.SESSION_END)["STATUS"] == "FAILED"

    def test_commands_before_it_in_the_same_segment(self, make: Make) -> None:
        stage = greeted(maker(make, "whole")())
        stage.relay.client_data(b"a NOOP\r\nb STARTTLS\r\n")
        assert stage.client.taken() == b"a OK done\r\nb OK begin TLS\r\n"
        assert stage.tls_began

    def test_a_bad_one_begins_nothing(self, alone: Alone) -> None:
        stage = greeted(alone())
        stage.play("""
            C| a STARTTLS now
            P: a BAD syntax error in command
            """)
        assert not stage.tls_began

    def test_it_is_the_proxys_own(self, alone: Alone) -> None:
        """configuration.md section 4: whatever the command-acl says, which is not searched yet."""
        stage = greeted(alone(accepting(commands=words("LOGIN"), capabilities=words("IDLE"))))
        stage.play("""
            C| a STARTTLS
            P: a OK begin TLS
            """)
        assert stage.tls_began

    def test_after_a_login(self, in_turns: Alone) -> None:
        """T-S11"""
        stage = opened(in_turns(required=False))
        stage.play(f"C| a LOGIN jana {PASSWORD}")
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN jana {PASSWORD}
            S: a OK in
            C| b STARTTLS
            P: b BAD command is not possible now
            """)
        assert not stage.tls_began

    def test_after_a_login_that_failed(self, in_turns: Alone) -> None:
        """The server has seen this client in clear: TLS would protect nothing of what it has."""
        stage = opened(in_turns(required=False))
        stage.play("C| a LOGIN jana zq8-wrong-guess")
        stage.connected()
        stage.play("""
            S| * OK hi
            P> a LOGIN jana zq8-wrong-guess
            S: a NO wrong
            C| b STARTTLS
            P: b NO [NOPERM] STARTTLS is not available
            """)
        assert not stage.tls_began

    def test_behind_a_login_that_waits(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play(f"""
            C| a LOGIN jana {PASSWORD}
            C| b STARTTLS
            """)
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN jana {PASSWORD}
            S: a OK in
            P: b BAD command is not possible now
            """)
        assert not stage.tls_began


class TestLogin:
    """Where TLS is not required, the first login brings the server, and waits for its greeting."""

    @pytest.mark.parametrize(
        ("said", "sent"),
        [
            (f"a LOGIN jana {PASSWORD}", f"a LOGIN jana {PASSWORD}"),
            (f'a LOGIN "jana" "{PASSWORD}"', f'a LOGIN "jana" "{PASSWORD}"'),
            (f"a login  jana   {PASSWORD} ", f"a login jana {PASSWORD}"),
            (f'a LOGIN jana "{PASSWORD} \\"\\\\"', f'a LOGIN jana "{PASSWORD} \\"\\\\"'),
        ],
        ids=["atoms", "quoted", "loose", "escapes"],
    )
    def test_in_one_line(self, alone: Alone, level: int, said: str, sent: str) -> None:
        stage = opened(alone(required=False, level=level))
        stage.play(f"C| {said}")
        assert list(stage.connecting) == [SERVER]
        stage.connected()
        stage.play(f"""
            S| * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi
            P> {sent}
            S: a OK in
            C: b NOOP
            S: b OK done
            """)
        logged_in(stage)
        assert stage.relay.commands == 2
        assert len(stage.logged(entries.COMMAND_ACL)) == 1

    def test_by_literals(self, in_turns: Alone, level: int) -> None:
        stage = opened(in_turns(required=False, level=level))
        stage.play(f"""
            C| a LOGIN {{4}}
            P: + OK
            C| jana {{{len(PASSWORD)}}}
            P: + OK
            C| {PASSWORD}
            """)
        self._by_literals(stage)

    def test_by_literals_that_wait_for_nobody(self, alone: Alone, level: int) -> None:
        stage = opened(alone(required=False, level=level))
        stage.play(f"""
            C| a LOGIN {{4+}}
            C| jana {{{len(PASSWORD)}+}}
            C| {PASSWORD}
            """)
        self._by_literals(stage)

    @staticmethod
    def _by_literals(stage: Stage) -> None:
        assert list(stage.connecting) == [SERVER]
        stage.connected()
        stage.play(f"""
            S| * OK [CAPABILITY IMAP4rev1 LITERAL+] hi
            P> a LOGIN {{4}}
            S| + go on
            P> jana {{{len(PASSWORD)}}}
            S| + go on
            P> {PASSWORD}
            S: a OK in
            C: b NOOP
            """)
        logged_in(stage)
        assert stage.relay.commands == 2

    def test_a_quoted_password_with_a_literal_name(self, alone: Alone) -> None:
        quoted = '"' + QUOTED.replace("\\", "\\\\").replace('"', '\\"') + '"'
        stage = opened(alone(required=False))
        stage.play(f"""
            C| a LOGIN {{4+}}
            C| jana {quoted}
            """)
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN {{4}}
            S| + go on
            P> jana {quoted}
            S: a OK in
            """)
        logged_in(stage)

    @pytest.mark.parametrize("command", ["LOGIN jana", "LOGIN (jana) x", "LOGIN", "AUTHENTICATE", "AUTHENTICATE A B C"])
    def test_malformed(self, in_turns: Alone, command: str) -> None:
        """Refused at once, or when it is judged again; nothing of it goes on."""
        stage = opened(in_turns(required=False))
        heard, _ = stage.client_says(f"a {command}")
        if stage.connecting:
            stage.connected()
            heard += stage.server_says("* OK hi")[0]
        assert heard == b"a BAD syntax error in command\r\n"
        assert stage.server.taken() == b""
        assert not stage.is_closed

    def test_authenticate(self, in_turns: Alone, level: int) -> None:
        stage = opened(in_turns(required=False, level=level))
        stage.play("C| a AUTHENTICATE PLAIN")
        assert list(stage.connecting) == [SERVER]
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a AUTHENTICATE PLAIN
            S: +\x20
            C: {plain("jana")}
            S: a OK in
            C: b NOOP
            """)
        logged_in(stage)

    def test_authenticate_with_an_initial_response(self, alone: Alone, level: int) -> None:
        stage = opened(alone(required=False, level=level))
        stage.play(f"C| a AUTHENTICATE PLAIN {plain('jana')}")
        stage.connected()
        stage.play(f"""
            S| * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi
            P> a AUTHENTICATE PLAIN {plain("jana")}
            S: a OK in
            C: b NOOP
            """)
        logged_in(stage)

    @pytest.mark.parametrize("code", ["", "[CAPABILITY IMAP4rev1 AUTH=PLAIN] "])
    def test_an_initial_response_that_the_server_takes_only_later(self, alone: Alone, code: str) -> None:
        """The proxy offered SASL-IR before it knew the server."""
        stage = opened(alone(required=False))
        stage.play(f"C| a AUTHENTICATE PLAIN {plain('jana')}")
        stage.connected()
        stage.play(f"""
            S| * OK {code}hi
            P> a AUTHENTICATE PLAIN
            S| +\x20
            P> {plain("jana")}
            S: a OK in
            """)
        logged_in(stage)

    def test_authenticate_cancelled(self, in_turns: Alone) -> None:
        stage = opened(in_turns(required=False))
        stage.play("C| a AUTHENTICATE PLAIN")
        stage.connected()
        stage.play("""
            S| * OK hi
            P> a AUTHENTICATE PLAIN
            S: +\x20
            C: *
            S: a BAD cancelled
            C: b NOOP
            """)
        assert stage.session.user is None

    def test_the_servers_greeting_is_never_shown(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play(f"C| a LOGIN jana {PASSWORD}")
        stage.connected()
        stage.play(f"""
            S| * OK [ALERT] call +1-900
            P> a LOGIN jana {PASSWORD}
            S| * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED IDLE
            P: * CAPABILITY IMAP4rev1 IDLE SASL-IR LITERAL+
            S| a OK [CAPABILITY IMAP4rev1 STARTTLS IDLE] in
            P: a OK [CAPABILITY IMAP4rev1 IDLE LITERAL+] in
            C: b CAPABILITY
            S| * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED IDLE
            P: * CAPABILITY IMAP4rev1 IDLE LITERAL+
            S: b OK done
            """)

    def test_what_is_pipelined_behind_waits(self, alone: Alone, level: int) -> None:
        stage = opened(alone(required=False, level=level))
        stage.play(f"""
            C| a LOGIN jana {PASSWORD}
            C| b SELECT INBOX
            C| c FETCH 1 FLAGS
            """)
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN jana {PASSWORD}
            S: a OK in
            P> b SELECT INBOX
            S: b OK [READ-WRITE] done
            P> c FETCH 1 FLAGS
            S: c OK done
            """)

    def test_pipelined_behind_literals(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play(f"""
            C| a LOGIN {{4+}}
            C| jana {PASSWORD}
            C| b SELECT INBOX
            """)
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN {{4}}
            S| + go
            P> jana {PASSWORD}
            S: a OK in
            P> b SELECT INBOX
            """)

    def test_pipelined_behind_authenticate(self, alone: Alone) -> None:
        """T-S12: the line is the answer to the challenge, and no base64."""
        stage = opened(alone(required=False))
        stage.play("""
            C| a AUTHENTICATE PLAIN
            C| b NOOP
            """)
        stage.connected()
        stage.play("""
            S| * OK hi
            P> a AUTHENTICATE PLAIN
            S: +\x20
            P> *
            S: a BAD cancelled
            """)

    def test_pipelined_behind_a_login_that_fails(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play("""
            C| a LOGIN jana zq8-wrong-guess
            C| b SELECT INBOX
            """)
        stage.connected()
        stage.play("""
            S| * OK hi
            P> a LOGIN jana zq8-wrong-guess
            S: a NO wrong
            P: b BAD command is not possible now
            """)

    def test_pipelined_before_it(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play(f"""
            C| a NOOP
            P: a OK done
            C| b LOGIN jana {PASSWORD}
            C| c NOOP
            """)
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> b LOGIN jana {PASSWORD}
            S: b OK in
            P> c NOOP
            """)
        assert stage.relay.commands == 3

    def test_two_logins(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play(f"""
            C| a LOGIN petr zq8-wrong-guess
            C| b LOGIN jana {PASSWORD}
            """)
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN petr zq8-wrong-guess
            S: a NO wrong
            P> b LOGIN jana {PASSWORD}
            S: b OK in
            """)
        logged_in(stage)

    def test_what_comes_once_the_server_is_there(self, in_turns: Alone) -> None:
        stage = opened(in_turns(required=False))
        stage.play(f"C| a LOGIN jana {PASSWORD}")
        stage.connected()
        stage.play(f"""
            C| b NOOP
            S| * OK hi
            P> a LOGIN jana {PASSWORD}
            S: a OK in
            P> b NOOP
            """)


class TestJudgedAgain:
    """A login that waited is judged by the command-acl's own table, as one that did not."""

    @pytest.mark.parametrize("name", ["LOGIN", "AUTHENTICATE"])
    @pytest.mark.parametrize("form", ["line", "literals"])
    def test_a_command_that_the_acl_does_not_permit(self, alone: Alone, name: str, form: str) -> None:
        said = {"LOGIN": f"C| a LOGIN jana {PASSWORD}", "AUTHENTICATE": f"C| a AUTHENTICATE PLAIN {plain('jana')}"}
        if form == "literals":
            if name == "AUTHENTICATE":
                return
            said[name] = f"C| a LOGIN {{4+}}\nC| jana {PASSWORD}"
        stage = opened(alone(accepting(commands=words(f"!{name}", "*")), required=False))
        stage.play(f"""
            {said[name]}
            C| b NOOP
            """)
        stage.connected()
        stage.play("""
            S| * OK hi
            P: a NO [NOPERM] command is not permitted here
            P> b NOOP
            S: b OK done
            """)
        assert stage.session.user is None
        assert stage.logged(entries.COMMAND_REFUSED) == [(name.encode(), "COMMAND_NOT_PERMITTED")]

    def test_a_mechanism_that_the_acl_does_not_permit(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play("C| a AUTHENTICATE NTLM =")
        stage.connected()
        stage.play("""
            S| * OK hi
            P: a NO [CANNOT] authentication mechanism is not permitted here
            """)

    def test_plus_and_external(self, alone: Alone) -> None:
        """Point f of the issue: refused, the channel is not the server's; EXTERNAL only where configured."""
        stage = opened(alone(required=False))
        stage.play("""
            C| a AUTHENTICATE SCRAM-SHA-256-PLUS
            C| b AUTHENTICATE EXTERNAL =
            C| c AUTHENTICATE GSSAPI
            """)
        stage.connected()
        stage.play("""
            S| * OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS AUTH=EXTERNAL AUTH=GSSAPI] hi
            P: a NO [CANNOT] authentication mechanism is not permitted here
            P: b NO [CANNOT] authentication mechanism is not permitted here
            P: c NO [CANNOT] authentication mechanism is not permitted here
            """)

    def test_a_malformed_initial_response(self, alone: Alone) -> None:
        stage = opened(alone(required=False))
        stage.play("C| a AUTHENTICATE PLAIN x")
        stage.connected()
        stage.play("""
            S| * OK hi
            P: a BAD malformed authentication data
            C: b NOOP
            """)

    def test_the_acls_language_and_limits(self, in_turns: Alone) -> None:
        stage = opened(in_turns(accepting(language="CZ", max_mail_out=10), required=False))
        stage.play(f"C| a LOGIN jana {PASSWORD}")
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN jana {PASSWORD}
            S: a OK in
            C| b APPEND x {{11}}
            P: b NO [TOOBIG] zpráva je příliš velká
            """)

    def test_the_second_search(self, in_turns: Alone) -> None:
        narrow = accepting("JANA", conditions=of_user("jana"), commands=words("!DELETE", "*"))
        stage = opened(in_turns(narrow, accepting("BEFORE"), required=False))
        stage.play(f"C| a LOGIN jana {PASSWORD}")
        stage.connected()
        stage.play(f"""
            S| * OK hi
            P> a LOGIN jana {PASSWORD}
            S: a OK in
            C| b DELETE x
            P: b NO [NOPERM] command is not permitted here
            """)
        assert stage.logged(entries.COMMAND_ACL) == [("IN", "BEFORE", "ACCEPTED"), ("IN", "JANA", "ACCEPTED")]


class TestDenied:
    @pytest.mark.parametrize("denies", [(CommandAcl(name="NO", accept=False),), (accepting(conditions=of_user("x")),)])
    @pytest.mark.parametrize(
        "said", [f"C| a LOGIN jana {PASSWORD}", "C| a AUTHENTICATE PLAIN", f"C| a LOGIN {{4+}}\nC| jana {PASSWORD}"]
    )
    def test_by_the_command_acls(self, alone: Alone, denies: tuple[CommandAcl, ...], said: str) -> None:
        stage = opened(alone(*denies, required=False))
        stage.play(f"""
            {said}
            P: * BYE [NOPERM] access denied by policy
            C| b NOOP
            """)
        self._rejected(stage, "command-acl")

    @staticmethod
    def _rejected(stage: Stage, why: str) -> None:
        assert stage.is_closed
        assert stage.connecting == ()
        end, event = stage.fields(entries.SESSION_END), stage.fields(entries.PROXY_EVENT)
        assert (end["STATUS"], end["REASON"], event["STATUS"]) == ("REJECTED", why, "REJECTED")

    def test_by_the_session_acls(self, make: Make) -> None:
        """Without an octet (configuration.md section 5)."""
        stage = make(session=SessionAcl("NO", accept=False, client_ssl=session_acl().client_ssl), unconnected=True)
        assert stage.refused == b""
        assert stage.client.taken() == b""

    def test_commands_that_need_no_server_ask_no_command_acl(self, alone: Alone) -> None:
        stage = opened(alone(CommandAcl(name="NO", accept=False), required=False))
        stage.play("""
            C| a NOOP
            P: a OK done
            """)
        assert not stage.is_closed


class TestServerFails:
    """A server that fails while a login waits for it: one BYE, and nothing of the login goes anywhere."""

    @pytest.fixture
    def waiting(self, alone: Alone) -> Stage:
        stage = opened(alone(required=False, server_conn=SockOpt(recv_timeout=30)))
        stage.play(f"""
            C| a LOGIN jana {PASSWORD}
            C| b NOOP
            """)
        return stage

    @pytest.mark.parametrize(
        ("timed_out", "why"), [(False, "cannot be reached"), (True, "did not take the connection in time")]
    )
    def test_it_cannot_be_reached(self, waiting: Stage, timed_out: bool, why: str) -> None:
        waiting.session.connect_failed(timed_out)
        assert waiting.client.taken() == f"* BYE [UNAVAILABLE] mail server {why}\r\n".encode()
        assert waiting.fields(entries.SESSION_END)["STATUS"] == "FAILED"

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("* BYE [ALERT] full", "refused the session"),
            ("* PREAUTH welcome", "broke the protocol"),
            ("220 smtp", "broke the protocol"),
            ("a OK in", "broke the protocol"),
            ("* OK h␀", "broke the protocol"),
        ],
    )
    def test_its_greeting_is_none(self, waiting: Stage, line: str, why: str) -> None:
        """T-S05 and others"""
        waiting.connected()
        waiting.play(f"""
            S| {line}
            P: * BYE [UNAVAILABLE] mail server {why}
            """)
        assert waiting.is_closed

    def test_it_closes(self, waiting: Stage) -> None:
        waiting.connected()
        waiting.server_ended()
        assert waiting.client.taken() == b"* BYE [UNAVAILABLE] mail server closed the connection\r\n"
        assert waiting.server.taken() == b""

    def test_it_does_not_greet(self, waiting: Stage) -> None:
        waiting.connected()
        waiting.wait(31)
        assert waiting.client.taken() == b"* BYE [UNAVAILABLE] mail server did not greet in time\r\n"

    def test_the_client_leaves(self, waiting: Stage) -> None:
        waiting.client_ended()
        assert waiting.is_closed
        assert waiting.fields(entries.PROXY_EVENT)["RESULT"] == "ABORTED"
        assert waiting.client.taken() == waiting.server.taken() == b""

    def test_the_worker_ends(self, waiting: Stage) -> None:
        waiting.session.shut_down()
        assert waiting.client.taken() == b"* BYE [UNAVAILABLE] proxy is shutting down\r\n"


class TestTime:
    def test_no_login(self, alone: Alone) -> None:
        """From the connection on, whatever is said (T-L07)."""
        stage = greeted(alone(login_timeout=60))
        stage.wait(40)
        stage.play("""
            C| a NOOP
            P: a OK done
            """)
        stage.wait(19)
        assert not stage.is_closed
        stage.wait(2)
        assert stage.client.taken() == b"* BYE no login in time\r\n"
        assert stage.logged(entries.LIMIT) == [("login-timeout", 60)]
        assert stage.fields(entries.SESSION_END)["REASON"] == "login-timeout"

    def test_the_time_before_counts_after_the_server_is_there(self, alone: Alone) -> None:
        stage = opened(alone(required=False, login_timeout=60))
        stage.wait(40)
        stage.play("C| a LOGIN jana zq8-wrong-guess")
        stage.connected()
        stage.play("""
            S| * OK hi
            P> a LOGIN jana zq8-wrong-guess
            S: a NO wrong
            """)
        stage.wait(19)
        assert not stage.is_closed
        stage.wait(2)
        assert stage.client.taken() == b"* BYE no login in time\r\n"

    def test_a_login_that_waits_too_long(self, alone: Alone) -> None:
        stage = opened(alone(required=False, login_timeout=60))
        stage.play(f"C| a LOGIN jana {PASSWORD}")
        stage.wait(61)
        assert stage.client.taken() == b"* BYE no login in time\r\n"

    @pytest.mark.parametrize("acl", [{}, {"idle_timeout": 20}])
    def test_an_idle_client(self, alone: Alone, acl: dict[str, Any]) -> None:
        stage = greeted(alone(acl=acl, idle_timeout=50, login_timeout=600))
        after = acl.get("idle_timeout", 50)
        stage.wait(after - 1)
        assert not stage.is_closed
        stage.wait(2)
        assert stage.client.taken() == b"* BYE session was idle for too long\r\n"
        assert stage.logged(entries.LIMIT) == [("idle-timeout", after)]

    def test_a_slow_line(self, alone: Alone) -> None:
        """T-L05"""
        stage = greeted(alone(client_conn=SockOpt(recv_timeout=20), login_timeout=600))
        stage.client_says("a NO¬")
        stage.wait(15)
        stage.client_says("O¬")
        stage.wait(7)
        assert stage.client.taken() == b"* BYE command was not completed in time\r\n"


def test_the_client_leaves_before_it_said_anything(alone: Alone) -> None:
    stage = greeted(alone())
    stage.client_ended()
    assert stage.fields(entries.PROXY_EVENT)["RESULT"] == "ABORTED"


def test_octets_are_counted(alone: Alone) -> None:
    stage = opened(alone(required=False))
    stage.play(f"C| a LOGIN jana {PASSWORD}")
    stage.connected()
    stage.play(f"""
        S| * OK hi
        P> a LOGIN jana {PASSWORD}
        S: a OK in
        """)
    relay, login = stage.relay, len(f"a LOGIN jana {PASSWORD}\r\n")
    assert (relay.cin, relay.cout, relay.sin, relay.sout) == (len(OPEN) + 9, login, 9 + 9, login)
