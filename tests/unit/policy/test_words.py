"""Lists of words against a naive evaluator."""

from __future__ import annotations

import re
from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from imap4fast.config.values import WordList, WordMember
from imap4fast.policy.fit import DOES_NOT_FIT, FITS
from imap4fast.policy.words import WordTest, plain_word, without_case
from tests.unit.policy import drawn

some_words = st.lists(drawn.words, max_size=3).map(tuple)


def naive(members: WordList, words: tuple[str, ...]) -> bool:
    for member in members:
        if naive_member(member, words):
            return not member.negate
    return False


def naive_member(member: WordMember, words: tuple[str, ...]) -> bool:
    if member.sublist is not None:
        return naive(member.sublist, words)
    if member.word is None:
        return bool(words)
    plain = [normalize("NFC", word) for word in words]
    if member.regex:
        return any(re.search(member.word, word, re.IGNORECASE) for word in plain)
    return normalize("NFC", member.word) in plain


@given(drawn.word_lists(), some_words)
def test_agrees_with_the_naive_evaluator(members: WordList, words: tuple[str, ...]) -> None:
    assert WordTest(members).fits(words) is (FITS if naive(members, words) else DOES_NOT_FIT)


@given(drawn.word_lists())
def test_no_words_fit_nothing(members: WordList) -> None:
    assert WordTest(members).fits(()) is DOES_NOT_FIT


def test_words_are_exact_and_expressions_are_not() -> None:
    assert WordTest((WordMember("alice"),)).fits(("Alice",)) is DOES_NOT_FIT
    assert WordTest((WordMember("^alice$", regex=True),)).fits(("Alice",)) is FITS


def test_two_spellings_of_one_word_are_the_same() -> None:
    assert WordTest((WordMember("caf\u00e9"),)).fits(("cafe\u0301",)) is FITS
    assert plain_word("cafe\u0301") == "caf\u00e9"


def test_the_first_member_that_any_word_fits_decides() -> None:
    members = (WordMember("guests", negate=True), WordMember("staff"))
    assert WordTest(members).fits(("staff", "guests")) is DOES_NOT_FIT
    assert WordTest(members).fits(("staff",)) is FITS


def test_lists_without_case_fit_folded_words() -> None:
    members = (WordMember("Jana", negate=True), WordMember(None, sublist=(WordMember("PETR"),)))
    test = WordTest(without_case(members))
    assert [test.fits((name,)) for name in ("jana", "petr", "eva")] == [
        DOES_NOT_FIT,
        FITS,
        DOES_NOT_FIT,
    ]
