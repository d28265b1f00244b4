"""The item of source-address(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.source_address import SOURCE_ADDRESS
from imap4fast.config.values import Address
from tests.unit.config.harness import read

A4, A6 = Address(4, 1), Address(6, 2)


@pytest.mark.parametrize(
    ("elements", "value"),
    [
        ("client", (True, None, None, None)),
        ("addr4 [0.0.0.1]", (None, (A4,), None, None)),
        ("client addr4 { [0.0.0.1], [0.0.0.1] } addr6 [::2] physical", (True, (A4, A4), (A6,), "physical")),
        ("cluster", (None, None, None, "cluster")),
    ],
)
def test_read_and_write(elements: str, value: object) -> None:
    kind = SOURCE_ADDRESS.type
    assert read(kind, elements) == value
    assert read(kind, kind.write(value)) == value


def test_wrong() -> None:
    assert "`cluster`, `physical` or `no-fallback` expected" in read(SOURCE_ADDRESS.type, "server")
    assert "an address in brackets expected" in read(SOURCE_ADDRESS.type, "addr4 { a }")
