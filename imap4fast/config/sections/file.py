"""imap4-proxy.cfg(5): a whole file."""

from __future__ import annotations

from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.antispam import ANTISPAM
from imap4fast.config.sections.antivirus import ANTIVIRUS
from imap4fast.config.sections.auth import OOB_AUTH
from imap4fast.config.sections.html_filter import HTML_FILTER
from imap4fast.config.sections.imap4_proxy import IMAP4_PROXY
from imap4fast.config.sections.resolver import RESOLVER
from imap4fast.config.sections.shaper import SHAPER
from imap4fast.config.sections.ssl import SSL_PARAMS
from imap4fast.config.sections.ssl_cert_match import SSL_CERT_MATCH
from imap4fast.config.sections.time import TIME_PERIOD_SET
from imap4fast.config.types import words
from imap4fast.names import DIALECT

FILE_SECTION = Section(
    keyword="",
    help="a configuration file",
    page="imap4-proxy.cfg",
    members=(
        Item(keyword="version", type=words(DIALECT), help="must be the first item"),
        RESOLVER,
        ANTIVIRUS,
        ANTISPAM,
        HTML_FILTER,
        SSL_PARAMS,
        SSL_CERT_MATCH,
        OOB_AUTH,
        SHAPER,
        TIME_PERIOD_SET,
        IMAP4_PROXY,
    ),
)
