"""`python -m imap4fast.config.reference`: writes docs/reference/configuration.md from the schema."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from imap4fast.config.schema import Item, Section, default_of
from imap4fast.config.sections.file import FILE_SECTION
from imap4fast.config.types import Key
from imap4fast.names import DIALECT

TARGET = Path("docs/reference/configuration.md")
_HEAD = f"""# Configuration reference

Written from the schema by `python -m imap4fast.config.reference`; do not edit. It is for `version {DIALECT};`.

In "elements", `[x]` may be left out, `a | b` is a choice, `{{ x, ... }}` is one value or several in braces.
`*` behind a name: it may stand several times. What is not supported yet is read, checked, and then refused.
Sizes take the suffixes K M G (powers of 1024), durations s m h d; a limit of 0 means none.
"""
_COLUMNS = "| item | elements | default | supported | meaning |\n|---|---|---|---|---|"


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    seen: set[str] = set()
    for section, path in _sections(FILE_SECTION, ""):
        text = "\n".join(_section(section, path))
        if text not in seen:
            parts.append(text)
            seen.add(text)
    return "\n".join(parts)


def _sections(section: Section, path: str) -> Iterator[tuple[Section, str]]:
    here = f"{path} / {section.keyword}" if path and section.keyword else section.keyword
    yield section, here
    for member in section.members:
        if isinstance(member, Section):
            yield from _sections(member, here)


def _section(section: Section, path: str) -> Iterator[str]:
    yield f"## {path or 'The file'}\n"
    yield f"{section.help[0].upper()}{section.help[1:]}. Manual page: {section.page}(5).{_status(section)}\n"
    yield _COLUMNS
    for member in section.members:
        yield _row(section, member)
    yield ""


def _status(section: Section) -> str:
    words = []
    if section.one_of:
        words.append(f"Exactly one of {', '.join(section.one_of)} must be given.")
    words.extend(f"At most one of {', '.join(group)} may be given." for group in section.exclusive)
    if not section.supported:
        words.append("Not supported yet.")
    return "".join(f" {word}" for word in words)


def _row(section: Section, member: Item | Section) -> str:
    mark = "*" if member.repeatable else ""
    if isinstance(member, Section):
        elements = "NAME { ... }" if member.named else "{ ... }"
        default = "obligatory" if member.obligatory else "none"
    else:
        elements = member.type.name
        default = _default(section, member)
    supported = "yes" if member.supported and section.supported else "not yet"
    cells = (f"`{member.keyword}`{mark}", f"`{elements}`" if elements else "", default, supported, member.help)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(section: Section, item: Item) -> str:
    if item.obligatory:
        return "obligatory"
    if item.default:
        return item.default
    value = default_of(section, item)
    if value is msgspec.NODEFAULT:
        return ""
    if isinstance(item.type, Key):
        return "yes" if value == item.type.value else "no"
    return item.type.write(value) if value not in (None, ()) else "none"


def main() -> None:
    """Write the page; `--check` only tells by the exit status whether it is up to date."""
    if "--check" in sys.argv[1:]:
        sys.exit(TARGET.read_text(encoding="utf-8") != reference())
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
