"""The proxy's front: which certificate a client is shown, and how it hears that it is not let in."""

from __future__ import annotations

import re
import ssl

import pytest

from tests.e2e.lab import PASSWORD
from tests.e2e.legs import LegLab, Over, front
from tests.e2e.pki import Identity, client_context, pki
from tests.e2e.wire import Wire

CLIENTS = pytest.mark.parametrize("client", ["session", "command"])


def secured(lab: LegLab, name: str | None, context: ssl.SSLContext, **config: object) -> Wire:
    wire = lab.bare(**config)
    if lab.legs.client == "command":
        wire.greet().ok(b"STARTTLS")
    return wire.secure(context, name)


def by_name(name: str, identity: Identity) -> str:
    return f'sni "{name}" "{identity.chain}" "{identity.key}";'


SHOWN = {
    "localhost": "mail.example.net",
    "one.example.net": "one",
    "ONE.example.NET": "one",
    "two.example.net": "wild",
    "a.b.example.net": "mail.example.net",
    "example.net": "mail.example.net",
    None: "mail.example.net",
}


@CLIENTS
@pytest.mark.parametrize("name", SHOWN)
def test_certificate_by_name(over: Over, client: str, name: str | None) -> None:
    """As the client asks; else the first one."""
    lab = over(client, "plain")
    config = {"sections": front(by_name("*.example.net", pki().wild) + by_name("one.example.net", pki().one))}
    context = client_context()
    context.check_hostname = False
    wire = secured(lab, name, context, **config)
    shown = wire.tls.getpeercert()
    assert shown is not None
    assert re.search(rf"'commonName', '{re.escape(SHOWN[name])}'", str(shown["subject"]))
    asked = name.lower() if name else "<NULL>"
    (logged,) = lab.log(r"TLS SIDE=CLIENT .* SNI=(\S+) ", **config)
    assert logged.lower() == asked.lower()


LIMITED = {"tcpserver": "workers 1; max-sessions-per-ip 1;"}


@CLIENTS
def test_over_a_limit_of_sessions(over: Over, client: str) -> None:
    """One BYE: inside of TLS where it begins at once, with a clean end; in clear before STARTTLS."""
    lab = over(client, "plain")
    first = lab.client(**LIMITED)
    wire = lab.bare(**LIMITED)
    if client == "session":
        wire.secure(client_context())
    data = wire.rest()
    assert re.fullmatch(rb"\* BYE \[LIMIT\] [ -~]+\r\n", data), data
    assert not wire.broken
    first.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    lab.forget(**LIMITED)


def test_over_a_limit_of_sessions_without_a_handshake(over: Over) -> None:
    """Who says nothing hears nothing, and not for long."""
    lab = over("session", "plain")
    first = lab.client(**LIMITED)
    assert lab.bare(**LIMITED).rest(10) == b""
    first.ok(b"NOOP")
    lab.forget(**LIMITED)


@CLIENTS
def test_session_acl_denies(over: Over, client: str) -> None:
    """Before TLS, without a byte."""
    acls = "session-acl NO { from [127.0.0.2]; deny; } session-acl IN { accept; PLUG }"
    acls += " command-acl ALL { accept; no-mail-scanning; }"
    lab = over(client, "plain")
    assert lab.bare("127.0.0.2", acls=acls).rest() == b""
    lab.client(acls=acls).ok(b"NOOP")


@pytest.mark.parametrize("client", ["session", "command"])
def test_command_acl_denies(over: Over, client: str) -> None:
    """Inside of TLS, after it where STARTTLS is awaited."""
    acls = "session-acl IN { accept; PLUG } command-acl NO { deny; }"
    lab = over(client, "plain")
    wire = lab.bare(acls=acls)
    if client == "command":
        wire.greet().ok(b"STARTTLS")
    data = wire.secure(client_context()).rest()
    assert re.fullmatch(rb"\* BYE \[NOPERM\] [ -~]+\r\n", data), data
    assert not wire.broken
    assert lab.connections() == 0


@CLIENTS
def test_no_server(over: Over, client: str) -> None:
    """Nobody listens there."""
    lab = over(client, "plain")
    config = {"plug": (("127.0.0.1", 1),)}
    wire = lab.bare(**config)
    if client == "command":
        wire.greet().ok(b"STARTTLS")
    data = wire.secure(client_context()).rest()
    assert re.fullmatch(rb"\* BYE \[UNAVAILABLE\] [ -~]+\r\n", data), data
    assert not wire.broken


@CLIENTS
def test_commands_of_a_hasty_client(over: Over, client: str) -> None:
    """Sent with the end of the handshake, before the server is there: none is lost, none overtakes another."""
    lab = over(client, "session")
    wire = lab.bare()
    if client == "command":
        wire.greet().ok(b"STARTTLS")
    wire.secure(client_context())
    user = lab.user().encode()
    wire.send(b"a CAPABILITY\r\nb LOGIN %s %s\r\nc SELECT INBOX\r\nd LOGOUT\r\n" % (user, PASSWORD))
    seen = re.findall(rb"^([a-d]) OK", wire.rest(), re.MULTILINE)
    assert seen == [b"a", b"b", b"c", b"d"]
    assert not wire.broken
