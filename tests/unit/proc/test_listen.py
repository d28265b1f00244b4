"""Binding: places, their sockets and options, and what is refused."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import Listen, Proxy, TcpServer
from imap4fast.config.values import Address, Sock
from imap4fast.errors import SetupError
from imap4fast.proc.listen import Group, bind_all, describe
from tests.e2e.proc_running import LOOPBACK, free_port

LOOPBACK6 = Address(6, 1)


def at(host: Address | str | None, port: int, to_port: int = 0) -> Listen:
    return Listen(False, Sock(host, 0), None, None, port, to_port or port)


def on(iface: str, version: int | None, port: int) -> Listen:
    return Listen(False, None, iface, version, port, port)


@contextmanager
def bound(*items: Listen, workers: int = 2, **others: object) -> Iterator[list[Group]]:
    groups = bind_all(Proxy(name="IMAP", listen_on=items, **others), workers)  # type: ignore[arg-type]
    yield groups
    for group in groups:
        group.close()


def free_ports(count: int) -> int:
    """The first of so many neighbouring free ports."""
    while True:
        first = free_port()
        try:
            with bound(at(LOOPBACK, first, first + count - 1)):
                return first
        except (SetupError, OverflowError):
            continue


def test_a_socket_a_worker_in_one_group() -> None:
    with bound(at(LOOPBACK, free_port()), workers=3) as (group,):
        assert [sock.getsockname() for sock in group.sockets] == [group.place.address] * 3
        assert all(not sock.getblocking() for sock in group.sockets)
        clients = [socket.create_connection(group.sockets[0].getsockname()) for _ in range(60)]
        reached = [sock.accept()[0] for sock in group.sockets]
        for sock in clients + reached:
            sock.close()


def test_ranges_take_both_ends() -> None:
    first = free_ports(3)
    with bound(at(LOOPBACK, first, first + 2)) as groups:
        assert [group.place.address[1] for group in groups] == [first, first + 1, first + 2]


def test_wildcard_ipv6_never_includes_ipv4() -> None:
    port = free_port()
    with bound(at(Address(6, 0), port)):
        socket.create_connection(("::1", port)).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_both_wildcards_stand_beside_each_other() -> None:
    port = free_port()
    with bound(at(Address(4, 0), port), at(Address(6, 0), port)) as groups:
        assert [str(group.place) for group in groups] == [f"[0.0.0.0]:{port}", f"[::]:{port}"]


def test_star_is_both_wildcards() -> None:
    port = free_port()
    with bound(at(None, port)) as groups:
        assert [str(group.place) for group in groups] == [f"[0.0.0.0]:{port}", f"[::]:{port}"]


@pytest.mark.parametrize(("version", "hosts"), [(4, ["127.0.0.1"]), (6, ["::1"]), (None, ["127.0.0.1", "::1"])])
def test_iface_form_takes_the_interfaces_addresses(version: int | None, hosts: list[str]) -> None:
    port = free_port()
    with bound(on("lo", version, port)) as groups:
        assert {str(group.place) for group in groups} >= {f"[{host}]:{port}" for host in hosts}
        assert {group.place.family for group in groups} == {
            socket.AF_INET6 if ":" in host else socket.AF_INET for host in hosts
        }


def test_a_name_is_resolved() -> None:
    port = free_port()
    with bound(at("localhost", port)) as groups:
        assert f"[127.0.0.1]:{port}" in {str(group.place) for group in groups}


def test_accepted_sockets_inherit_the_options() -> None:
    opt = SockOpt(keepalive=40, send_timeout=33, sock_rcvbuf=20000, sock_sndbuf=30000, ip_tos=0x20)
    with (
        bound(at(LOOPBACK, free_port()), workers=1, client_conn=opt) as (group,),
        socket.create_connection(group.sockets[0].getsockname()),
        group.sockets[0].accept()[0] as sock,
    ):
        tcp = socket.IPPROTO_TCP
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(tcp, socket.TCP_KEEPIDLE) == 40
        assert sock.getsockopt(tcp, socket.TCP_KEEPINTVL) * sock.getsockopt(tcp, socket.TCP_KEEPCNT) == 40
        assert sock.getsockopt(tcp, socket.TCP_USER_TIMEOUT) == 33000
        assert sock.getsockopt(tcp, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 40000  # the kernel doubles
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 60000
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0x20


def test_accepted_sockets_inherit_the_traffic_class() -> None:
    with (
        bound(at(LOOPBACK6, free_port()), workers=1, client_conn=SockOpt(ip_tos=0x40, keepalive=0, nodelay=False)) as (
            group,
        ),
        socket.create_connection(group.sockets[0].getsockname()[:2]),
        group.sockets[0].accept()[0] as sock,
    ):
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS) == 0x40
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0


def test_queue_size_is_the_backlog() -> None:
    with bound(at(LOOPBACK, free_port()), workers=1, tcpserver=TcpServer(queue_size=3)) as (group,):
        clients = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(group.sockets[0].getsockname())
            clients.append(client)
        accepted = []
        while True:
            try:
                accepted.append(group.sockets[0].accept()[0])
            except BlockingIOError:
                break
        assert len(accepted) == 4  # the kernel lets one more in
        for sock in clients + accepted:
            sock.close()


def test_two_items_at_one_place_are_refused() -> None:
    port = free_port()
    first, second = at(LOOPBACK, port - 1, port), at(LOOPBACK, port)
    with pytest.raises(SetupError) as error, bound(first, second):
        pass
    assert error.value.what == f"listen-on non-transparent [127.0.0.1] port {port}"
    assert error.value.why == f"[127.0.0.1]:{port} is listened at already, by {describe(first)}"


@pytest.mark.parametrize("reuse", [False, True])
def test_a_place_in_use_is_refused_also_where_reuseport_would_let_it_pass(reuse: bool) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(reuse))
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupError) as error, bound(at(LOOPBACK, port)):
            pass
        assert str(error.value) == (
            f"listen-on non-transparent [127.0.0.1] port {port}: [127.0.0.1]:{port}: another program listens there"
        )


def test_a_refused_place_leaves_nothing_bound() -> None:
    good, bad = free_port(), free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", bad))
        other.listen()
        with pytest.raises(SetupError), bound(at(LOOPBACK, good), at(LOOPBACK, bad)):
            pass
    with bound(at(LOOPBACK, good)):
        pass


def test_an_address_that_is_not_here_is_named() -> None:
    with pytest.raises(SetupError, match=r"\[192\.0\.2\.9\]:1143: Cannot assign requested address"):
        bind_all(Proxy(name="IMAP", listen_on=(at(Address(4, 0xC0000209), 1143),)), 1)


def test_a_name_that_does_not_exist_is_named() -> None:
    with pytest.raises(SetupError, match=r"listen-on non-transparent no\.such\.invalid port 1143: "):
        bind_all(Proxy(name="IMAP", listen_on=(at("no.such.invalid", 1143),)), 1)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (at(LOOPBACK, 143), "listen-on non-transparent [127.0.0.1] port 143"),
        (at(LOOPBACK6, 143, 150), "listen-on non-transparent [::1] port 143 to 150"),
        (on("lo", 6, 993), "listen-on non-transparent iface lo version 6 port 993"),
        (Listen(True, None, "lo", None, 143, 143), "listen-on transparent iface lo port 143"),
        (at(None, 143), "listen-on non-transparent * port 143"),
    ],
)
def test_items_are_described(item: Listen, text: str) -> None:
    assert describe(item) == text
