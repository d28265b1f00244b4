"""Values of conditions in configuration syntax."""

from __future__ import annotations

import pytest

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
    TimePeriodSet,
    TimeSpec,
    WordMember,
)
from imap4fast.policy.syntax import (
    address_text,
    host_list_text,
    period_set_text,
    sock_text,
    time_text,
    word_list_text,
    word_text,
)

TEN = 0x0A000000


@pytest.mark.parametrize(
    ("host", "text"),
    [
        (AnyHost(), "*"),
        (HostRange(4, TEN + 5, TEN + 5), "[10.0.0.5]"),
        (HostRange(4, TEN, TEN + (1 << 24) - 1), "[10.0.0.0/8]"),
        (HostRange(4, 0, (1 << 32) - 1), "[0.0.0.0/0]"),
        (HostRange(4, TEN + 1, TEN + 2), "[10.0.0.1]-[10.0.0.2]"),
        (HostRange(4, TEN, TEN + 4), "[10.0.0.0]-[10.0.0.4]"),
        (HostRange(6, 0x20010DB8 << 96, (0x20010DB9 << 96) - 1), "[2001:db8::/32]"),
        (HostRange(6, 0, (1 << 128) - 1), "[::/0]"),
        (HostMask(4, TEN + 1, 0xFF00FFFF), "[10.0.0.1/255.0.255.255]"),
        (HostName("mail.example.org"), "mail.example.org"),
        (HostName("1.example.org"), '"1.example.org"'),
        (HostRegex(r"a/b\."), r"/a\/b\./"),
        (HostSublist((HostMember(AnyHost(), negate=True),)), "{ ! * }"),
    ],
)
def test_hosts(host, text: str) -> None:
    assert host_list_text((HostMember(host),)) == text


def test_host_lists() -> None:
    range_ = HostRange(4, TEN + 5, TEN + 5)
    assert host_list_text((HostMember(range_, negate=True), HostMember(AnyHost()))) == "{ ! [10.0.0.5], * }"
    assert host_list_text((HostMember(AnyHost(), port=(993, 993)),)) == "* : 993"
    assert host_list_text((HostMember(range_, port=(1, 1023)),)) == "[10.0.0.5] : 1-1023"
    assert host_list_text((HostMember(range_, negate=True),)) == "{ ! [10.0.0.5] }"


def test_words() -> None:
    members = (
        WordMember("bob", negate=True),
        WordMember("alice@example.org"),
        WordMember("^x/", regex=True),
        WordMember(None, sublist=(WordMember(None),)),
    )
    assert word_list_text(members) == r'{ ! bob, "alice@example.org", /^x\//, { * } }'
    assert word_list_text((WordMember(None),)) == "*"


@pytest.mark.parametrize(
    ("word", "text"),
    [("a-b", "a-b"), ("", '""'), ('a"\\', '"a\\"\\\\"'), ("a\n\t\x00", '"a\\n\\t\\x00"'), ("\u00e9", '"\u00e9"')],
)
def test_strings(word: str, text: str) -> None:
    assert word_text(word) == text


def test_sockets() -> None:
    assert address_text(Address(6, 1)) == "[::1]"
    assert sock_text(Address(4, TEN), 143) == "[10.0.0.0] : 143"
    assert sock_text("mail.example.org", 993) == "mail.example.org : 993"
    assert sock_text(None, 993) == "* : 993"


def test_times() -> None:
    spec = TimeSpec(frozenset({1, 15}), frozenset({1, 12}), frozenset({1, 3}), ((480, 990),))
    assert time_text(spec) == "time day { 1, 15 } month { jan, dec } { mon, wed } { 0800-1630 };"
    assert time_text(TimeSpec(minutes=((0, 1440),))) == "time * { 0000-2400 };"
    assert time_text(TimeSpec()) == "time *;"


def test_period_sets() -> None:
    spec = PeriodSpec("DAY", (DateRange(24, 12, 1, 1),), ((1, 5),), ((480, 1080),))
    assert period_set_text(TimePeriodSet("WORK", (spec,), exclude=True)) == (
        "time-period-set WORK { exclude; time-spec DAY { dates 24 dec 1 jan; weekdays mon fri; hours 0800 1800; } }"
    )
