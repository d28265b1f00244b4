"""mod-mail-doc(5): `mail-filter`."""

from __future__ import annotations

from imap4fast.config.schema import Item, Section
from imap4fast.config.types import INTEGER, KEY, SIZE, words

MAIL_FILTER = Section(
    keyword="mail-filter",
    help="form of mails; what is found and not enabled makes the mail rejected",
    page="mod-mail-doc",
    members=(
        Item(keyword="accept-8bit-header", type=KEY, default="no", help="8-bit characters in a header"),
        Item(keyword="correct-8bit-body", type=KEY, default="no", help="8-bit body in a 7-bit part: declared 8bit"),
        Item(keyword="correct-bad-char", type=KEY, default="no", help="NUL and bare CR: encoded anew"),
        Item(keyword="correct-quoting", type=KEY, default="no", help="wrong quoting in a header"),
        Item(
            keyword="invalid-header",
            type=words("keep", "shorten", "reject"),
            default="shorten",
            help="a header that cannot be parsed",
        ),
        Item(
            keyword="header-8bit-chars",
            type=words("keep", "encode", "reject"),
            default="encode",
            help="8-bit characters of an accepted header",
        ),
        Item(keyword="max-header-size", type=SIZE, default="256K", help="size of a header"),
        Item(keyword="max-parts", type=INTEGER, default="1000", help="parts of a mail"),
        Item(keyword="max-depth", type=INTEGER, default="30", help="depth of parts"),
        Item(keyword="partial-message", type=words("deny", "keep"), default="deny", help="message/partial"),
        Item(
            keyword="ambiguous-mime",
            type=words("deny", "normalise", "keep"),
            default="normalise",
            help="MIME that can be read in two ways",
        ),
        Item(keyword="tnef", type=words("deny", "keep"), default="deny", help="winmail.dat"),
    ),
)
