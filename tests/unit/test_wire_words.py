"""Words (chars.pxi) and Gate (gate.pxi): look-up without case, and what makes a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import ASK, COMMANDS, DENY, DROP, PASS, Gate, Words
from tests.wire.play import Play

UPPER = st.binary(min_size=1, max_size=40).map(lambda word: word.upper())


@given(st.dictionaries(UPPER, st.integers(0, 32767), max_size=60), st.lists(st.binary(max_size=45), max_size=20))
def test_as_a_dictionary_without_case(words: dict[bytes, int], others: list[bytes]) -> None:
    table = Words(words)
    for word, value in words.items():
        assert table.get(word) == value
        assert table.get(word.lower()) == value
    for other in others:
        assert table.get(other) == words.get(other.upper(), -1)


@pytest.mark.parametrize("word", [b"", b"x" * 41, b"lower", b"Mixed"])
def test_no_word_for_a_table(word: bytes) -> None:
    with pytest.raises(ValueError, match="no word"):
        Words({word: 1})


def test_nothing_is_found_in_nothing() -> None:
    assert Words({}).get(b"") == -1
    assert Words({}).get(b"A") == -1
    assert Words({b"A": 0}).get(b"A" * 5000) == -1


def test_every_command_has_its_place() -> None:
    assert COMMANDS[0] == b"UNKNOWN"
    assert len(set(COMMANDS)) == len(COMMANDS)
    assert all(name == name.upper() and 1 <= len(name) <= 32 for name in COMMANDS)


def test_gate_keeps_its_actions() -> None:
    uploads = {COMMANDS.index(name) for name in (b"APPEND", b"REPLACE", b"UID-REPLACE")}
    actions = bytes(DENY if code in uploads else (PASS, ASK, DENY)[code % 3] for code in range(len(COMMANDS)))
    gate = Gate(actions, (), ())
    assert bytes(gate.action(code) for code in range(len(COMMANDS))) == actions
    for code in (-1, len(COMMANDS)):
        with pytest.raises(ValueError, match=str(code)):
            gate.action(code)


@pytest.mark.parametrize(
    "actions",
    [b"", bytes(len(COMMANDS) - 1), bytes(len(COMMANDS) + 1), b"\x04" * len(COMMANDS), b"\xff" * len(COMMANDS)],
)
def test_no_actions_for_a_gate(actions: bytes) -> None:
    with pytest.raises(ValueError, match="one action"):
        Gate(actions, (), ())


def test_a_command_is_never_dropped() -> None:
    """DROP is for the server's units: a client would wait for ever."""
    with pytest.raises(ValueError, match="one action"):
        Gate(bytes([DROP]) * len(COMMANDS), (), ())


def test_a_gate_cannot_unlist_the_responses_that_are_looked_at() -> None:
    """CAPABILITY among the names that pass must not make it pass."""
    gate = Gate(bytes(len(COMMANDS)), [b"CAPABILITY"], [b"CAPABILITY", b"BYE", b"ENABLED", b"OK"])
    play = Play(gate=gate)
    play.says(b"* CAPABILITY X\r\n* ENABLED X\r\n* BYE x\r\n")
    assert play.questions == ["CAPABILITY", "ENABLED", "BYE"]
