"""uvloop as workers run it: without its register of transports.

uvloop notes each transport in a `weakref.WeakValueDictionary`, pure Python, and asks it only when somebody wants to
watch a descriptor by `add_reader` or `add_writer`: it refuses one that a transport owns. libuv refuses that, too, and
the notes are a twentieth of what a login and its end cost. uvloop binds the name when it is imported; where somebody
imported it earlier it keeps the register, which does no harm.
"""

from __future__ import annotations

import asyncio  # what uvloop imports must be there before: it shall get the real dictionary
import concurrent.futures
import ssl
import subprocess
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["uvloop"]

_FIRST = (asyncio, concurrent.futures, ssl, subprocess)


class _NoRegister(dict[Any, Any]):
    """Takes everything, keeps nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


@contextmanager
def _no_register() -> Iterator[None]:
    kept = weakref.WeakValueDictionary
    weakref.WeakValueDictionary = _NoRegister  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        weakref.WeakValueDictionary = kept  # type: ignore[misc]


with _no_register():
    import uvloop
