"""Host lists: the rules of configuration.md section 1, against a naive evaluator made with ipaddress."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.values import (
    Address,
    AnyHost,
    HostList,
    HostMask,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    HostSublist,
)
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, FITS, Fit
from imap4fast.policy.hosts import Names, compile_hosts, plain_name, walk_members
from tests.unit.policy import drawn

ANSWERS = {True: FITS, False: DOES_NOT_FIT, None: CANNOT_TELL}

maybe_name = st.none() | drawn.names
hosts = st.tuples(drawn.addresses, drawn.ports, maybe_name)
by_address_lists = drawn.host_lists(drawn.by_address, with_ports=False)


def net(text: str) -> HostRange:
    network = ipaddress.ip_network(text)
    return HostRange(network.version, int(network[0]), int(network[-1]))


def addr(text: str) -> Address:
    address = ipaddress.ip_address(text)
    return Address(address.version, int(address))


def fits(members: HostList, text: str, names: Names | None = None, port: int = 143, name: str | None = None) -> Fit:
    return compile_hosts(members, names or {}).fits(addr(text), port, name)


def naive(members: HostList, host: tuple[Address, int, str | None], names: Names) -> bool | None:
    """The rules as they are written: True, False, or None for cannot tell."""
    possible = set()
    for member in members:
        answer = naive_member(member, host, names)
        if answer is not False:
            possible.add(not member.negate)
        if answer is True:
            break
    else:
        possible.add(False)
    return possible.pop() if len(possible) == 1 else None


def naive_member(member: HostMember, host: tuple[Address, int, str | None], names: Names) -> bool | None:
    address, port, name = host
    if member.port is not None and port not in range(member.port[0], member.port[1] + 1):
        return False
    spec = member.host
    if isinstance(spec, HostSublist):
        return naive(spec.members, host, names)
    if isinstance(spec, HostName):
        return address in names[spec.name] if spec.name in names else None
    if isinstance(spec, HostRegex):
        return None if name is None else re.search(spec.pattern, name, re.IGNORECASE) is not None
    return isinstance(spec, AnyHost) or naive_address(spec, address)


def naive_address(spec: HostRange | HostMask, address: Address) -> bool:
    make = ipaddress.IPv4Address if address.version == 4 else ipaddress.IPv6Address
    if spec.version != address.version:
        return False
    if isinstance(spec, HostRange):
        return make(spec.low) <= make(address.value) <= make(spec.high)
    return make(address.value & spec.mask) == make(spec.value)


@given(drawn.host_lists(), hosts, drawn.resolved)
def test_agrees_with_the_naive_evaluator(members: HostList, host, names: Names) -> None:
    assert compile_hosts(members, names).fits(*host) is ANSWERS[naive(members, host, names)]


@given(by_address_lists, hosts)
def test_tables_agree_with_the_naive_evaluator(members: HostList, host) -> None:
    assert compile_hosts(members, {}).fits(*host) is ANSWERS[naive(members, host, {})]


@given(drawn.host_lists(), drawn.host_lists(), hosts, drawn.resolved)
def test_members_after_the_deciding_one_change_nothing(members: HostList, more: HostList, host, names: Names) -> None:
    if any(naive_member(member, host, names) is True for member in members):
        assert compile_hosts(members + more, names).fits(*host) is compile_hosts(members, names).fits(*host)


@given(drawn.simple_hosts, hosts, drawn.resolved)
def test_everything_but_a_is_the_complement_of_a(host_spec, host, names: Names) -> None:
    alone = compile_hosts((HostMember(host_spec),), names).fits(*host)
    others = compile_hosts((HostMember(host_spec, negate=True), HostMember(AnyHost())), names).fits(*host)
    assert others is {FITS: DOES_NOT_FIT, DOES_NOT_FIT: FITS, CANNOT_TELL: CANNOT_TELL}[alone]


@given(drawn.host_lists(), hosts, drawn.resolved)
def test_a_list_in_braces_is_the_list(members: HostList, host, names: Names) -> None:
    wrapped = (HostMember(HostSublist(members)),)
    assert compile_hosts(wrapped, names).fits(*host) is compile_hosts(members, names).fits(*host)


@given(drawn.host_lists(), drawn.host_lists(), hosts, drawn.resolved)
def test_a_negated_sublist_excludes_exactly_what_it_represents(inner: HostList, rest: HostList, host, names) -> None:
    represented = compile_hosts(inner, names).fits(*host)
    whole = compile_hosts((HostMember(HostSublist(inner), negate=True), *rest), names).fits(*host)
    after = compile_hosts(rest, names).fits(*host)
    untold = DOES_NOT_FIT if after is DOES_NOT_FIT else CANNOT_TELL
    assert whole is {FITS: DOES_NOT_FIT, DOES_NOT_FIT: after, CANNOT_TELL: untold}[represented]


@given(drawn.host_lists(), hosts, drawn.resolved)
def test_exclusions_alone_match_nothing(members: HostList, host, names: Names) -> None:
    negated = tuple(HostMember(member.host, True, member.port) for member in members)
    assert compile_hosts(negated, names).fits(*host) is DOES_NOT_FIT


@given(drawn.host_lists(), hosts, drawn.resolved, drawn.resolved, drawn.names)
def test_learning_more_never_changes_a_definite_answer(members: HostList, host, names, more, learnt: str) -> None:
    before = compile_hosts(members, names).fits(*host)
    after = compile_hosts(members, {**more, **names}).fits(host[0], host[1], host[2] or learnt)
    assert before in (CANNOT_TELL, after)


@given(drawn.host_lists(), hosts, drawn.resolved)
def test_an_unknown_address_is_never_judged_otherwise_than_a_known_one(members: HostList, host, names) -> None:
    test = compile_hosts(members, names)
    assert test.fits(None, host[1], host[2]) in (CANNOT_TELL, test.fits(*host))


@given(drawn.host_lists(), hosts, drawn.resolved)
def test_by_name_changes_nothing_for_a_host_of_another_name(members: HostList, host, names: Names) -> None:
    address, port, _ = host
    by_name = compile_hosts(members, names, by_name=True)
    assert by_name.fits(address, port, None) is compile_hosts(members, names).fits(address, port, None)


def test_a_host_excluded_in_a_negated_sublist_is_not_thereby_included() -> None:
    inner = HostSublist((HostMember(net("10.0.0.1/32"), negate=True), HostMember(net("10.0.0.0/24"))))
    alone = (HostMember(inner, negate=True),)
    assert fits(alone, "10.0.0.1") is DOES_NOT_FIT
    with_any = (*alone, HostMember(AnyHost()))
    assert fits(with_any, "10.0.0.1") is FITS
    assert fits(with_any, "10.0.0.2") is DOES_NOT_FIT


def test_ipv4_and_ipv6_are_apart() -> None:
    assert fits((HostMember(net("::/0")),), "10.0.0.1") is DOES_NOT_FIT
    assert fits((HostMember(net("0.0.0.0/0")),), "::1") is DOES_NOT_FIT
    assert fits((HostMember(AnyHost()),), "::1") is FITS


def test_the_ends_of_the_address_space() -> None:
    everything = (HostMember(net("0.0.0.0/0")),)
    assert fits(everything, "0.0.0.0") is FITS
    assert fits(everything, "255.255.255.255") is FITS
    last = (HostMember(net("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")),)
    assert fits(last, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") is FITS
    assert fits(last, "::") is DOES_NOT_FIT


def test_a_name_stands_for_its_addresses() -> None:
    members = (HostMember(HostName("Mail.Example.ORG")),)
    names = {"mail.example.org": frozenset({addr("10.0.0.1"), addr("2001:db8::1")})}
    assert fits(members, "10.0.0.1", names) is FITS
    assert fits(members, "2001:db8::1", names) is FITS
    assert fits(members, "10.0.0.2", names) is DOES_NOT_FIT
    assert fits(members, "10.0.0.1") is CANNOT_TELL
    assert fits(members, "10.0.0.1", {"mail.example.org": frozenset()}) is DOES_NOT_FIT


def test_an_exclusion_that_cannot_be_told_lets_nobody_in() -> None:
    members = (HostMember(HostRegex("bad"), negate=True), HostMember(AnyHost()))
    assert fits(members, "10.0.0.1") is CANNOT_TELL
    assert fits(members, "10.0.0.1", name="bad.example.org") is DOES_NOT_FIT
    assert fits(members, "10.0.0.1", name="good.example.org") is FITS


def test_what_cannot_be_told_does_not_matter_where_the_rest_agrees() -> None:
    members = (HostMember(HostName("a.example.org")), HostMember(net("10.0.0.0/8")))
    assert fits(members, "10.0.0.1") is FITS
    assert fits(members, "192.0.2.1") is CANNOT_TELL


@pytest.mark.parametrize(("port", "fit"), [(992, DOES_NOT_FIT), (993, FITS), (995, FITS), (996, DOES_NOT_FIT)])
def test_ports_include_both_ends(port: int, fit: Fit) -> None:
    assert fits((HostMember(AnyHost(), port=(993, 995)),), "10.0.0.1", port=port) is fit


def test_a_host_known_by_its_name_alone() -> None:
    test = compile_hosts((HostMember(HostName("mail.example.org")),), {}, by_name=True)
    assert test.fits(None, 143, "MAIL.example.org.") is FITS
    assert test.fits(None, 143, "other.example.org") is CANNOT_TELL
    assert test.fits(addr("10.0.0.1"), 143, None) is CANNOT_TELL


def test_walk_members_goes_into_sublists() -> None:
    inner = HostMember(AnyHost())
    outer = HostMember(HostSublist((inner,)))
    assert list(walk_members((outer, inner))) == [outer, inner, inner]


def test_plain_name() -> None:
    assert plain_name("Mail.Example.ORG.") == "mail.example.org"
