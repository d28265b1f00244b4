"""Fixtures of the end-to-end tests: one Dovecot, one tap, one fake server, proxies by configuration."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import Lab, Proxies
from tests.e2e.legs import LegLab, Legs, Over, secure_dovecot
from tests.e2e.pki import server_context
from tests.e2e.saw import Saw
from tests.e2e.tap import Tap


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture(scope="session")
def tap(dovecot: Dovecot) -> Iterator[Tap]:
    relay = Tap(dovecot.address)
    yield relay
    relay.close()


@pytest.fixture(scope="session")
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def proxies() -> Iterator[Proxies]:
    running = Proxies()
    yield running
    running.close()


@pytest.fixture
def lab(dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies, saw: Saw) -> Iterator[Lab]:
    bench = Lab(dovecot, tap, fake, proxies)
    yield bench
    saw.ends(bench)
    bench.close()


@pytest.fixture
def saw(request: pytest.FixtureRequest) -> Saw:
    """What was done, and what client and log saw, for the tables of mail_tables.py."""
    wanted = bool(request.config.getoption("xmlpath"))
    return Saw(request.node.user_properties, inspect.getdoc(request.function) or "", wanted)


# TLS: the same things with it. `over(client, server)` gives a lab for these legs.


@pytest.fixture(scope="session")
def tls_tap(dovecot: Dovecot) -> Iterator[Tap]:
    relay = Tap(dovecot.address, context=server_context())
    yield relay
    relay.close()


@pytest.fixture(scope="session")
def tls_fake() -> Iterator[FakeServer]:
    server = FakeServer(context=server_context())
    yield server
    server.close()


@pytest.fixture(scope="session")
def tls_dovecot() -> Iterator[Dovecot]:
    server = secure_dovecot()
    yield server
    server.close()


@pytest.fixture(scope="session")
def starttls_tap(tls_dovecot: Dovecot) -> Iterator[Tap]:
    relay = Tap(tls_dovecot.address)
    yield relay
    relay.close()


@pytest.fixture
def over(request: pytest.FixtureRequest, proxies: Proxies) -> Iterator[Over]:
    """Labs by the legs' ways. What went to a server with STARTTLS is kept as it went, encrypted.

    Without `shaken` it is for the script to begin TLS where it begins at once.
    """
    servers = {
        "plain": ("dovecot", "tap", "fake"),
        "session": ("dovecot", "tls_tap", "tls_fake"),
        "command": ("tls_dovecot", "starttls_tap", "fake"),
    }
    made: list[LegLab] = []

    def make(client: str, server: str, *, shaken: bool = True) -> LegLab:
        dovecot, tap, fake = (request.getfixturevalue(name) for name in servers[server])
        if not shaken:
            fake = request.getfixturevalue("fake")
        made.append(LegLab(Legs(client, server), dovecot, tap, fake, proxies))
        return made[-1]

    yield make
    for bench in made:
        bench.close()
