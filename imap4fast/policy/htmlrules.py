"""An `html-filter` of the configuration as the sanitizer has it."""

from __future__ import annotations

from imap4fast.config.mailsettings import HtmlFilter, Rules
from imap4fast.config.sections.html_filter import ASPECTS
from imap4fast.config.values import WordList, WordMember
from imap4fast.mail.html import HtmlRules, Rule
from imap4fast.policy.fit import FITS
from imap4fast.policy.regex import compile_regex
from imap4fast.policy.words import WordTest, without_case


class _Sublist:
    """`{ ... }` inside a list: fits what it represents."""

    __slots__ = ("_test",)

    def __init__(self, members: WordList) -> None:
        self._test = WordTest(without_case(members))

    def search(self, text: str, /) -> object | None:
        """As a pattern's."""
        return True if self._test.fits((text.casefold(),)) is FITS else None


def html_rules(given: HtmlFilter) -> HtmlRules:
    """The filter compiled."""
    aspects = {aspect.replace("-", "_"): _rules(getattr(given, aspect.replace("-", "_"))) for aspect in ASPECTS}
    return HtmlRules(
        **aspects,
        replace_script_tags=given.replace_script_tags or "",
        replace_style_tags=given.replace_style_tags or "",
        replace_iframe_tags=given.replace_iframe_tags or "",
        replace_remote_images=given.replace_remote_images or "",
    )


def _rules(rules: Rules) -> tuple[Rule, ...]:
    return tuple(_rule(action == "accept", members) for action, members in rules)


def _rule(accept: bool, members: WordList) -> Rule:
    excluded = frozenset(place for place, member in enumerate(members) if member.negate)
    return Rule(accept, tuple(map(_value, members)), excluded)


def _value(member: WordMember) -> object:
    if member.sublist is not None:
        return _Sublist(member.sublist)
    if member.word is None:
        return "*"
    return compile_regex(member.word) if member.regex else member.word
