"""imap4-proxy(5): `session-acl`."""

from __future__ import annotations

from imap4fast.config.basesettings import Conditions
from imap4fast.config.host import SOCK
from imap4fast.config.schema import Item, Section
from imap4fast.config.sections.acl import (
    FROM,
    GROUP,
    LANGUAGE,
    RESULT,
    RESULTS,
    SERVER,
    TIME_ITEM,
    TIME_PERIOD,
    TO,
    USER,
    check_times,
)
from imap4fast.config.sections.auth import AUTH_TYPE, refused_auth
from imap4fast.config.sections.source_address import SOURCE_ADDRESS
from imap4fast.config.sections.ssl import CERT_MATCH, SSL_USE
from imap4fast.config.settings import SessionAcl
from imap4fast.config.types import DURATION, Ref, words


def shape(direction: str) -> Item:
    """`shape-in` or `shape-out`."""
    where = "towards the client" if direction == "in" else "towards the server"
    return Item(
        keyword=f"shape-{direction}", type=Ref("shaper"), supported=False, default="none", help=f"shaper {where}"
    )


SESSION_ACL = Section(
    keyword="session-acl",
    help="phase 1, searched for each connection; the first that matches decides, none: denied",
    page="imap4-proxy",
    named=True,
    repeatable=True,
    field="session_acls",
    struct=SessionAcl,
    parts={"conditions": Conditions},
    one_of=RESULTS,
    check=check_times,
    members=(
        FROM,
        TO,
        SERVER,
        TIME_ITEM,
        TIME_PERIOD,
        USER,
        GROUP,
        *RESULT,
        Item(keyword="language", type=LANGUAGE, help="language of the proxy's own responses"),
        Item(
            keyword="client-ssl-params",
            type=SSL_USE,
            field="client_ssl",
            default="none",
            help="TLS of the client: session: at once (default), command: STARTTLS",
        ),
        Item(
            keyword="client-cert-match",
            type=CERT_MATCH,
            default="none",
            help="requirement: a mismatch closes before any byte of IMAP",
        ),
        Item(keyword="idle-timeout", type=DURATION, default="the proxy's", help="longest silence between units"),
        SOURCE_ADDRESS,
        Item(keyword="auth", type=AUTH_TYPE, refuses=refused_auth, default="the proxy's", help="out-of-band login"),
        shape("in"),
        shape("out"),
        Item(
            keyword="plug-to",
            type=SOCK,
            repeatable=True,
            default="none",
            help="the server; several are tried in order; wins over a transparent destination",
        ),
        Item(
            keyword="send-proxy",
            type=words("v1", "v2"),
            supported=False,
            default="none",
            help="a PROXY header for the server",
        ),
    ),
)
