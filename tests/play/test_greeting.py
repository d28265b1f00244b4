"""Greetings (RFC 9051 section 7.1.1 to 7.1.5, T-S05, T-S08, T-S09)."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from tests.play.conftest import Make, Perform


def test_a_plain_greeting_passes(perform: Perform) -> None:
    perform("S: * OK ready")


def test_nothing_of_the_client_goes_on_before_the_greeting(make: Make) -> None:
    stage = make()
    stage.play("""
        C| a NOOP
        C| b CAPABILITY
        S: * OK ready
        P> a NOOP
        P> b CAPABILITY
        """)


def test_its_capabilities_are_filtered_and_the_proxys_own_are_added(perform: Perform) -> None:
    stage = perform("""
        S| * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED COMPRESS=DEFLATE LITERAL- IDLE AUTH=PLAIN XNEW] hi
        P: * OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN SASL-IR LITERAL+] hi
        """)
    assert stage.fields(entries.CAPABILITIES)["WHERE"] == "GREETING"


@pytest.mark.parametrize(
    "code", ["REFERRAL imap://;AUTH=*@attacker.example/", "ALERT", "X-ODD 1 2", "COMPRESSIONACTIVE"]
)
def test_codes_that_are_not_believed_before_login(perform: Perform, code: str) -> None:
    stage = perform(f"""
        S| * OK [{code}] call us
        P: * OK call us
        """)
    assert stage.logged(entries.REMOVED) == [("CODE", code.split()[0].encode())]


def test_a_code_that_passes(perform: Perform) -> None:
    perform("S: * OK [UNAVAILABLE] slow today")


def test_an_unclosed_code_is_no_code(perform: Perform) -> None:
    perform("""
        S| * OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE
        P: * OK CAPABILITY IMAP4rev1 COMPRESS=DEFLATE
        """)


def test_control_characters_are_taken_out(perform: Perform) -> None:
    perform("""
        S| * OK ␛]0;x␇ready␡
        P: * OK ]0;xready
        """)


def test_preauth_is_never_shown(perform: Perform) -> None:
    stage = perform("""
        S| * PREAUTH welcome
        P: * BYE [UNAVAILABLE] mail server broke the protocol
        """)
    assert stage.is_closed
    assert stage.logged(entries.FAULT) == [("SERVER", "BAD_GREETING", 19)]
    assert stage.fields(entries.SESSION_END)["STATUS"] == "FAILED"


@pytest.mark.parametrize(
    "line", ["220 mail.example ESMTP", "* NO go away", "* BAD", "a OK hi", "+ go", "* CAPABILITY X", ""]
)
def test_anything_else_is_no_greeting(perform: Perform, line: str) -> None:
    stage = perform(f"""
        S| {line}
        P: * BYE [UNAVAILABLE] mail server broke the protocol
        """)
    assert stage.is_closed


def test_the_server_refuses(perform: Perform) -> None:
    stage = perform("""
        S| * BYE [ALERT] down for repair
        P: * BYE [UNAVAILABLE] mail server refused the session
        """)
    assert stage.is_closed
    assert stage.fields(entries.SESSION_END)["REASON"] == "server refused"


def test_an_empty_text_becomes_a_dash(perform: Perform) -> None:
    """resp-text needs a character (RFC 9051 section 9); clients stumble over none."""
    perform("""
        S| * OK [REFERRAL imap://x/]
        P: * OK -
        """)


def test_lower_case_greets_too(perform: Perform) -> None:
    perform("S: * ok ready")
