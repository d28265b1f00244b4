"""The search: first match, nothing denies, and the trace that always agrees with the quick search."""

from __future__ import annotations

import datetime

from hypothesis import given

from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import CertMatch, CommandAcl, Proxy, SessionAcl, Settings, SslParams, SslUse
from imap4fast.config.values import (
    Address,
    AnyHost,
    HostList,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    Sock,
    TimeSpec,
    WordMember,
)
from imap4fast.policy.certificates import Presented
from imap4fast.policy.conditions import compile_client_cert, compile_conditions
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import FITS
from imap4fast.policy.hosts import Names
from imap4fast.policy.search import NO_ACL, NO_TLS, NOT_CONNECTABLE, Decision, Policy
from imap4fast.policy.trace import AclTrace
from tests.unit.policy import drawn
from tests.unit.policy.certs import certificate

ONE, TWO = Address(4, 0x0A000001), Address(4, 0x0A000002)
PLUG = (Sock(TWO, 143),)


def settings(session=(), command=()) -> Settings:
    return Settings("test.cfg", "", Proxy("P", session_acls=tuple(session), command_acls=tuple(command)))


def only_from(address: Address) -> Conditions:
    return Conditions(from_=(HostMember(HostRange(4, address.value, address.value)),))


def facts(**values) -> Facts:
    return Facts(ONE, 1024, (TWO, 143), **values)


@given(drawn.policies, drawn.facts, drawn.resolved)
def test_the_trace_agrees_with_the_quick_search(drawn_settings: Settings, given_facts: Facts, names: Names) -> None:
    policy = Policy(drawn_settings, names)
    proxy = drawn_settings.proxy
    for acls, decision, (explained, traces) in (
        (proxy.session_acls, policy.session(given_facts), policy.explain_session(given_facts)),
        (proxy.command_acls, policy.command(given_facts), policy.explain_command(given_facts)),
    ):
        assert explained == decision
        assert [trace.name for trace in traces] == [acl.name for acl in acls[: len(traces)]]
        assert [trace.matched for trace in traces[:-1]] == [False] * len(traces[:-1])
        assert (decision.acl is not None) is bool(traces and traces[-1].matched)
        assert len(traces) == len(acls) or traces[-1].matched


@given(drawn.policies, drawn.facts, drawn.resolved)
def test_the_first_acl_whose_conditions_all_fit_decides(drawn_settings: Settings, given_facts, names: Names) -> None:
    decision = Policy(drawn_settings, names).command(given_facts)
    for acl in drawn_settings.proxy.command_acls:
        conditions = compile_conditions(acl.conditions, names) + compile_client_cert(acl.client_cert_match)
        if all(condition.fits(given_facts) is FITS for condition in conditions):
            assert decision == Decision(2, acl.name, acl.accept, acl)
            break
    else:
        assert decision == Decision(2, NO_ACL, False, None)


def test_first_match_decides() -> None:
    first = SessionAcl("FIRST", False, only_from(TWO), plug_to=PLUG)
    second = SessionAcl("SECOND", True, only_from(ONE), plug_to=PLUG)
    third = SessionAcl("THIRD", False, plug_to=PLUG)
    policy = Policy(settings((first, second, third)))
    assert policy.session(facts()) == Decision(1, "SECOND", True, second)
    decision, traces = policy.explain_session(facts())
    assert decision.acl is second
    assert traces[0] == AclTrace("FIRST", False, traces[0].conditions, "from [10.0.0.2];", "[10.0.0.1]")
    assert [trace.matched for trace in traces] == [False, True]


def test_nothing_matches_nothing_accepted() -> None:
    policy = Policy(settings())
    assert policy.session(facts()) == Decision(1, "<NULL>", False, None)
    assert policy.command(facts()) == Decision(2, "<NULL>", False, None)
    assert policy.explain_session(facts()) == (Decision(1, "<NULL>", False, None), ())


def test_accepting_without_a_server_is_refused_unless_transparent() -> None:
    acl = SessionAcl("OPEN", True)
    policy = Policy(settings((acl,)))
    assert policy.session(facts()) == Decision(1, "OPEN", False, acl, NOT_CONNECTABLE)
    assert policy.session(facts(transparent=True)) == Decision(1, "OPEN", True, acl)


def test_denying_without_a_server_needs_no_reason() -> None:
    acl = SessionAcl("SHUT", False)
    assert Policy(settings((acl,))).session(facts()) == Decision(1, "SHUT", False, acl)


def test_command_acls_know_their_parent_and_the_user() -> None:
    staff = CommandAcl("STAFF", True, Conditions(user=(WordMember("alice"),)))
    imaps = CommandAcl("IMAPS", True, Conditions(parent_acl=(WordMember("TLS"),)))
    policy = Policy(settings((), (staff, imaps)))
    known = facts(parent="TLS")
    assert policy.command(known).name == "IMAPS"
    known.user = "alice"
    assert policy.command(known).name == "STAFF"


def test_what_a_policy_needs() -> None:
    plain = Policy(settings((SessionAcl("A", True, only_from(ONE)),)))
    assert (plain.needs_time, plain.needs_client_name, plain.command_uses_user) == (False, False, False)
    assert plain.host_names == frozenset()
    regex: HostList = (HostMember(HostRegex("x")),)
    assert Policy(settings((SessionAcl("A", True, Conditions(from_=regex)),))).needs_client_name
    assert Policy(settings((), (CommandAcl("A", True, Conditions(time=(TimeSpec(),))),))).needs_time
    user = Conditions(user=(WordMember("alice"),))
    assert Policy(settings((), (CommandAcl("A", True, user),))).command_uses_user
    assert not Policy(settings((SessionAcl("A", True, user),))).command_uses_user


def test_names_to_resolve() -> None:
    named = Conditions(from_=(HostMember(HostName("A.example.")),))
    plug = (Sock("mail.example", 143),)
    assert Policy(settings((SessionAcl("A", True, named, plug_to=plug),))).host_names == {"a.example"}
    server = CommandAcl("B", True, Conditions(server=(HostMember(AnyHost()),)))
    both = Policy(settings((SessionAcl("A", True, named, plug_to=plug),), (server,)))
    assert both.host_names == {"a.example", "mail.example"}


def test_names_are_known_in_any_spelling() -> None:
    acl = SessionAcl("A", True, Conditions(from_=(HostMember(HostName("mail.example")),)), plug_to=PLUG)
    assert not Policy(settings((acl,))).session(facts()).accepted
    assert Policy(settings((acl,)), {"Mail.Example.": frozenset({ONE})}).session(facts()).accepted


def test_time_is_that_of_the_facts() -> None:
    acl = SessionAcl("DAY", True, Conditions(time=(TimeSpec(minutes=((480, 1080),)),)), plug_to=PLUG)
    policy = Policy(settings((acl,)))
    assert policy.session(facts(when=datetime.datetime(2024, 1, 1, 9))).accepted
    assert not policy.session(facts(when=datetime.datetime(2024, 1, 1, 19))).accepted
    assert not policy.session(facts()).accepted


STAFF = CertMatch("STAFF", organization=(WordMember("staff"),))
MEMBERS = (CommandAcl("STAFF", True, client_cert_match=STAFF), CommandAcl("REST", True))


def test_a_certificate_decides_between_command_acls() -> None:
    policy = Policy(settings(command=MEMBERS))
    staff = Presented(certificate(("O", "Staff")), verified=True)
    assert policy.command(facts(client_cert=staff)).name == "STAFF"
    assert policy.command(facts()).name == "REST"
    assert policy.command(facts(client_cert=Presented(staff.der, verified=False))).name == "REST"
    decision, traces = policy.explain_command(facts(client_cert=Presented(certificate(("O", "x")), verified=True)))
    assert decision.name == "REST"
    assert (traces[0].condition, traces[0].seen) == ("client-cert-match STAFF: organization staff;", "x")


def test_what_certificates_need() -> None:
    assert Policy(settings(command=MEMBERS)).needs_client_cert
    assert not Policy(settings(command=MEMBERS[1:])).needs_client_cert
    dated = CertMatch("DATED", valid_days=1)
    for needing in (
        settings(session=(SessionAcl("A", True, client_cert_match=dated),)),
        settings(command=(CommandAcl("A", True, client_cert_match=dated),)),
        settings(command=(CommandAcl("A", True, server_cert_match=dated),)),
    ):
        assert Policy(needing).needs_time
    assert not Policy(settings(command=MEMBERS)).needs_time


def test_a_required_certificate_is_not_skipped_where_there_is_no_tls() -> None:
    plain = SessionAcl("A", True, plug_to=PLUG, client_cert_match=STAFF)
    assert Policy(settings(session=(plain,))).session(facts()) == Decision(1, "A", False, plain, NO_TLS)
    secure = SessionAcl("A", True, plug_to=PLUG, client_cert_match=STAFF, client_ssl=SslUse(SslParams("P")))
    nobody = SessionAcl("A", True, plug_to=PLUG, client_cert_match=CertMatch("N", none=True))
    for acl in (secure, nobody):
        assert Policy(settings(session=(acl,))).session(facts()).accepted
