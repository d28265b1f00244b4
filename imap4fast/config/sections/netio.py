"""netio(5): `sock-opt {}` and the sections of its form."""

from __future__ import annotations

from typing import Any

from imap4fast.config.composite import WordOr
from imap4fast.config.schema import Item, Section
from imap4fast.config.settings import SockOpt
from imap4fast.config.types import DURATION, DURATION_NOT_0, SIZE, SIZE_NOT_0, YES_NO, Integer

_ITEMS = (
    Item(keyword="conn-timeout", type=DURATION_NOT_0, help="connecting"),
    Item(
        keyword="recv-timeout",
        type=DURATION_NOT_0,
        help="silence in the middle of a unit, and while a handshake or greeting is awaited; between units "
        "idle-timeout rules",
    ),
    Item(keyword="reply-timeout", type=DURATION, help="server: silence while a command is pending"),
    Item(
        keyword="send-timeout",
        type=DURATION_NOT_0,
        help="nothing written though there is something to write; also TCP_USER_TIMEOUT",
    ),
    Item(keyword="close-timeout", type=DURATION, help="wait for the other half close, then reset; 0: reset at once"),
    Item(keyword="recv-bufsize", type=SIZE_NOT_0, help="most bytes taken at once in user space"),
    Item(keyword="send-bufsize", type=SIZE_NOT_0, help="most bytes queued at once in user space"),
    Item(keyword="sock-rcvbuf", type=SIZE, help="receive buffer of the socket; 0: the kernel's"),
    Item(keyword="sock-sndbuf", type=SIZE, help="send buffer of the socket; 0: the kernel's"),
    Item(keyword="keepalive", type=DURATION, help="TCP keep-alive"),
    Item(keyword="nodelay", type=YES_NO, help="TCP_NODELAY"),
    Item(keyword="ip-tos", type=WordOr("client", -1, Integer(0, 255)), help="type of service; `client`: the client's"),
    Item(
        keyword="log-limit",
        type=SIZE,
        help="bytes shown of a block at level full; omitted: log's data-limit",
    ),
)


def sock_opt(keyword: str, text: str, **more: Any) -> Section:
    """A section of the form of `sock-opt`."""
    return Section(keyword=keyword, help=text, members=_ITEMS, struct=SockOpt, page="netio", **more)
