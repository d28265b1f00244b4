"""Which lines of a proxy's log are of which client: the log is written some time after what it tells."""

from __future__ import annotations

import re
from collections.abc import Collection

_LINE = re.compile(r"\[(\d+)\]: (.*?)(?: SESSION=(\d+))?$", re.MULTILINE)
_START = re.compile(r"IMAP-701-\w SESSION-START FROM=\S+:(\d+) ")
_END = re.compile(r"IMAP-702-\w ")

Session = tuple[str, str]
"""Process and number."""


def ended(log: str, ports: Collection[int]) -> bool:
    """Whether the log has the ends of the sessions of the clients with these ports."""
    return len({line[:2] for line in _lines(log) if _END.match(line[2])} & _of(log, ports)) >= len(ports)


def told_of(log: str, ports: Collection[int]) -> str:
    """Lines of these clients' sessions, and of no session at all. Without a line that names one: all."""
    mine = _of(log, ports)
    if not mine:
        return log
    return "".join(text + "\n" for pid, number, text in _lines(log) if not number or (pid, number) in mine)


def _of(log: str, ports: Collection[int]) -> set[Session]:
    starts = ((line[:2], _START.match(line[2])) for line in _lines(log))
    return {session for session, start in starts if start and int(start[1]) in ports}


def _lines(log: str) -> list[tuple[str, str, str]]:
    return [(found[1], found[3] or "", found[2]) for found in _LINE.finditer(log)]
