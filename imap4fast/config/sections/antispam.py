"""mod-antispam(5)."""

from __future__ import annotations

from imap4fast.config.composite import Branch
from imap4fast.config.host import SOCK
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.scanners import service_members

ANTISPAM = Section(
    keyword="antispam",
    help="a spam scanner",
    page="mod-antispam",
    named=True,
    repeatable=True,
    supported=False,
    members=(
        Item(
            keyword="connection",
            type=Branch({"spamd": SOCK, "rspamd": SOCK, "builtin": None}),
            obligatory=True,
            help="builtin knows GTUBE",
        ),
        *service_members("30"),
    ),
)
