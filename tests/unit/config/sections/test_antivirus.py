"""The section of antivirus(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import Antivirus, Connection
from imap4fast.config.sections.antivirus import ANTIVIRUS
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "connection clamav-net [127.0.0.1] : 3310;",
        'connection clamav-unix "/run/c";',
        'connection clamav-file "/run/c"; comm-dir "/c";',
        'connection clamav-file [::1] : 1; comm-dir "/c";',
        'connection icap a.example : 1344 "/av";',
        'connection builtin; digests "/d";',
    ],
)
def test_good(body: str) -> None:
    good(ANTIVIRUS, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`connection` is missing"),
        ("connection clamd [127.0.0.1] : 3310;", "one of `clamav-net`"),
        ("connection clamav-unix /run/c;", "a path is written in quotes"),
        ("connection builtin 5;", "unexpected `5`"),
        ("connection builtin; breaker 5;", "an integer is missing"),
        ('connection clamav-file "/run/c";', "`clamav-file` needs `comm-dir`"),
        ('connection builtin; comm-dir "/c";', "`comm-dir` has no effect but with `clamav-file`"),
        ('connection clamav-unix "/c"; digests "/d";', "`digests` has no effect but with `builtin`"),
        ("connection builtin; shape SLOW;", "no section shaper SLOW"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(ANTIVIRUS, body)[1])


def test_settings() -> None:
    body = 'connection builtin; digests "/d"; max-checked-size 1M; breaker 1 2; sock-opt { conn-timeout 3; }'
    engine: Antivirus = good(ANTIVIRUS, body).struct
    assert (engine.name, engine.connection, engine.digests) == ("N", Connection("builtin"), "/d")
    assert (engine.max_checked_size, engine.breaker, engine.timeout) == (1048576, (1, 2), 60)
    assert (engine.sock_opt.conn_timeout, engine.line, engine.path) == (3, 1, "t")
