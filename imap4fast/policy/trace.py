"""What a search says about itself: each ACL with each of its conditions, what it saw, and how it judged."""

from __future__ import annotations

import msgspec

from imap4fast.policy.fit import FITS, Fit


class ConditionTrace(msgspec.Struct, frozen=True):
    """One condition of an ACL: its item, its text in configuration syntax, the value it saw, and its answer."""

    item: str
    text: str
    seen: str
    fit: Fit


class AclTrace(msgspec.Struct, frozen=True):
    """One ACL that was searched, or one `ssl-cert-match` that was asked.

    `condition` and `seen` are those of the first condition that failed.
    """

    name: str
    matched: bool
    conditions: tuple[ConditionTrace, ...] = ()
    condition: str | None = None
    seen: str | None = None


def acl_trace(name: str, conditions: tuple[ConditionTrace, ...]) -> AclTrace:
    """Trace of an ACL whose conditions, in order, are these."""
    failed = next((condition for condition in conditions if condition.fit is not FITS), None)
    if failed is None:
        return AclTrace(name, True, conditions)
    return AclTrace(name, False, conditions, failed.text, failed.seen)
