"""Checks over several sections."""

from __future__ import annotations

import pytest

from imap4fast.config.load import load_text

PROXY = "version IMAP4FAST-1; imap4-proxy P { listen-on { non-transparent [::1] port 1; } %s }"
S, C = "session-acl S { accept; plug-to a : 1; }", "command-acl C { deny; }"


@pytest.mark.parametrize(
    ("body", "warnings"),
    [
        (S + C, []),
        (C, ["there is no session-acl: every connection is denied"]),
        (S, ["there is no command-acl: every session is denied"]),
        ("session-acl S { deny; }" + C, []),
        (
            "session-acl S { accept; }" + C,
            ["`session-acl S` accepts without `plug-to`: non-transparent connections are rejected"],
        ),
        (S + "command-acl C { group g; deny; }", ["`group` never matches without `auth oob`"]),
        (S + "command-acl C { user u; deny; }", []),
        (
            "client-conn { conn-timeout 1; reply-timeout 1; } server-conn { conn-timeout 1; reply-timeout 1; }" + S + C,
            [
                "`conn-timeout` has no effect in `client-conn`: it is for servers",
                "`reply-timeout` has no effect in `client-conn`: it is for servers",
            ],
        ),
        ("session-acl S { user u; deny; }" + C, ["`user` never matches before login without `auth oob`"]),
    ],
)
def test_warnings(body: str, warnings: list[str]) -> None:
    assert [warning.text for warning in load_text(PROXY % body).warnings] == warnings
