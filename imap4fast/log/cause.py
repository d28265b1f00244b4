"""An unexpected exception as one value for a log line, without what it may quote from the wire.

The text of an exception may hold a piece of the conversation, and so a password: it is shown only for kinds whose
texts name types and attributes. The places say enough to find the fault.
"""

from __future__ import annotations

import os
from traceback import walk_tb

_HARMLESS = (AttributeError, NameError, TypeError, ZeroDivisionError, RecursionError, ImportError)
_PLACES = 12


def cause(error: BaseException) -> str:
    """`KeyError at imap4fast/session/x.py:12 f < imap4fast/net/y.py:3 g`, innermost first, with what led to it."""
    text = f"{type(error).__name__}{_text(error)}{_places(error)}"
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{text}; from {cause(earlier)}" if earlier is not None else text


def _text(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f" ({error.strerror})"
    return f" ({error})" if isinstance(error, _HARMLESS) else ""


def _places(error: BaseException) -> str:
    innermost = list(walk_tb(error.__traceback__))[: -_PLACES - 1 : -1]
    places = [f"{_short(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}" for frame, line in innermost]
    return f" at {' < '.join(places)}" if places else ""


def _short(path: str) -> str:
    """The path from the package on, for files outside it the last two names."""
    parts = path.split(os.sep)
    start = parts.index("imap4fast") if "imap4fast" in parts[:-1] else -2
    return "/".join(parts[start:])
