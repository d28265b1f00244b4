"""The section of imap4-proxy."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.imap4_proxy import IMAP4_PROXY
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "listen-on { non-transparent [::] port 1; }",
        "listen-on { non-transparent [::] port 1; } cfg-resolution refresh 5; control-mode 0660;",
    ],
)
def test_good(body: str) -> None:
    good(IMAP4_PROXY, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`listen-on` is missing in section `imap4-proxy`"),
        ("cfg-resolution 5;", "one of `start`, `refresh`"),
        ("cfg-resolution refresh 0;", "must not be 0"),
        ("control-mode 0999;", "no permissions in octal"),
        ("phase 256;", "0 to 255"),
        ('chroot-dir "";', "must have a name"),
        ('state-dir "/run/i";', "`state-dir` is not supported yet"),
        ("max-pending 251;", "out of range: 0 to 250"),
        ("max-line 2G;", "out of range"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(IMAP4_PROXY, body)[1])


def test_settings() -> None:
    body = "listen-on { non-transparent [::] port 1; } cfg-resolution start; tag a; tag b; singleproc;"
    proxy = good(IMAP4_PROXY, body).struct
    assert (proxy.name, proxy.cfg_resolution, proxy.tag, proxy.singleproc) == ("N", None, ("a", "b"), True)
