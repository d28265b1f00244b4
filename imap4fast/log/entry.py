"""The shape of one row of the log catalogue, and the levels.

Severity letters are those of the original: C critical, E error, W warning, N notice, I statistics, K milestone of a
program, D debug, T trace, F full. An entry is written when its severity's level is lower than or equal to the log's
level; N and I always are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from imap4fast._wire import Template

LEVELS = {"error": 3, "warning": 4, "normal": 6, "debug": 7, "trace": 8, "full": 9}
"""The level words of `log-debug` with their numbers; 5 has no word."""

SEVERITY_LEVELS = {"C": 2, "E": 3, "W": 4, "N": 0, "I": 0, "K": 5, "D": 7, "T": 8, "F": 9}
SYSLOG_PRIORITIES = {"C": 2, "E": 3, "W": 4, "N": 5, "I": 6, "K": 5, "D": 7, "T": 7, "F": 7}
SEVERITY_NAMES = {
    "C": "critical",
    "E": "error",
    "W": "warning",
    "N": "notice",
    "I": "statistics",
    "K": "milestone",
    "D": "debug",
    "T": "trace",
    "F": "full",
}

_PLACE = re.compile(r"(?:([A-Z][A-Za-z-]*)=)?%([sud])")
_FIXED = re.compile(r"\b([A-Z][A-Za-z-]*)=([^%\s]\S*)")


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """An entry under one severity, with all that can be known before its arguments.

    `kinds` are the letters of the placeholders, `template` is identifier and text for `_wire`; `fixed` are pairs that
    the text itself holds (`PHASE=1`); `urgent` lines do not wait for the timer.
    """

    id: str
    severity: str
    level: int
    priority: int
    urgent: bool
    text: str
    keys: tuple[str, ...]
    kinds: str
    fixed: dict[str, str]
    template: Template


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One row of the catalogue. `text` holds `%s`, `%u` and `%d` and no other `%`.

    `others` are severities that a situation may choose instead of `severity`. `unnamed` are the names which the bare
    placeholders (those without `KEY=`) have in the JSON format, in order.
    """

    component: str
    number: int
    severity: str
    text: str
    help: str
    others: str = ""
    unnamed: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(init=False)
    form: Form = field(init=False)
    forms: dict[str, Form] = field(init=False)

    def __post_init__(self) -> None:
        if "%" in _PLACE.sub("", self.text):
            raise ValueError(f"{self.id}: only %s, %u and %d stand in a text")
        object.__setattr__(self, "keys", tuple(_keys(self)))
        forms = {letter: _form(self, letter) for letter in self.severity + self.others}
        object.__setattr__(self, "forms", forms)
        object.__setattr__(self, "form", forms[self.severity])

    @property
    def id(self) -> str:
        """The identifier under the entry's usual severity: `IMAP-701-I`."""
        return f"{self.component}-{self.number}-{self.severity}"


def _keys(entry: Entry) -> Iterator[str]:
    """The name of each placeholder in order; every name once."""
    bare = iter(entry.unnamed)
    seen: set[str] = set()
    for place in _PLACE.finditer(entry.text):
        key = place[1] or next(bare, "")
        if not key or key in seen:
            raise ValueError(f"{entry.id}: a placeholder has no name of its own ({key!r})")
        seen.add(key)
        yield key
    if list(bare):
        raise ValueError(f"{entry.id}: more names than bare placeholders")


def _form(entry: Entry, severity: str) -> Form:
    kinds = "".join(place[2] for place in _PLACE.finditer(entry.text))
    id = f"{entry.component}-{entry.number}-{severity}"
    return Form(
        id=id,
        severity=severity,
        level=SEVERITY_LEVELS[severity],
        priority=SYSLOG_PRIORITIES[severity],
        urgent=severity in "CEK",
        text=entry.text,
        keys=entry.keys,
        kinds=kinds,
        fixed=dict(_FIXED.findall(entry.text)),
        template=Template(id.encode("ascii"), entry.text.encode("ascii")),
    )


class Component:
    """One component's part of the catalogue: makes its entries and keeps their numbers apart."""

    def __init__(self, code: str, about: str) -> None:
        if not re.fullmatch(r"[A-Z0-9]{4}", code):
            raise ValueError(f"{code!r} is no component code of four letters")
        self.code = code
        self.about = about
        self.entries: dict[int, Entry] = {}

    def entry(
        self, number: int, severity: str, text: str, help: str, *, others: str = "", unnamed: tuple[str, ...] = ()
    ) -> Entry:
        """A new entry of this component; ValueError when its number is taken."""
        if number in self.entries:
            raise ValueError(f"{self.code}-{number} stands twice in the catalogue")
        made = Entry(self.code, number, severity, text, help, others, unnamed)
        self.entries[number] = made
        return made
