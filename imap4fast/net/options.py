"""Socket options of a server leg. Those of the client's leg are set on the listening sockets, which pass them on."""

from __future__ import annotations

import socket

from imap4fast.config.settings import SockOpt

_PROBES = 3

Rows = tuple[tuple[int, int, int], ...]
"""(level, name, value) for `_wire.set_options`."""


def server_options(opt: SockOpt) -> tuple[Rows, Rows]:
    """What to set on each connected socket, for IPv4 and for IPv6, worked out once."""
    rows: list[tuple[int, int, int]] = []
    if opt.keepalive:
        seconds = max(1, int(opt.keepalive))
        rows.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds))
        rows.append((socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, seconds // _PROBES)))
        rows.append((socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES))
        rows.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))  # last: the kernel starts its timer once
    rows.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(opt.send_timeout * 1000)))
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
    return tuple(four), tuple(six)
