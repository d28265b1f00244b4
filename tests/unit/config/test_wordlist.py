"""Lists of words."""

from __future__ import annotations

from hypothesis import given

from imap4fast.config.values import WordList, WordMember
from imap4fast.config.wordlist import STRINGS, WordListType, known_word, named_words, section_name
from tests.unit.config import strategies
from tests.unit.config.harness import read

FRUIT = WordListType("fruit", known_word("fruit", ["apple"], lambda word: word == "apple"))


def test_members() -> None:
    assert read(STRINGS, '{ ! a, "b c", /d/, *, { e } }') == (
        WordMember("a", negate=True),
        WordMember("b c"),
        WordMember("d", regex=True),
        WordMember(None),
        WordMember(None, sublist=(WordMember("e"),)),
    )
    assert read(FRUIT, "apple") == (WordMember("apple"),)


def test_wrong() -> None:
    assert read(FRUIT, "{ aple, * }").endswith("unknown fruit `aple`; did you mean `apple`?")
    assert "fruit expected, not `/apple/`" in read(FRUIT, "/apple/")
    assert "exclusions alone" in read(STRINGS, "{ ! a }")
    assert "string expected, not `5`" in read(STRINGS, "5")
    assert "no section acl A" in read(WordListType("acl", section_name("acl")), "A")


@given(strategies.word_lists(strategies.texts, regex=True))
def test_round_trip(members: WordList) -> None:
    assert read(STRINGS, STRINGS.write(members)) == members


def test_words_that_are_named() -> None:
    inner = (WordMember("deep"), WordMember("no", negate=True))
    members = (
        WordMember("a", negate=True),
        WordMember("b"),
        WordMember(None),
        WordMember("c", regex=True),
        WordMember(None, sublist=inner),
        WordMember(None, negate=True, sublist=(WordMember("x"),)),
    )
    assert named_words(members) == {"B", "DEEP"}
