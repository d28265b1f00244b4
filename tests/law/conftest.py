"""The search for passwords in logs runs after everything that writes logs."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called with the items of the whole run, in whatever folder they are."""
    items.sort(key=lambda item: item.path.name == "test_secrets.py" and item.path.parent.name == "law")
