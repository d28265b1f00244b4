"""Host lists, compiled: does an address, with its port and name, fit a list?

Rules (configuration.md section 1): the first member that fits decides, `!` excludes, nothing fits: no match. A
sublist is a member that fits exactly the hosts that it represents; so a host excluded inside a sublist, negated or
not, is passed on to the next member. A name stands for its addresses. Three-valued, see `fit.py`: a name that was
not resolved, a regular expression on an unknown name and an unknown address cannot be told.

Members that depend on the address alone are laid into one table of spans; ports, masks that are no prefixes and
regular expressions are stages of their own. No ipaddress objects here: addresses are integers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Protocol

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
from imap4fast.policy.fit import CANNOT_TELL, DOES_NOT_FIT, EXCLUDE, FITS, GO_ON, INCLUDE, SETTLED, Fit, outcome
from imap4fast.policy.regex import compile_regex
from imap4fast.policy.spans import Span, SpanTable

Names = Mapping[str, frozenset[Address]]
"""Resolved names, as `plain_name` writes them. A name that is missing was not resolved."""

TOP = {4: (1 << 32) - 1, 6: (1 << 128) - 1}


class HostTest(Protocol):
    """A compiled host list."""

    def fits(self, address: Address | None, port: int, name: str | None) -> Fit:
        """Whether the list fits a host; address and name may be unknown (None)."""


class _Stage(Protocol):
    def outcome(self, address: Address | None, port: int, name: str | None) -> int: ...


def plain_name(name: str) -> str:
    """The one spelling of a host name: small letters, no final dot."""
    return name.lower().removesuffix(".")


def compile_hosts(members: HostList, names: Names, *, by_name: bool = False) -> HostTest:
    """Compile a list. `by_name`: a host known by a name alone fits a member of that name (item `server`)."""
    stages = _compile_stages(members, names, by_name)
    if len(stages) == 1 and isinstance(stages[0], _Table):
        return _TableTest(stages[0])
    return _StagedTest(stages)


def walk_members(members: HostList) -> Iterator[HostMember]:
    """All members of a list and of its sublists."""
    for member in members:
        yield member
        if isinstance(member.host, HostSublist):
            yield from walk_members(member.host.members)


class _TableTest:
    """A list that needs the address alone: one look-up."""

    __slots__ = ("_cuts4", "_cuts6", "_fits4", "_fits6", "_unknown")

    def __init__(self, table: _Table) -> None:
        self._cuts4, self._fits4 = table.four.cuts, tuple(SETTLED[bits] for bits in table.four.bits)
        self._cuts6, self._fits6 = table.six.cuts, tuple(SETTLED[bits] for bits in table.six.bits)
        self._unknown = SETTLED[table.unknown]

    def fits(self, address: Address | None, port: int, name: str | None) -> Fit:
        if address is None:
            return self._unknown
        if address.version == 4:
            return self._fits4[bisect_right(self._cuts4, address.value)]
        return self._fits6[bisect_right(self._cuts6, address.value)]


class _StagedTest:
    """A list of any kind: stages asked in order until one decides."""

    __slots__ = ("_stages",)

    def __init__(self, stages: tuple[_Stage, ...]) -> None:
        self._stages = stages

    def fits(self, address: Address | None, port: int, name: str | None) -> Fit:
        bits = 0
        for stage in self._stages:
            said = stage.outcome(address, port, name)
            bits |= said
            if not said & GO_ON:
                return SETTLED[bits & (INCLUDE | EXCLUDE)]
        return SETTLED[bits]


class _Table:
    """A run of members that depend on the address alone."""

    __slots__ = ("four", "six", "unknown")

    def __init__(self, members: HostList, names: Names) -> None:
        spans = {
            version: [
                Span(low, high, rank, outcome(fit, _effect(member)))
                for rank, member in enumerate(members)
                for low, high, fit in _ranges(member, names, version)
            ]
            for version in TOP
        }
        self.four = SpanTable(spans[4], TOP[4])
        self.six = SpanTable(spans[6], TOP[6])
        self.unknown = 0
        for bits in self.four.bits + self.six.bits:
            self.unknown |= bits

    def outcome(self, address: Address | None, port: int, name: str | None) -> int:
        if address is None:
            return self.unknown
        return self.four.at(address.value) if address.version == 4 else self.six.at(address.value)


class _OnPort:
    """A member with a port."""

    __slots__ = ("_high", "_low", "_stage")

    def __init__(self, stage: _Stage, port: tuple[int, int]) -> None:
        self._stage = stage
        self._low, self._high = port

    def outcome(self, address: Address | None, port: int, name: str | None) -> int:
        return self._stage.outcome(address, port, name) if self._low <= port <= self._high else GO_ON


class _ByMask:
    """A mask that is no prefix."""

    __slots__ = ("_effect", "_mask")

    def __init__(self, mask: HostMask, effect: int) -> None:
        self._mask = mask
        self._effect = effect

    def outcome(self, address: Address | None, port: int, name: str | None) -> int:
        if address is None:
            return outcome(CANNOT_TELL, self._effect)
        same = address.version == self._mask.version and address.value & self._mask.mask == self._mask.value
        return self._effect if same else GO_ON


class _ByRegex:
    """A regular expression on the host's name."""

    __slots__ = ("_effect", "_regex")

    def __init__(self, pattern: str, effect: int) -> None:
        self._regex = compile_regex(pattern)
        self._effect = effect

    def outcome(self, address: Address | None, port: int, name: str | None) -> int:
        if name is None:
            return outcome(CANNOT_TELL, self._effect)
        return self._effect if self._regex.search(plain_name(name)) is not None else GO_ON


class _ByName:
    """A name, where the host itself may be known by its name alone."""

    __slots__ = ("_effect", "_name", "_table")

    def __init__(self, member: HostMember, name: str, names: Names) -> None:
        self._name = plain_name(name)
        self._effect = _effect(member)
        self._table = _Table((member,), names)

    def outcome(self, address: Address | None, port: int, name: str | None) -> int:
        if name is not None and plain_name(name) == self._name:
            return self._effect
        return self._table.outcome(address, port, name)


class _BySublist:
    """A sublist that is more than a table."""

    __slots__ = ("_effect", "_test")

    def __init__(self, stages: tuple[_Stage, ...], effect: int) -> None:
        self._test = _StagedTest(stages)
        self._effect = effect

    def outcome(self, address: Address | None, port: int, name: str | None) -> int:
        return outcome(self._test.fits(address, port, name), self._effect)


def _compile_stages(members: HostList, names: Names, by_name: bool) -> tuple[_Stage, ...]:
    stages: list[_Stage] = []
    for by_address, run in groupby(members, key=lambda member: _by_address_alone(member, by_name)):
        if by_address:
            stages.append(_Table(tuple(run), names))
        else:
            stages.extend(_compile_member(member, names, by_name) for member in run)
    return tuple(stages)


def _compile_member(member: HostMember, names: Names, by_name: bool) -> _Stage:
    stage = _compile_host(member, names, by_name)
    return stage if member.port is None else _OnPort(stage, member.port)


def _compile_host(member: HostMember, names: Names, by_name: bool) -> _Stage:
    host = member.host
    if isinstance(host, HostMask):
        return _ByMask(host, _effect(member))
    if isinstance(host, HostRegex):
        return _ByRegex(host.pattern, _effect(member))
    if isinstance(host, HostName) and by_name:
        return _ByName(member, host.name, names)
    if isinstance(host, HostSublist):
        return _BySublist(_compile_stages(host.members, names, by_name), _effect(member))
    return _Table((member,), names)


def _by_address_alone(member: HostMember, by_name: bool) -> bool:
    """Whether the member can go into a table."""
    if member.port is not None:
        return False
    if isinstance(member.host, HostSublist):
        return all(_by_address_alone(inner, by_name) for inner in member.host.members)
    if isinstance(member.host, HostName):
        return not by_name
    return isinstance(member.host, AnyHost | HostRange)


def _effect(member: HostMember) -> int:
    return EXCLUDE if member.negate else INCLUDE


def _ranges(member: HostMember, names: Names, version: int) -> list[tuple[int, int, Fit]]:
    """(low, high, fit) of all addresses of one version which the member fits, or of which it cannot tell."""
    host = member.host
    if isinstance(host, HostRange):
        return [(host.low, host.high, FITS)] if host.version == version else []
    if isinstance(host, HostName):
        return _name_ranges(host.name, names, version)
    if isinstance(host, HostSublist):
        return _sublist_ranges(host, names, version)
    return [(0, TOP[version], FITS)]


def _name_ranges(name: str, names: Names, version: int) -> list[tuple[int, int, Fit]]:
    addresses = names.get(plain_name(name))
    if addresses is None:
        return [(0, TOP[version], CANNOT_TELL)]
    return [(address.value, address.value, FITS) for address in addresses if address.version == version]


def _sublist_ranges(sublist: HostSublist, names: Names, version: int) -> list[tuple[int, int, Fit]]:
    table = _Table(sublist.members, names)
    pieces = (table.four if version == 4 else table.six).pieces()
    return [(low, high, SETTLED[bits]) for low, high, bits in pieces if SETTLED[bits] is not DOES_NOT_FIT]
