"""What a configuration may hold, as data: items and sections, declared once each in `sections/`.

Reading, defaults, writing back and the reference in docs/ all follow these declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from imap4fast.config.diagnostic import Report
from imap4fast.config.source import Span
from imap4fast.config.syntax import Statement
from imap4fast.config.types import Type


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item. Omitted it has the default of its field in the section's structure.

    `field` is that field, dotted where it lies in a part. `default` is for the reference, where no structure tells it.
    `refuses` names what is not supported yet in a value that is of the right type. `same_as`: another name of an item.
    """

    keyword: str
    type: Type
    help: str
    field: str = ""
    default: str = ""
    repeatable: bool = False
    obligatory: bool = False
    supported: bool = True
    refuses: Callable[[Any], str | None] | None = None
    same_as: str = ""

    @property
    def target(self) -> str:
        """The field of the structure."""
        return self.field or self.keyword.replace("-", "_")


class Bound(msgspec.Struct, eq=False):
    """One section of a file: where its items stand, and the structure that it became, if it is for one.

    `partial`: something in it was not understood, so that nobody should complain about what is missing.
    """

    section: Section
    statement: Statement
    name: str
    places: dict[str, list[Span]]
    values: dict[str, Any]
    children: list[Bound]
    struct: Any = None
    partial: bool = False

    def place(self, keyword: str) -> Span:
        """Where an item first stands, or else the section's own keyword."""
        return self.places[keyword][0] if keyword in self.places else self.statement.keyword.span

    def named(self, keyword: str) -> list[Bound]:
        """The sections `keyword` in this one."""
        return [child for child in self.children if child.section.keyword == keyword]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One section. `struct` None: it is type-checked only.

    `one_of`: exactly one of these items must be given. `exclusive`: at most one of each group. `parts` are fields of
    the structure that are structures themselves, made from items with a dotted `field`. `inline`: a value of the
    section, of the name `field`, belongs to the structure around. `check` sees the bound section. `page` is the
    manual page that it belongs to.
    """

    keyword: str
    help: str
    members: tuple[Item | Section, ...]
    named: bool = False
    repeatable: bool = False
    obligatory: bool = False
    supported: bool = True
    inline: bool = False
    field: str = ""
    struct: type[msgspec.Struct] | None = None
    parts: Mapping[str, type[msgspec.Struct]] = {}
    one_of: tuple[str, ...] = ()
    exclusive: tuple[tuple[str, str], ...] = ()
    check: Callable[[Bound, Report], None] | None = None
    page: str = ""

    @property
    def target(self) -> str:
        """The field of the structure around."""
        return self.field or self.keyword.replace("-", "_")

    def member(self, keyword: str) -> Item | Section | None:
        """The item or section of that keyword."""
        return _index(self).get(keyword)

    def keywords(self) -> list[str]:
        """All keywords that may stand in it."""
        return list(_index(self))


_INDEX: dict[int, tuple[Section, dict[str, Item | Section]]] = {}


def _index(section: Section) -> dict[str, Item | Section]:
    """Members by keyword; kept by identity, since sections live as long as the program."""
    kept = _INDEX.get(id(section))
    if kept is None or kept[0] is not section:
        kept = _INDEX[id(section)] = (section, {member.keyword: member for member in section.members})
    return kept[1]


@cache
def defaults_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of a structure, each with its default or NODEFAULT. All defaults are immutable."""
    return {field.name: field.default for field in msgspec.structs.fields(struct)}


def default_of(section: Section, item: Item) -> Any:
    """The default of an item's field; NODEFAULT where it has none."""
    struct = section.struct
    name = item.target
    if "." in name:
        part, _, name = name.partition(".")
        struct = section.parts[part]
    if struct is None:
        return msgspec.NODEFAULT
    return defaults_of(struct)[name]
