"""The HTML filter: documents rebuilt from their parse tree, without what the rules of an `html-filter` section deny.

Rules stand in aspects; an aspect without rules keeps all, else the first rule that fits decides, and what none fits is
removed. Some things no rule can keep, since they cannot be judged or no reader of mail needs them: comments, foreign
content, `base`, `meta`, `link`, embedded programs, `srcdoc`, `data:` other than images, style imports (`markup.py`,
`css.py`). What comes out is UTF-8, says so itself, and comes out again unchanged when it is filtered again; what cannot
be parsed is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import msgspec

from imap4fast.mail import charset, css, markup
from imap4fast.mail.markup import Attributes

ROUNDS = 6
"""Times that a document may change when it is parsed again, before it is shown as text."""


class Pattern(Protocol):
    """A compiled regular expression, of `re` or RE2."""

    def search(self, text: str, /) -> object: ...


class Rule(msgspec.Struct, frozen=True):
    """`accept` or deny what fits: an exact text in any case, `*`, a text that ends in `*`, a pattern.

    The first of `values` that fits decides; one that stands in `excluded` (by its place) makes the rule not fit.
    """

    accept: bool
    values: tuple[object, ...]
    excluded: frozenset[int] = frozenset()

    def fits(self, value: str) -> bool:
        for place, wanted in enumerate(self.values):
            if _fits(wanted, value):
                return place not in self.excluded
        return False


def _fits(wanted: object, value: str) -> bool:
    if not isinstance(wanted, str):
        pattern: Pattern = wanted  # type: ignore[assignment]
        return bool(pattern.search(value))
    wanted, value = wanted.casefold(), value.casefold()
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


Rules = tuple[Rule, ...]


class HtmlRules(msgspec.Struct, frozen=True):
    """An `html-filter` section: rules by aspect in file order, and what is put in place of what was removed (HTML)."""

    script_tag_language: Rules = ()
    style_tag_type: Rules = ()
    iframe_tag_src: Rules = ()
    intrinsic_language: Rules = ()
    link_target: Rules = ()
    tag: Rules = ()
    attribute: Rules = ()
    url_scheme: Rules = ()
    remote_image: Rules = ()
    replace_script_tags: str = ""
    replace_style_tags: str = ""
    replace_iframe_tags: str = ""
    replace_remote_images: str = ""


def keeps(rules: Rules, values: Iterable[str]) -> bool:
    """Whether an aspect keeps what has these `values`: it has to keep each, since programs may take either."""
    return not rules or all(_decided(rules, value) for value in values)


def _decided(rules: Rules, value: str) -> bool:
    return next((rule.accept for rule in rules if rule.fits(value)), False)


def filtered(octets: bytes, declared_charset: str | None, rules: HtmlRules) -> tuple[bytes, bool]:
    """The document as the rules leave it, in UTF-8 with CRLF, and whether it differs from what came.

    The part's Content-Type has to say `charset=utf-8` afterwards. Never raises for what the document holds.
    """
    text = charset.html(octets, declared_charset)
    body = _body(text, rules)
    start = "<!DOCTYPE html>" if _DOCTYPE.match(text) else ""
    page = f"{start}{_BEFORE}{body}{_BEHIND}"
    made = page.replace("\n", "\r\n").encode("utf-8")
    return made, made != octets


_BEFORE = '<html><head><meta charset="utf-8"></head><body>'
_BEHIND = "</body></html>\n"
_DOCTYPE = re.compile(r"\s{0,64}(?:<!--.{0,1024}?-->)?\s{0,64}<!doctype", re.IGNORECASE | re.DOTALL)


def _body(text: str, rules: HtmlRules) -> str:
    """Parsed, judged and written until it no longer changes, so that what a browser parses is what was judged."""
    page = _Page(rules)
    if (body := page.already_shown(text)) is not None:
        return body
    before = text
    for _ in range(ROUNDS):
        if markup.is_tangled(f"{_BEFORE}{before}{_BEHIND}"):
            break
        try:
            after = page.judged(before)
        except markup.NotCanonical:
            break
        if after == before:
            return after
        before = after
    return page.shown(text)


class _Page:
    """One document under its rules."""

    def __init__(self, rules: HtmlRules) -> None:
        self._rules = rules
        self._tags = frozenset(name for name in markup.TAGS if keeps(rules.tag, (name,)))
        self._pre = ("<pre>", "</pre>") if "pre" in self._tags else ("", "")
        self._instead = {
            "script": rules.replace_script_tags,
            "style": rules.replace_style_tags,
            "iframe": rules.replace_iframe_tags,
            "img": rules.replace_remote_images,
        }
        self._raw = {"script": self._keeps_script, "style": self._keeps_style, "iframe": self._keeps_iframe}

    def judged(self, text: str) -> str:
        return markup.edited(markup.canonical(text, self._tags), self._decide).strip()

    def shown(self, text: str) -> str:
        """The text itself, in `pre` where that is kept."""
        return "".join((self._pre[0], markup.shown(text), self._pre[1]))

    def already_shown(self, text: str) -> str | None:
        """The body of a page that says what `shown` says: it needs no parsing, which may have been too much."""
        start, _, rest = text.replace("\r\n", "\n").partition(_BEFORE)
        body = rest.removesuffix(_BEHIND)
        inside = body.removeprefix(self._pre[0]).removesuffix(self._pre[1])
        is_page = start in ("", "<!DOCTYPE html>") and rest != body
        return body if is_page and markup.is_shown(inside) else None

    def _decide(self, name: str, attributes: Attributes, content: str) -> str | Attributes:
        if name in self._raw and not self._raw[name](dict(attributes)):
            return self._replacement(name)
        kept = [(key, value) for key, text in attributes if (value := self._kept(name, key, text)) is not None]
        if name == "img" and self._instead["img"] and {"src", "srcset"} & (_names(attributes) - _names(kept)):
            return self._replacement("img")
        if name == "style":
            kept.append(("", css.judged(content, self._is_image_kept)))
        elif name == "script":
            kept.append(("", content))
        return kept

    def _replacement(self, name: str) -> str:
        """What stands instead, under the same rules but without replacements: it must not lead to itself."""
        wanted = self._instead[name]
        if not wanted:
            return ""
        plain = _Page(msgspec.structs.replace(self._rules, **dict.fromkeys(_REPLACEMENTS, "")))
        return plain.judged(wanted)

    def _keeps_script(self, attributes: dict[str, str]) -> bool:
        return self._keeps_language(self._rules.script_tag_language, _languages(attributes, "javascript"))

    def _keeps_style(self, attributes: dict[str, str]) -> bool:
        return self._keeps_language(self._rules.style_tag_type, [attributes.get("type", "").strip() or "text/css"])

    def _keeps_iframe(self, attributes: dict[str, str]) -> bool:
        return keeps(self._rules.iframe_tag_src, [_plain_url(attributes.get("src", ""))])

    def _keeps_language(self, rules: Rules, languages: Iterable[str]) -> bool:
        """A rule may name a language by its type (`text/javascript`) or by its short name (`javascript`)."""
        return not rules or all(_decided_language(rules, language) for language in languages)

    def _kept(self, name: str, key: str, value: str) -> str | None:
        """An attribute's value, changed where that makes it harmless; None: the attribute is removed."""
        if key in _NEVER or not keeps(self._rules.attribute, (key,)):
            return None
        if key.startswith("on"):
            language = value.strip().partition(":")[0].lower()
            spoken = language if language in _PROGRAM_SCHEMES else "javascript"
            return value if self._keeps_language(self._rules.intrinsic_language, (spoken,)) else None
        if key == "style":
            return css.judged(value, self._is_image_kept) or None
        if key in ("srcset", "imagesrcset"):
            return value if all(map(self._is_image_kept, _SOURCE.findall(value))) else None
        if key in _IMAGES or (key == "src" and name not in _RAW_SOURCES):
            return value if self._is_image_kept(value) else None
        if key in _LINKS:
            return value if self._is_link_kept(value) else None
        return value if key not in _URLS or self._is_source_kept(value) else None

    def _is_link_kept(self, value: str) -> bool:
        return self._is_source_kept(value) and keeps(self._rules.link_target, (_plain_url(value),))

    def _is_source_kept(self, value: str) -> bool:
        url = _plain_url(value)
        return _scheme(url) != "data" and self._is_scheme_kept(url)

    def _is_image_kept(self, value: str) -> bool:
        url = _plain_url(value)
        if _scheme(url) == "data":
            return bool(_DATA_IMAGE.match(url)) and self._is_scheme_kept(url)
        is_remote = _scheme(url) in _REMOTE
        return self._is_scheme_kept(url) and (not is_remote or keeps(self._rules.remote_image, (url,)))

    def _is_scheme_kept(self, url: str) -> bool:
        scheme = _scheme(url)
        if scheme in _PROGRAM_SCHEMES and not self._keeps_language(self._rules.intrinsic_language, (scheme,)):
            return False
        return not scheme or keeps(self._rules.url_scheme, (scheme,))


_REPLACEMENTS = ("replace_script_tags", "replace_style_tags", "replace_iframe_tags", "replace_remote_images")
_NEVER = frozenset({"srcdoc", "xmlns", "is", "ping"})
_IMAGES = frozenset({"background", "poster", "lowsrc", "dynsrc"})
_LINKS = frozenset({"href", "action", "formaction"})
_URLS = frozenset({"src", "cite", "longdesc", "usemap", "profile", "codebase", "classid", "manifest", "icon", "data"})
_RAW_SOURCES = frozenset({"script", "iframe"})
_PROGRAM_SCHEMES = frozenset({"javascript", "vbscript", "livescript", "mocha", "jscript"})
_REMOTE = frozenset({"http", "https", "ftp", "//"})
_DATA_IMAGE = re.compile(
    r"data:image/(?:png|gif|jpe?g|webp|bmp|x-icon|vnd\.microsoft\.icon|avif|tiff)[;,]", re.IGNORECASE
)
_SOURCE = re.compile(r"[^\s,]\S*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_OUTSIDE_URL = "".join(map(chr, range(0x21)))


def _names(attributes: Attributes) -> set[str]:
    return {name for name, _ in attributes}


def _plain_url(value: str) -> str:
    """A URL as browsers take it: controls and blanks at its ends, and line ends and tabs anywhere, are not there."""
    return re.sub(r"[\t\r\n]", "", value.strip(_OUTSIDE_URL))


def _scheme(url: str) -> str:
    """In lower case; `//` for one that goes by the page's own scheme; "" for what stays in the document."""
    if url[:2].replace("\\", "/") == "//":
        return "//"
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def _languages(attributes: dict[str, str], default: str) -> list[str]:
    named = [attributes[key].strip() for key in ("language", "type") if attributes.get(key, "").strip()]
    return named or [default]


def _decided_language(rules: Rules, language: str) -> bool:
    plain = language.partition(";")[0].strip().lower()
    short = plain.rpartition("/")[2].removeprefix("x-")
    forms = (plain, short, f"text/{short}")
    return next((rule.accept for rule in rules if any(map(rule.fits, forms))), False)
