"""Socket options of both legs. The client's are set on the listening sockets, which pass on all but TCP_NODELAY."""

from __future__ import annotations

import socket
from typing import NamedTuple

from imap4fast.config.basesettings import SockOpt

_PROBES = 4
_MOST_SECONDS = 32767
"""What the kernel takes for keep-alive times."""

Row = tuple[int, int, int]
"""(level, name, value) for `_wire.set_options` and `socket.setsockopt`."""


class ServerOptions(NamedTuple):
    """What to set on server legs, worked out once."""

    four: tuple[Row, ...]
    """On each connected IPv4 socket."""
    six: tuple[Row, ...]
    """On each connected IPv6 socket."""
    watch: tuple[Row, ...]
    """On each that lives on: what finds a dead server. Most sessions of some clients are over in milliseconds, and
    these would be a thirtieth of their cost."""


def listening_options(opt: SockOpt, family: int) -> tuple[Row, ...]:
    """All that `client-conn` asks for, on listening sockets: accepted ones take it over, so that it costs nothing."""
    nodelay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, int(opt.nodelay))
    return (nodelay, *_transport(opt, family), *_watch(opt))


def delay_options(opt: SockOpt) -> tuple[Row, ...]:
    """What takes back that the loop turns TCP_NODELAY on for each socket, accepted or connected."""
    return () if opt.nodelay else ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 0),)


def server_options(opt: SockOpt) -> ServerOptions:
    """The options that `server-conn` asks for."""
    delay = delay_options(opt)
    four, six = _transport(opt, socket.AF_INET), _transport(opt, socket.AF_INET6)
    return ServerOptions((*delay, *four), (*delay, *six), _watch(opt))


def _transport(opt: SockOpt, family: int) -> tuple[Row, ...]:
    rows: list[Row] = []
    if opt.sock_rcvbuf:
        rows.append((socket.SOL_SOCKET, socket.SO_RCVBUF, opt.sock_rcvbuf))
    if opt.sock_sndbuf:
        rows.append((socket.SOL_SOCKET, socket.SO_SNDBUF, opt.sock_sndbuf))
    if opt.ip_tos is not None and family == socket.AF_INET:
        rows.append((socket.IPPROTO_IP, socket.IP_TOS, opt.ip_tos))
    elif opt.ip_tos is not None:
        rows.append((socket.IPPROTO_IPV6, socket.IPV6_TCLASS, opt.ip_tos))
    return tuple(rows)


def _watch(opt: SockOpt) -> tuple[Row, ...]:
    """A silent end is found out after `keepalive` and about as long again for the probes; one that takes no data
    after `send-timeout`.
    """
    timeout = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(opt.send_timeout * 1000))
    if not opt.keepalive:
        return (timeout,)
    return (
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _seconds(opt.keepalive)),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _seconds(opt.keepalive / _PROBES)),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # after the times: the kernel starts its timer once
        timeout,
    )


def _seconds(duration: float) -> int:
    return min(max(int(duration), 1), _MOST_SECONDS)
