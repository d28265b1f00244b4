"""The section of doctype-identification(7)."""

from __future__ import annotations

import pytest

from imap4fast.config.mailsettings import DoctypeIdentification, DoctypeOrder
from imap4fast.config.sections.doctype import DOCTYPE_IDENTIFICATION
from tests.unit.config.harness import bind, good


@pytest.mark.parametrize(
    "body",
    [
        "order magic; order for upload { extension, magic };",
        'mime-types "/m"; magic "/g";',
    ],
)
def test_good(body: str) -> None:
    good(DOCTYPE_IDENTIFICATION, body)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("order for both magic;", "`download` or `upload` expected"),
        ("order { magik };", "did you mean `magic`"),
        ("order;", "is missing"),
        ("order magic; order extension;", "a second `order` for both directions"),
        ("order for upload magic; order for upload extension;", "a second `order` for upload"),
    ],
)
def test_wrong(body: str, error: str) -> None:
    assert error in "\n".join(bind(DOCTYPE_IDENTIFICATION, body)[1])


def test_settings() -> None:
    found = good(DOCTYPE_IDENTIFICATION, 'order for upload { magic, extension }; mime-types "/m";').struct
    assert found == DoctypeIdentification(
        (DoctypeOrder("upload", ("magic", "extension")),), mime_types="/m", line=1, path="t"
    )
