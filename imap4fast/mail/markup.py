"""HTML rebuilt from the tree that a browser would see, by nh3 (ammonia), and the tags of what comes out of it.

Only elements of a list are written, all others are unwrapped or left out with what is in them; no comments, no foreign
content, nothing whose parsing depends on whether scripts run. What comes out has one form: names in lower case, values
in double quotes, `<` only where a tag begins. `edited` relies on that form and on nothing else.
"""

from __future__ import annotations

import html
import re
import string
from collections.abc import Callable, Iterator

import nh3

TAGS = frozenset(
    """
    a abbr acronym address area article aside audio b bdi bdo big blockquote br button caption center cite code col
    colgroup dd del details dfn dir div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 header
    hgroup hr i iframe img input ins kbd label legend li main map mark marquee menu meter nav nobr ol output p picture
    pre progress q rp rt ruby s samp script section small source span strike strong style sub summary sup table tbody td
    tfoot th thead time tr tt u ul var video wbr
    """.split()  # noqa: SIM905
)
"""Elements that can be kept. Not `base`, `meta`, `link` (they change what is around), `object`, `embed` (programs),
`svg`, `math` (parsed otherwise), nor what browsers parse differently: `noscript`, `select`, `textarea`, `xmp`."""

RAW = frozenset({"script", "style", "iframe"})
"""Elements whose content is no markup."""

_LEFT_OUT = frozenset({"title", "template", "math", "svg", "noembed", "noframes", "object", "applet"})
_SCHEMES = frozenset(
    """
    http https ftp ftps sftp mailto cid mid tel sms callto sip sips xmpp irc ircs im news nntp magnet geo maps webcal
    skype facetime whatsapp tg viber bitcoin ldap ldaps imap file smb about blob data ws wss git ssh telnet steam
    javascript vbscript livescript mocha ms-word ms-excel ms-powerpoint ms-outlook msteams zoommtg intent market
    """.split()  # noqa: SIM905
)
"""What may be judged by rules; a scheme that nobody knows is not kept."""

_PREFIXES = frozenset(string.ascii_lowercase)
_NOSCRIPT = re.compile(r"</?noscript\b[^>]*>", re.IGNORECASE)
_BODY = re.compile(r"<body(?=\s+[^\s>])", re.IGNORECASE)
_CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff]")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?: [a-z][^\s>/=]*=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([a-z][^\s>/=]*)=\"([^\"]*)\"")
_NAME = re.compile(r"[a-z][a-z0-9_:.-]*\Z")

Attributes = list[tuple[str, str]]
Decide = Callable[[str, Attributes, str], str | Attributes]


class NotCanonical(Exception):  # noqa: N818 -- the caller shows the text instead
    """Text that was to be in nh3's form is not."""


def canonical(text: str, tags: frozenset[str]) -> str:
    """The document's body rebuilt from its tree with `tags` alone."""
    text = _NOSCRIPT.sub("", plain(text))
    # The parser knows fragments, in which a body has no place; what it looks like is worth keeping.
    text = _BODY.sub("<div", text, count=1)
    return nh3.clean(
        text,
        tags=set(tags),
        clean_content_tags=set(_LEFT_OUT | (RAW - tags)),
        attributes={},
        generic_attribute_prefixes=set(_PREFIXES),
        url_schemes=set(_SCHEMES),
        link_rel=None,
        strip_comments=True,
    ).strip()


def plain(text: str) -> str:
    """Without controls and what is no character, line ends of one kind."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def shown(text: str) -> str:
    """Markup as text, in the form in which a canonical document has text."""
    return html.escape(plain(text).strip(), quote=False).replace("\xa0", "&nbsp;")


_SHOWN = re.compile(r"(?:[^<>&\xa0\x00-\x08\x0b-\x1f\x7f]++|&(?:amp|lt|gt|nbsp);)*+")


def is_shown(text: str) -> bool:
    """Whether text is in the form that `shown` gives: there is no markup in it."""
    return _SHOWN.fullmatch(text) is not None


def edited(text: str, decide: Decide) -> str:
    """Canonical text with each start tag as `decide` wants it: its attributes, or a text instead of the element.

    `decide` is given name, attributes with their values decoded, and for `RAW` elements the content; what it gives as
    attribute `""` becomes the content of such an element. A text instead of an element that is not `RAW` replaces its
    start tag, so it fits elements without content only.
    """
    return "".join(_edited(text, decide))


def _edited(text: str, decide: Decide) -> Iterator[str]:
    at = 0
    while (sign := text.find("<", at)) >= 0:
        yield text[at:sign]
        tag = _TAG.match(text, sign)
        if not tag:
            raise NotCanonical
        at = tag.end()
        if tag[1]:
            yield tag[0]
            continue
        content = None
        if tag[2] in RAW:
            end = text.find(f"</{tag[2]}>", at)
            content, at = text[at:end], end + len(tag[2]) + 3
            if end < 0:
                raise NotCanonical
        yield _written(tag, decide, content)
    yield text[at:]


def _written(tag: re.Match[str], decide: Decide, content: str | None) -> str:
    attributes = [(name, html.unescape(value)) for name, value in _ATTRIBUTE.findall(tag[3]) if _NAME.match(name)]
    decided = decide(tag[2], attributes, content or "")
    if isinstance(decided, str):
        return decided
    inside = next((value for name, value in decided if not name), "")
    start = "".join([f"<{tag[2]}", *(f' {name}="{_value(value)}"' for name, value in decided if name), ">"])
    return start if content is None else f"{start}{inside}</{tag[2]}>"


def _value(value: str) -> str:
    return html.escape(value).replace("&#x27;", "'").replace("\xa0", "&nbsp;")


_OPENED = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)([^<>]{0,200})")
_CLOSED_BY_OTHERS = frozenset(
    "p li dd dt td th tr tbody thead tfoot br hr img input col wbr area source meta link".split()  # noqa: SIM905
)
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())  # noqa: SIM905
MOST_STEPS = 20_000_000
MOST_RECREATED = 300_000
MOST_REFERENCES = 300_000
MOST_TAGS = 1_000_000


def is_tangled(text: str) -> bool:
    """Whether parsing would take time or memory out of all proportion: the rules of HTML allow squares of both.

    An estimate from tags as they stand: a deep stack costs at each tag, and formatting left open is made anew in each
    block that follows.
    """
    if text.count("&") > MOST_REFERENCES:
        return True
    stack = _Stack()
    steps = recreated = tags = 0
    for end, name, attributes in _OPENED.findall(text):
        tags += 1
        stack.see(bool(end), name.lower(), attributes)
        steps += stack.depth
        recreated += stack.formatting
    return steps > MOST_STEPS or recreated > MOST_RECREATED or tags > MOST_TAGS


class _Stack:
    """About how many elements are open, and how many of those are formatting that blocks make anew."""

    def __init__(self) -> None:
        self.depth = 0
        self.formatting = 0
        self._open: dict[str, list[str]] = {}
        self._alike: dict[tuple[str, str], int] = {}

    def see(self, is_end: bool, name: str, attributes: str) -> None:
        if name in _CLOSED_BY_OTHERS:
            return
        if not is_end:
            self.depth += 1
            self._open.setdefault(name, []).append(attributes)
            self._count(name, attributes, 1)
        elif opened := self._open.get(name):
            self.depth -= 1
            self._count(name, opened.pop(), -1)

    def _count(self, name: str, attributes: str, step: int) -> None:
        """Of formatting elements that are alike no more than three are made anew."""
        if name in _FORMATTING:
            before = self._alike.get((name, attributes), 0)
            self._alike[name, attributes] = before + step
            self.formatting += min(before + step, 3) - min(before, 3)
