"""The section of doc-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import DocAcl
from imap4fast.config.sections.doc_acl import DOC_ACL
from imap4fast.config.values import WordMember
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        'accept; mime-type { text/*, "" }; replace-file "/f";',
        "deny; doctype-ident-order { magic, extension };",
    ],
)
def test_good(body: str) -> None:
    good(DOC_ACL, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "must say"),
        ('deny "text";', "takes no value"),
        ("accept; html-filter H;", "no section html-filter H"),
        ("accept; replace-file v.txt;", 'write "v.txt"'),
        ('accept; remove; replace-file "/f";', "`replace-file` and `remove` exclude each other"),
        ('accept; replace-file "/f" multipart/mixed;', "`multipart/mixed` is no type of a document"),
        ('accept; replace-file "/f" plain;', "`plain` is no type of a document"),
        ("deny; remove;", "`remove` has no effect in an ACL that denies"),
        ('accept; filename { "*.exe" };', "`*.exe` stands for itself here"),
        ("accept; parent-acl M;", "no section mail-acl M"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(DOC_ACL, body)[1])


def test_settings() -> None:
    body = 'accept; virus found; mime-type text/*; replace-file "/f" Text/HTML; doctype-ident-order magic;'
    found: DocAcl = good(DOC_ACL, body).struct
    assert (found.accept, found.mail.virus, found.mime_type) == (True, (WordMember("found"),), (WordMember("text/*"),))
    assert (found.replace_file, found.doctype_ident_order) == (("/f", "text/html"), ("magic",))
