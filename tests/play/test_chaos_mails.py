"""Conversations about mails that nobody foresaw, drawn from fixed seeds: see conversation.py for what must hold."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections import Counter

import pytest

from tests.play.conversation import CLEAN, FETCHED, MARK, Conversation

SEEDS = 150
"""Of each kind."""
STEPS = 120
MOST_GROWN = 32 << 10


def drawn(seed: int, *, honest: bool) -> Conversation:
    return Conversation(random.Random(seed).randrange, honest=honest)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_an_honest_server(seed: int) -> None:
    drawn(seed, honest=True).run(STEPS)


@pytest.mark.parametrize("seed", range(1000, 1000 + SEEDS))
def test_a_server_that_lies(seed: int) -> None:
    drawn(seed, honest=False).run(STEPS)


def test_much_happens_in_them() -> None:
    """What the invariants are about is there: mails, refusals, uploads, numbers that change."""
    seen: Counter[str] = Counter()
    for seed in range(30):
        talk = drawn(seed, honest=True)
        talk.run(STEPS)
        for tag, (answer, *_) in talk.client.answers.items():
            words = talk.client.asked[tag].replace(b"UID ", b"").split(b" ")
            seen[f"{words[0].decode()} {answer.split(b' ')[1].decode()}"] += 1
        seen["mails"] += sum(CLEAN in unit for unit in talk.client.units)
        seen["raw"] += talk.said.count(MARK)
        seen["data"] += sum(FETCHED.match(unit) is not None for unit in talk.client.units)
        seen["vanished"] += sum(b"* VANISHED" in unit for unit in talk.client.units)
        seen["expunged"] += sum(b"EXPUNGE\r\n" in unit for unit in talk.client.units)
    least = {"FETCH OK": 150, "FETCH NO": 30, "APPEND OK": 8, "APPEND NO": 25, "IDLE OK": 8, "STORE OK": 15}
    least |= {"mails": 60, "raw": 120, "data": 200, "expunged": 15, "vanished": 15, "SELECT OK": 60, "EXPUNGE OK": 10}
    assert not {name: (seen[name], number) for name, number in least.items() if seen[name] < number}


class Endless(Conversation):
    """Nobody takes leave, and nothing breaks in it. What the ends remember is forgotten."""

    def _says(self, command: bytes) -> None:
        super()._says(b"NOOP" if command == b"LOGOUT" else command)

    def _post_changes(self) -> None:
        super()._post_changes()
        self.post.torn = False

    def step(self) -> None:
        self._step()
        self._look()

    def forget(self) -> None:
        self.post.slow = False
        self._settle()
        if self.after_go is not None:
            self._goes_on()
        self._settle()
        self._look()
        self.stage.notebook.written.clear()
        self.client.units.clear()
        self.client.answers.clear()
        self.client.asked.clear()
        self.server.heard = self.client.heard = b""
        self.server.tags.clear()


def test_memory_of_a_long_session() -> None:
    talk = Endless(random.Random(3).randrange, honest=True)
    talk._says(b"SELECT INBOX")
    grown = []
    tracemalloc.start()
    try:
        for _ in range(4):
            for _ in range(300):
                talk.step()
            talk.forget()
            gc.collect()
            taken = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/imap4fast/*")])
            grown.append(sum(each.size for each in taken.statistics("filename")))
    finally:
        tracemalloc.stop()
    assert not talk.over
    assert max(grown) - grown[0] < MOST_GROWN, grown
