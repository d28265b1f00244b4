"""The section of log(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.log import log_sink
from imap4fast.config.settings import LogSink
from tests.unit.config.harness import bind, good

LOG = log_sink("log-debug", "for the test")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "level 3;",
        'level full; file "/f"; rotate 1M 2;',
        "facility LOCAL7;",
        'mem-file "/m" 1M; mem-level 4;',
    ],
)
def test_good(body: str) -> None:
    good(LOG, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("level 2;", "`error`, `warning`"),
        ('file "/f"; facility MAIL;', "exclude each other"),
        ("rotate 1M 2;", "`rotate` needs `file`"),
        ("mem-level 4;", "`mem-level` needs `mem-file`"),
        ("format xml;", "`text` or `json`"),
        ('file "";', "the file must have a name"),
        ("dump-hold-time 0;", "`dump-hold-time` is not supported yet"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(LOG, body)[1])


def test_settings() -> None:
    assert good(LOG, "").struct == LogSink()
    assert good(LOG, 'level debug; file "/f"; rotate 1K 2;').struct == LogSink(level=7, file="/f", rotate=(1024, 2))
