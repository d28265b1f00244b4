"""Rehearsals: the searches of a session in their order, with what is known at each."""

from __future__ import annotations

import datetime

import pytest

from imap4fast.config.basesettings import Conditions
from imap4fast.config.expression import TestExpr, TestTime
from imap4fast.config.settings import CertMatch, CommandAcl, Proxy, SessionAcl, Settings, SslParams, SslUse
from imap4fast.config.values import Address, HostMember, HostName, HostRange, Sock, TimeSpec, WordMember
from imap4fast.errors import ConfigError
from imap4fast.policy.rehearsal import (
    AFTER_LOGIN,
    BEFORE_LOGIN,
    CONNECTION,
    HANDSHAKE,
    Rehearsal,
    names_asked,
    rehearse,
)

from .certs import certificate

NOW = datetime.datetime(2025, 3, 4, 5, 6, 7)
ONE, TWO, THREE = (Address(4, 0x0A000000 + last) for last in (1, 2, 3))
OPEN = SessionAcl("OPEN", True, plug_to=(Sock(THREE, 143), Sock(TWO, 143)))
ALL = CommandAcl("ALL", True)
ALICE = CommandAcl("ALICE", True, Conditions(user=(WordMember("alice"),)))


def run(expr: TestExpr, session=(OPEN,), command=(ALL,), names=None, cert=None) -> Rehearsal:
    settings = Settings("t.cfg", "", Proxy("P", session_acls=tuple(session), command_acls=tuple(command)))
    return rehearse(settings, expr, NOW, names or {}, cert)


def moments(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    return [(search.moment, search.decision.name) for search in rehearsal.searches]


def from_(address: Address) -> Conditions:
    return Conditions(from_=(HostMember(HostRange(4, address.value, address.value)),))


def test_two_phases() -> None:
    rehearsal = run(TestExpr(from_=ONE))
    assert moments(rehearsal) == [(CONNECTION, "OPEN"), (BEFORE_LOGIN, "ALL")]
    assert [search.kind for search in rehearsal.searches] == ["session-acl", "command-acl"]
    assert rehearsal.accepted
    assert rehearsal.acls == (OPEN, ALL)


def test_a_refusal_ends_it() -> None:
    assert moments(run(TestExpr(), session=())) == [(CONNECTION, "<NULL>")]
    denied = run(TestExpr(), command=(CommandAcl("NO", False),))
    assert moments(denied) == [(CONNECTION, "OPEN"), (BEFORE_LOGIN, "NO")]
    assert not denied.accepted


def test_accepting_without_a_server_ends_it() -> None:
    acl = SessionAcl("BARE", True)
    assert moments(run(TestExpr(), session=(acl,))) == [(CONNECTION, "BARE")]
    assert run(TestExpr(transparent=True), session=(acl,)).accepted


def test_a_user_is_searched_again_after_login() -> None:
    rehearsal = run(TestExpr(user="alice"), command=(ALICE, ALL))
    assert moments(rehearsal) == [(CONNECTION, "OPEN"), (BEFORE_LOGIN, "ALL"), (AFTER_LOGIN, "ALICE")]
    assert rehearsal.acls == (OPEN, ALICE)


def test_nobody_is_known_before_login() -> None:
    assert not run(TestExpr(user="alice"), command=(ALICE,)).accepted


def test_a_second_search_may_deny() -> None:
    shut = CommandAcl("SHUT", False, Conditions(user=(WordMember("mallory"),)))
    assert not run(TestExpr(user="mallory"), command=(shut, ALL)).accepted
    assert run(TestExpr(user="alice"), command=(shut, ALL)).accepted


def test_no_second_search_where_no_command_acl_looks_at_users() -> None:
    assert moments(run(TestExpr(user="alice")))[-1] == (BEFORE_LOGIN, "ALL")


def test_groups_count_after_login() -> None:
    staff = CommandAcl("STAFF", True, Conditions(group=(WordMember("staff"),)))
    assert run(TestExpr(user="a", group=("staff",)), command=(staff, ALL)).acls == (OPEN, staff)


def test_the_parent_is_the_session_acl_that_accepted() -> None:
    child = CommandAcl("CHILD", True, Conditions(parent_acl=(WordMember("OPEN"),)))
    assert run(TestExpr(), command=(child,)).accepted


@pytest.mark.parametrize(
    ("expr", "servers"),
    [
        (TestExpr(), [None, (THREE, 143)]),
        (TestExpr(server=Sock(TWO, 993)), [(TWO, 993), (TWO, 993)]),
        (TestExpr(transparent=True, to=Sock(ONE, 143)), [(ONE, 143), (THREE, 143)]),
    ],
)
def test_the_server_of_each_phase(expr: TestExpr, servers: list) -> None:
    assert [search.server for search in run(expr).searches] == servers


def test_a_transparent_session_without_plug_to_keeps_its_destination() -> None:
    rehearsal = run(TestExpr(transparent=True, to=Sock(ONE, 143)), session=(SessionAcl("BARE", True),))
    assert [search.server for search in rehearsal.searches] == [(ONE, 143), (ONE, 143)]


def test_time() -> None:
    assert run(TestExpr()).facts.when == NOW
    assert run(TestExpr(time=TestTime(23, 59))).facts.when == datetime.datetime(2025, 3, 4, 23, 59)
    assert run(TestExpr(time=TestTime(0, 0, 31, 12))).facts.when == datetime.datetime(2025, 12, 31)
    night = SessionAcl("NIGHT", True, Conditions(time=(TimeSpec(minutes=((1320, 360),)),)), plug_to=OPEN.plug_to)
    assert run(TestExpr(), session=(night,)).accepted
    assert not run(TestExpr(time=TestTime(12, 0)), session=(night,)).accepted


def test_a_day_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"time: .* \(the year is 2025\)"):
        run(TestExpr(time=TestTime(0, 0, 29, 2)))


def test_a_client_by_name() -> None:
    names = {"mail.example": frozenset({TWO, ONE})}
    rehearsal = run(TestExpr(from_="Mail.example"), names=names)
    assert (rehearsal.facts.client, rehearsal.facts.client_name) == (ONE, "Mail.example")
    with pytest.raises(ConfigError, match=r"from: the name lost\.example is not resolved"):
        run(TestExpr(from_="lost.example"))
    with pytest.raises(ConfigError, match=r"from: the name none\.example has no address"):
        run(TestExpr(from_="none.example"), names={"none.example": frozenset()})
    with pytest.raises(ConfigError, match=r"to needs an address, not \*"):
        run(TestExpr(to=Sock(None, 143)))


def test_names_asked() -> None:
    expr = TestExpr(from_="A.example", to=Sock("b.example", 1), server=Sock("c.example.", 2))
    assert names_asked(expr) == {"a.example", "b.example", "c.example"}
    assert names_asked(TestExpr()) == frozenset()


def test_names_of_conditions_are_those_given() -> None:
    acl = SessionAcl("A", True, Conditions(from_=(HostMember(HostName("mail.example")),)), plug_to=OPEN.plug_to)
    assert not run(TestExpr(from_=ONE), session=(acl,)).accepted
    assert run(TestExpr(from_=ONE), session=(acl,), names={"mail.example": frozenset({ONE})}).accepted
    assert not run(TestExpr(from_=TWO), session=(acl,), names={"mail.example": frozenset({ONE})}).accepted


def test_from_decides() -> None:
    first = SessionAcl("FIRST", True, from_(ONE), plug_to=OPEN.plug_to)
    assert moments(run(TestExpr(from_=ONE), session=(first, OPEN)))[0] == (CONNECTION, "FIRST")
    assert moments(run(TestExpr(from_=TWO), session=(first, OPEN)))[0] == (CONNECTION, "OPEN")


STAFF = CertMatch("STAFF", organization=(WordMember("staff"),))
MEMBER, STRANGER = certificate(("O", "Staff")), certificate(("O", "x"))


def secure(verify: str | None, match: CertMatch | None = None) -> SessionAcl:
    use = SslUse(SslParams("PUBLIC", verify=verify))
    return SessionAcl("TLS", True, plug_to=OPEN.plug_to, client_ssl=use, client_cert_match=match)


@pytest.mark.parametrize(
    ("cert", "accepted", "said"),
    [
        (MEMBER, True, (None, None)),
        (STRANGER, False, ("organization staff;", "x")),
        (None, False, ("organization staff;", "no certificate")),
    ],
)
def test_what_a_session_acl_requires(cert: bytes | None, accepted: bool, said: tuple) -> None:
    rehearsal = run(TestExpr(), session=(secure("request", STAFF),), cert=cert)
    assert rehearsal.accepted is accepted
    assert rehearsal.requirement is not None
    assert (rehearsal.requirement.item, rehearsal.requirement.moment) == ("client-cert-match", HANDSHAKE)
    assert (rehearsal.requirement.trace.condition, rehearsal.requirement.trace.seen) == said
    assert len(rehearsal.searches) == (2 if accepted else 1)


def test_a_handshake_that_requires_a_certificate() -> None:
    rehearsal = run(TestExpr(), session=(secure("require"),))
    assert not rehearsal.accepted
    assert rehearsal.requirement is not None
    assert (rehearsal.requirement.item, rehearsal.requirement.trace.name) == ("client-ssl-params", "PUBLIC")
    assert run(TestExpr(), session=(secure("require"),), cert=STRANGER).accepted


def test_a_certificate_is_a_condition_of_command_acls() -> None:
    members = CommandAcl("MEMBERS", True, client_cert_match=STAFF)
    session = (secure("request"),)
    assert moments(run(TestExpr(), session, (members, ALL), cert=MEMBER))[-1] == (BEFORE_LOGIN, "MEMBERS")
    assert moments(run(TestExpr(), session, (members, ALL), cert=STRANGER))[-1] == (BEFORE_LOGIN, "ALL")
    assert moments(run(TestExpr(), session, (members, ALL)))[-1] == (BEFORE_LOGIN, "ALL")


def test_a_certificate_that_nobody_asks_for() -> None:
    members = CommandAcl("MEMBERS", True, client_cert_match=STAFF)
    plain = run(TestExpr(), (OPEN,), (members, ALL), cert=MEMBER)
    assert plain.unpresented == "session-acl OPEN has no client-ssl-params"
    assert moments(plain)[-1] == (BEFORE_LOGIN, "ALL")
    deaf = run(TestExpr(), (secure(None),), (members, ALL), cert=MEMBER)
    assert deaf.unpresented == "ssl-params PUBLIC does not ask clients for one (verify none)"
    assert moments(deaf)[-1] == (BEFORE_LOGIN, "ALL")
