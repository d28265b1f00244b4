"""Conditions: which fact each looks at, what it says it saw, and what cannot be told."""

from __future__ import annotations

import datetime

import pytest

from imap4fast.config.basesettings import Conditions
from imap4fast.config.settings import CertMatch
from imap4fast.config.values import (
    Address,
    AnyHost,
    HostList,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    TimePeriodSet,
    TimeSpec,
    WordMember,
)
from imap4fast.policy.certificates import Presented
from imap4fast.policy.conditions import (
    Condition,
    compile_client_cert,
    compile_conditions,
    condition_names,
    uses_client_name,
    uses_time,
    uses_user,
)
from imap4fast.policy.facts import Facts
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, FITS, Fit

from .certs import certificate

ONE, TWO, THREE = (Address(4, 0x0A000000 + last) for last in (1, 2, 3))


def host(address: Address, **options) -> HostList:
    return (HostMember(HostRange(4, address.value, address.value), **options),)


def named(name: str) -> HostList:
    return (HostMember(HostName(name)),)


def facts(**values) -> Facts:
    return Facts(ONE, 1024, (TWO, 143), **values)


def only(names=None, **conditions) -> Condition:
    (condition,) = compile_conditions(Conditions(**conditions), names or {})
    return condition


def test_no_conditions_cost_nothing() -> None:
    assert compile_conditions(Conditions(), {}) == ()


def test_the_order_in_which_conditions_are_judged() -> None:
    words = (WordMember(None),)
    everything = Conditions(host(ONE), host(ONE), host(ONE), (TimeSpec(),), TimePeriodSet("T"), words, words, words)
    items = [condition.item for condition in compile_conditions(everything, {})]
    assert items == ["from", "to", "server", "time", "time-period-set", "user", "group", "parent-acl"]


@pytest.mark.parametrize(
    ("members", "fit", "seen"),
    [
        (host(ONE), FITS, "[10.0.0.1]"),
        (host(TWO), DOES_NOT_FIT, "[10.0.0.1]"),
        (host(ONE, port=(1, 1023)), DOES_NOT_FIT, "[10.0.0.1] : 1024"),
        (named("mail.example.org"), CANNOT_TELL, "[10.0.0.1], mail.example.org not resolved"),
        ((HostMember(HostRegex("x")),), CANNOT_TELL, "[10.0.0.1], name unknown"),
    ],
)
def test_from(members: HostList, fit: Fit, seen: str) -> None:
    condition = only(from_=members)
    assert (condition.fits(facts()), condition.seen(facts())) == (fit, seen)


def test_from_by_the_name_of_the_client() -> None:
    condition = only(from_=(HostMember(HostRegex("^mail")),))
    known = facts(client_name="mail.example.org")
    assert (condition.fits(known), condition.seen(known)) == (FITS, "[10.0.0.1], name mail.example.org")


def test_to() -> None:
    condition = only(to=(HostMember(AnyHost(), port=(993, 993)),))
    assert condition.text == "to * : 993;"
    assert (condition.fits(facts()), condition.seen(facts())) == (DOES_NOT_FIT, "[10.0.0.2] : 143")
    assert only(to=host(TWO)).fits(facts()) is FITS


@pytest.mark.parametrize(
    ("members", "server", "fit", "seen"),
    [
        (host(THREE), (THREE, 143), FITS, "[10.0.0.3] : 143"),
        (host(TWO), (THREE, 143), DOES_NOT_FIT, "[10.0.0.3] : 143"),
        (host(THREE), None, CANNOT_TELL, "unknown"),
        ((HostMember(AnyHost()),), None, CANNOT_TELL, "unknown"),
        ((HostMember(AnyHost()),), (None, 143), FITS, "unknown : 143"),
        (host(THREE), (None, 143), CANNOT_TELL, "unknown : 143"),
        (host(THREE), ("three.example.org", 143), FITS, "three.example.org : 143"),
        (host(THREE), ("both.example.org", 143), CANNOT_TELL, "both.example.org : 143"),
        (host(THREE), ("lost.example.org", 143), CANNOT_TELL, "lost.example.org : 143"),
        (host(TWO), ("three.example.org", 143), DOES_NOT_FIT, "three.example.org : 143"),
        (
            named("lost.example.org"),
            ("LOST.example.org", 143),
            FITS,
            "LOST.example.org : 143, lost.example.org not resolved",
        ),
        (
            (HostMember(HostRegex("^three")),),
            ("three.example.org", 1),
            FITS,
            "three.example.org : 1, name three.example.org",
        ),
    ],
)
def test_server(members: HostList, server, fit: Fit, seen: str) -> None:
    names = {"three.example.org": frozenset({THREE}), "both.example.org": frozenset({TWO, THREE})}
    condition = only(names, server=members)
    given = facts(server=server)
    assert (condition.fits(given), condition.seen(given)) == (fit, seen)


def test_time() -> None:
    condition = only(time=(TimeSpec(minutes=((480, 990),)), TimeSpec(weekdays=frozenset({0}))))
    assert condition.text == "time * { 0800-1630 }; time { sun };"
    sunday = facts(when=datetime.datetime(2024, 1, 7, 23, 5))
    assert (condition.fits(sunday), condition.seen(sunday)) == (FITS, "sun 2024-01-07 23:05")
    monday = facts(when=datetime.datetime(2024, 1, 8, 23, 5))
    assert (condition.fits(monday), condition.seen(monday)) == (DOES_NOT_FIT, "mon 2024-01-08 23:05")
    assert (condition.fits(facts()), condition.seen(facts())) == (CANNOT_TELL, "unknown")


def test_time_period_set() -> None:
    condition = only(time_period_set=TimePeriodSet("NEVER"))
    assert condition.fits(facts(when=datetime.datetime(2024, 1, 7))) is DOES_NOT_FIT
    assert condition.fits(facts()) is CANNOT_TELL


def test_user() -> None:
    condition = only(user=(WordMember("bob", negate=True), WordMember(None)))
    assert condition.text == "user { ! bob, * };"
    assert (condition.fits(facts(user="alice")), condition.seen(facts(user="alice"))) == (FITS, "alice")
    assert condition.fits(facts(user="bob")) is DOES_NOT_FIT
    assert (condition.fits(facts()), condition.seen(facts())) == (CANNOT_TELL, "no user")


def test_group() -> None:
    condition = only(group=(WordMember("guests", negate=True), WordMember(None)))
    staff = facts(user="alice", groups=("staff", "it"))
    assert (condition.fits(staff), condition.seen(staff)) == (FITS, "{ staff, it }")
    assert condition.fits(facts(user="alice", groups=("staff", "guests"))) is DOES_NOT_FIT
    alone = facts(user="alice")
    assert (condition.fits(alone), condition.seen(alone)) == (DOES_NOT_FIT, "no group")
    assert (condition.fits(facts()), condition.seen(facts())) == (CANNOT_TELL, "no user")


def test_parent_acl() -> None:
    condition = only(parent_acl=(WordMember("IMAPS"),))
    child = facts(parent="IMAPS")
    assert (condition.fits(child), condition.seen(child)) == (FITS, "IMAPS")
    assert condition.fits(facts(parent="IMAP")) is DOES_NOT_FIT
    assert (condition.fits(facts()), condition.seen(facts())) == (DOES_NOT_FIT, "no session-acl")


def test_what_conditions_need() -> None:
    assert list(condition_names(Conditions(named("A.example"), named("b.example"), named("c.example")))) == [
        "a.example",
        "b.example",
        "c.example",
    ]
    regex = (HostMember(HostRegex("x")),)
    assert uses_client_name(Conditions(from_=regex))
    assert not uses_client_name(Conditions(to=regex, server=regex))
    assert uses_time(Conditions(time=(TimeSpec(),)))
    assert uses_time(Conditions(time_period_set=TimePeriodSet("T")))
    assert not uses_time(Conditions())
    assert uses_user(Conditions(user=(WordMember(None),)))
    assert uses_user(Conditions(group=(WordMember(None),)))
    assert not uses_user(Conditions(parent_acl=(WordMember(None),)))


def test_the_certificate_of_a_client() -> None:
    section = CertMatch("STAFF", common_name=(WordMember("jana"),), organization=(WordMember("x"),))
    (condition,) = compile_client_cert(section)
    jana = Presented(certificate(("CN", "Jana"), ("O", "X")), verified=True)
    other = Presented(certificate(("CN", "Jana"), ("O", "Y")), verified=True)
    assert condition.text == "client-cert-match STAFF;"
    assert condition.fits(facts(client_cert=jana)) is FITS
    assert condition.fits(facts(client_cert=other)) is DOES_NOT_FIT
    assert condition.fits(facts()) is DOES_NOT_FIT
    assert (condition.seen(facts()), condition.seen(facts(client_cert=jana))) == ("no certificate", '"O=X,CN=Jana"')
    assert [
        (trace.item, trace.text, trace.seen, trace.fit) for trace in condition.traces(facts(client_cert=other))
    ] == [
        ("client-cert-match", "client-cert-match STAFF: common-name jana;", "Jana", FITS),
        ("client-cert-match", "client-cert-match STAFF: organization x;", "Y", DOES_NOT_FIT),
    ]
    assert compile_client_cert(None) == ()
