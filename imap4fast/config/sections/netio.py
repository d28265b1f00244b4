"""netio(5): `sock-opt {}` and the sections of its form."""

from __future__ import annotations

from typing import Any

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.composite import WordOr
from imap4fast.config.schema import Item, Section
from imap4fast.config.types import (
    DURATION,
    DURATION_NOT_0,
    DURATION_SUFFIXES,
    SIZE,
    SIZE_IN_MEMORY,
    SIZE_NOT_0,
    YES_NO,
    Integer,
    Scaled,
)

_CLIENTS_TOS = -1
_SEND_TIMEOUT = Scaled("duration", DURATION_SUFFIXES, 1, (2**31 - 1) // 1000)
"""The kernel counts TCP_USER_TIMEOUT in milliseconds."""
_KEEPALIVE = Scaled("duration", DURATION_SUFFIXES, 0, 32767)
"""The most that the kernel takes for TCP_KEEPIDLE."""


def _refused_tos(value: Any) -> str | None:
    """The client's own comes later."""
    return "`ip-tos client`" if value == _CLIENTS_TOS else None


_ITEMS = (
    Item(keyword="conn-timeout", type=DURATION_NOT_0, help="server: connecting"),
    Item(
        keyword="recv-timeout",
        type=DURATION_NOT_0,
        help="silence in the middle of a unit, and while a handshake or greeting is awaited; between units "
        "idle-timeout rules",
    ),
    Item(keyword="reply-timeout", type=DURATION, help="server: silence while a command is pending"),
    Item(
        keyword="send-timeout",
        type=_SEND_TIMEOUT,
        help="nothing written though there is something to write; also TCP_USER_TIMEOUT",
    ),
    Item(keyword="close-timeout", type=DURATION, help="wait for the other half close, then reset; 0: reset at once"),
    Item(
        keyword="recv-bufsize",
        type=SIZE_NOT_0,
        supported=False,
        default="64K",
        help="most bytes taken at once in user space",
    ),
    Item(
        keyword="send-bufsize",
        type=SIZE_NOT_0,
        supported=False,
        default="64K",
        help="most bytes queued at once in user space",
    ),
    Item(keyword="sock-rcvbuf", type=SIZE_IN_MEMORY, help="receive buffer of the socket; 0: the kernel's"),
    Item(keyword="sock-sndbuf", type=SIZE_IN_MEMORY, help="send buffer of the socket; 0: the kernel's"),
    Item(keyword="keepalive", type=_KEEPALIVE, help="TCP keep-alive; 0: none"),
    Item(keyword="nodelay", type=YES_NO, help="TCP_NODELAY"),
    Item(
        keyword="ip-tos",
        type=WordOr("client", _CLIENTS_TOS, Integer(0, 255)),
        refuses=_refused_tos,
        help="type of service; `client`, the client's, is not supported yet",
    ),
    Item(
        keyword="log-limit",
        type=SIZE,
        help="bytes shown of a block at level full; 0: all; omitted: log-debug's data-limit",
    ),
)


def sock_opt(keyword: str, text: str, **more: Any) -> Section:
    """A section of the form of `sock-opt`."""
    return Section(keyword=keyword, help=text, members=_ITEMS, struct=SockOpt, page="netio", **more)
