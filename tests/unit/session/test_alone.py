"""What the proxy can do alone; tests/play/test_starttls.py has the conversations."""

from __future__ import annotations

import pytest

from imap4fast._wire import ASK, COMMANDS, DENY
from imap4fast.config.settings import SessionAcl, SslParams, SslUse
from imap4fast.policy.gate import BEFORE_SERVER, LOGINS, NEVER_FORWARDED, powers_before_server
from imap4fast.session import alone
from tests.play.stage import SERVER, Stage


def stage(required: bool) -> Stage:
    use = SslUse(SslParams("P", require_tls=required), starttls=True)
    acl = SessionAcl("IN", accept=True, plug_to=(SERVER,), client_ssl=use)
    return Stage(session=acl, unconnected=True)


@pytest.mark.parametrize("required", [True, False])
def test_the_list_is_fixed(required: bool) -> None:
    """No mechanism is in it, nor anything else of a server that nobody knows yet."""
    names = alone.capabilities(stage(required).session).split()
    assert (b"LOGINDISABLED" in names) == required
    assert set(names) - {b"LOGINDISABLED"} == {b"IMAP4rev1", b"LITERAL+", b"SASL-IR", b"ID", b"STARTTLS"}


def test_every_command_that_is_asked_about_has_an_answer() -> None:
    assert set(alone._LOOKS) == BEFORE_SERVER


@pytest.mark.parametrize("required", [True, False])
def test_all_others_are_denied(required: bool) -> None:
    gate = powers_before_server(login=not required).gate
    asked = {name for code, name in enumerate(COMMANDS) if gate.action(code) == ASK}
    denied = {name for code, name in enumerate(COMMANDS) if gate.action(code) == DENY}
    assert asked == (BEFORE_SERVER - LOGINS if required else BEFORE_SERVER)
    assert asked | denied == set(COMMANDS)


def test_starttls_goes_to_no_server() -> None:
    assert b"STARTTLS" in NEVER_FORWARDED


def test_a_session_that_stands_alone() -> None:
    made = stage(True)
    assert (made.session.alone, made.relay.alone, made.session.tls_required) == (True, True, True)
    assert not stage(False).session.tls_required
