"""source-address(5)."""

from __future__ import annotations

from imap4fast.config.composite import ListOf, Named, Opt, Seq
from imap4fast.config.host import ADDRESS
from imap4fast.config.schema import Item
from imap4fast.config.types import words

SOURCE_ADDRESS = Item(
    keyword="source-address",
    type=Seq(
        Named("client"),
        Named("addr4", ListOf(ADDRESS)),
        Named("addr6", ListOf(ADDRESS)),
        Opt(words("cluster", "physical", "no-fallback")),
    ),
    supported=False,
    default="the system's choice",
    help="source of connections to servers; client: the client's own address",
)
