"""The tables of faults, limits and timeouts are whole; tests/play has them in conversation."""

from __future__ import annotations

import pytest

from imap4fast._wire import FAULTS, LIMITS, TIMEOUTS
from imap4fast.config.settings import CommandAcl
from imap4fast.log import imap as entries
from imap4fast.session import faults
from tests.play.stage import Stage, accepting


def test_every_timeout_has_words_and_an_item() -> None:
    assert set(faults._TIMEOUT) == set(TIMEOUTS) - {"NONE"}


def test_every_fault_that_is_named_exists() -> None:
    assert set(faults._OF_FAULT) <= set(FAULTS)


def test_every_limit_in_bytes_is_an_item() -> None:
    items = {name.replace("_", "-").upper() for name in CommandAcl.__struct_fields__}
    assert set(LIMITS) - {"NONE"} <= items


@pytest.mark.parametrize("name", [name for name in TIMEOUTS if name != "NONE"])
def test_each_timeout_ends_the_session_with_its_item_in_the_log(name: str) -> None:
    stage = Stage(accepting(max_time=9.0, idle_timeout=8.0), login_timeout=7.0)
    faults.timeout(stage.session, name)
    assert stage.is_closed
    ((item, value),) = stage.logged(entries.LIMIT)
    assert item in ("login-timeout", "max-time", "idle-timeout", "recv-timeout", "reply-timeout", "send-timeout")
    assert value == {"LOGIN-TIMEOUT": 7, "MAX-TIME": 9, "IDLE-TIMEOUT": 8, "REPLY-TIMEOUT": 600}.get(name, 120)
    assert stage.fields(entries.SESSION_END)["REASON"] == name.lower()
