"""What was done, and what client and log saw of it, kept with a test's result in the JUnit file for mail_tables.py."""

from __future__ import annotations

import re

from tests.e2e.lab import Lab
from tests.e2e.wire import Reply

DID, CLIENT, LOG = "did", "client", "log"
_MOST = 3
_VARIES = (
    (r"PID \d+", "PID *"),
    (r"0x[0-9a-f]+", "*"),
    (r" SESSION=\d+", ""),
    (r"TIME=[\d.]+", "TIME=*"),
    (r"(127\.0\.0\.1[:\]] *:? ?)\d+", r"\1*"),
    (r"/tmp/[^\s\"]+/", ".../"),
)
_ENTRY = re.compile(r"\b([A-Z]{4}-\d{3}-[A-Z]\b.*)")
_TOLD = re.compile(r"\b((?!IMAP-7(?:01|02|21|22|25)|IMAP-888)[A-Z]{4}-\d{3}-[CEWNI])\b(.*)")
"""What the log says of anything out of the ordinary, and of mails."""
_RESULT = re.compile(r" RESULT=(\w+)")


class Saw:
    """Of one test; each call adds a line to its properties, the same line once."""

    def __init__(self, properties: list[tuple[str, object]], doc: str = "", wanted: bool = True) -> None:
        """`doc` is the test's own; `wanted`: somebody will read it."""
        self._properties = properties
        self._wanted = wanted
        if doc:
            self._tell(DID, " ".join(doc.split("\n\n")[0].split()))

    def client(self, what: Reply | bytes | str) -> None:
        """An answer, what came before the end of a session, or words."""
        self._tell(CLIENT, what if isinstance(what, str) else _shown(what))

    def log(self, *lines: str) -> None:
        """Lines of a log; what changes from run to run is left out."""
        for line in lines:
            found = _ENTRY.search(line)
            assert found, line
            text = found[1]
            for pattern, star in _VARIES:
                text = re.sub(pattern, star, text)
            self._tell(LOG, text)

    def ends(self, lab: Lab) -> None:
        """Where the test itself said nothing: the last that clients saw, and the numbers of what was logged."""
        if not self._wanted:
            return
        seen, log = lab.ends()
        said = {name for name, _ in self._properties}
        if CLIENT not in said:
            for one in dict.fromkeys(_shown(_untagged(what)) for what in seen[-_MOST:]):
                self._tell(CLIENT, one)
        if LOG not in said:
            for number, rest in _TOLD.findall(log):
                result = _RESULT.search(rest)
                self._tell(LOG, f"{number} {result[1]}" if result else number)

    def _tell(self, name: str, text: str) -> None:
        if (name, text) not in self._properties:
            self._properties.append((name, text))


def _untagged(line: bytes) -> bytes:
    """Without the tag of an answer, which says nothing."""
    return re.sub(rb"^[a-z]+\d* (?=OK|NO|BAD)", b"", line)


def _shown(what: Reply | bytes) -> str:
    last = what.tagged if isinstance(what, Reply) else (what.rstrip().split(b"\r\n")[-1] or b"the connection closed")
    return last.decode("ascii", "backslashreplace")[:200]
