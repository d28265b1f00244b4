"""The warning that the table of counts is full."""

from __future__ import annotations

from typing import cast

from imap4fast._wire import CountTable
from imap4fast.log.setup import Logs
from imap4fast.log.tcps import TABLE_FULL
from imap4fast.proc.room import QUIET_S, Room
from tests.play.stage import Notebook


def address(number: int) -> bytes:
    return number.to_bytes(4)


def test_one_warning_a_minute_while_it_is_full() -> None:
    counts, notebook = CountTable(1, slots=3), Notebook(6)
    room = Room(counts, cast(Logs, notebook))
    room.look(1000.0)
    for number in range(1, 4):
        assert notebook.written == []
        counts.admit(0, address(number), 0)
        room.look(1000.0 + number)
    assert [(line.entry, line.args) for line in notebook.written] == [(TABLE_FULL, (3,))]
    for tenth in range(int(QUIET_S * 10)):
        room.look(1003.0 + tenth / 10)
    assert len(notebook.written) == 1
    room.look(1003.0 + QUIET_S)
    assert len(notebook.written) == 2
    counts.leave(0, address(2))
    room.look(1003.0 + 2 * QUIET_S)
    assert len(notebook.written) == 2


def test_an_empty_table_at_the_first_moment() -> None:
    notebook = Notebook(6)
    Room(CountTable(2, slots=1), cast(Logs, notebook)).look(0.0)
    assert notebook.written == []
