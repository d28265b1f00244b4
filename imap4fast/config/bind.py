"""Statements against the schema: every item is typed, every section becomes its structure, all errors are reported."""

from __future__ import annotations

from typing import Any

from imap4fast.config.cursor import Cursor, Names, shown
from imap4fast.config.diagnostic import ElementError, Report, suggestion
from imap4fast.config.schema import Bound, Item, Section, defaults_of
from imap4fast.config.syntax import Atom, Statement
from imap4fast.config.types import Key


class Binder:
    """One run over the statements of a file and its includes. `homes` says where a keyword belongs."""

    def __init__(self, report: Report, names: Names, homes: dict[str, list[str]]) -> None:
        self._report = report
        self._names = names
        self._homes = homes

    def bind(self, section: Section, statement: Statement, supported: bool = True) -> Bound:
        """The section that `statement` is; in one that is not supported its items are only type-checked."""
        bound = Bound(section, statement, self._name(section, statement), {}, {}, [], partial=self._report.partial)
        for inner in statement.body or ():
            self._member(bound, inner, supported)
        self._complete(bound)
        if section.struct is not None:
            bound.struct = _build(section, bound)
        if section.check is not None:
            section.check(bound, self._report)
        return bound

    def _name(self, section: Section, statement: Statement) -> str:
        first = statement.elements[0] if statement.elements else None
        if not section.named:
            if first is not None:
                self._report.error(first.span, f"section `{section.keyword}` takes no name")
            return ""
        if first is None:
            self._report.error(statement.keyword.span.after(), f"section `{section.keyword}` needs a name")
            return ""
        if not isinstance(first, Atom) or first.kind != "WORD":
            self._report.error(first.span, f"a name must be a word, not {shown(first)}")
            return ""
        if len(statement.elements) > 1:
            extra = statement.elements[1]
            self._report.error(extra.span, f"unexpected {shown(extra)} after the section's name")
        return first.text

    def _member(self, bound: Bound, statement: Statement, supported: bool) -> None:
        member = bound.section.member(statement.keyword.text)
        if member is None:
            self._unknown(bound.section, statement.keyword)
            bound.partial = True
            return
        forgotten = self._run_together(bound.section, member, statement)
        if forgotten is not None:
            head, rest = _split(statement, forgotten)
            self._report.error(_last(head).after(), f"`;` is missing after {shown_last(head)}")
            self._member(bound, head, supported)
            self._member(bound, rest, supported)
        elif isinstance(member, Section):
            self._section(bound, member, statement, supported)
        else:
            self._item(bound, member, statement, supported)

    def _unknown(self, section: Section, keyword: Atom) -> None:
        near = suggestion(keyword.text, section.keywords())
        homes = [home for home in self._homes.get(keyword.text, ()) if home != section.keyword]
        where = f"in section `{section.keyword}`" if section.keyword else "at the top level"
        if homes:
            text = f"`{keyword.text}` cannot stand {where}; it belongs in {' or '.join(f'`{h}`' for h in homes[:4])}"
        else:
            text = f"unknown word `{keyword.text}` {where}{near}"
        self._report.error(keyword.span, text)

    def _section(self, bound: Bound, section: Section, statement: Statement, supported: bool) -> None:
        keyword = statement.keyword
        if statement.body is None:
            self._report.error(keyword.span, f"`{keyword.text}` is a section: `{keyword.text} {{ ... }}`")
            return
        child = self.bind(section, statement, supported and section.supported)
        if supported and not section.supported:
            self._report.error(keyword.span, f"section `{keyword.text}` is not supported yet")
        twin = next((one for one in bound.named(keyword.text) if one.name == child.name), None)
        if twin is not None and (section.named and section.repeatable):
            first = twin.statement.keyword.span.where()
            self._report.error(keyword.span, f"second `{keyword.text} {child.name}`; the first is at {first}")
        elif bound.named(keyword.text) and not section.repeatable:
            first = bound.named(keyword.text)[0].statement.keyword.span.where()
            self._report.error(keyword.span, f"`{keyword.text}` stands a second time; the first is at {first}")
        bound.children.append(child)
        bound.places.setdefault(keyword.text, []).append(keyword.span)
        if child.struct is not None and section.named:
            self._names.values.setdefault(keyword.text, {})[child.name] = child.struct

    def _item(self, bound: Bound, item: Item, statement: Statement, supported: bool) -> None:
        keyword = statement.keyword
        self._twice(bound, item, statement)
        bound.places.setdefault(keyword.text, []).append(keyword.span)
        try:
            value = self._value(item, statement, self._report)
        except ElementError as error:
            self._report.error(error.span, error.text)
        else:
            self._keep(bound, item, value)
            refused = item.refuses(value) if item.refuses else None
            if supported and item.supported and refused:
                self._report.error(keyword.span, f"{refused} is not supported yet")
        if supported and not item.supported:
            self._report.error(keyword.span, f"`{keyword.text}` is not supported yet")

    def _twice(self, bound: Bound, item: Item, statement: Statement) -> None:
        given = bound.places.get(item.keyword) or bound.places.get(item.same_as)
        for other in bound.section.members:
            if isinstance(other, Item) and other.same_as == item.keyword:
                given = given or bound.places.get(other.keyword)
        if given and not item.repeatable:
            text = f"`{item.keyword}` stands a second time; the first is at {given[0].where()}"
            self._report.error(statement.keyword.span, text)

    def _keep(self, bound: Bound, item: Item, value: Any) -> None:
        if bound.section.struct is not None and not item.supported:
            return
        if item.repeatable:
            bound.values[item.target] = (*bound.values.get(item.target, ()), value)
        else:
            bound.values.setdefault(item.target, value)

    def _value(self, item: Item, statement: Statement, report: Report) -> Any:
        if statement.body is not None:
            raise ElementError(statement.keyword.span, _not_a_section(statement))
        cursor = Cursor(statement, report, self._names)
        value = item.type.read(cursor)
        extra = cursor.peek()
        if extra is None:
            return value
        if isinstance(item.type, Key):
            raise ElementError(extra.span, f"`{item.keyword}` takes no value")
        raise ElementError(extra.span, f"unexpected {shown(extra)} after the value")

    def _run_together(self, section: Section, member: Item | Section, statement: Statement) -> int | None:
        """Where a `;` was forgotten: the index of the element that begins a line and is a keyword itself."""
        before = statement.keyword
        for at, node in enumerate(statement.elements):
            if isinstance(node, Atom) and node.kind == "WORD" and section.member(node.text) is not None:
                line = node.span.source.position(node.span.start)[0]
                if line > before.span.source.position(before.span.end)[0] and not self._reads(member, statement):
                    return at
            before = node if isinstance(node, Atom) else Atom("", "", node.span)
        return None

    def _reads(self, member: Item | Section, statement: Statement) -> bool:
        if isinstance(member, Section):
            return statement.body is not None and len(statement.elements) == int(member.named)
        trial = Report()
        try:
            self._value(member, statement, trial)
        except ElementError:
            return False
        return not trial.failed()

    def _complete(self, bound: Bound) -> None:
        """What must be there is there, what excludes each other is not."""
        section, keyword = bound.section, bound.statement.keyword
        for member in section.members:
            if member.obligatory and member.keyword not in bound.places and not bound.partial:
                where = f" in section `{section.keyword}`" if section.keyword else ""
                self._report.error(keyword.span, f"`{member.keyword}` is missing{where}")
        if section.one_of:
            self._one_of(bound, section.one_of)
        for first, second in section.exclusive:
            if first in bound.places and second in bound.places:
                text = f"`{second}` and `{first}` exclude each other; `{first}` is at {bound.place(first).where()}"
                self._report.error(bound.place(second), text)

    def _one_of(self, bound: Bound, keywords: tuple[str, ...]) -> None:
        given = [keyword for keyword in keywords if keyword in bound.places]
        either = " or ".join(f"`{keyword};`" for keyword in keywords)
        label = f"`{bound.section.keyword} {bound.name}`"
        if not given and not bound.partial:
            self._report.error(bound.statement.keyword.span, f"{label} must say {either}")
        for extra in given[1:]:
            self._report.error(bound.place(extra), f"{label} must say either {either}, not both")


def shown_last(statement: Statement) -> str:
    """The last element, or the keyword where there is none."""
    return shown(statement.elements[-1] if statement.elements else statement.keyword)


def _last(statement: Statement) -> Any:
    return (statement.elements[-1] if statement.elements else statement.keyword).span


def _split(statement: Statement, at: int) -> tuple[Statement, Statement]:
    keyword = statement.elements[at]
    assert isinstance(keyword, Atom)
    head = Statement(statement.keyword, statement.elements[:at], None, keyword.span)
    return head, Statement(keyword, statement.elements[at + 1 :], statement.body, statement.end)


def _not_a_section(statement: Statement) -> str:
    keyword = statement.keyword.text
    if statement.body:
        return f"`{keyword}` is an item, not a section; the members of a list are separated by commas"
    return f"the list of `{keyword}` is empty"


def _build(section: Section, bound: Bound) -> Any:
    """The section's structure from what was read; what has no good value keeps its default."""
    assert section.struct is not None
    fields = defaults_of(section.struct)
    values: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for target, value in [*bound.values.items(), *_children(bound)]:
        part, dot, name = target.partition(".")
        if dot:
            parts.setdefault(part, {})[name] = value
        else:
            values[target] = value
    values.update({part: section.parts[part](**given) for part, given in parts.items()})
    if "name" in fields:
        values["name"] = bound.name
    if "line" in fields:
        span = bound.statement.keyword.span
        values["line"] = span.source.position(span.start)[0]
    if "path" in fields:
        values["path"] = bound.statement.keyword.span.source.path
    if "accept" in fields:
        values.setdefault("accept", False)
    return section.struct(**values)


def _children(bound: Bound) -> list[tuple[str, Any]]:
    found: dict[str, Any] = {}
    for child in bound.children:
        target = child.section.target
        if child.section.inline:
            found.setdefault(target, child.values.get(target, ()))
        if child.struct is None:
            continue
        if child.section.repeatable:
            found[target] = (*found.get(target, ()), child.struct)
        else:
            found.setdefault(target, child.struct)
    return list(found.items())
