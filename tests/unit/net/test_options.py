"""Socket options, as the kernel then has them."""

from __future__ import annotations

import socket

import pytest

from imap4fast._wire import set_options
from imap4fast.config.basesettings import SockOpt
from imap4fast.net.options import listening_options, server_options


def test_defaults() -> None:
    four, six, watch = server_options(SockOpt())
    with socket.socket() as sock:
        assert set_options(sock.fileno(), four + watch) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120000
    with socket.socket(socket.AF_INET6) as sock:
        assert set_options(sock.fileno(), six + watch) == 0


def test_each_item() -> None:
    opt = SockOpt(keepalive=0, nodelay=False, sock_rcvbuf=65536, sock_sndbuf=32768, ip_tos=16)
    four, _, watch = server_options(opt)
    with socket.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert set_options(sock.fileno(), four + watch) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * 65536
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 32768
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 16


def test_tos_of_ipv6() -> None:
    six = server_options(SockOpt(ip_tos=16)).six
    with socket.socket(socket.AF_INET6) as sock:
        set_options(sock.fileno(), six)
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 16


@pytest.mark.parametrize(("seconds", "idle", "probe"), [(1, 1, 1), (2, 2, 1), (90, 90, 22), (10**6, 32767, 32767)])
def test_times_of_keepalive(seconds: float, idle: int, probe: int) -> None:
    watch = server_options(SockOpt(keepalive=seconds)).watch
    assert (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle) in watch
    assert (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, probe) in watch
    with socket.socket() as sock:
        assert set_options(sock.fileno(), watch) == 0


@pytest.mark.parametrize("nodelay", [True, False])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_listening_sockets_get_all_that_server_legs_get(family: socket.AddressFamily, nodelay: bool) -> None:
    opt = SockOpt(nodelay=nodelay, sock_rcvbuf=65536, sock_sndbuf=32768, ip_tos=16)
    four, six, watch = server_options(opt)
    server = {*(four if family == socket.AF_INET else six), *watch}
    row = (socket.IPPROTO_TCP, socket.TCP_NODELAY, int(nodelay))
    assert {*listening_options(opt, family)} == server | {row}
