"""The section of doc-acl."""

from __future__ import annotations

import pytest

from imap4fast.config.sections.doc_acl import DOC_ACL
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
        ("accept; parent-acl M;", "no section mail-acl M"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(DOC_ACL, body)[1])
