"""doctype-identification(7)."""

from __future__ import annotations

from imap4fast.config.composite import ListOf, Named, Seq
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import FILE, words

METHODS = ListOf(words("content-type", "extension", "magic"))

DOCTYPE_IDENTIFICATION = Section(
    keyword="doctype-identification",
    help="how the type of a document is found",
    page="doctype-identification",
    supported=False,
    members=(
        Item(
            keyword="order",
            type=Seq(Named("for", words("download", "upload")), METHODS),
            repeatable=True,
            default="content-type",
            help="methods in the order in which they are tried",
        ),
        Item(keyword="mime-types", type=FILE, default="none", help="types by extension"),
        Item(keyword="magic", type=FILE, default="none", help="types by the first bytes"),
    ),
)
