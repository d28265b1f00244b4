"""A rehearsal as text, word for word, and as values."""

from __future__ import annotations

import datetime

from imap4fast.config.basesettings import Conditions
from imap4fast.config.expression import TestExpr, TestTime
from imap4fast.config.settings import CertMatch, CommandAcl, Proxy, SessionAcl, Settings, SslParams, SslUse
from imap4fast.config.values import Address, AnyHost, HostMember, HostName, HostRange, Sock, WordMember
from imap4fast.policy.rehearsal import Rehearsal, rehearse
from imap4fast.policy.report import outcome_text, rehearsal_text, rehearsal_values

from .certs import certificate

NOW = datetime.datetime(2025, 3, 4, 5, 6)
CLIENT, PROXY, SERVER = Address(4, 0x0A090101), Address(4, 0x0A000001), Address(4, 0xC0000214)
PLUG = (Sock(SERVER, 143),)


def net(low: int, size: int, negate: bool = False) -> HostMember:
    return HostMember(HostRange(4, low, low + size - 1), negate)


INSIDE = (net(0x0A000005, 1, negate=True), net(0x0A000000, 1 << 24))
IMAPS = SessionAcl("IMAPS", True, Conditions(INSIDE, (HostMember(AnyHost(), port=(993, 993)),)), plug_to=PLUG)
IMAP = SessionAcl("IMAP", True, Conditions(INSIDE), plug_to=PLUG)
READERS = CommandAcl(
    "READERS", True, Conditions((net(0x0A090000, 1 << 16),)), read_only=True, no_mail_scanning=True, max_mail_in=1024
)
REST = CommandAcl("REST", False, Conditions(user=(WordMember("alice"),)))
EXPR = TestExpr(from_=CLIENT, to=Sock(PROXY, 143))

TEXT = """\
test from [10.9.1.1] to [10.0.0.1] : 143

phase 1, session-acl, at connection:
  IMAPS: no match: to * : 993; saw [10.0.0.1] : 143
    fits          from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.9.1.1]
    does not fit  to * : 993;  saw [10.0.0.1] : 143
  IMAP: match
    fits          from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.9.1.1]
  ACCEPTED by IMAP

phase 2, command-acl, before login, server [192.0.2.20] : 143:
  READERS: match
    fits          from [10.9.0.0/16];  saw [10.9.1.1]
  ACCEPTED by READERS

in effect:
  servers            [192.0.2.20] : 143
  client-tls         none
  server-tls         none
  server-cert-match  none
  language           EN
  read-only          yes
  idle-timeout       1800
  login-timeout      60
  max-time           none
  max-bytes-in       none
  max-bytes-out      none
  max-mail-in        1024
  max-mail-out       none
  max-line           65536
  max-server-line    1048576
  max-literal        65536
  max-pending        64
  max-bad-commands   10
  max-bad-prelogin   3
  commands-excluded  COMPRESS, PROXYAUTH, UNAUTHENTICATE, UNKNOWN
  capabilities       default

outcome: ACCEPTED"""


def settings(session=(IMAPS, IMAP), command=(READERS, REST)) -> Settings:
    return Settings("t.cfg", "", Proxy("P", session_acls=tuple(session), command_acls=tuple(command)))


def run(expr: TestExpr, given: Settings) -> Rehearsal:
    return rehearse(given, expr, NOW, {})


def test_text_of_an_accepted_session() -> None:
    assert rehearsal_text(run(EXPR, settings()), settings()) == TEXT


def test_text_of_a_rejected_session() -> None:
    expr = TestExpr(from_=Address(4, 0x0A000005), transparent=True, time=TestTime(22, 30))
    assert rehearsal_text(run(expr, settings()), settings()).splitlines() == [
        "test from [10.0.0.5] transparent to [0.0.0.0] : 0 time tue 2025-03-04 22:30",
        "",
        "phase 1, session-acl, at connection, server [0.0.0.0] : 0:",
        "  IMAPS: no match: from { ! [10.0.0.5], [10.0.0.0/8] }; saw [10.0.0.5]",
        "    does not fit  from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.0.0.5]",
        "    does not fit  to * : 993;  saw [0.0.0.0] : 0",
        "  IMAP: no match: from { ! [10.0.0.5], [10.0.0.0/8] }; saw [10.0.0.5]",
        "    does not fit  from { ! [10.0.0.5], [10.0.0.0/8] };  saw [10.0.0.5]",
        "  REJECTED by <NULL>",
        "",
        "outcome: REJECTED at connection: no session-acl matched",
    ]


def test_why_a_session_is_rejected() -> None:
    bare = settings((SessionAcl("BARE", True),))
    assert outcome_text(run(EXPR, bare)) == (
        "REJECTED at connection: session-acl BARE accepted without plug-to, and the connection is not transparent"
    )
    shut = settings((SessionAcl("SHUT", False),))
    assert outcome_text(run(EXPR, shut)) == "REJECTED at connection: session-acl SHUT denies"
    nobody = settings(command=(REST,))
    assert outcome_text(run(EXPR, nobody)) == "REJECTED before login: no command-acl matched"
    known = TestExpr(from_=CLIENT, user="alice", group=("a b",))
    later = settings(command=(REST, READERS))
    assert outcome_text(run(known, later)) == "REJECTED after login: command-acl REST denies"
    lines = rehearsal_text(run(known, later), later).splitlines()
    assert lines[0] == 'test from [10.9.1.1] to [0.0.0.0] : 0 user alice group { "a b" }'


def test_what_cannot_be_told_is_shown_so() -> None:
    named = SessionAcl("NAMED", True, Conditions((HostMember(HostName("mail.example")),)), plug_to=PLUG)
    lines = rehearsal_text(run(EXPR, settings((named,))), settings()).splitlines()
    assert lines[3:5] == [
        "  NAMED: no match: from mail.example; saw [10.9.1.1], mail.example not resolved",
        "    cannot tell   from mail.example;  saw [10.9.1.1], mail.example not resolved",
    ]


def test_values() -> None:
    values = rehearsal_values(run(EXPR, settings()), settings())
    assert values["outcome"] == "ACCEPTED"
    assert values["reason"] is None
    assert values["asked"] == {
        "from": "[10.9.1.1]",
        "transparent": False,
        "to": "[10.0.0.1] : 143",
        "user": None,
        "group": [],
        "cert": None,
        "time": "2025-03-04T05:06",
    }
    first, second = values["searches"]
    assert (first["phase"], first["section"], first["acl"], first["accepted"]) == (1, "session-acl", "IMAP", True)
    assert first["server"] is None
    assert first["acls"][0] == {
        "name": "IMAPS",
        "matched": False,
        "condition": "to * : 993;",
        "seen": "[10.0.0.1] : 143",
        "conditions": [
            {
                "item": "from",
                "text": "from { ! [10.0.0.5], [10.0.0.0/8] };",
                "seen": "[10.9.1.1]",
                "result": "fits",
            },
            {"item": "to", "text": "to * : 993;", "seen": "[10.0.0.1] : 143", "result": "does not fit"},
        ],
    }
    assert (second["moment"], second["server"], second["acl"]) == ("before login", "[192.0.2.20] : 143", "READERS")
    assert values["in_effect"]["max_mail_in"] == 1024


def test_values_of_a_rejected_session() -> None:
    values = rehearsal_values(run(TestExpr(), settings()), settings())
    assert (values["outcome"], values["reason"]) == ("REJECTED", "no session-acl matched")
    assert values["in_effect"] is None


def test_certificates() -> None:
    section = CertMatch("STAFF", organization=(WordMember("Staff"),), common_name=(WordMember("jana"),))
    use = SslUse(SslParams("PUBLIC", verify="request"), starttls=True)
    secure = SessionAcl("TLS", True, plug_to=PLUG, client_ssl=use, client_cert_match=section)
    to_server = CommandAcl(
        "ALL", True, client_cert_match=section, server_ssl=SslUse(SslParams("OUT")), server_cert_match=section
    )
    given = settings((secure,), (to_server,))
    expr = TestExpr(from_=CLIENT, to=Sock(PROXY, 143), cert="/c.pem")
    jana = certificate(("O", "Staff"), ("CN", "Jana"))
    good = rehearse(given, expr, NOW, {}, jana)
    text = rehearsal_text(good, given)
    assert text.startswith('test from [10.9.1.1] to [10.0.0.1] : 143 cert "/c.pem"\n')
    assert (
        "  ACCEPTED by TLS\n\n"
        "client-cert-match of session-acl TLS, after the TLS handshake:\n"
        "  STAFF: match\n"
        "    fits          common-name jana;  saw Jana\n"
        "    fits          organization Staff;  saw Staff\n\n"
        "phase 2,"
    ) in text
    assert "    fits          client-cert-match STAFF: common-name jana;  saw Jana\n" in text
    for line in ("client-tls         PUBLIC command", "server-tls         OUT session", "server-cert-match  STAFF"):
        assert f"  {line}\n" in text
    bad = rehearse(given, expr, NOW, {}, certificate(("O", "Staff"), ("CN", "Eva")))
    assert outcome_text(bad) == (
        "REJECTED after the TLS handshake: session-acl TLS requires client-cert-match STAFF: common-name jana; saw Eva"
    )
    values = rehearsal_values(bad, given)
    assert values["requirement"]["item"] == "client-cert-match"
    assert values["requirement"]["conditions"][0]["seen"] == "Eva"
    assert values["in_effect"] is None
    plain = settings((SessionAcl("PLAIN", True, plug_to=PLUG),), (CommandAcl("ALL", True),))
    unshown = rehearse(plain, expr, NOW, {}, jana)
    assert "no certificate is presented: session-acl PLAIN has no client-ssl-params" in rehearsal_text(unshown, plain)
    assert rehearsal_values(unshown, plain)["unpresented"] == "session-acl PLAIN has no client-ssl-params"
