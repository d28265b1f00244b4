"""The section of mail-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.mail_acl import MAIL_ACL
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "accept; spam-score UNKNOWN; virus { ! found, * };",
        'deny "no"; size gt 5M; header Subject /x/; modify-header delete X;',
        "deny;",
    ],
)
def test_good(body: str) -> None:
    good(MAIL_ACL, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "must say"),
        ("accept; time *;", "unknown word `time`"),
        ("accept; spam-score 5;", "one of `lt`"),
        ("accept; spam-score ge x;", "a number expected"),
        ("accept; virus fund;", "did you mean `found`"),
        ("accept; parent-acl C;", "no section command-acl C"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(MAIL_ACL, body)[1])
