"""The section of mod-antispam(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import Antispam, Connection
from imap4fast.config.sections.antispam import ANTISPAM
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "connection spamd [127.0.0.1] : 783;",
        "connection rspamd a.example : 11333; timeout 5;",
        "connection builtin;",
    ],
)
def test_good(body: str) -> None:
    good(ANTISPAM, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`connection` is missing"),
        ("connection spamd;", "HOST : PORT, is missing"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(ANTISPAM, body)[1])


def test_settings() -> None:
    engine: Antispam = good(ANTISPAM, "connection builtin; pool 1;").struct
    assert (engine.name, engine.connection, engine.pool, engine.timeout) == ("N", Connection("builtin"), 1, 30)
