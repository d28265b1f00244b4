"""The answers are the wire's."""

from __future__ import annotations

from imap4fast._wire import ANSWERS
from imap4fast.session import answers


def test_each_answer_has_the_wires_number() -> None:
    assert tuple(name for name in ANSWERS) == ("PASS", "DROP", "REPLACE", "CLOSE", "HOLD")
    assert [getattr(answers, name) for name in ANSWERS] == list(range(len(ANSWERS)))
