"""Fixtures of several modules here."""

from __future__ import annotations

import pytest

from imap4fast.net import service


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's clock strikes often."""
    monkeypatch.setattr(service, "TICK_S", 0.02)
