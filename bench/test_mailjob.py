"""What phase 3 of one mail costs a helper, beside Python's email package reading the same octets.

Built-in engines, an unnamed file to an unnamed file. `ratio` (to one parse by the package, in the same run) is in the
extra columns of pytest-benchmark; nothing here fails by time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from email.parser import BytesParser
from typing import TYPE_CHECKING

import pytest

from bench.test_mime import alternative, attachment, text
from imap4fast.config.load import load_text
from imap4fast.config.sections import command_acl
from imap4fast.mail.work import Order
from imap4fast.policy.kit import Kit
from imap4fast.policy.mailjob import run
from imap4fast.policy.material import read

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

CONFIGURATION = """version IMAP4FAST-1;
antivirus OWN { connection builtin; }
antispam GTUBE { connection builtin; }
imap4-proxy P {
  listen-on { non-transparent [::1] port 1; }
  command-acl C { accept; download { use-antivirus enable OWN; use-antispam enable GTUBE 1M; } }
  mail-acl SPAM { spam-score ge 5.0; accept; subject-prefix "[SPAM] "; }
  mail-acl REST { virus { free, found }; accept; }
  doc-acl VIRUS { virus found; accept; remove; }
  doc-acl PROGRAM { mime-type application/x-dosexec; deny; }
  doc-acl SCRIPT { filename /\\.(exe|js|vbs)$/; deny; }
  doc-acl REST { accept; }
}
"""
MAILS = {
    "4 KB text": text(4096),
    "4 KB alternative": alternative(),
    "100 KB text": text(102400),
    "100 KB attachment": attachment(73000),
    "1 MB attachment": attachment(750000),
}


def fastest(work: Callable[[], object]) -> float:
    """Seconds of CPU of the quickest of some runs."""
    found = []
    for _ in range(9):
        begun = time.process_time()
        for _ in range(5):
            work()
        found.append((time.process_time() - begun) / 5)
    return min(found)


@pytest.fixture(scope="module")
def kit() -> Kit:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(command_acl, "MAIL_PROCESSING", True)
        settings = load_text(CONFIGURATION).settings
    return Kit(settings, read(settings))


@pytest.mark.parametrize("name", MAILS)
def test_an_unchanged_mail(benchmark: BenchmarkFixture, kit: Kit, name: str) -> None:
    mail = MAILS[name]
    acls = (kit.mails.names, kit.documents.names)
    order = Order("process", "download", "C", *acls, size=len(mail), seed=b"seed")
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(mail)
        source.flush()

        def job() -> object:
            return run(kit, order, source.fileno(), target.fileno())

        outcome = benchmark(job)
        ours = fastest(job)
    parse = fastest(lambda: BytesParser().parsebytes(mail))
    benchmark.extra_info.update(microseconds=round(ours * 1e6), ratio=round(ours / parse, 2))
    assert outcome.kind == "passed"
