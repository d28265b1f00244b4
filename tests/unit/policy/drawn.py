"""Hypothesis strategies for what conditions are made of. Values come from small pools, so that lists often fit."""

from __future__ import annotations

import datetime

from hypothesis import strategies as st

from imap4fast.config.basesettings import Conditions
from imap4fast.config.mailsettings import DocAcl, MailAcl, MailConditions
from imap4fast.config.settings import CertMatch, CommandAcl, Proxy, SessionAcl, Settings
from imap4fast.config.values import (
    Address,
    AnyHost,
    DateRange,
    HostMask,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    HostSublist,
    PeriodSpec,
    Sock,
    TimePeriodSet,
    TimeSpec,
    WordMember,
)
from imap4fast.policy.certificates import Presented
from imap4fast.policy.facts import Facts
from tests.unit.policy.certs import certificate

BASE = {4: 0x0A000000, 6: 0x20010DB8 << 96}
POOL = 24

versions = st.sampled_from((4, 6))
offsets = st.integers(0, POOL - 1)
names = st.sampled_from(("a.example.org", "b.example.org", "c.example.net"))
patterns = st.sampled_from((r"\.org$", "^A", "example", "nothing"))
ports = st.sampled_from((25, 143, 993))
port_ranges = st.none() | st.sampled_from(((143, 143), (100, 200), (0, 65535)))

addresses = st.builds(lambda version, offset: Address(version, BASE[version] + offset), versions, offsets)


@st.composite
def ranges(draw: st.DrawFn) -> HostRange:
    version = draw(versions)
    if draw(st.integers(0, 9)) == 0:
        return HostRange(version, 0, (1 << (32 if version == 4 else 128)) - 1)
    low, high = sorted((draw(offsets), draw(offsets)))
    return HostRange(version, BASE[version] + low, BASE[version] + high)


@st.composite
def masks(draw: st.DrawFn) -> HostMask:
    version = draw(versions)
    everything = (1 << (32 if version == 4 else 128)) - 1
    mask = everything & ~draw(st.sampled_from((0b0101, 0b1010, 0b0110)))
    return HostMask(version, (BASE[version] + draw(offsets)) & mask, mask)


by_address = st.just(AnyHost()) | ranges()
"""Hosts that the address alone decides, and that never cannot be told."""
simple_hosts = by_address | masks() | st.builds(HostName, names) | st.builds(HostRegex, patterns)


def host_lists(hosts: st.SearchStrategy = simple_hosts, depth: int = 2, with_ports: bool = True) -> st.SearchStrategy:
    """Host lists with sublists to the given depth."""
    if depth:
        inner = host_lists(hosts, depth - 1, with_ports)
        member_hosts = st.one_of(hosts, hosts, hosts, st.builds(HostSublist, inner))
    else:
        member_hosts = hosts
    wanted_ports = port_ranges if with_ports else st.none()
    members = st.builds(HostMember, member_hosts, st.booleans(), wanted_ports)
    return st.lists(members, min_size=1, max_size=5).map(tuple)


resolved = st.dictionaries(names, st.frozensets(addresses, max_size=3))

words = st.sampled_from(("alice", "bob", "Bob", "caf\u00e9", "cafe\u0301", "staff"))


def word_lists(depth: int = 2) -> st.SearchStrategy:
    """Word lists with sublists to the given depth."""
    exact = st.builds(lambda word, negate: WordMember(word, negate), words | st.none(), st.booleans())
    regex = st.builds(
        lambda word, negate: WordMember(word, negate, regex=True), st.sampled_from(("^b", "e")), st.booleans()
    )
    kinds = [exact, exact, regex]
    if depth:
        inner = word_lists(depth - 1)
        kinds.append(st.builds(lambda part, negate: WordMember(None, negate, sublist=part), inner, st.booleans()))
    return st.lists(st.one_of(kinds), min_size=1, max_size=5).map(tuple)


moments = st.datetimes(datetime.datetime(2023, 1, 1), datetime.datetime(2026, 12, 31))
minute_pairs = st.tuples(st.integers(0, 1439), st.integers(0, 1440))
weekday_pairs = st.tuples(st.integers(0, 6), st.integers(0, 6))
date_ranges = st.builds(DateRange, st.integers(1, 31), st.integers(1, 12), st.integers(1, 31), st.integers(1, 12))
time_specs = st.builds(
    TimeSpec,
    st.none() | st.frozensets(st.integers(1, 31), min_size=1),
    st.none() | st.frozensets(st.integers(1, 12), min_size=1),
    st.none() | st.frozensets(st.integers(0, 6), min_size=1),
    st.none() | st.lists(minute_pairs, min_size=1, max_size=3).map(tuple),
)
period_specs = st.builds(
    PeriodSpec,
    st.just("SPEC"),
    st.lists(date_ranges, max_size=2).map(tuple),
    st.lists(weekday_pairs, max_size=2).map(tuple),
    st.lists(minute_pairs, max_size=2).map(tuple),
)
period_sets = st.builds(TimePeriodSet, st.just("SET"), st.lists(period_specs, max_size=3).map(tuple), st.booleans())

acl_names = st.sampled_from(("ONE", "TWO", "THREE"))
conditions = st.builds(
    Conditions,
    from_=st.none() | host_lists(depth=1),
    to=st.none() | host_lists(depth=1),
    server=st.none() | host_lists(depth=1),
    time=st.lists(time_specs, max_size=2).map(tuple),
    time_period_set=st.none() | period_sets,
    user=st.none() | word_lists(1),
    group=st.none() | word_lists(1),
    parent_acl=st.none() | st.builds(lambda name: (WordMember(name),), acl_names),
)
few_conditions = st.just(Conditions()) | st.builds(Conditions, from_=host_lists(depth=1)) | conditions
session_acls = st.builds(
    SessionAcl, acl_names, st.booleans(), few_conditions, plug_to=st.sampled_from(((), (Sock(Address(4, 1), 143),)))
)
cert_matches = st.builds(
    CertMatch,
    st.just("MATCH"),
    common_name=st.none() | word_lists(1),
    organization=st.none() | word_lists(1),
    valid_days=st.none() | st.integers(0, 60),
) | st.sampled_from((CertMatch("ANY", any=True), CertMatch("NONE", none=True)))
presented = st.builds(
    Presented,
    st.sampled_from((certificate(), certificate(("CN", "Bob")), certificate(("CN", "alice"), ("O", "staff")), b"junk")),
    st.booleans(),
)
command_acls = st.builds(
    CommandAcl, acl_names, st.booleans(), few_conditions, client_cert_match=st.none() | st.none() | cert_matches
)
statuses = st.sampled_from(("found", "free", "skipped", "unknown", "error"))
directions = st.sampled_from(("download", "upload"))
operators = st.sampled_from(("lt", "le", "eq", "ne", "ge", "gt"))
sizes = st.integers(0, 3)
media_types = st.sampled_from(("text/plain", "text/html", "image/png", "text/*", ""))
file_names = st.sampled_from(("a.exe", "A.EXE", "b.txt", ""))


def lists_of(words: st.SearchStrategy) -> st.SearchStrategy:
    """Short lists of plain words, `*` among them."""
    return st.lists(st.builds(WordMember, words | st.none(), st.booleans()), min_size=1, max_size=3).map(tuple)


mail_conditions = st.builds(
    MailConditions,
    direction=st.none() | directions,
    virus=st.none() | lists_of(statuses),
    spam_score=st.none() | st.just(("UNKNOWN", None)) | st.tuples(operators, sizes.map(float)),
    size=st.none() | st.tuples(operators, sizes),
    header=st.none() | st.tuples(st.just("Subject"), word_lists(1)),
    sender=st.none() | lists_of(words),
    recipient=st.none() | lists_of(words),
)
few_mail_conditions = st.just(MailConditions()) | mail_conditions
parents = st.none() | st.builds(lambda name: (WordMember(name),), acl_names)
session_conditions = st.builds(
    Conditions, from_=st.none() | host_lists(depth=1), user=st.none() | word_lists(1), parent_acl=parents
)
mail_acls = st.builds(MailAcl, acl_names, st.booleans(), session_conditions, few_mail_conditions)
doc_acls = st.builds(
    DocAcl,
    acl_names,
    st.booleans(),
    session_conditions,
    few_mail_conditions,
    st.none() | lists_of(media_types),
    st.none() | lists_of(file_names),
)
mail_policies = st.builds(
    lambda command, mail, doc: Settings(
        "drawn.cfg", "", Proxy("P", command_acls=tuple(command), mail_acls=tuple(mail), doc_acls=tuple(doc))
    ),
    st.lists(command_acls, min_size=1, max_size=3),
    st.lists(mail_acls, max_size=3, unique_by=lambda acl: acl.name),
    st.lists(doc_acls, max_size=3, unique_by=lambda acl: acl.name),
)

policies = st.builds(
    lambda session, command: Settings("drawn.cfg", "", Proxy("P", session_acls=session, command_acls=command)),
    st.lists(session_acls, max_size=4).map(tuple),
    st.lists(command_acls, max_size=4).map(tuple),
)
facts = st.builds(
    Facts,
    client=addresses,
    client_port=ports,
    to=st.tuples(addresses, ports),
    transparent=st.booleans(),
    server=st.none() | st.tuples(addresses | names | st.none(), ports),
    user=st.none() | words,
    groups=st.lists(words, max_size=2).map(tuple),
    parent=st.just("") | acl_names,
    client_name=st.none() | names,
    when=st.none() | moments,
    client_cert=st.none() | presented,
)
