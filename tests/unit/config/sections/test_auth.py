"""The section of auth(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.auth import AUTH_TYPE, OOB_AUTH, refused_auth
from tests.unit.config.harness import bind, good, read


@pytest.mark.parametrize(
    "body",
    [
        'method external; store "/f";',
        'method html-form; store redis "u"; ldap "u" "a" b; radius [10.0.0.1] : 1 "/s";',
    ],
)
def test_good(body: str) -> None:
    good(OOB_AUTH, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "`method` is missing"),
        ("method ldap;", "`html-form` or `external` expected"),
        ("method external; trust-proxy 10.0.0.1;", "in brackets: `[10.0.0.1]`"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(OOB_AUTH, body)[1])


def test_auth() -> None:
    assert read(AUTH_TYPE, "none") == ("none", None)
    assert read(AUTH_TYPE, "oob X") == "no section oob-auth X"
    assert refused_auth(("none", None)) is None
    assert refused_auth(("oob", "X")) == "`auth oob`"
