"""resolver(5)."""

from __future__ import annotations

from imap4fast.config.host import SOCK
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import DURATION, INTEGER, STR

RESOLVER = Section(
    keyword="resolver",
    help="a DNS client",
    page="resolver",
    named=True,
    repeatable=True,
    supported=False,
    members=(
        Item(keyword="server", type=SOCK, repeatable=True, default="the system's", help="a name server"),
        Item(keyword="search", type=STR, repeatable=True, default="the system's", help="a domain to search names in"),
        Item(keyword="conf-timeout", type=DURATION, default="15", help="for a name of the configuration"),
        Item(keyword="initial-timeout", type=DURATION, default="3", help="for the first answer of a server"),
        Item(keyword="final-timeout", type=DURATION, default="15", help="for a query in all"),
        Item(keyword="tcp-timeout", type=DURATION, default="5", help="for connecting by TCP"),
        Item(keyword="cache", type=INTEGER, default="10000", help="entries kept"),
        Item(keyword="cache-max-ttl", type=DURATION, default="3600", help="longest life of an entry"),
        Item(keyword="negative-ttl", type=DURATION, default="60", help="life of an entry that says no"),
    ),
)
