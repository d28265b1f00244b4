"""An `html-filter` of the configuration as the sanitizer has it."""

from __future__ import annotations

from imap4fast.config.mailsettings import HtmlFilter
from imap4fast.mail.html import HtmlRules


def html_rules(given: HtmlFilter) -> HtmlRules:
    return HtmlRules()
