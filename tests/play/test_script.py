"""The scripts themselves: what their lines stand for, and that a wrong one fails."""

from __future__ import annotations

import pytest

from tests.play.conftest import Perform
from tests.play.script import Beat, ahead, beats, joined
from tests.play.stage import PACES, Stage

TALK = """
    S: * OK hi
    C: a NOOP
    C| b NOOP
    P: b BAD
    S| a OK ␛x
    P: a OK x
    P> b NOOP
    S: b OK¬
    """


def test_beats() -> None:
    assert beats(TALK) == [
        Beat(False, b"* OK hi\r\n", b"* OK hi\r\n", b""),
        Beat(True, b"a NOOP\r\n", b"", b"a NOOP\r\n"),
        Beat(True, b"b NOOP\r\n", b"b BAD\r\n", b""),
        Beat(False, b"a OK \x1bx\r\n", b"a OK x\r\n", b"b NOOP\r\n"),
        Beat(False, b"b OK", b"b OK", b""),
    ]


def test_joined_turns() -> None:
    assert joined(beats(TALK))[1:] == [
        Beat(True, b"a NOOP\r\nb NOOP\r\n", b"b BAD\r\n", b"a NOOP\r\n"),
        *beats(TALK)[3:],
    ]


def test_ahead() -> None:
    found = ahead(beats(TALK))
    assert [beat.said for beat in found] == [b"* OK hi\r\n", b"a NOOP\r\nb NOOP\r\n", b"a OK \x1bx\r\n", b"b OK"]
    assert found[-1].to_server == b"a NOOP\r\nb NOOP\r\n"


@pytest.mark.parametrize("text", ["X: a", "a NOOP", "P: first"])
def test_what_is_no_script(text: str) -> None:
    with pytest.raises(ValueError, match="no line of a script"):
        beats(text)


WRONG = [
    "S: * OK [REFERRAL x] hi",
    "S| * OK hi",
    "S: * OK hi\nP: * OK more",
    "S: * OK hi\nC| a NOOP",
    "S: * OK hi\nC: a NOOP\nP> b NOOP",
    "S: * OK hi\nC: a XFOO\nP: a BAD unknown command",
    "S: * OK hi\nC| a XFOO\nP: a BAD another text",
]


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("script", WRONG)
def test_a_wrong_script_fails(pace: str, script: str) -> None:
    with pytest.raises(AssertionError):
        Stage(pace=pace).play(script)


def test_a_right_one_passes(perform: Perform) -> None:
    perform("""
        S: * OK hi
        C| a XFOO
        P: a BAD unknown command
        """)
