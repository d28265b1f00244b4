"""Socket options of a server leg. Those of the client's leg are set on the listening sockets, which pass them on."""

from __future__ import annotations

import socket
from typing import NamedTuple

from imap4fast.config.settings import SockOpt

_PROBES = 3

Row = tuple[int, int, int]
"""(level, name, value) for `_wire.set_options`."""


class ServerOptions(NamedTuple):
    """What to set on server legs, worked out once."""

    four: tuple[Row, ...]
    """On each connected IPv4 socket."""
    six: tuple[Row, ...]
    """On each connected IPv6 socket."""
    watch: tuple[Row, ...]
    """On each that lives on: what finds a dead server. Most sessions of some clients are over in milliseconds, and
    these would be a thirtieth of their cost."""


def server_options(opt: SockOpt) -> ServerOptions:
    """The options that `server-conn` asks for."""
    rows: list[Row] = []
    if not opt.nodelay:
        rows.append((socket.IPPROTO_TCP, socket.TCP_NODELAY, 0))
    if opt.sock_rcvbuf:
        rows.append((socket.SOL_SOCKET, socket.SO_RCVBUF, opt.sock_rcvbuf))
    if opt.sock_sndbuf:
        rows.append((socket.SOL_SOCKET, socket.SO_SNDBUF, opt.sock_sndbuf))
    four, six = list(rows), list(rows)
    if opt.ip_tos is not None:
        four.append((socket.IPPROTO_IP, socket.IP_TOS, opt.ip_tos))
        six.append((socket.IPPROTO_IPV6, socket.IPV6_TCLASS, opt.ip_tos))
    return ServerOptions(tuple(four), tuple(six), tuple(_watch(opt)))


def _watch(opt: SockOpt) -> list[Row]:
    rows: list[Row] = []
    if opt.keepalive:
        seconds = max(1, int(opt.keepalive))
        rows.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds))
        rows.append((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, seconds // _PROBES)))
        rows.append((socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES))
        rows.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))  # last: the kernel starts its timer once
    rows.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(opt.send_timeout * 1000)))
    return rows
