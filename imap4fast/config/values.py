"""Typed values of a configuration: addresses, sockets, host lists, sets, times.

Runtime shapes only; where they stood in a file is `config/load.py`'s knowledge. All are frozen.
"""

from __future__ import annotations

import msgspec


class Address(msgspec.Struct, frozen=True, order=True):
    """One IP address: `version` 4 or 6 and its `value` as an unsigned integer.

    IPv4-mapped IPv6 addresses are always held as version 4.
    """

    version: int
    value: int


class AnyHost(msgspec.Struct, frozen=True, tag="any"):
    """`*`: every host."""


class HostRange(msgspec.Struct, frozen=True, tag="range"):
    """Addresses `low` to `high`, both included: `[a]`, `[a]-[b]`, `[a/24]`."""

    version: int
    low: int
    high: int


class HostMask(msgspec.Struct, frozen=True, tag="mask"):
    """`[a/MASK]` with a mask that is no prefix: fits x where `x & mask == value` (`value` is masked)."""

    version: int
    value: int
    mask: int


class HostName(msgspec.Struct, frozen=True, tag="name"):
    """A name: stands for its addresses (configuration.md section 1)."""

    name: str


class HostRegex(msgspec.Struct, frozen=True, tag="regex"):
    """`/.../`: searched, without case, in the forward-confirmed name of the address."""

    pattern: str


class HostSublist(msgspec.Struct, frozen=True, tag="sublist"):
    """`{ ... }` inside a list."""

    members: tuple[HostMember, ...]


HostSpec = AnyHost | HostRange | HostMask | HostName | HostRegex | HostSublist


class HostMember(msgspec.Struct, frozen=True):
    """One member of a host list: `! host : port`. `port` None: any port; else inclusive (low, high)."""

    host: HostSpec
    negate: bool = False
    port: tuple[int, int] | None = None


HostList = tuple[HostMember, ...]
"""First member that fits decides; `negate` makes it exclude; nothing fits: no match."""


class Sock(msgspec.Struct, frozen=True):
    """`HOST : PORT` as something to connect to or to bind. `host` is an `Address`, a name, or None for `*`."""

    host: Address | str | None
    port: int


class WordMember(msgspec.Struct, frozen=True):
    """One member of a list of words or strings. `word` None is `*`; `regex` marks `/.../`.

    `sublist` is set instead of `word` for `{ ... }`.
    """

    word: str | None
    negate: bool = False
    regex: bool = False
    sublist: tuple[WordMember, ...] | None = None


WordList = tuple[WordMember, ...]


class TimeSpec(msgspec.Struct, frozen=True):
    """`time [day SET] [month SET] [wday-SET [hhmm-SET]]`; None: `*`. All parts are ANDed.

    `days` 1-31, `months` 1-12, `weekdays` 0-6 from Sunday; `minutes` are pairs of minutes of the day, end
    exclusive, that may wrap.
    """

    days: frozenset[int] | None = None
    months: frozenset[int] | None = None
    weekdays: frozenset[int] | None = None
    minutes: tuple[tuple[int, int], ...] | None = None


class DateRange(msgspec.Struct, frozen=True):
    """`dates fd fm td tm`: both ends included, may wrap over the year's end."""

    from_day: int
    from_month: int
    to_day: int
    to_month: int


class PeriodSpec(msgspec.Struct, frozen=True):
    """One `time-spec NAME { }`: kinds are ANDed, several items of one kind are ORed.

    `weekdays` are inclusive pairs 0-6 from Sunday that may wrap; `hours` pairs of minutes of the day, end
    exclusive, that may wrap.
    """

    name: str
    dates: tuple[DateRange, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    hours: tuple[tuple[int, int], ...] = ()


class TimePeriodSet(msgspec.Struct, frozen=True):
    """Section `time-period-set NAME`: any spec fits, inverted by `exclude`."""

    name: str
    specs: tuple[PeriodSpec, ...] = ()
    exclude: bool = False
