"""mod-html-filter(5)."""

from __future__ import annotations

from imap4fast.config.composite import Seq
from imap4fast.config.diagnostic import Report
from imap4fast.config.mailsettings import HtmlFilter
from imap4fast.config.schema import Bound, Item, Section
from imap4fast.config.types import STR, words
from imap4fast.config.values import WordList
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


def _names_words(members: WordList) -> bool:
    """Whether a list is of words alone: no `*`, no `/.../`."""
    return all(one.word is not None and not one.regex and not one.negate for one in members)


def _check(bound: Bound, report: Report) -> None:
    """Rules that only deny keep nothing: who names what is to go means the rest to stay."""
    for aspect in ASPECTS:
        rules = bound.values.get(aspect.replace("-", "_"), ())
        if rules and all(word == "deny" and _names_words(members) for word, members in rules):
            text = f"no rule accepts anything, so that all is removed; for the rest to stay add `{aspect} accept *;`"
            report.warning(bound.place(aspect), text)


HTML_FILTER = Section(
    keyword="html-filter",
    help="rules for HTML: of an aspect the first rule that fits decides, none fits: removed, no rule: kept",
    page="mod-html-filter",
    named=True,
    repeatable=True,
    struct=HtmlFilter,
    check=_check,
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
