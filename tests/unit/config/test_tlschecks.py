"""Checks of TLS that need the ACLs."""

from __future__ import annotations

import pytest

from imap4fast.config.load import load_text
from imap4fast.errors import ConfigError

FILE = """version IMAP4FAST-1;
ssl-params PLAIN { certificate "/c"; private-key "/k"; }
ssl-params ASKING { certificate "/c"; private-key "/k"; ca-file "/ca"; verify request; }
ssl-params WANTING { certificate "/c"; private-key "/k"; ca-file "/ca"; verify require; }
ssl-params LAX { certificate "/c"; private-key "/k"; ca-file "/ca"; verify request; require-tls no; }
ssl-params DEAF { certificate "/c"; private-key "/k"; ca-file "/ca"; crl "/r"; }
ssl-params LOST { certificate "/c"; private-key "/k"; verify request; }
ssl-params BAD { certificate "/c"; private-key "/k"; verify require; }
ssl-params BARE { }
ssl-params BLIND { verify none; }
ssl-cert-match SOME { any; }
ssl-cert-match NOBODY { none; }
imap4-proxy I {
  listen-on { non-transparent [127.0.0.1] port 1143; }
  session-acl A { accept; plug-to [127.0.0.1] : 143; %s }
  session-acl B { accept; plug-to [127.0.0.1] : 143; }
  command-acl C { accept; no-mail-scanning; %s }
}
"""


def found(session: str, command: str) -> list[str]:
    try:
        return [warning.text for warning in load_text(FILE % (session, command)).warnings]
    except ConfigError as error:
        return [str(error)]


@pytest.mark.parametrize(
    ("session", "command"),
    [
        ("client-ssl-params PLAIN;", "server-ssl-params PLAIN command;"),
        ("client-ssl-params ASKING command; client-cert-match SOME;", "client-cert-match SOME;"),
        ("client-ssl-params WANTING;", "client-cert-match SOME; server-ssl-params BARE; server-cert-match SOME;"),
        ("client-ssl-params ASKING; client-cert-match NOBODY;", ""),
        ("", "client-cert-match NOBODY; server-ssl-params BLIND;"),
        ("client-ssl-params ASKING;", "parent-acl A; client-cert-match SOME;"),
        ("client-ssl-params PLAIN;", "server-ssl-params DEAF;"),
        ("client-ssl-params LAX command; client-cert-match NOBODY;", "client-cert-match SOME;"),
        ("client-ssl-params LAX session; client-cert-match SOME;", ""),
    ],
)
def test_good(session: str, command: str) -> None:
    assert found(session, command) == []


@pytest.mark.parametrize(
    ("session", "command", "text"),
    [
        ("client-ssl-params BARE;", "", "`ssl-params BARE` has no `certificate` and `private-key`"),
        ("client-ssl-params BAD;", "", "no `ca-file` or `ca-dir` says of whom"),
        ("client-ssl-params LOST;", "", "no client's certificate verifies"),
        ("client-ssl-params DEAF;", "", "`ca-file` and `crl` without effect"),
        ("client-cert-match SOME;", "", "here (no `client-ssl-params`): `SOME` never holds"),
        ("client-ssl-params PLAIN; client-cert-match SOME;", "", "here (`verify none`, which is the default)"),
        ("client-ssl-params WANTING; client-cert-match NOBODY;", "", "`NOBODY` never holds"),
        (
            "client-ssl-params LAX command; client-cert-match SOME;",
            "",
            "error: `SOME` is required, and `require-tls no`",
        ),
        ("client-ssl-params PLAIN;", "client-cert-match SOME;", "the condition never fits"),
        ("client-ssl-params ASKING;", "parent-acl B; client-cert-match SOME;", "the condition never fits"),
        ("client-ssl-params ASKING;", "parent-acl { ! A, * }; client-cert-match SOME;", "the condition never fits"),
        ("", "server-cert-match SOME;", "no `server-ssl-params`"),
        ("", "server-ssl-params BLIND; server-cert-match SOME;", "does not verify servers"),
        ("", "server-ssl-params BARE; server-cert-match NOBODY;", "hardly ever holds"),
        ("client-ssl-params PLAIM;", "", "did you mean `PLAIN`"),
        ("client-ssl-params PLAIM; client-cert-match SOME;", "client-cert-match SOME;", "did you mean `PLAIN`"),
        ("", "server-ssl-params BLINT; server-cert-match SOMME;", "did you mean `SOME`"),
    ],
)
def test_said(session: str, command: str, text: str) -> None:
    assert text in "\n".join(found(session, command))
