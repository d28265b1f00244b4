"""The section of mod-mail-doc(5)."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import MailFilter
from imap4fast.config.sections.mail_filter import MAIL_FILTER
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "",
        "tnef keep; max-parts 5; accept-8bit-header;",
    ],
)
def test_good(body: str) -> None:
    good(MAIL_FILTER, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("tnef drop;", "`deny` or `keep` expected"),
        ("accept-8bit-header yes;", "takes no value"),
        ("max-header-size 5m;", "did you mean `5M`"),
        ("max-depth 101;", "out of range"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(MAIL_FILTER, body)[1])


def test_settings() -> None:
    found = good(MAIL_FILTER, "correct-quoting; max-header-size 1K; ambiguous-mime deny;").struct
    assert found == MailFilter(correct_quoting=True, max_header_size=1024, ambiguous_mime="deny")
