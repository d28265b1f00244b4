"""mod-html-filter(5)."""

from __future__ import annotations

from imap4fast.config.composite import Seq
from imap4fast.config.mailsettings import HtmlFilter
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import STR, words
from imap4fast.config.wordlist import STRINGS

ASPECTS = (
    "script-tag-language",
    "style-tag-type",
    "iframe-tag-src",
    "intrinsic-language",
    "link-target",
    "tag",
    "attribute",
    "url-scheme",
    "remote-image",
)
_REPLACED = ("script-tags", "style-tags", "iframe-tags", "remote-images")

HTML_FILTER = Section(
    keyword="html-filter",
    help="rules for HTML: of an aspect the first rule that fits decides, none fits: removed, no rule: kept",
    page="mod-html-filter",
    named=True,
    repeatable=True,
    struct=HtmlFilter,
    members=(
        *(
            Item(
                keyword=aspect,
                type=Seq(words("accept", "deny"), STRINGS),
                repeatable=True,
                help=f"a rule for {aspect}",
            )
            for aspect in ASPECTS
        ),
        *(Item(keyword=f"replace-{what}", type=STR, help=f"put in the place of removed {what}") for what in _REPLACED),
    ),
)
