"""Values of conditions written back as items of a configuration, for traces.

The language's own writers (`imap4fast.config`) do the work; a list of one member loses its braces here.
"""

from __future__ import annotations

from imap4fast.config.address import write_address
from imap4fast.config.clock import DATES, HOUR_PAIR, TIME, WEEKDAY_PAIR
from imap4fast.config.host import HOSTS
from imap4fast.config.types import bare_or_quoted
from imap4fast.config.values import Address, HostList, PeriodSpec, TimePeriodSet, TimeSpec, WordList
from imap4fast.config.wordlist import STRINGS

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def address_text(address: Address) -> str:
    """`[192.0.2.1]`."""
    return write_address(address)


def sock_text(host: Address | str | None, port: int) -> str:
    """`HOST : PORT`; None is `*`."""
    shown = "*" if host is None else word_text(host) if isinstance(host, str) else address_text(host)
    return f"{shown} : {port}"


def host_list_text(members: HostList) -> str:
    """A host list; braces only where one value would not do."""
    return _bare(HOSTS.write(members), members)


def word_list_text(members: WordList) -> str:
    """A list of words."""
    return _bare(STRINGS.write(members), members)


def word_text(word: str) -> str:
    """A word as it is, anything else as a string."""
    return bare_or_quoted(word)


def time_text(spec: TimeSpec) -> str:
    """Item `time`."""
    return f"time {TIME.write(spec)};"


def period_set_text(section: TimePeriodSet) -> str:
    """Section `time-period-set` in one line."""
    inner = ["exclude;"] if section.exclude else []
    inner += map(_period_text, section.specs)
    return f"time-period-set {section.name} {{ {' '.join(inner)} }}"


def _bare(text: str, members: HostList | WordList) -> str:
    """A list of one member without its braces, as people write it."""
    return text[2:-2] if len(members) == 1 and not members[0].negate else text


def _period_text(spec: PeriodSpec) -> str:
    items = [f"dates {DATES.write(dates)};" for dates in spec.dates]
    items += [f"weekdays {WEEKDAY_PAIR.write(pair)};" for pair in spec.weekdays]
    items += [f"hours {HOUR_PAIR.write(pair)};" for pair in spec.hours]
    return f"time-spec {spec.name} {{ {' '.join(items)} }}"
