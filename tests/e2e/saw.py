"""What client and log saw of a fault, kept with the test's result in the JUnit file for mail_tables.py."""

from __future__ import annotations

import re

from tests.e2e.wire import Reply

_VARIES = ((r"PID \d+", "PID *"), (r"0x[0-9a-f]+", "*"), (r" SESSION=\d+$", ""), (r"TIME=[\d.]+", "TIME=*"))
_ENTRY = re.compile(r"\b([A-Z]{4}-\d{3}-[A-Z]\b.*)")


class Saw:
    """Of one test; each call adds a line to its properties, the same line once."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def client(self, what: Reply | bytes | str) -> None:
        """An answer, what came before the end of a session, or words."""
        self._tell("client", what if isinstance(what, str) else _shown(what))

    def log(self, *lines: str) -> None:
        """Lines of a log; what changes from run to run is left out."""
        for line in lines:
            found = _ENTRY.search(line)
            assert found, line
            text = found[1]
            for pattern, star in _VARIES:
                text = re.sub(pattern, star, text)
            self._tell("log", text)

    def _tell(self, name: str, text: str) -> None:
        if (name, text) not in self._properties:
            self._properties.append((name, text))


def _shown(what: Reply | bytes) -> str:
    last = what.tagged if isinstance(what, Reply) else (what.rstrip().split(b"\r\n")[-1] or b"the connection closed")
    return last.decode("ascii", "backslashreplace")[:200]
