"""The section of mail-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import MailAcl
from imap4fast.config.sections.mail_acl import MAIL_ACL
from imap4fast.config.values import WordMember
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "accept; spam-score UNKNOWN; virus { ! found, * };",
        'deny "no"; size gt 5M; header Subject /x/;',
        'accept; modify-header delete X; modify-header add Y "z";',
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
        ("accept; header X : 1 /a/;", "a name of a header expected"),
        ('accept; header "X:Y" /a/;', "`X:Y` is no name of a header"),
        ('accept; modify-header add X-A "a\\nb";', "no control characters"),
        ("accept; modify-header add Content-Type b;", "`Content-Type` is part of the structure"),
        ("accept; modify-header replace X-A;", "a string is missing"),
        ('accept; subject-prefix "\\x00";', "no control characters"),
        ('accept; sender "*@example.org";', "`*@example.org` stands for itself here"),
        ("deny; subject-prefix a;", "`subject-prefix` has no effect in an ACL that denies"),
        ("accept; parent-acl C;", "no section command-acl C"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(MAIL_ACL, body)[1])


def test_settings() -> None:
    body = 'deny "no"; direction upload; spam-score ge 5; size lt 5K; header Subject x; '
    found: MailAcl = good(MAIL_ACL, body + 'quarantine "/q";').struct
    assert (found.accept, found.deny, found.quarantine) == (False, "no", "/q")
    assert (found.mail.direction, found.mail.spam_score, found.mail.size) == ("upload", ("ge", 5.0), ("lt", 5120))
    assert found.mail.header == ("Subject", (WordMember("x"),))
    edits: MailAcl = good(MAIL_ACL, "accept; modify-header delete A; modify-header add B c;").struct
    assert edits.modify_header == (("delete", "A", None), ("add", "B", "c"))


def test_what_denies_without_a_text_is_no_acceptance() -> None:
    found: MailAcl = good(MAIL_ACL, "deny;").struct
    assert (found.accept, found.deny) == (False, "")
    assert good(MAIL_ACL, "accept;").struct.deny is None
