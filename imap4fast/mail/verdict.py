"""Which verdicts hold when the same octets were looked at twice.

A mail that a client has seen must stay as it was (RFC 9051 section 2.3.1.1), so what was said first holds; only from
clean to blocked may it change: once a virus is found, and, for a spam score that is old, once a higher one is said.
"""

from __future__ import annotations

from msgspec.structs import replace

from imap4fast.mail.work import ERROR, FOUND, UNKNOWN, Scan, Verdicts

_NO_RESULT = frozenset({ERROR, UNKNOWN})


def is_lasting(verdicts: Verdicts) -> bool:
    """Every engine that was asked has said something: the next time it would say the same."""
    scans = (*verdicts.leaves, *((verdicts.virus,) if verdicts.virus else ()))
    return not verdicts.spam_failed and all(scan.status not in _NO_RESULT for scan in scans)


def is_blocked(verdicts: Verdicts) -> bool:
    """A virus was found."""
    return verdicts.virus is not None and verdicts.virus.status == FOUND


def settled(old: Verdicts | None, new: Verdicts, *, aged: bool = False) -> Verdicts:
    """The verdicts that hold from now on; `old` held until now. `aged`: its spam score is old."""
    if old is None:
        return new
    if aged and new.spam is not None and (old.spam is None or new.spam > old.spam):
        old = replace(old, spam=new.spam, spam_failed=False)
    if not is_blocked(new):
        return old
    if not is_blocked(old):
        return replace(new, spam=old.spam, spam_failed=old.spam_failed)
    return replace(old, leaves=_leaves(old.leaves, new.leaves))


def _leaves(old: tuple[Scan, ...], new: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """Of a mail that is blocked already: further leaves may be, too. No leaf in particular: all are."""
    if len(old) != len(new):
        return old
    return tuple(
        after if after.status == FOUND and before.status != FOUND else before
        for before, after in zip(old, new, strict=True)
    )
