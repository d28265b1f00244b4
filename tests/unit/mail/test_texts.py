"""The words of replacement mails fit their charsets and hold what is known."""

from __future__ import annotations

import pytest

from imap4fast.mail import texts
from imap4fast.mail.template import Values


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("reason", texts.REASONS)
def test_each_text_fits_its_charset(language: str, reason: str) -> None:
    text, charset = texts.mail_text(reason, Values(rule="R"), "", language)
    assert charset == texts.LANGUAGES[language][1]
    assert text.encode(charset).decode(charset) == text
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")


def test_what_is_known_stands_in_it() -> None:
    text, _ = texts.mail_text("virus", Values(virus="Eicar\r\nx", rule="VIRUS", size=12), "by clamd", "EN")
    assert "\r\nDetail: by clamd\r\nVirus: Eicar x\r\nRule: VIRUS\r\nSize in bytes: 12\r\n" in text
    assert "Rule" not in texts.mail_text("virus", Values(), "", "EN")[0]


def test_a_name_that_the_charset_has_not() -> None:
    text, charset = texts.mail_text("virus", Values(virus="\u4e2d"), "", "CZ-ISO-8859-2")
    assert charset == "utf-8"
    assert "\u4e2d" in text


def test_czech_without_marks() -> None:
    text, _ = texts.mail_text("size", Values(), "", "CZ-ASCII")
    assert "Je prilis velka." in text
