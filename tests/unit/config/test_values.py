"""Runtime values: frozen, equal by what they hold, usable as keys."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from imap4fast.config.values import Address, HostList
from tests.unit.config import strategies


def test_addresses_are_ordered_and_frozen() -> None:
    assert Address(4, 2**32 - 1) < Address(6, 0) < Address(6, 1)
    with pytest.raises(AttributeError):
        Address(4, 1).value = 2  # type: ignore[misc]


@given(strategies.host_lists)
def test_hashable_and_serialisable(hosts: HostList) -> None:
    assert hash(hosts) == hash(tuple(hosts))
    assert msgspec.json.decode(msgspec.json.encode(hosts), type=HostList) == hosts
