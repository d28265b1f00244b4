"""Server vectors: whole, byte by byte, at every split, and with a response behind them."""

from __future__ import annotations

import pytest

from imap4fast._wire import NOT_AUTHENTICATED
from tests.wire.play import whole
from tests.wire.server_vectors import VECTORS
from tests.wire.vectors import ServerVector, splits, told

IDS = [vector.name for vector in VECTORS]
TRAILER = b"* 1 RECENT\r\n"
OPEN = [v for v in VECTORS if v.whole_units]


def test_vectors_are_many_and_named_apart() -> None:
    assert len(VECTORS) >= 100
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_whole(vector: ServerVector) -> None:
    play = vector.play(whole)
    assert not play.errors
    assert [told(event) for event in play.events] == list(vector.asks)
    assert play.shown == vector.expected
    assert play.relay.stopped == vector.ends


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_every_chunking_is_the_same(vector: ServerVector) -> None:
    expected = vector.play(whole).result()
    for name, split in splits(vector.server):
        assert vector.play(split).result() == expected, name


@pytest.mark.parametrize("vector", OPEN, ids=[v.name for v in OPEN])
def test_a_response_behind_it(vector: ServerVector) -> None:
    play = vector.play(whole, TRAILER)
    passes = not vector.ends and play.relay.state != NOT_AUTHENTICATED
    assert play.shown == vector.expected + (TRAILER if passes else b"")
