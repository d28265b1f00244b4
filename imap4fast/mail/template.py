"""Templates of texts put in place of what was denied: `%{filename} %{type} %{size} %{virus} %{rule}`.

What is filled in was chosen by the sender or names it, so it is escaped for the place where it will stand (T-H06): no
line end, no control character, no bidirectional override, no more than LONGEST characters, and in HTML and XML no
markup. Octets that are no known variable stay as they are.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import msgspec

from imap4fast.mail import words

LONGEST = 200
"""Characters of one value."""

MARKUP = re.compile(
    r"text/.*(?:html|xml|xsl|sgml|svg|wml|mathml|enriched|richtext).*|.+/(?:xml(?:-.*)?|.*[+]xml|xhtml)"
)
"""Types in which `<` begins more than text: HTML, XML by RFC 7303, and others of the kind. All of them are text."""

VARIABLE = re.compile(r"%\{(filename|type|size|virus|rule)\}")


class Values(msgspec.Struct, frozen=True):
    """What a template may name: of a document, or of a mail."""

    filename: str = ""
    type: str = ""
    size: int = 0
    virus: str = ""
    rule: str = ""


def in_text(value: str) -> str:
    """One line, of bounded length."""
    text = words.collapsed(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def in_html(value: str) -> str:
    return html.escape(in_text(value), quote=True)


CONTEXTS: dict[str, Callable[[str], str]] = {"text": in_text, "html": in_html, "header": in_text}
"""By context. In a header the text filled in is encoded as a whole afterwards (`words.encoded`)."""


def filled(template: str, values: Values, context: str) -> str:
    """`template` with its variables filled in for `context`: `text`, `html` or `header`."""
    escape = CONTEXTS[context]
    return VARIABLE.sub(lambda found: escape(str(getattr(values, found[1]))), template)


def context_of(media_type: str) -> str:
    """The context of a body of that type; "" where it is no text and nothing is to be filled in."""
    kind = media_type.lower()
    if MARKUP.fullmatch(kind):
        return "html"
    return "text" if kind.startswith("text/") else ""
