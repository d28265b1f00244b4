"""The way to the server: several addresses, IPv6, names, and servers that fail in every way."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.e2e.dovecot import free_port
from tests.e2e.fakeserver import FakeServer, Session
from tests.e2e.lab import PASSWORD, Lab, mail
from tests.e2e.tap import Tap
from tests.e2e.wire import Address, WireError


@pytest.fixture
def nobody() -> Address:
    """An address that refuses."""
    return ("127.0.0.1", free_port())


@pytest.fixture
def second(lab: Lab) -> Iterator[FakeServer]:
    """One more fake server; it greets with `second`."""

    def script(session: Session) -> None:
        session.send(b"* OK [CAPABILITY IMAP4rev1] second\r\n")
        session.until_closed()

    server = FakeServer()
    server.play(script)
    yield server
    server.close()


def test_refused_address_is_passed_over(lab: Lab, nobody: Address) -> None:
    wire = lab.client(plug=(nobody, lab.tap.address), probe=False)
    assert b"Dovecot" in wire.greeting
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))


def test_order_of_plug_to(lab: Lab, second: FakeServer) -> None:
    assert b"Dovecot" in lab.client(plug=(lab.tap.address, second.address)).greeting
    assert b"second" in lab.client(plug=(second.address, lab.tap.address)).greeting


@pytest.mark.parametrize("count", [1, 3])
def test_nobody_there(lab: Lab, nobody: Address, count: int) -> None:
    config = {"plug": (nobody,) * count, "probe": False}
    wire = lab.keep(lab.proxy(**config).wire())
    data = wire.rest()
    assert data.startswith(b"* BYE ")
    assert data.count(b"\r\n") == 1
    lab.log(r"SESSION-END .* FAILED", **config)


def test_accepting_acl_without_plug_to(lab: Lab) -> None:
    """On a non-transparent port: REJECTED at run time."""
    config = {"acls": "session-acl IN { accept; } command-acl ALL { accept; no-mail-scanning; }", "probe": False}
    lab.keep(lab.proxy(**config).wire()).rest()
    lab.log(r"SESSION-END .* REJECTED", **config)


def test_name_of_a_host(lab: Lab) -> None:
    port = lab.tap.address[1]
    acls = f"session-acl IN {{ accept; plug-to localhost : {port}; }} command-acl ALL {{ accept; no-mail-scanning; }}"
    lab.login(acls=acls).ok(b"SELECT INBOX")


def test_name_that_does_not_exist(lab: Lab) -> None:
    acls = "session-acl IN { accept; plug-to nowhere.invalid : 143; } command-acl ALL { accept; no-mail-scanning; }"
    wire = lab.keep(lab.proxy(acls=acls, probe=False).wire())
    assert wire.rest(15).startswith(b"* BYE ")


def test_ipv6_to_the_client(lab: Lab) -> None:
    config = {"host": "::1"}
    wire = lab.login(**config)
    assert wire.append(b"INBOX", mail(1, 70_000)).status == "OK"
    lab.log(rf"SESSION-START FROM=\S*::1\S*{wire.port}", **config)


def test_ipv6_to_the_server(lab: Lab) -> None:
    config = {"plug": (lab.dovecot.address6,)}
    wire = lab.login(**config)
    assert wire.append(b"INBOX", mail(1, 70_000)).status == "OK"
    wire.close()
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port} SERVER=\S*::1", **config)


def test_ipv6_listener_is_ipv6_only(lab: Lab) -> None:
    proxy = lab.proxy(host="::1")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", proxy.address[1]), timeout=3)


def test_tap_over_ipv6(lab: Lab) -> None:
    relay = Tap(lab.dovecot.address6, host="::1")
    wire = lab.login(plug=(relay.address,), host="::1")
    wire.ok(b"NOOP")
    assert b"NOOP" in relay.since(0)
    relay.close()


# servers that fail


def test_server_closes_at_once(lab: Lab) -> None:
    assert lab.play(lambda server: None).rest().startswith(b"* BYE ")


@pytest.mark.parametrize("greeting", [b"* BYE too busy\r\n", b"* NO\r\n", b"220 smtp ready\r\n", b"\r\n", b"\0\0\r\n"])
def test_bad_greeting(lab: Lab, greeting: bytes) -> None:
    def script(server: Session) -> None:
        server.send(greeting)
        server.until_closed()

    data = lab.play(script).rest()
    assert data.startswith(b"* BYE ")
    assert data.count(b"\r\n") == 1


def test_server_closes_between_units(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in()
        server.wait_for(b"NAMESPACE")

    wire = lab.fake_login(script)
    wire.send(b"a NAMESPACE\r\n")
    assert wire.rest().startswith(b"* BYE ")


@pytest.mark.parametrize(
    "part", [b"* 1 FETCH (BODY[] {1000}\r\nabc", b"* 1 FETCH (FLAGS (", b"* 1 FETCH (BODY[] {3}\r\nabc"]
)
def test_server_closes_inside_a_unit(lab: Lab, part: bytes) -> None:
    def script(server: Session) -> None:
        server.let_select()
        server.wait_for(b"FETCH")
        server.send(part)
        time.sleep(0.1)

    wire = lab.fake_selected(script)
    wire.send(b"a FETCH 1 BODY[]\r\n")
    data = wire.rest()
    assert b"a OK" not in data
    # What was let through is a beginning of what the server sent; inside a literal nothing follows it.
    before, bye, _ = data.partition(b"* BYE")
    assert part.startswith(before)
    assert not (bye and before)
    lab.log(r"SESSION-END .* FAILED", plug=(lab.fake.address,))


def test_server_closes_during_login(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.say_hello()
        server.wait_for(b"LOGIN")

    wire = lab.play(script).greet()
    wire.send(b"a LOGIN joe " + PASSWORD + b"\r\n")
    assert b"* BYE" in wire.rest()


def test_server_closes_during_append(lab: Lab) -> None:
    def script(server: Session) -> None:
        server.let_in()
        server.wait_for(b"APPEND")
        server.send(b"+ go on\r\n")
        server.take(1000)

    wire = lab.fake_login(script)
    wire.flood(b"a APPEND INBOX {500000+}\r\n" + b"x" * 500_000 + b"\r\n")
    assert b"a OK" not in wire.rest()


# clients that vanish


@pytest.mark.parametrize("hard", [True, False])
def test_client_vanishes_in_a_literal(lab: Lab, hard: bool) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.send(b"a APPEND INBOX {100000+}\r\n" + b"x" * 1000)
    lab.wait_out(b"xxx")
    wire.vanish() if hard else wire.close()
    assert lab.tap.recordings[-1].closed.wait(5)
    assert b"MESSAGES 0" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]
    lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b")


def test_client_vanishes_in_a_gathered_literal(lab: Lab) -> None:
    wire = lab.login()
    wire.send(b"a CREATE {1000+}\r\nabc")
    wire.vanish()
    assert lab.tap.recordings[-1].closed.wait(5)
    assert b"abc" not in lab.out()


def test_client_vanishes_during_a_download(lab: Lab) -> None:
    user = lab.user()
    lab.direct(user).append(b"INBOX", mail(1, 5_000_000))
    wire = lab.login(user)
    wire.ok(b"SELECT INBOX")
    recording = lab.tap.recordings[-1]
    wire.send(b"a FETCH 1 BODY[]\r\n")
    wire.take(100_000)
    wire.vanish()
    assert recording.closed.wait(5)
    lab.login().ok(b"NOOP")


@pytest.mark.parametrize("text", [b"", b"a LOG", b"a LOGIN {5}\r\n", b"a IDLE\r\n"])
def test_client_vanishes(lab: Lab, text: bytes) -> None:
    wire = lab.client()
    wire.send(text)
    wire.vanish()
    assert lab.tap.recordings[-1].closed.wait(5)


def test_client_half_closes(lab: Lab) -> None:
    """What was sent before the half close is still answered or the session ends; nothing hangs."""
    wire = lab.login()
    wire.send(b"a NOOP\r\n")
    wire.sock.shutdown(socket.SHUT_WR)
    try:
        wire.rest(5)
    except WireError as error:
        raise AssertionError("the proxy keeps a half-closed session") from error
