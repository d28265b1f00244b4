"""AUTHENTICATE: mechanisms, with and without initial response, and everything that may go wrong in between."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from tests.play.conftest import Make, Perform
from tests.play.sasl import PASSWORD, coded, oauthbearer, plain, xoauth2
from tests.play.stage import accepting, words

READY = "S: * OK ready"
READY_IR = """
    S| * OK [CAPABILITY IMAP4rev1 SASL-IR] ready
    P: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+] ready
    """

ONE_STEP = [
    ("PLAIN", plain("jana"), "jana"),
    ("PLAIN", plain("admin", acts_as="jana"), "jana"),
    ("plain", plain("jana"), "jana"),
    ("XOAUTH2", xoauth2("jana@example.org"), "jana@example.org"),
    ("OAUTHBEARER", oauthbearer("jana@example.org"), "jana@example.org"),
    ("OAUTHBEARER", oauthbearer("a=2Cb=3Dc"), "a,b=c"),
]


@pytest.mark.parametrize(("mechanism", "response", "user"), ONE_STEP)
class TestOneStep:
    def test_without_initial_response(self, in_turns: Perform, mechanism: str, response: str, user: str) -> None:
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE {mechanism}
            S: +\x20
            C: {response}
            S: a OK in
            C: b NOOP
            """)
        assert stage.logged(entries.LOGIN) == [(user, mechanism.upper(), b"OK")]
        assert stage.session.user == user

    def test_with_one_to_a_server_that_takes_it(
        self, perform: Perform, mechanism: str, response: str, user: str
    ) -> None:
        stage = perform(f"""
            {READY_IR}
            C: a AUTHENTICATE {mechanism} {response}
            S: a OK in
            C: b NOOP
            """)
        assert stage.session.user == user

    def test_with_one_to_a_server_that_does_not(
        self, perform: Perform, mechanism: str, response: str, user: str
    ) -> None:
        """RFC 4959: SASL-IR is the leg's own; the proxy answers the "+" by itself."""
        stage = perform(f"""
            {READY}
            C| a AUTHENTICATE {mechanism} {response}
            P> a AUTHENTICATE {mechanism}
            S| +\x20
            P> {response}
            S: a OK in
            C: b NOOP
            """)
        assert stage.session.user == user

    def test_pipelined_response(self, perform: Perform, mechanism: str, response: str, user: str) -> None:
        """What comes behind the command is held until the "+" says that it is the response."""
        stage = perform(f"""
            {READY}
            C: a AUTHENTICATE {mechanism}
            C| {response}
            S: +\x20
            P> {response}
            S: a OK in
            """)
        assert stage.session.user == user


class TestSeveralSteps:
    def test_login(self, in_turns: Perform) -> None:
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE LOGIN
            S: + VXNlcm5hbWU6
            C: {coded("jana")}
            S: + UGFzc3dvcmQ6
            C: {coded(PASSWORD)}
            S: a OK in
            """)
        assert stage.logged(entries.LOGIN) == [("jana", "LOGIN", b"OK")]

    def test_login_with_initial_response(self, in_turns: Perform) -> None:
        stage = in_turns(f"""
            {READY}
            C| a AUTHENTICATE LOGIN {coded("jana")}
            P> a AUTHENTICATE LOGIN
            S| + VXNlcm5hbWU6
            P> {coded("jana")}
            S: + UGFzc3dvcmQ6
            C: {coded(PASSWORD)}
            S: a OK in
            """)
        assert stage.session.user == "jana"

    def test_scram(self, in_turns: Perform) -> None:
        stage = in_turns(f"""
            {READY_IR}
            C: a AUTHENTICATE SCRAM-SHA-256 {coded("n,,n=ja=3Dna,r=rOprNGfwEbeRWgbNEkqO")}
            S: + {coded("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")}
            C: {coded("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")}
            S: + {coded("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")}
            C:\x20
            S: a OK in
            """)
        assert stage.logged(entries.LOGIN) == [("ja=na", "SCRAM-SHA-256", b"OK")]

    def test_scram_for_somebody_else(self, in_turns: Perform) -> None:
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE SCRAM-SHA-1
            S: +\x20
            C: {coded("n,a=jana,n=admin,r=fyko")}
            S: + {coded("r=fyko3,s=QSXCR,i=4096")}
            C: {coded("c=biws,r=fyko3,p=v0X8")}
            S: a OK in
            """)
        assert stage.session.user == "jana"

    def test_cram_md5(self, in_turns: Perform) -> None:
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE CRAM-MD5
            S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
            C: {coded("ja na b913a602c7eda7a495b4e6e7334d3890")}
            S: a OK in
            """)
        assert stage.logged(entries.LOGIN) == [("ja na", "CRAM-MD5", b"OK")]

    def test_the_error_of_oauth_is_answered_by_the_client(self, in_turns: Perform) -> None:
        """RFC 7628 section 3.2.3: the error is a challenge, the client's answer `AQ==`."""
        stage = in_turns(f"""
            {READY_IR}
            C: a AUTHENTICATE OAUTHBEARER {oauthbearer("jana")}
            S: + {coded('{"status":"invalid_token"}')}
            C: AQ==
            S: a NO [AUTHENTICATIONFAILED] no
            C: b NOOP
            """)
        assert stage.logged(entries.LOGIN) == [("jana", "OAUTHBEARER", b"NO")]

    def test_a_mechanism_that_does_not_show_the_user(self, in_turns: Perform) -> None:
        stage = in_turns(
            f"""
            {READY}
            C: a AUTHENTICATE ATOKEN
            S: +\x20
            C: {coded("something of the vendor")}
            S: a OK in
            """,
            accepting(capabilities=words("AUTH=*")),
        )
        assert stage.fields(entries.LOGIN) == {"USER": None, "MECHANISM": "ATOKEN", "RESULT": b"OK"}


class TestMechanismsThatMayNot:
    @pytest.mark.parametrize(
        "name", ["GSSAPI", "NTLM", "DIGEST-MD5", "KERBEROS_V4", "SCRAM-SHA-256-PLUS", "EXTERNAL", "GS2-KRB5"]
    )
    def test_by_default(self, perform: Perform, name: str) -> None:
        """T-S15, protocol.md 1.5."""
        stage = perform(f"""
            {READY}
            C| a AUTHENTICATE {name}
            P: a NO [CANNOT] authentication mechanism is not permitted here
            C| b AUTHENTICATE {name} =
            P: b NO [CANNOT] authentication mechanism is not permitted here
            C: c NOOP
            """)
        assert stage.logged(entries.COMMAND_REFUSED) == [(b"AUTHENTICATE", "MECHANISM_NOT_PERMITTED")] * 2

    def test_by_the_configuration(self, perform: Perform) -> None:
        perform(
            f"""
            {READY}
            C| a AUTHENTICATE PLAIN {plain("jana")}
            P: a NO [CANNOT] authentication mechanism is not permitted here
            C: b AUTHENTICATE CRAM-MD5
            """,
            accepting(capabilities=words("!AUTH=PLAIN", "AUTH=*")),
        )

    def test_external_with_its_item(self, perform: Perform) -> None:
        perform(
            f"""
            {READY_IR}
            C: a AUTHENTICATE EXTERNAL =
            S: a OK in
            """,
            accepting(sasl_external=True),
        )


class TestWhatGoesWrong:
    def test_cancelled(self, in_turns: Perform) -> None:
        """RFC 9051 section 6.2.2."""
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            C: *
            S: a BAD cancelled
            C: b NOOP
            """)
        assert stage.logged(entries.LOGIN) == [(None, "PLAIN", b"CANCELLED")]
        assert stage.session.bad_commands == 0

    def test_refused_at_once(self, perform: Perform) -> None:
        """Section 6 of architecture.md: the second line is judged as a command."""
        perform(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            C| b DELETE INBOX
            C| c NOOP
            S: a NO not here
            P: b BAD command is not possible now
            P> c NOOP
            """)

    def test_garbage_is_never_sent_on(self, in_turns: Perform) -> None:
        """T-S12: cancelled at the server, BAD to the client."""
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            C| b NOOP
            P> *
            S: a BAD cancelled
            C: c NOOP
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("CLIENT", "BAD_SASL")
        assert stage.session.bad_commands == 1

    def test_garbage_pipelined(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            C| b NOOP
            S: +\x20
            P> *
            S: a BAD cancelled
            """)

    @pytest.mark.parametrize("line", ["a", "YQ", "YQ=", "Y Q==", "=YQ=", "YQ==YQ==", "YQ==\t", "-_-_", "**"])
    def test_what_is_no_base64(self, make: Make, line: str) -> None:
        stage = make()
        stage.play(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            C| {line}
            P> *
            S: a BAD cancelled
            """)

    @pytest.mark.parametrize("initial", ["x", "YQ", "*", "==", "a b", "(YQ==)", '"YQ=="'])
    def test_what_is_no_initial_response(self, perform: Perform, initial: str) -> None:
        one_word = initial in ("x", "YQ", "==", "*")
        said = "malformed authentication data" if one_word else "syntax error in command"
        stage = perform(f"""
            {READY}
            C| a AUTHENTICATE PLAIN {initial}
            P: a BAD {said}
            C: b NOOP
            """)
        assert stage.session.bad_commands == 1

    def test_an_initial_response_by_literal(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C| a AUTHENTICATE PLAIN {{{len(plain("jana"))}+}}
            P: a BAD syntax error in command
            C| {plain("jana")}
            C: b NOOP
            """)

    def test_an_empty_initial_response(self, perform: Perform) -> None:
        """RFC 4959: `=` is an empty one; without SASL-IR at the server it becomes an empty line."""
        perform(
            f"""
            {READY}
            C| a AUTHENTICATE ANONYMOUS =
            P> a AUTHENTICATE ANONYMOUS
            S| +\x20
            P>\x20
            S: a OK in
            """,
        )

    def test_garbage_ends_the_session_in_the_end(self, in_turns: Perform) -> None:
        again = """
            C: a AUTHENTICATE PLAIN
            S: +\x20
            C| !
            P> *
            S: a BAD cancelled
            """
        stage = in_turns(f"""
            {READY}
            {again}
            {again}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            C| !
            P: * BYE too many bad commands
            """)
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("max-bad-prelogin", 3)]

    def test_text_where_a_challenge_belongs(self, in_turns: Perform) -> None:
        """protocol.md 4.2: servers say `+ go ahead`; clients must not take it for base64."""
        in_turns(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S| + go ahead, please
            P: +\x20
            C: {plain("jana")}
            S: a OK in
            """)

    def test_a_plus_with_nothing_behind(self, in_turns: Perform) -> None:
        in_turns(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +
            C: {plain("jana")}
            S: a OK in
            """)

    def test_an_empty_name_is_not_followed_by_the_password(self, in_turns: Perform) -> None:
        """The second answer of LOGIN is the password, whatever the first one was."""
        stage = in_turns(f"""
            {READY}
            C: a AUTHENTICATE LOGIN
            S: + VXNlcm5hbWU6
            C:\x20
            S: + UGFzc3dvcmQ6
            C: {coded(PASSWORD)}
            S: a NO wrong
            """)
        assert stage.logged(entries.LOGIN) == [(None, "LOGIN", b"NO")]

    def test_an_empty_initial_response_is_no_name(self, in_turns: Perform) -> None:
        """Dovecot asks for the name then: a rule about this user must not be evaded so."""
        stage = in_turns(f"""
            {READY_IR}
            C: a AUTHENTICATE LOGIN =
            S: + VXNlcm5hbWU6
            C: {coded("jana")}
            S: + UGFzc3dvcmQ6
            C: {coded(PASSWORD)}
            S: a OK in
            """)
        assert stage.session.user == "jana"

    def test_endless_rounds(self, make: Make) -> None:
        """T-S13"""
        stage = make()
        rounds = "\n".join(["S: + YQ==", "C: YQ=="] * 32)
        stage.play(f"""
            {READY}
            C: a AUTHENTICATE CRAM-MD5
            {rounds}
            S| + YQ==
            P: * BYE [UNAVAILABLE] mail server broke the protocol
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("SERVER", "SASL_TOO_LONG")

    def test_an_endless_challenge(self, perform: Perform) -> None:
        """T-S13"""
        stage = perform(f"""
            {READY}
            C: a AUTHENTICATE CRAM-MD5
            S| + {"YWFh" * 20000}
            P: * BYE [UNAVAILABLE] mail server broke the protocol
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("SERVER", "SASL_TOO_LONG")

    def test_a_long_token_passes(self, in_turns: Perform) -> None:
        """protocol.md 1.5: several KiB."""
        token = coded("user=jana\x01auth=Bearer " + "x" * 12000 + "\x01\x01")
        in_turns(f"""
            {READY}
            C: a AUTHENTICATE XOAUTH2
            S: +\x20
            C: {token}
            S: a OK in
            """)

    def test_an_ok_at_once_without_the_response(self, perform: Perform) -> None:
        """The server asks for nothing: the stashed response is never sent."""
        perform(f"""
            {READY}
            C| a AUTHENTICATE PLAIN {plain("jana")}
            P> a AUTHENTICATE PLAIN
            S: a NO not here
            C: b AUTHENTICATE PLAIN
            S: +\x20
            """)

    def test_an_unexpected_plus(self, perform: Perform) -> None:
        """T-R13"""
        stage = perform(f"""
            {READY}
            S| + go
            P: * BYE [UNAVAILABLE] mail server broke the protocol
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("SERVER", "UNEXPECTED_CONTINUE")

    @pytest.mark.parametrize("line", ["a AUTHENTICATE", "a AUTHENTICATE PLAIN x y z"])
    def test_its_grammar(self, perform: Perform, line: str) -> None:
        perform(f"""
            {READY}
            C| {line}
            P: a BAD syntax error in command
            """)

    def test_untagged_data_and_capabilities_in_between(self, in_turns: Perform) -> None:
        in_turns(f"""
            {READY}
            C: a AUTHENTICATE PLAIN
            S: +\x20
            C: {plain("jana")}
            S| * CAPABILITY IMAP4rev1 COMPRESS=DEFLATE
            P: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+
            S| * LIST () "/" evil
            S: a OK in
            """)
