"""The schema against the two files that use all of it, and against the settings' structures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from imap4fast.config.diagnostic import Report
from imap4fast.config.grammar import parse
from imap4fast.config.schema import Item, Section, default_of
from imap4fast.config.sections.file import FILE_SECTION
from imap4fast.config.source import Source
from imap4fast.config.syntax import Statement

HERE = Path(__file__).parent
KEPT_NAMES = {"max-children", "max-children-per-ip"}


def paths(section: Section, supported: bool, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Every item with the keywords around it, and whether it is supported."""
    for member in section.members:
        path = (*above, member.keyword)
        if isinstance(member, Section):
            yield from paths(member, supported and member.supported, path)
        else:
            yield path, supported and member.supported


def used(statements: tuple[Statement, ...], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for statement in statements:
        path = (*above, statement.keyword.text)
        if statement.body is None:
            yield path
        else:
            yield from used(statement.body, path)


def used_in(name: str) -> set[tuple[str, ...]]:
    report = Report()
    found = set(used(parse(Source(name, (HERE / name).read_text(encoding="utf-8")), report)))
    report.raise_if_failed()
    return found


ITEMS = dict(paths(FILE_SECTION, True))


def test_every_supported_item_is_tried() -> None:
    wanted = {path for path, supported in ITEMS.items() if supported and path[-1] not in KEPT_NAMES}
    in_server_conn = {path for path in wanted if path[1:2] == ("server-conn",)}
    used_paths = used_in("right/everything.cfg")
    of_log = {("imap4-proxy", "log-debug", path[2]) for path in used_paths if path[1:2] == ("log-stats",)}
    in_stats = {path for path in wanted if path[1:2] == ("log-stats",)}
    alike = {path for path in wanted if "sock-opt" in path or path[2:3] == ("upload",)}
    assert wanted - in_server_conn - in_stats - alike <= used_paths | of_log


def test_every_item_that_is_not_supported_is_tried() -> None:
    wanted = {path for path, supported in ITEMS.items() if not supported}
    alike = {path for path in wanted if "sock-opt" in path or path[2:4] == ("upload", "mail-filter")}
    assert wanted - alike <= used_in("wrong/unsupported-everything.cfg")


def sections(section: Section) -> Iterator[Section]:
    yield section
    for member in section.members:
        if isinstance(member, Section):
            yield from sections(member)


@pytest.mark.parametrize(
    "section", [one for one in sections(FILE_SECTION) if one.struct is not None], ids=lambda section: section.keyword
)
def test_fields_exist_and_are_written(section: Section) -> None:
    assert section.struct is not None
    nowhere = {"name", "line", "path"}
    fields = {field.name for field in msgspec.structs.fields(section.struct)} - {*nowhere, *section.parts}
    targets = {member.target.split(".")[0] for member in section.members if member.supported} - section.parts.keys()
    assert targets == fields
    for part, struct in section.parts.items():
        inner = {member.target.partition(".")[2] for member in section.members if member.target.startswith(f"{part}.")}
        assert inner <= {field.name for field in msgspec.structs.fields(struct)}


def test_keywords_are_unique_and_helpful() -> None:
    for section in sections(FILE_SECTION):
        assert len(section.keywords()) == len(section.members)
        assert all(member.help for member in section.members)


def test_default_of() -> None:
    proxy = FILE_SECTION.member("imap4-proxy")
    assert isinstance(proxy, Section)
    item = proxy.member("idle-timeout")
    assert isinstance(item, Item)
    assert default_of(proxy, item) == 1800
