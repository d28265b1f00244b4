"""Words for commands and capabilities."""

from __future__ import annotations

import pytest

from imap4fast.config.words import (
    CAPABILITIES,
    CAPABILITY_WORDS,
    COMMAND_WORDS,
    NEVER_SCANNED,
    is_capability_word,
    is_command_word,
    is_known_capability,
    never_with_scanning,
    word_covers,
)


def test_commands() -> None:
    assert {"UNKNOWN", "CAPABILITY", "UID-FETCH", "PROXYAUTH"} <= COMMAND_WORDS
    assert not is_command_word("UID")
    assert not is_command_word("fetch")


@pytest.mark.parametrize(
    "word",
    [
        *("IMAP4rev1", "imap4REV1", "AUTH=PLAIN", "AUTH=*", "AUTH=", "THREAD=*", "RIGHTS=", "APPENDLIMIT"),
        *("QUOTA=RES-*", "STATUS=SIZE", "UNKNOWN", "LITERAL+", "LITERAL-", "COMPRESS=DEFLATE", "COMPRESS=*"),
        *("X-GM-EXT-1", "UTF8=ACCEPT"),
    ],
)
def test_capability_words(word: str) -> None:
    assert is_capability_word(word)


@pytest.mark.parametrize("word", ["", "*", "IMAP4rev3", "WIBBLE", "AUTH", "SORT=", "XYZ=*"])
def test_no_capability_words(word: str) -> None:
    assert not is_capability_word(word)


@pytest.mark.parametrize(
    ("word", "name", "covers"),
    [
        ("IMAP4rev1", "imap4rev1", True),
        ("IMAP4rev1", "IMAP4rev2", False),
        ("AUTH=*", "AUTH=PLAIN", True),
        ("AUTH=", "AUTH=PLAIN", True),
        ("AUTH=PLAIN", "AUTH=LOGIN", False),
        ("APPENDLIMIT", "APPENDLIMIT=35651584", True),
        ("APPENDLIMIT", "APPENDLIMIT", True),
        ("QUOTA=RES-*", "QUOTA=RES-STORAGE", True),
        ("QUOTA", "QUOTA=RES-STORAGE", False),
        ("SORT", "SORT=DISPLAY", False),
        ("UNKNOWN", "WIBBLE", True),
        ("UNKNOWN", "IDLE", False),
        ("UNKNOWN", "AUTH=WIBBLE", False),
    ],
)
def test_covers(word: str, name: str, covers: bool) -> None:
    assert word_covers(word, name) is covers


def test_every_known_name_is_a_word() -> None:
    assert all(is_capability_word(word) for word in CAPABILITY_WORDS)
    assert all(is_known_capability(name) and word_covers(name, name) for name in CAPABILITIES)


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("catenate", True),
        ("URLAUTH=BINARY", True),
        ("COMPRESS=DEFLATE", True),
        ("CONTEXT=SORT", True),
        ("IMAP4rev2", True),
        ("IMAP4rev1", False),
        ("BINARY", False),
        ("METADATA", False),
    ],
)
def test_never_with_scanning(name: str, never: bool) -> None:
    assert never_with_scanning(name) is never


def test_commands_that_are_never_scanned_are_commands() -> None:
    assert NEVER_SCANNED <= COMMAND_WORDS
