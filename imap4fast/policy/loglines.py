"""Lines that a helper has for the log: entries of the catalogue and their values, for the worker to write."""

from __future__ import annotations

from imap4fast.log.entry import Entry
from imap4fast.mail.work import LogLine

LONGEST = 256
"""Characters of one value: a mail's header names as it likes, and lines travel in one packet."""


def line(entry: Entry, *args: str | int | None, severity: str | None = None) -> LogLine:
    """A line of an entry; what is too long is cut."""
    return LogLine(f"{entry.component}-{entry.number}", tuple(map(_short, args)), severity)


def _short(value: str | int | None) -> str | int | None:
    return value[: LONGEST - 3] + "..." if isinstance(value, str) and len(value) > LONGEST else value
