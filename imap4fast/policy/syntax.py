"""Values of conditions written back in configuration syntax, for traces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from imap4fast.config.values import (
    Address,
    AnyHost,
    DateRange,
    HostList,
    HostMask,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    PeriodSpec,
    TimePeriodSet,
    TimeSpec,
    WordList,
    WordMember,
)

T = TypeVar("T")

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9._+=/*-]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def address_text(address: Address) -> str:
    """`[192.0.2.1]`."""
    return f"[{_bare(address.version, address.value)}]"


def sock_text(host: Address | str | None, port: int) -> str:
    """`HOST : PORT`; None is `*`."""
    shown = "*" if host is None else host if isinstance(host, str) else address_text(host)
    return f"{shown} : {port}"


def host_list_text(members: HostList) -> str:
    """A host list; braces only where one value would not do."""
    return _listed(members, _host_member, bare=len(members) == 1 and not members[0].negate)


def word_list_text(members: WordList) -> str:
    """A list of words."""
    return _listed(members, _word_member, bare=len(members) == 1 and not members[0].negate)


def word_text(word: str) -> str:
    """A word as it is, anything else as a string."""
    if _WORD.fullmatch(word):
        return word
    return '"' + "".join(map(_string_char, word)) + '"'


def time_text(spec: TimeSpec) -> str:
    """Item `time`."""
    parts = ["time"]
    if spec.days is not None:
        parts.append(f"day {_set_text(spec.days, str)}")
    if spec.months is not None:
        parts.append(f"month {_set_text(spec.months, lambda month: MONTHS[month - 1])}")
    if spec.weekdays is not None:
        parts.append(_set_text(spec.weekdays, WEEKDAYS.__getitem__))
    elif spec.minutes is not None:
        parts.append("*")
    if spec.minutes is not None:
        parts.append(_listed(spec.minutes, lambda pair: f"{_hhmm(pair[0])}-{_hhmm(pair[1])}"))
    return " ".join(parts) + ";"


def period_set_text(section: TimePeriodSet) -> str:
    """Section `time-period-set` in one line."""
    inner = ["exclude;"] if section.exclude else []
    inner += map(_period_text, section.specs)
    return f"time-period-set {section.name} {{ {' '.join(inner)} }}"


def _host_member(member: HostMember) -> str:
    host = _host_text(member)
    if member.port is not None:
        low, high = member.port
        host += f" : {low}" if low == high else f" : {low}-{high}"
    return f"! {host}" if member.negate else host


def _host_text(member: HostMember) -> str:
    host = member.host
    if isinstance(host, AnyHost):
        return "*"
    if isinstance(host, HostRange):
        return _range_text(host)
    if isinstance(host, HostMask):
        return f"[{_bare(host.version, host.value)}/{_bare(host.version, host.mask)}]"
    if isinstance(host, HostName):
        return word_text(host.name)
    if isinstance(host, HostRegex):
        return _regex_text(host.pattern)
    return _listed(host.members, _host_member)


def _range_text(host: HostRange) -> str:
    low = _bare(host.version, host.low)
    if host.low == host.high:
        return f"[{low}]"
    size = host.high - host.low + 1
    if size & (size - 1) == 0 and host.low % size == 0:
        width = 32 if host.version == 4 else 128
        return f"[{low}/{width - size.bit_length() + 1}]"
    return f"[{low}]-[{_bare(host.version, host.high)}]"


def _bare(version: int, value: int) -> str:
    return str(IPv4Address(value) if version == 4 else IPv6Address(value))


def _word_member(member: WordMember) -> str:
    if member.sublist is not None:
        text = _listed(member.sublist, _word_member)
    elif member.word is None:
        text = "*"
    else:
        text = _regex_text(member.word) if member.regex else word_text(member.word)
    return f"! {text}" if member.negate else text


def _regex_text(pattern: str) -> str:
    return "/" + re.sub(r"(?<!\\)/", r"\\/", pattern) + "/"


def _string_char(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else "".join(f"\\x{octet:02X}" for octet in char.encode("utf-8", "replace"))


def _listed(members: Iterable[T], text: Callable[[T], str], bare: bool = False) -> str:
    joined = ", ".join(map(text, members))
    return joined if bare else f"{{ {joined} }}"


def _set_text(numbers: Iterable[int], text: Callable[[int], str]) -> str:
    """A set of integers, neighbours joined to ranges."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return _listed(runs, lambda run: _run_text(run, text))


def _run_text(run: Sequence[int], text: Callable[[int], str]) -> str:
    return text(run[0]) if len(run) == 1 else f"{text(run[0])}-{text(run[-1])}"


def _period_text(spec: PeriodSpec) -> str:
    items = [_dates_text(dates) for dates in spec.dates]
    items += [f"weekdays {WEEKDAYS[first]} {WEEKDAYS[last]};" for first, last in spec.weekdays]
    items += [f"hours {_hhmm(first)} {_hhmm(end)};" for first, end in spec.hours]
    return f"time-spec {spec.name} {{ {' '.join(items)} }}"


def _dates_text(dates: DateRange) -> str:
    first, last = MONTHS[dates.from_month - 1], MONTHS[dates.to_month - 1]
    return f"dates {dates.from_day} {first} {dates.to_day} {last};"


def _hhmm(minute: int) -> str:
    return f"{minute // 60:02d}{minute % 60:02d}"
