"""The command LOGIN in all its forms, and what is known of the user afterwards."""

from __future__ import annotations

import pytest

from imap4fast.config.settings import CommandAcl
from imap4fast.log import imap as entries
from tests.play.conftest import Make, Perform
from tests.play.stage import accepting, of_user, words

PASSWORD = "zq8-Correct-Horse"
QUOTED = r'"zq8 \"quoted\" \\back"'


@pytest.mark.parametrize(
    ("arguments", "user"),
    [
        (f"jana {PASSWORD}", "jana"),
        (f'"jana" "{PASSWORD}"', "jana"),
        (f'"jana novak" {QUOTED}', "jana novak"),
        (f'"ja\\"na\\\\" {QUOTED}', 'ja"na\\'),
        (f'"" {PASSWORD}', ""),
        ("jana@example.org []", "jana@example.org"),
    ],
)
def test_atoms_and_quoted_strings(perform: Perform, arguments: str, user: str) -> None:
    stage = perform(f"""
        S: * OK ready
        C: a LOGIN {arguments}
        S: a OK in
        """)
    assert stage.logged(entries.LOGIN) == [(user, "LOGIN", b"OK")]
    assert stage.session.user == user


def test_any_case(perform: Perform) -> None:
    perform(f"""
        S: * OK ready
        C: a login jana {PASSWORD}
        S: a OK in
        C: b NOOP
        """)


def test_synchronising_literals_to_a_server_that_has_no_others(in_turns: Perform) -> None:
    stage = in_turns(f"""
        S: * OK ready
        C| a LOGIN {{4}}
        P: + OK
        C| jana {{{len(PASSWORD)}}}
        P: + OK
        C| {PASSWORD}
        P> a LOGIN {{4}}
        S| + go on
        P> jana {{{len(PASSWORD)}}}
        S| + go on
        P> {PASSWORD}
        S: a OK in
        C: b NOOP
        """)
    assert stage.session.user == "jana"


def test_literals_that_wait_for_nobody(perform: Perform) -> None:
    stage = perform(f"""
        S: * OK ready
        C| a LOGIN {{4+}}
        C| jana {{{len(PASSWORD)}+}}
        C| {PASSWORD}
        P> a LOGIN {{4}}
        S| + go on
        P> jana {{{len(PASSWORD)}}}
        S| + go on
        P> {PASSWORD}
        S: a OK in
        """)
    assert stage.session.user == "jana"


def test_a_name_in_unicode_is_normalised(perform: Perform) -> None:
    decomposed = "Rene\u0301"
    stage = perform(f"""
        S: * OK ready
        C| a LOGIN {{6+}}
        C| {decomposed} "{PASSWORD}"
        P> a LOGIN {{6}}
        S| + OK
        P> {decomposed} "{PASSWORD}"
        S: a OK in
        """)
    assert stage.session.user == "Ren\u00e9"


def test_the_server_refuses_before_the_literal(in_turns: Perform) -> None:
    stage = in_turns(f"""
        S: * OK ready
        C| a LOGIN jana {{{len(PASSWORD)}}}
        P: + OK
        C| {PASSWORD}
        P> a LOGIN jana {{{len(PASSWORD)}}}
        S: a NO not now
        C: b NOOP
        S: b OK done
        """)
    assert stage.logged(entries.LOGIN) == [("jana", "LOGIN", b"NO")]


def test_the_literal_of_a_wrong_size_is_a_fault(in_turns: Perform) -> None:
    """Octets behind the literal are the line's rest: `x`, no SP."""
    stage = in_turns("""
        S: * OK ready
        C| a LOGIN {3}
        P: + OK
        C| jana zq8-wrong-guess
        P: a BAD syntax error in command
        """)
    assert stage.logged(entries.LOGIN) == []


@pytest.mark.parametrize("answer", ["NO [AUTHENTICATIONFAILED] wrong", "BAD what"])
def test_a_failed_login_may_be_tried_again(perform: Perform, answer: str) -> None:
    stage = perform(f"""
        S: * OK ready
        C: a LOGIN jana zq8-wrong-guess
        S: a {answer}
        C: b LOGIN petr {PASSWORD}
        S: b OK in
        C: c SELECT INBOX
        S: c OK [READ-WRITE] done
        """)
    assert [args[2] for args in stage.logged(entries.LOGIN)] == [answer.split()[0].encode(), b"OK"]
    assert stage.session.user == "petr"


@pytest.mark.parametrize(
    "line", ["a LOGIN", "a LOGIN jana", "a LOGIN jana a b", "a LOGIN (jana) b", "a LOGIN jana (b)"]
)
def test_too_few_or_too_many(perform: Perform, line: str) -> None:
    stage = perform(f"""
        S: * OK ready
        C| {line}
        P: a BAD syntax error in command
        """)
    assert stage.logged(entries.LOGIN) == []


def test_extra_spaces_are_not_sent_on(perform: Perform) -> None:
    """T-F20: sent on canonical."""
    perform(f"""
        S: * OK ready
        C| a LOGIN  jana   {PASSWORD}\x20
        P> a LOGIN jana {PASSWORD}
        S: a OK in
        """)


def test_what_is_pipelined_behind_waits_for_the_answer(perform: Perform) -> None:
    perform(f"""
        S: * OK ready
        C: a LOGIN jana {PASSWORD}
        C| b SELECT INBOX
        C| c FETCH 1 FLAGS
        S: a OK in
        P> b SELECT INBOX
        S: * 1 EXISTS
        S: b OK [READ-WRITE] done
        P> c FETCH 1 FLAGS
        S: * 1 FETCH (FLAGS ())
        S: c OK done
        """)


def test_after_a_failed_login_the_pipelined_command_is_refused(perform: Perform) -> None:
    perform("""
        S: * OK ready
        C: a LOGIN jana zq8-wrong-guess
        C| b SELECT INBOX
        S: a NO wrong
        P: b BAD command is not possible now
        """)


def test_login_again_after_login(perform: Perform) -> None:
    perform(f"""
        S: * OK ready
        C: a LOGIN jana {PASSWORD}
        S: a OK in
        C| b LOGIN petr {PASSWORD}
        P: b BAD command is not possible now
        """)


def test_a_refused_login_is_refused(perform: Perform) -> None:
    stage = perform(
        f"""
        S: * OK ready
        C| a LOGIN jana {PASSWORD}
        P: a NO [NOPERM] command is not permitted here
        C| b LOGIN {{4+}}
        P: b NO [NOPERM] command is not permitted here
        C| jana {{{len(PASSWORD)}+}}
        C| {PASSWORD}
        C: c NOOP
        """,
        accepting(commands=words("!LOGIN", "*")),
    )
    assert stage.logged(entries.COMMAND_REFUSED) == [(b"LOGIN", "COMMAND_NOT_PERMITTED")] * 2


class TestSecondSearch:
    """command-acls that name users are searched again after login (configuration.md section 3)."""

    def test_not_done_where_no_acl_names_a_user(self, perform: Perform) -> None:
        stage = perform(f"""
            S: * OK ready
            C: a LOGIN jana {PASSWORD}
            S: a OK in
            """)
        assert stage.logged(entries.COMMAND_ACL) == [("IN", "ALL", "ACCEPTED")]

    def test_another_acl_brings_its_commands(self, make: Make) -> None:
        narrow = accepting("JANA", conditions=of_user("jana"), commands=words("!DELETE", "*"), read_only=False)
        stage = make(narrow, accepting("BEFORE"))
        stage.play(f"""
            S: * OK ready
            C: a LOGIN jana {PASSWORD}
            S: a OK in
            C| b DELETE x
            P: b NO [NOPERM] command is not permitted here
            """)
        assert stage.logged(entries.COMMAND_ACL) == [("IN", "BEFORE", "ACCEPTED"), ("IN", "JANA", "ACCEPTED")]

    def test_the_new_acl_rules_what_was_pipelined(self, perform: Perform) -> None:
        narrow = accepting("JANA", conditions=of_user("jana"), commands=words("!DELETE", "*"))
        perform(
            f"""
            S: * OK ready
            C: a LOGIN jana {PASSWORD}
            C| b DELETE x
            S: a OK in
            P: b NO [NOPERM] command is not permitted here
            """,
            narrow,
            accepting("BEFORE"),
        )

    def test_and_its_capabilities_and_language(self, perform: Perform) -> None:
        narrow = accepting(
            "JANA", conditions=of_user("jana"), capabilities=words("MOVE"), commands=words("!IDLE", "*"), language="CZ"
        )
        perform(
            f"""
            S: * OK ready
            C: a LOGIN jana {PASSWORD}
            S| a OK [CAPABILITY IMAP4rev1 IDLE MOVE] in
            P: a OK [CAPABILITY IMAP4rev1 MOVE] in
            C| b IDLE
            P: b NO [NOPERM] příkaz zde není povolen
            """,
            narrow,
            accepting("BEFORE"),
        )

    def test_and_its_limits(self, make: Make) -> None:
        narrow = accepting("JANA", conditions=of_user("jana"), max_mail_out=10, max_time=100, idle_timeout=30)
        stage = make(narrow, accepting("BEFORE"))
        stage.play(f"""
            S: * OK ready
            C: a LOGIN jana {PASSWORD}
            S: a OK in
            C| b APPEND x {{11}}
            P: b NO [TOOBIG] mail is too large
            """)
        stage.wait(31)
        assert stage.logged(entries.LIMIT) == [("max-mail-out", 10), ("idle-timeout", 30)]

    def test_somebody_else_keeps_the_first(self, perform: Perform) -> None:
        narrow = accepting("JANA", conditions=of_user("jana"), commands=words("!DELETE", "*"))
        perform(
            f"""
            S: * OK ready
            C: a LOGIN petr {PASSWORD}
            S: a OK in
            C: b DELETE x
            """,
            narrow,
            accepting("BEFORE"),
        )

    def test_a_denial_ends_the_session_and_no_ok_is_shown(self, perform: Perform) -> None:
        denied = CommandAcl(name="NOT-JANA", accept=False, conditions=of_user("jana"))
        stage = perform(
            f"""
            S: * OK ready
            C: a LOGIN jana {PASSWORD}
            C| b NOOP
            S| a OK in
            P: * BYE [NOPERM] access denied by policy
            """,
            denied,
            accepting("BEFORE"),
        )
        assert stage.is_closed
        end = stage.fields(entries.SESSION_END)
        assert (end["STATUS"], end["USER"], end["REASON"]) == ("REJECTED", "jana", "command-acl after login")
        event = stage.fields(entries.PROXY_EVENT)
        assert (event["STATUS"], event["RULE"], event["USER"]) == ("REJECTED", "NOT-JANA", "jana")
        assert stage.logged(entries.COMMAND_ACL)[-1] == ("IN", "NOT-JANA", "REJECTED")

    def test_none_that_fits_denies(self, perform: Perform) -> None:
        stage = perform("", accepting("PETR", conditions=of_user("petr")))
        assert stage.refused == b"* BYE [NOPERM] access denied by policy\r\n"
        assert stage.logged(entries.COMMAND_ACL) == [("IN", None, "REJECTED")]
