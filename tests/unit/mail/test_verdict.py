"""Only clean to blocked may change."""

from __future__ import annotations

import pytest

from imap4fast.mail.verdict import is_blocked, is_lasting, settled
from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, UNKNOWN, Scan, Verdicts

CLEAN = Verdicts(Scan(FREE, engine="c"), spam=1.5)
SPAM = Verdicts(Scan(FREE, engine="c"), spam=9.0)
BAD = Verdicts(Scan(FOUND, "Eicar", "c"), spam=4.0)
A, B = Scan(FREE), Scan(FOUND, "Worm")


def test_the_first_verdicts_hold() -> None:
    assert settled(None, CLEAN) is CLEAN
    assert settled(CLEAN, SPAM) is CLEAN
    assert settled(SPAM, CLEAN) is SPAM


def test_an_old_score_may_rise() -> None:
    assert settled(CLEAN, SPAM, aged=True) == SPAM
    assert settled(SPAM, CLEAN, aged=True) is SPAM
    assert settled(Verdicts(Scan(FREE)), SPAM, aged=True).spam == 9.0
    assert settled(SPAM, Verdicts(Scan(FREE), spam_failed=True), aged=True) is SPAM
    assert settled(CLEAN, BAD, aged=True) == Verdicts(Scan(FOUND, "Eicar", "c"), spam=4.0)


def test_clean_becomes_blocked_and_keeps_its_score() -> None:
    assert settled(CLEAN, BAD) == Verdicts(Scan(FOUND, "Eicar", "c"), spam=1.5)


def test_blocked_never_becomes_clean() -> None:
    assert settled(BAD, CLEAN) is BAD
    assert settled(BAD, Verdicts(Scan(FOUND, "Other", "c"))) == BAD


def test_of_a_blocked_mail_further_leaves_may_be_blocked() -> None:
    old, new = Verdicts(Scan(FOUND), (A, B)), Verdicts(Scan(FOUND), (B, A))
    assert settled(old, new).leaves == (B, B)
    assert settled(Verdicts(Scan(FOUND)), new).leaves == ()


@pytest.mark.parametrize(
    ("verdicts", "lasts"),
    [
        (CLEAN, True),
        (BAD, True),
        (Verdicts(), True),
        (Verdicts(Scan(SKIPPED)), True),
        (Verdicts(Scan(ERROR)), False),
        (Verdicts(Scan(UNKNOWN)), False),
        (Verdicts(Scan(FREE), spam_failed=True), False),
        (Verdicts(Scan(FOUND), (A, Scan(ERROR))), False),
    ],
)
def test_what_an_engine_could_not_say_does_not_last(verdicts: Verdicts, lasts: bool) -> None:
    assert is_lasting(verdicts) is lasts


def test_what_is_blocked() -> None:
    assert is_blocked(BAD)
    assert not is_blocked(CLEAN)
    assert not is_blocked(Verdicts())
