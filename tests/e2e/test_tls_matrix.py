"""The scripts of the differential test with TLS on either leg, both or none, against Dovecot with TLS on."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import Proxies
from tests.e2e.legs import WAYS, LegLab, Legs, Over, StrictDovecot, back, front, shows
from tests.e2e.pki import client_context, pki
from tests.e2e.tap import Tap
from tests.e2e.test_differential import SCRIPTS, outcome
from tests.e2e.wire import WireError

LEGS = [Legs(client, server) for client in WAYS for server in WAYS]

_direct: dict[tuple[int, str], tuple[list[bytes], list[bytes]]] = {}


def without_the_proxy(lab: LegLab, name: str) -> tuple[list[bytes], list[bytes]]:
    """What the script sees with this Dovecot itself; once is enough."""
    key = (id(lab.dovecot), name)
    if key not in _direct:
        _direct[key] = outcome(lab, name, lab.keep(lab.dovecot.wire()), lab.user())
    return _direct[key]


@pytest.fixture
def lab(
    request: pytest.FixtureRequest, tls_dovecot: Dovecot, starttls_tap: Tap, fake: FakeServer, proxies: Proxies
) -> Iterator[LegLab]:
    legs: Legs = request.param
    plug = tls_dovecot.secure if legs.server == "session" else tls_dovecot.address
    bench = LegLab(legs, tls_dovecot, starttls_tap, fake, proxies, plug)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def strict_dovecot() -> Iterator[Dovecot]:
    server = StrictDovecot()
    yield server
    server.close()


@pytest.fixture
def strict(strict_dovecot: Dovecot, starttls_tap: Tap, fake: FakeServer, proxies: Proxies) -> Iterator[LegLab]:
    legs = Legs("session", "session")
    bench = LegLab(legs, strict_dovecot, starttls_tap, fake, proxies, strict_dovecot.secure)
    yield bench
    bench.close()


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("lab", LEGS, ids=str, indirect=True)
def test_same_as_without_the_proxy_over_tls(lab: LegLab, name: str) -> None:
    direct = without_the_proxy(lab, name)
    proxied = outcome(lab, name, lab.client(), lab.user())
    assert proxied[0] == direct[0]
    assert proxied[1] == direct[1]


@pytest.mark.parametrize("lab", LEGS, ids=str, indirect=True)
def test_each_leg_is_what_it_is_called(lab: LegLab) -> None:
    """The log says of each leg whether TLS is on it; the client sees it too."""
    wire = lab.login()
    wire.ok(b"NOOP")
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$")
    found = re.findall(rf"SSLE-101-I TLS SIDE=(\w+) VERSION=TLSv1.3 .* SESSION={number}$", lab.logged(), re.MULTILINE)
    sides = {"CLIENT": lab.legs.client, "SERVER": lab.legs.server}
    assert found == [side for side, way in sides.items() if way != "plain"]
    if lab.legs.client != "plain":
        assert wire.tls.version() == "TLSv1.3"


@pytest.mark.parametrize("version", ["TLSv1-2", "TLSv1-3"])
@pytest.mark.parametrize("lab", [Legs("session", "session")], ids=str, indirect=True)
def test_versions_of_both_legs(lab: LegLab, version: str) -> None:
    limits = f"min-version {version}; max-version {version};"
    text = front(limits) + back(limits)
    wire = lab.login(sections=text)
    wire.append(b"INBOX", b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 20_000)
    wire.ok(b"SELECT INBOX")
    assert b"0123456789\r\n" * 20_000 in wire.ok(b"FETCH 1 BODY.PEEK[]").one(b"* 1 FETCH")
    wire.ok(b"LOGOUT")
    assert wire.rest() == b""
    assert not wire.broken
    shown = version.replace("v1-", "v1.")
    assert wire.tls.version() == shown
    for side in ("CLIENT", "SERVER"):
        lab.log(rf"TLS SIDE={side} VERSION={shown} ", sections=text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_same_before_a_server_that_wants_certificates(strict: LegLab, name: str) -> None:
    direct = without_the_proxy(strict, name)
    proxied = outcome(strict, name, strict.client(sections=back(shows(pki().staff))), strict.user())
    assert proxied[0] == direct[0]
    assert proxied[1] == direct[1]


def test_no_certificate_for_a_server_that_wants_one(strict: LegLab) -> None:
    """Dovecot lets the handshake pass and refuses the login then."""
    wire = strict.client()
    with pytest.raises(WireError, match=r"ended b.NO Client didn"):
        wire.ok(b"LOGIN %s x" % strict.user().encode())


def test_many_handshakes_at_a_time(over: Over) -> None:
    """Some steps are taken in each turn of the loop; nobody is forgotten."""
    bench = over("session", "session")
    context = client_context()
    wires = [bench.bare() for _ in range(60)]
    for wire in wires:
        wire.sock = context.wrap_socket(wire.sock, server_hostname="localhost", do_handshake_on_connect=False)
        wire.sock.setblocking(False)
    waiting = [wire.tls for wire in wires]
    until = time.monotonic() + 20
    while waiting:
        assert time.monotonic() < until
        waiting = [sock for sock in waiting if not _shaken(sock)]
    for wire in wires:
        wire.greet().ok(b"NOOP")


def _shaken(sock: ssl.SSLSocket) -> bool:
    try:
        sock.do_handshake()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    return True
