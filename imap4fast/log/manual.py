"""The manual's chapter on log entries, made from the catalogue.

`python -m imap4fast.log.manual > docs/reference/log.md`; a test fails when the committed page differs.
"""

from __future__ import annotations

import inspect
import sys
import textwrap

from imap4fast.log import escape
from imap4fast.log.catalogue import COMPONENTS
from imap4fast.log.entry import LEVELS, SEVERITY_LEVELS, SEVERITY_NAMES, Component, Entry

_FILES = """
## Files

Lines are written about once a second, when 64 KiB are waiting, and at once after a line of severity C, E or K. All
processes append to one file, whole lines at a time.

- **Trouble.** A full disk, a daemon that is gone or a terminal that nobody reads never holds up traffic. Up to 1 MiB
  of lines is kept by each process, then lines are dropped and counted; the count is written as LOGS-101 as soon as
  writing works again.
- **rotate SIZE COUNT.** The master copies FILE to FILE.1 and empties it in place (FILE.1 becomes FILE.2 and so on up
  to COUNT); workers keep their lines meanwhile. The copy needs SIZE more bytes of disk.
- **Outside rotation.** Rename the file, then send SIGRTMIN+1 to the master. Workers open files anew under `app-user`:
  it must be able to search the directory. Otherwise LOGS-102 says so and the old file is written on.
- **mem-file "FILE" SIZE.** Holds the last SIZE bytes of lines up to `mem-level`, written at once, for the time after
  a crash. `python -m imap4fast.log.ring FILE` prints them in order.
- **Syslog.** A line of more than 32 KiB, as data-limit and log-limit may allow, is cut there and ends with `...+N`.
- **syslog-failure.** `ignore`: lines wait, then are dropped and counted, and the daemon is tried again. `file`: from
  then on lines go to a file of the name APP-debug.log or APP-stats.log. `stop`: the proxy ends.
"""

_TOP = """\
# Log entries

This page is made from the catalogue in `imap4fast/log/`; do not edit it.

A line of text is `Mon D hh:mm:ss host app[PID]: CODE-NNN-S text`. `SESSION=N` at its end is session N of that
process; all lines of a session carry the same number. With `format json` a line is one object with the fields
`time` (ISO 8601 with zone), `host`, `app`, `pid`, `track` (N, or 0), `id`, `severity`, the entry's values under the
names given below, and `text`. Statistics are made from the entries of severity I; where `log-stats` is configured
these stand there too.

## Severities and levels

An entry is written when the number of its severity is at most the log's level. N and I are written at every level.

| letter | severity | written from level |
|---|---|--:|
"""


def manual() -> str:
    """The page in Markdown."""
    rows = [f"| {letter} | {name} | {_from_level(letter)} |\n" for letter, name in SEVERITY_NAMES.items()]
    levels = ", ".join(f"{word} {number}" for word, number in LEVELS.items())
    parts = [_TOP, *rows, f"\nLevels: {levels}; 5 has no word.\n\n## Values\n\n{_rules()}\n", _FILES]
    parts += [_chapter(component) for component in COMPONENTS.values()]
    return "".join(parts)


def _from_level(letter: str) -> str:
    level = SEVERITY_LEVELS[letter]
    return "every" if level < min(LEVELS.values()) else str(level)


def _rules() -> str:
    return (inspect.getdoc(escape) or "").strip()


def _chapter(component: Component) -> str:
    head = f"\n## {component.code}: {component.about}\n"
    return head + "".join(_entry(component.entries[number]) for number in sorted(component.entries))


def _entry(entry: Entry) -> str:
    severities = " or ".join(SEVERITY_NAMES[letter] for letter in entry.severity + entry.others)
    values = ", ".join(entry.keys)
    about = entry.help.replace("<NULL>", "`<NULL>`")
    facts = f"Severity: {severities}.{f' Values: {values}.' if values else ''}"
    return f"\n### {entry.id}\n\n    {entry.text}\n\n{_filled(about)}\n\n{_filled(facts)}\n"


def _filled(text: str) -> str:
    return textwrap.fill(text, 118, break_on_hyphens=False, break_long_words=False)


if __name__ == "__main__":
    sys.stdout.write(manual())
