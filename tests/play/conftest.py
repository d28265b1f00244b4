"""How conversations are run: each at every pace, and each searched for passwords in its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from imap4fast.config.settings import CommandAcl
from tests.play.stage import PACES, Stage

Make = Callable[..., Stage]
Perform = Callable[..., Stage]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes stages; at the end no log of theirs holds a password."""
    made: list[Stage] = []

    def new(*commands: CommandAcl, **items: Any) -> Stage:
        made.append(Stage(*commands, **items))
        return made[-1]

    yield new
    for stage in made:
        assert stage.leaks() == []


@pytest.fixture(params=PACES)
def perform(request: pytest.FixtureRequest, make: Make) -> Perform:
    """`perform(script, *command_acls, **items)` at every pace; gives the stage."""
    return _performer(make, request.param)


@pytest.fixture(params=[pace for pace in PACES if pace != "ahead"])
def in_turns(request: pytest.FixtureRequest, make: Make) -> Perform:
    """The same for conversations in which the client has to wait for what it hears, or the order of lines counts."""
    return _performer(make, request.param)


def _performer(make: Make, pace: str) -> Perform:
    def run(script: str, *commands: CommandAcl, **items: Any) -> Stage:
        stage = make(*commands, pace=pace, **items)
        stage.play(script)
        return stage

    return run
