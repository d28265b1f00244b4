"""mod-antispam(5)."""

from __future__ import annotations

from imap4fast.config.host import SOCK
from imap4fast.config.mailsettings import Antispam
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.scanners import ConnectionType, service_members

ANTISPAM = Section(
    keyword="antispam",
    help="a spam scanner",
    page="mod-antispam",
    named=True,
    repeatable=True,
    struct=Antispam,
    members=(
        Item(
            keyword="connection",
            type=ConnectionType({"spamd": SOCK, "rspamd": SOCK}),
            obligatory=True,
            help="builtin knows GTUBE",
        ),
        *service_members(),
    ),
)
