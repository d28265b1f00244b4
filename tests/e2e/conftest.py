"""Fixtures of the end-to-end tests: one Dovecot, one tap, one fake server, proxies by configuration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import Lab, Proxies
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
def lab(dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies) -> Iterator[Lab]:
    bench = Lab(dovecot, tap, fake, proxies)
    yield bench
    bench.close()
