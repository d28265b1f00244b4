"""How bits of members combine."""

from __future__ import annotations

import pytest

from imap4fast.policy.fit import (
    CANNOT_TELL,
    DOES_NOT_FIT,
    EXCLUDE,
    FITS,
    GO_ON,
    INCLUDE,
    SETTLED,
    Fit,
    outcome,
)


@pytest.mark.parametrize(
    ("fit", "effect", "bits"),
    [
        (FITS, INCLUDE, INCLUDE),
        (FITS, EXCLUDE, EXCLUDE),
        (DOES_NOT_FIT, INCLUDE, GO_ON),
        (DOES_NOT_FIT, EXCLUDE, GO_ON),
        (CANNOT_TELL, INCLUDE, INCLUDE | GO_ON),
        (CANNOT_TELL, EXCLUDE, EXCLUDE | GO_ON),
    ],
)
def test_outcome_of_a_member(fit: Fit, effect: int, bits: int) -> None:
    assert outcome(fit, effect) == bits


@pytest.mark.parametrize(
    ("bits", "fit"),
    [
        (INCLUDE, FITS),
        (EXCLUDE, DOES_NOT_FIT),
        (GO_ON, DOES_NOT_FIT),
        (EXCLUDE | GO_ON, DOES_NOT_FIT),
        (INCLUDE | EXCLUDE, CANNOT_TELL),
        (INCLUDE | GO_ON, CANNOT_TELL),
        (INCLUDE | EXCLUDE | GO_ON, CANNOT_TELL),
    ],
)
def test_settled(bits: int, fit: Fit) -> None:
    assert SETTLED[bits] is fit
