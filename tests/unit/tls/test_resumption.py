"""Sessions: tickets that we give to clients, and sessions with servers that we resume."""

from __future__ import annotations

import os
import ssl
import time
from typing import Any

import pytest

from imap4fast._wire import Tls, TlsContext
from tests.unit.tls.certificates import Authority
from tests.unit.tls.ends import (
    NAME,
    TLS12,
    TLS13,
    PythonEnd,
    authority,
    client_context,
    client_pair,
    join,
    python_context,
    server_context,
)

VERSIONS = [TLS12, TLS13]
OLD, NEW, FOREIGN = (os.urandom(80) for _ in range(3))


class Client:
    """One of Python's, which keeps the session of its last connection."""

    def __init__(self, version: int, **items: Any) -> None:
        self.context = python_context(False, version, **items)
        self.session: ssl.SSLSession | None = None

    def visit(self, context: TlsContext, keep: bool = True) -> Tls:
        leg, end = Tls(context), PythonEnd(self.context, False, self.session)
        join(end, leg)
        end.pump(leg.seal(b"* OK ready\r\n"))
        assert leg.handshake_done, leg.fault_reason
        assert leg.resumed == end.tls.session_reused
        if keep:
            self.session = end.tls.session
        return leg


def keyed(*keys: bytes, **items: Any) -> TlsContext:
    made = server_context(**items)
    made.set_ticket_keys(keys)
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket(version: int) -> None:
    client, context = Client(version), server_context()
    assert not client.visit(context).resumed
    leg = client.visit(context)
    assert (leg.resumed, leg.sni) == (True, NAME.encode())
    assert client.visit(context).resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ticket_of_another_worker(version: int) -> None:
    client = Client(version)
    client.visit(keyed(OLD))
    assert client.visit(keyed(OLD)).resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_key(version: int) -> None:
    """It is renewed: the ticket given then is by the newer key."""
    client = Client(version)
    client.visit(keyed(OLD))
    assert client.visit(keyed(NEW, OLD)).resumed
    assert client.visit(keyed(NEW)).resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_change_under_a_context(version: int) -> None:
    client, context = Client(version), keyed(OLD)
    client.visit(context)
    context.set_ticket_keys((NEW, OLD))
    assert client.visit(context).resumed
    context.set_ticket_keys((NEW,))
    assert client.visit(context).resumed
    context.set_ticket_keys((FOREIGN,))
    assert not client.visit(context).resumed


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("other", [OLD[:16] + FOREIGN[16:], FOREIGN], ids=["same-name", "foreign"])
def test_not_with_a_foreign_key(version: int, other: bytes) -> None:
    client = Client(version)
    client.visit(keyed(OLD))
    assert not client.visit(keyed(other)).resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_not_under_another_session_context(version: int) -> None:
    """T-S17: the same keys, but another listener or other ssl-params."""
    client = Client(version)
    client.visit(keyed(OLD, session_context=b"993 PUBLIC"))
    assert not client.visit(keyed(OLD, session_context=b"993 STAFF"), keep=False).resumed
    assert client.visit(keyed(OLD, session_context=b"993 PUBLIC")).resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_no_tickets(version: int) -> None:
    client, context = Client(version), server_context(tickets=0)
    client.visit(context)
    assert client.session is None or not client.session.has_ticket
    assert not client.visit(context).resumed


@pytest.mark.parametrize("tickets", [1, 2])
def test_how_many_tickets(tickets: int) -> None:
    """Each is a record of its own in what follows the client's last flight."""
    leg, end = Tls(server_context(tickets=tickets)), PythonEnd(python_context(False, TLS13), False)
    said = end.pump(leg.pump(end.pump(b"")[1])[1])[1]
    answer, records = leg.pump(said)[1], 0
    while answer:
        answer, records = answer[5 + int.from_bytes(answer[3:5], "big") :], records + 1
    assert records == tickets


@pytest.mark.parametrize("keys", [(), (OLD,) * 5, (b"x" * 79,), (b"x" * 81,), ("x" * 80,)])
def test_keys_that_will_not_do(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="ticket keys"):
        server_context().set_ticket_keys(keys)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_client_keeps_its_certificate(version: int) -> None:
    client, context = Client(version, pair=client_pair()), server_context(ca=(authority().pem,), verify=2)
    assert client.visit(context).peer_certificate == client_pair().der
    leg = client.visit(context)
    assert (leg.resumed, leg.peer_certificate, leg.verify_error) == (True, client_pair().der, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_client_keeps_what_was_wrong(version: int) -> None:
    stranger = Authority("Other CA").issue("eve")
    client, context = Client(version, pair=stranger), server_context(ca=(authority().pem,), verify=1)
    assert client.visit(context).verify_error == "unable to get local issuer certificate"
    leg = client.visit(context)
    assert (leg.resumed, leg.verify_error) == (True, "unable to get local issuer certificate")


class Server:
    """One of Python's, with tickets."""

    def __init__(self, version: int) -> None:
        self.context = python_context(True, version)

    def called(self, context: TlsContext, name: str = NAME, verify: bool = True) -> Tls:
        leg = Tls(context)
        leg.set_server_name(name.encode(), verify)
        end = PythonEnd(self.context, True)
        join(leg, end)
        assert leg.handshake_done, leg.fault_reason
        assert leg.pump(end.seal(b"* OK ready\r\n"))[0]
        assert leg.resumed == end.tls.session_reused
        return leg


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [NAME, "127.0.0.1", "::1"])
def test_a_session_with_a_server(version: int, name: str) -> None:
    server, context = Server(version), client_context()
    first = server.called(context, name)
    assert not first.resumed
    for _ in range(3):
        leg = server.called(context, name)
        assert leg.resumed
        assert (leg.peer_certificate, leg.peer_chain) == (first.peer_certificate, first.peer_chain)


def test_not_with_another_context() -> None:
    server = Server(TLS13)
    server.called(client_context())
    assert not server.called(client_context()).resumed


def test_not_with_another_server() -> None:
    server, context = Server(TLS13), client_context()
    server.called(context)
    assert not server.called(context, "127.0.0.1").resumed
    assert server.called(context).resumed
    assert server.called(context, NAME.upper()).resumed


def test_not_where_it_was_not_verified() -> None:
    """A session that was made without looking at the name is none for a leg that looks."""
    server, context = Server(TLS13), client_context()
    assert not server.called(context, verify=False).resumed
    assert not server.called(context, verify=True).resumed
    assert server.called(context, verify=False).resumed


def test_not_without_tickets() -> None:
    server, context = Server(TLS13), client_context(tickets=0)
    server.called(context)
    assert not server.called(context).resumed


@pytest.mark.parametrize("version", VERSIONS)
def test_not_when_it_is_too_old(version: int) -> None:
    """Neither what a client brings nor what we have of a server."""
    server, towards = Server(version), client_context(lifetime_s=1)
    client, context = Client(version), server_context(lifetime_s=1)
    for _ in range(2):
        assert not server.called(towards).resumed
        assert not client.visit(context).resumed
        time.sleep(2.1)


def test_sessions_are_kept_of_some_servers_only() -> None:
    server, context = Server(TLS13), client_context(verify=0)
    names = [f"mail{number}.example.org" for number in range(70)]
    for name in names:
        assert not server.called(context, name).resumed
    assert server.called(context, names[-1]).resumed
    assert not server.called(context, names[0]).resumed


def test_a_session_outlives_its_leg_and_a_broken_one() -> None:
    server, context = Server(TLS12), client_context()
    leg = server.called(context)
    leg.lose()
    del leg
    assert server.called(context).resumed


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_not_with_a_server_that_wants_certificates(version: int) -> None:
    """Dovecot 2.3 gives a session and then ends the connection in which it is to go on."""
    server, context = Server(version), client_context()
    server.context.verify_mode = ssl.CERT_OPTIONAL
    for _ in range(2):
        assert not server.called(context).resumed


def test_a_session_that_leads_to_no_handshake_is_forgotten() -> None:
    server, context = Server(TLS13), client_context()
    server.called(context)
    leg = Tls(context)
    leg.set_server_name(NAME.encode())
    assert leg.shake(b"")
    del leg
    assert not server.called(context).resumed
    assert server.called(context).resumed
