"""The target `flow`: whole conversations through a session that processes mails, see tests/play/conversation.py."""

from __future__ import annotations

import random

from tests.play.conversation import LIES, Conversation

HEAD = 2
BETWEEN = b"\xff"
MOST_STEPS = 250


class Draws:
    """The octets of an input one by one; zeros behind them."""

    def __init__(self, data: bytes) -> None:
        self._left = iter(data)

    def __call__(self, below: int) -> int:
        return next(self._left, 0) % below


def flow(data: bytes) -> None:
    """The first octet says whether the server is honest; behind the next 0xFF are lines that an end may say."""
    if len(data) < HEAD:
        return
    drawn, *noise = data[1:].split(BETWEEN)
    Conversation(Draws(drawn), honest=bool(data[0] & 1), noise=noise).run(min(MOST_STEPS, 1 + len(drawn) // 3))


def seeds() -> list[bytes]:
    found = []
    for seed in range(80):
        source = random.Random(seed)
        drawn = bytes(source.randrange(255) for _ in range(source.choice((60, 150, 400))))
        lies = [lie.rstrip(b"\r\n") for lie in source.sample(LIES, 2)]
        found.append(BETWEEN.join([bytes((seed & 1,)) + drawn, *lies, b"UID FETCH 1:* (UID BODY.PEEK[1.MIME])"]))
    return found
