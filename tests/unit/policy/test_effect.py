"""What two ACLs come to."""

from __future__ import annotations

from imap4fast.config.settings import CertMatch, CommandAcl, Proxy, SessionAcl, SslParams, SslUse
from imap4fast.config.values import Address, Sock, WordMember
from imap4fast.policy.effect import excluded_commands, in_effect

SESSION = SessionAcl("S", True, plug_to=(Sock(Address(4, 0x0A000001), 143), Sock("mail.example", 993)))


def test_the_nearest_setting_holds() -> None:
    proxy = Proxy("P", idle_timeout=1, max_line=2)
    plain = in_effect(proxy, SESSION, CommandAcl("C", True))
    assert (plain.idle_timeout, plain.max_line, plain.language, plain.capabilities) == (1, 2, "EN", "default")
    assert plain.servers == ("[10.0.0.1] : 143", "mail.example : 993")
    session = SessionAcl("S", True, idle_timeout=3, language="CZ")
    assert in_effect(proxy, session, CommandAcl("C", True)).idle_timeout == 3
    assert in_effect(proxy, session, CommandAcl("C", True)).language == "CZ"
    own = in_effect(proxy, session, CommandAcl("C", True, idle_timeout=0, language="CZ-ASCII", max_mail_in=7))
    assert (own.idle_timeout, own.language, own.max_mail_in) == (0, "CZ-ASCII", 7)


def test_capabilities_as_configured() -> None:
    members = (WordMember("IDLE", negate=True), WordMember(None))
    assert in_effect(Proxy("P"), SESSION, CommandAcl("C", True, capabilities=members)).capabilities == "{ ! IDLE, * }"


def test_commands_excluded_by_default() -> None:
    assert excluded_commands(CommandAcl("C", True, no_mail_scanning=True)) == (
        "COMPRESS",
        "PROXYAUTH",
        "UNAUTHENTICATE",
        "UNKNOWN",
    )


def test_commands_excluded_by_a_list() -> None:
    everything = CommandAcl("C", True, no_mail_scanning=True, commands=(WordMember(None),))
    assert excluded_commands(everything) == ("COMPRESS",)
    but_idle = CommandAcl(
        "C", True, no_mail_scanning=True, commands=(WordMember("IDLE", negate=True), WordMember(None))
    )
    assert excluded_commands(but_idle) == ("COMPRESS", "IDLE")
    few = excluded_commands(CommandAcl("C", True, commands=(WordMember("NOOP"), WordMember("LOGOUT"))))
    assert "FETCH" in few
    assert "NOOP" not in few


def test_tls() -> None:
    plain = in_effect(Proxy("P"), SESSION, CommandAcl("C", True))
    assert (plain.client_tls, plain.server_tls, plain.server_cert_match) == ("", "", "")
    session = SessionAcl("S", True, client_ssl=SslUse(SslParams("IN"), True))
    command = CommandAcl("C", True, server_ssl=SslUse(SslParams("OUT")), server_cert_match=CertMatch("M", any=True))
    secure = in_effect(Proxy("P"), session, command)
    assert (secure.client_tls, secure.server_tls, secure.server_cert_match) == ("IN command", "OUT session", "M")
