"""Regular expressions of the language: `/.../`, with `\\/` for a slash, checked by the engine that will run them."""

from __future__ import annotations

import re2  # type: ignore[import-untyped]

from imap4fast.config.diagnostic import ElementError
from imap4fast.config.syntax import Atom


def pattern_of(atom: Atom) -> str:
    """The pattern of a REGEX that the engine accepts."""
    pattern = atom.text[1:-1].replace("\\/", "/")
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        raise ElementError(atom.span, f"bad regular expression: {_reason(error)}") from None
    return pattern


def write_pattern(pattern: str) -> str:
    """`/.../`."""
    return "/" + pattern.replace("/", "\\/") + "/"


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "not understood"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
