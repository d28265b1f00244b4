"""The lab with TLS on its legs: what a proxy's configuration says of it, and servers that stand behind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import Lab, Proxies
from tests.e2e.pki import Identity, client_context, pki
from tests.e2e.proxy import Proxy
from tests.e2e.tap import Tap
from tests.e2e.wire import Address, Wire

WAYS = ("plain", "session", "command")
"""A leg without TLS, with TLS at once, with STARTTLS."""


def front(items: str = "", identity: Identity | None = None, name: str = "FRONT") -> str:
    """`ssl-params` of the client's leg."""
    identity = identity or pki().server
    return f'ssl-params {name} {{ certificate "{identity.chain}"; private-key "{identity.key}"; {items} }}\n'


def back(items: str = "", ca: Path | None = None) -> str:
    """`ssl-params` of the server's leg."""
    return f'ssl-params BACK {{ ca-file "{ca or pki().root.file}"; {items} }}\n'


def shows(identity: Identity) -> str:
    """Items by which the proxy shows a certificate to servers."""
    return f'certificate "{identity.chain}"; private-key "{identity.key}";'


@dataclass(frozen=True)
class Legs:
    """How each leg comes to TLS, in words of WAYS."""

    client: str
    server: str

    def __str__(self) -> str:
        return f"{self.client}-{self.server}"

    def applied(self, config: dict[str, object]) -> dict[str, object]:
        """The configuration of a test with TLS in it, where the test itself says nothing of it."""
        config = dict(config)
        acls = str(config.get("acls", ""))
        if self.client != "plain":
            use = f"client-ssl-params FRONT {self.client};"
            config["session"] = f"{use} {config.get('session', '')}"
            acls = re.sub(r"(session-acl \w+ \{)(?=[^}]*accept)", rf"\1 {use}", acls)
            config.setdefault("client_tls", self.client)
            config["probe"] = False
        if self.server != "plain":
            use = f"server-ssl-params BACK {self.server};"
            config["command"] = f"{use} {config.get('command', '')}"
            acls = re.sub(r"(command-acl \w+ \{)(?=[^}]*accept)", rf"\1 {use}", acls)
        if acls:
            config["acls"] = acls
        config["sections"] = self._sections(str(config.get("sections", "")))
        return config

    def _sections(self, given: str) -> str:
        if self.client != "plain" and "FRONT" not in given:
            given += front()
        if self.server != "plain" and "BACK" not in given:
            given += back()
        return given


class LegLab(Lab):
    """As Lab, with TLS on the legs. `plug` is where the server stands, if not behind the tap."""

    def __init__(
        self,
        legs: Legs,
        dovecot: Dovecot,
        tap: Tap,
        fake: FakeServer,
        proxies: Proxies,
        plug: Address | None = None,
    ) -> None:
        super().__init__(dovecot, tap, fake, proxies)
        self.legs = legs
        self._plug = plug

    def proxy(self, **config: object) -> Proxy:
        if self._plug is not None:
            config.setdefault("plug", (self._plug,))
        return super().proxy(**self.legs.applied(config))

    def bare(self, source: str = "", **config: object) -> Wire:
        """A connection on which nothing was said yet, TLS neither."""
        return self.keep(self.proxy(**config).bare(source))

    def connections(self) -> int:
        """How often the server was connected to in this test."""
        return len(self.tap.recordings) - self._mark


class Over(Protocol):
    """Fixture `over`."""

    def __call__(self, client: str, server: str, *, shaken: bool = True) -> LegLab: ...


def secure_dovecot(more: str = "") -> Dovecot:
    """One with TLS at both ports, by STARTTLS or at once."""
    own = pki().server
    return Dovecot(f"ssl = yes\nssl_cert = <{own.chain}\nssl_key = <{own.key}\nssl_min_protocol = TLSv1.2\n{more}")


class StrictDovecot(Dovecot):
    """One that wants certificates of its clients, the tests' own too."""

    def __init__(self) -> None:
        own, ca = pki().server, pki().root.file
        super().__init__(
            f"ssl = yes\nssl_cert = <{own.chain}\nssl_key = <{own.key}\nssl_ca = <{ca}\nssl_verify_client_cert = yes\n"
            "auth_ssl_require_client_cert = yes\nssl_require_crl = no\n"
        )

    def wire(self) -> Wire:
        wire = Wire(self.secure)
        try:
            return wire.secure(client_context(pki().staff)).greet()
        except BaseException:
            wire.close()
            raise
