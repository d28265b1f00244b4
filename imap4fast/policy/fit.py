"""Three-valued answers of conditions, and how the members of a list combine to one.

A list is walked from its first member; each says by bits what the list may turn out to be: INCLUDE, EXCLUDE, or
GO_ON to the next member. A member that cannot be judged says both its own effect and GO_ON. So a list with such a
member is still decided where every way of judging it comes to the same end.
"""

from __future__ import annotations

from enum import IntEnum


class Fit(IntEnum):
    """Whether a condition fits. Only FITS lets an ACL match: what cannot be told does not match."""

    DOES_NOT_FIT = 0
    FITS = 1
    CANNOT_TELL = 2


FITS = Fit.FITS
DOES_NOT_FIT = Fit.DOES_NOT_FIT
CANNOT_TELL = Fit.CANNOT_TELL

INCLUDE = 1
EXCLUDE = 2
GO_ON = 4

SETTLED: tuple[Fit, ...] = tuple(
    FITS if bits == INCLUDE else CANNOT_TELL if bits & INCLUDE else DOES_NOT_FIT for bits in range(8)
)
"""What a list's bits mean once its members are used up: GO_ON past the end is no match."""


def outcome(fit: Fit, effect: int) -> int:
    """Bits of a member that fits as `fit` says and has `effect` (INCLUDE, or EXCLUDE after `!`)."""
    if fit is FITS:
        return effect
    return effect | GO_ON if fit is CANNOT_TELL else GO_ON
