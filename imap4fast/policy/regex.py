"""Regular expressions of conditions: RE2, so that no name that a client chooses can cost more than linear time."""

from __future__ import annotations

from typing import Protocol

import re2  # type: ignore[import-untyped]


class Regex(Protocol):
    """A compiled expression."""

    def search(self, text: str) -> object | None:
        """Something other than None when the expression fits anywhere in `text`."""


def compile_regex(pattern: str) -> Regex:
    """`/.../` of a condition: case is ignored (`(?-i)` in the pattern brings it back)."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    compiled: Regex = re2.compile(pattern, options)
    return compiled
