"""Client vectors: whole, byte by byte, at every split, and with a command behind them."""

from __future__ import annotations

import re

import pytest

from tests.wire.client_dialogues import DIALOGUES
from tests.wire.client_vectors import VECTORS
from tests.wire.play import whole
from tests.wire.vectors import TRAILER, ClientVector, splits, told

ALL = [*VECTORS, *DIALOGUES]
IDS = [vector.name for vector in ALL]


def test_vectors_are_many_and_named_apart() -> None:
    assert len(ALL) >= 150
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("vector", ALL, ids=IDS)
def test_whole(vector: ClientVector) -> None:
    play = vector.play(whole)
    assert not play.errors
    assert [told(event) for event in play.events if event[0] != "STATUS"] == [a for a in vector.asks if a != "STATUS"]
    assert play.sent == formless(vector)
    assert play.relay.stopped == vector.ends
    assert set(play.faults) & {"UNEXPECTED_CONTINUE", "UNKNOWN_TAG"} == set()
    assert all(_is_tag(event[2], vector.client) for event in play.events if event[0] == "CLIENT_FAULT")


@pytest.mark.parametrize("vector", ALL, ids=IDS)
def test_every_chunking_is_the_same(vector: ClientVector) -> None:
    expected = vector.play(whole).result()
    for name, split in splits(vector.client):
        assert vector.play(split).result() == expected, name


@pytest.mark.parametrize("vector", [v for v in ALL if v.whole_units], ids=[v.name for v in ALL if v.whole_units])
def test_a_command_behind_it(vector: ClientVector) -> None:
    """What follows is a command of its own, or is never sent."""
    play = vector.play(whole, TRAILER)
    assert play.sent == formless(vector) + (b"" if vector.ends else TRAILER)
    assert play.relay.stopped == vector.ends


def formless(vector: ClientVector) -> bytes:
    """A server that advertises `{n+}` is asked by `{n}` all the same: what it rejects, it may run (protocol.md 3.2)."""
    return re.sub(rb"\{([0-9]+)\+\}\r\n", rb"{\1}\r\n", vector.expected) if vector.script.forms else vector.expected


def _is_tag(tag: object, client: bytes) -> bool:
    """A tag in a question is what a line of the client began with."""
    assert isinstance(tag, bytes)
    return tag == b"" or b"\n" + tag + b" " in b"\n" + client
