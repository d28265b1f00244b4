"""The section of session-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.basesettings import Conditions
from imap4fast.config.sections.session_acl import SESSION_ACL, shape
from imap4fast.config.settings import SessionAcl
from imap4fast.config.values import Sock, WordMember
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "accept; plug-to a : 1; plug-to b : 2;",
        "deny; from *; to * : 993; time *; user *; group *; auth none;",
    ],
)
def test_good(body: str) -> None:
    good(SESSION_ACL, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "must say `accept;` or `deny;`"),
        ("accept; deny;", "not both"),
        ("accept; client-ssl-params P;", "no section ssl-params P"),
        ("accept; send-proxy v1;", "`send-proxy` is not supported yet"),
        ("accept; parent-acl X;", "unknown word"),
        ("accept; time *; time-period-set X;", "exclude each other"),
        ("accept; language FR;", "`EN`, `CZ`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(SESSION_ACL, body)[1])


def test_settings() -> None:
    bound = good(SESSION_ACL, "accept; plug-to a : 1; idle-timeout 5; language CZ; user joe;")
    users = Conditions(user=(WordMember("joe"),))
    assert bound.struct == SessionAcl("N", True, users, language="CZ", idle_timeout=5, plug_to=(Sock("a", 1),), line=1)


def test_shape() -> None:
    assert (shape("in").keyword, shape("out").supported) == ("shape-in", False)
