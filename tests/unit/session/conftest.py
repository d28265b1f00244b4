"""The stage of tests/play, for parts of a session that only stand on one."""

from __future__ import annotations

from tests.play.conftest import make

__all__ = ["make"]
