"""Of several engines' results one: FOUND before FREE before SKIPPED before UNKNOWN before ERROR."""

from __future__ import annotations

from collections.abc import Iterable

from imap4fast.mail.work import ERROR, STATUSES, Scan

_RANK = {status: rank for rank, status in enumerate(STATUSES)}


def merge(scans: Iterable[Scan]) -> Scan:
    """The strongest; of equal ones the first. ERROR where there are none: nobody looked."""
    return min(scans, key=lambda scan: _RANK[scan.status], default=Scan(ERROR, "no engine"))
