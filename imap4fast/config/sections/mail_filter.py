"""mod-mail-doc(5): `mail-filter`."""

from __future__ import annotations

from imap4fast.config.mailsettings import MailFilter
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import KEY, SIZE_IN_MEMORY, Integer, words

_MOST_PARTS = 100_000
_MOST_DEPTH = 100
"""The deepest that a mail may nest where the item is 0, none (protocol.md T-M25)."""

MAIL_FILTER = Section(
    keyword="mail-filter",
    help="form of mails; what is found and not enabled makes the mail rejected",
    page="mod-mail-doc",
    struct=MailFilter,
    members=(
        Item(keyword="accept-8bit-header", type=KEY, help="8-bit characters in a header"),
        Item(keyword="correct-8bit-body", type=KEY, help="8-bit body in a 7-bit part: declared 8bit"),
        Item(keyword="correct-bad-char", type=KEY, help="NUL and bare CR: encoded anew"),
        Item(keyword="correct-quoting", type=KEY, help="wrong quoting in a header"),
        Item(
            keyword="invalid-header",
            type=words("keep", "shorten", "reject"),
            help="a header that cannot be parsed",
        ),
        Item(
            keyword="header-8bit-chars",
            type=words("keep", "encode", "reject"),
            help="8-bit characters of an accepted header",
        ),
        Item(keyword="max-header-size", type=SIZE_IN_MEMORY, help="size of a header"),
        Item(keyword="max-parts", type=Integer(0, _MOST_PARTS), help=f"parts of a mail; 0: {_MOST_PARTS}"),
        Item(keyword="max-depth", type=Integer(0, _MOST_DEPTH), help=f"depth of parts; 0: {_MOST_DEPTH}"),
        Item(keyword="partial-message", type=words("deny", "keep"), help="message/partial"),
        Item(
            keyword="ambiguous-mime",
            type=words("deny", "normalise", "keep"),
            help="MIME that can be read in two ways",
        ),
        Item(keyword="tnef", type=words("deny", "keep"), help="winmail.dat"),
    ),
)
