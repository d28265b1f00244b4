"""The mails of the oracles: at least 500, the same on every run. CRLF alone, no NUL, no CR of its own.

Besides those of a grammar: CPython's test data for its email package (of the interpreter that runs, else of Debian's
libpython3-testsuite) and SpamAssassin's samples (Debian's spamassassin). Neither is copied into this project.
"""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import carriers, mimegrammar
from tests.e2e.parts import need_files

LEGAL = 370
MALFORMED = 110


@dataclass(frozen=True)
class Sample:
    """One mail. The name's first word says where it comes from."""

    name: str
    octets: bytes


def canonical(octets: bytes) -> bytes:
    """CRLF where a line ended in any way, NUL gone: what a mail is after it went by SMTP."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", octets.replace(b"\0", b""))


def _collected(kind: str, paths: list[Path]) -> list[Sample]:
    assert paths, kind
    return [Sample(f"{kind}-{path.stem}", canonical(path.read_bytes())) for path in paths]


def cpython() -> list[Sample]:
    """CPython's own, where it has them."""
    names = f"python{sys.version_info.major}.{sys.version_info.minor}/test/test_email/data/msg_*.txt"
    own = sorted((Path(sys.base_prefix) / "lib").glob(names))
    return _collected("cpython", own or need_files("/usr/lib", "python3.*/test/test_email/data/msg_*.txt"))


def spamassassin() -> list[Sample]:
    return _collected("spamassassin", need_files("/usr/share/doc/spamassassin/examples", "sample-*.txt"))


def made() -> list[Sample]:
    """From the grammar, and from its faults."""
    good = [Sample(f"legal-{number:03}", canonical(mimegrammar.legal(number))) for number in range(LEGAL)]
    faulty = [mimegrammar.malformed(number) for number in range(MALFORMED)]
    bad = [Sample(f"malformed-{number:03}-{fault}", canonical(mail)) for number, (fault, mail) in enumerate(faulty)]
    return good + bad


EDGES = {
    "header-only": b"Subject: no body\r\n",
    "header-and-blank": b"Subject: no body\r\n\r\n",
    "blank-line": b"\r\n",
    "two-blank-lines": b"\r\n\r\n",
    "no-line-end": b"Subject: x",
    "body-without-end": b"Subject: x\r\n\r\nbody",
    "one-octet": b"x",
    "long-line": b"Subject: long\r\n\r\n" + b"y" * 100_000 + b"\r\n",
    "many-parts": carriers.HEAD + carriers.multipart(*[carriers.text(b"part %d" % at) for at in range(120)]),
    "many-fields": b"".join(b"X-%d: %d\r\n" % (at, at) for at in range(400)) + b"\r\nbody\r\n",
    "many-recipients": b"To: " + b",\r\n ".join(b"r%d@example.net" % at for at in range(300)) + b"\r\n\r\nbody\r\n",
    "large-attachment": carriers.clean(1, 400_000),
    "8bit-body": b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xc5\x99\r\n",
}


def edges() -> list[Sample]:
    return [Sample(f"edge-{name}", octets) for name, octets in EDGES.items()]


def poisoned() -> list[Sample]:
    """EICAR in every position, and GTUBE."""
    found = [Sample(f"carrier-{name}", carriers.carrier(name)) for name in carriers.POSITIONS]
    return [*found, Sample("spam-gtube", carriers.spam())]


@functools.cache
def whole() -> tuple[Sample, ...]:
    """All, in a fixed order; no mail without an octet (a server takes none)."""
    samples = [*cpython(), *spamassassin(), *made(), *edges(), *poisoned()]
    return tuple(sample for sample in samples if sample.octets)
