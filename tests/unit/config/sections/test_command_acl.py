"""The section of command-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.command_acl import COMMAND_ACL
from imap4fast.config.settings import CommandAcl
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "accept; no-mail-scanning;",
        "deny;",
        "deny; parent-acl { ! P, * }; commands { FETCH, UID-FETCH };",
    ],
)
def test_good(body: str) -> None:
    good(COMMAND_ACL, body, ("session-acl", "P"), ("session-acl", "QX"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("accept;", "mail processing is not supported yet"),
        ("deny; parent-acl Q;", "no section session-acl Q; did you"),
        ("deny; commands FECTH;", "did you mean `FETCH`"),
        ("deny; commands { ! STORE, * };", "STORE is excluded, but UID-STORE is not"),
        ("deny; commands { ! { STORE, COPY }, UID-STORE };", "STORE is excluded"),
        ("deny; capabilities XY;", "unknown capability `XY`"),
        ("deny; max-time 5M;", "did you mean `5m`"),
        ("deny; upload { on-deny replace; }", "`error` expected"),
        ("deny; download { }", "section `download` is not supported yet"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(COMMAND_ACL, body, ("session-acl", "P"), ("session-acl", "QX"))[1])


@pytest.mark.parametrize("commands", ["{ ! FETCH, ! UID-FETCH, * }", "{ UID-FETCH }", "*", "{ ! NOOP, * }"])
def test_no_warning(commands: str) -> None:
    good(COMMAND_ACL, f"deny; commands {commands};")


def test_settings() -> None:
    bound = good(COMMAND_ACL, "accept; no-mail-scanning; read-only; max-mail-in 1K; sasl-external yes;")
    assert bound.struct == CommandAcl(
        "N", True, read_only=True, max_mail_in=1024, sasl_external=True, no_mail_scanning=True, line=1
    )
