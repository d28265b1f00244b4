"""What one test works with: servers, proxies by configuration, users that nobody used before."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict

from tests.e2e import sessions
from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer, Script
from tests.e2e.proxy import Config, Proxy
from tests.e2e.tap import Tap
from tests.e2e.wire import Reply, Wire
from tests.secrets import PASSWORDS

PASSWORD = PASSWORDS[0].encode()

LOG_S = 3.0
"""How long the end of a session is waited for in a log that is to be shown."""

_users = itertools.count(1)


class Proxies:
    """Running proxies by configuration, the longest unused ended when there are too many."""

    def __init__(self, most: int = 6) -> None:
        self._most = most
        self._running: OrderedDict[Config, Proxy] = OrderedDict()

    def get(self, config: Config) -> Proxy:
        if config not in self._running:
            self._running[config] = Proxy(config)
        self._running.move_to_end(config)
        if len(self._running) > self._most:
            self._running.popitem(last=False)[1].close()
        return self._running[config]

    def forget(self, proxy: Proxy) -> None:
        """End a proxy that no later test may use."""
        if self._running.pop(proxy.config, None) is not None:
            proxy.close()

    def close(self) -> None:
        while self._running:
            self._running.popitem()[1].close()


class Lab:
    """Made for each test; `close` checks the proxies that the test used."""

    def __init__(self, dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies) -> None:
        self.dovecot = dovecot
        self.tap = tap
        self.fake = fake
        self.proxies = proxies
        self._mark = len(tap.recordings)
        self._wires: list[Wire] = []
        self._used: dict[Config, tuple[Proxy, int]] = {}
        self._played = False

    def close(self) -> None:
        # With a reset: what is pending at a scripted server would hold a session that was closed gently.
        for wire in self._wires:
            wire.vanish()
        try:
            if self._played:
                self.fake.finish()
            for proxy, _ in self._used.values():
                proxy.check()
        except AssertionError:
            for proxy, _ in self._used.values():
                self.proxies.forget(proxy)
            raise

    # proxies

    def proxy(self, **config: object) -> Proxy:
        """The proxy of this configuration; without `plug` it goes to Dovecot through the tap."""
        config.setdefault("plug", (self.tap.address,))
        wanted = Config(**config)  # type: ignore[arg-type]
        proxy = self.proxies.get(wanted)
        self._used.setdefault(wanted, (proxy, proxy.log_size()))
        return proxy

    def forget(self, **config: object) -> None:
        """Check and end a proxy that no later test may use."""
        proxy = self.proxy(**config)
        proxy.check()
        del self._used[proxy.config]
        self.proxies.forget(proxy)

    def bury(self, **config: object) -> None:
        """As `forget`, of one that the test has killed."""
        proxy = self.proxy(**config)
        proxy.process.wait(10)
        proxy.check_words()
        del self._used[proxy.config]
        self.proxies.forget(proxy)

    def log(self, pattern: str, count: int = 1, **config: object) -> list[str]:
        """Wait for so many log lines of this test that fit; the text of the first group, else of the whole match."""
        proxy = self.proxy(**config)
        found = proxy.wait_log(pattern, self._used[proxy.config][1], count)
        return [match[match.re.groups and 1] for match in found]

    def began(self, pattern: str, **config: object) -> str:
        """As `log`, of a proxy that was started by this very test, from its first line on."""
        return self.proxy(**config).wait_log(pattern)[0][0]

    def logged(self, **config: object) -> str:
        """The log of this test so far."""
        proxy = self.proxy(**config)
        return proxy.log(self._used[proxy.config][1])

    def ends(self) -> tuple[list[bytes], str]:
        """The last thing that each client of this test saw, and what the logs of its proxies say of these clients.

        The test is over: its clients go.
        """
        for wire in self._wires:
            wire.vanish()
        return [wire.last for wire in self._wires if wire.last], "".join(map(self._told, self._used.values()))

    def _told(self, used: tuple[Proxy, int]) -> str:
        proxy, mark = used
        ports = {wire.port for wire in self._wires if wire.address in proxy.addresses}
        deadline = time.monotonic() + LOG_S
        while not sessions.ended(proxy.log(mark), ports) and time.monotonic() < deadline:
            if proxy.process.poll() is not None:
                break
            time.sleep(0.05)
        return sessions.told_of(proxy.log(mark), ports)

    # clients

    def user(self) -> str:
        """A name with an empty mailbox."""
        return f"user{next(_users)}"

    def keep(self, wire: Wire) -> Wire:
        """Have a connection closed with the test."""
        self._wires.append(wire)
        return wire

    def client(self, **config: object) -> Wire:
        """A connection through the proxy, greeting taken."""
        return self.keep(self.proxy(**config).wire()).greet()

    def login(self, user: str | None = None, **config: object) -> Wire:
        """As `client`, and logged in."""
        wire = self.client(**config)
        wire.ok(b"LOGIN %s %s" % ((user or self.user()).encode(), PASSWORD))
        return wire

    def selected(self, mails: int = 1, user: str | None = None, **config: object) -> Wire:
        """As `login`, with so many mails put into INBOX behind the proxy's back, and INBOX selected."""
        user = user or self.user()
        self.fill(user, mails)
        wire = self.login(user, **config)
        wire.ok(b"SELECT INBOX")
        return wire

    def fill(self, user: str, mails: int) -> None:
        with self.dovecot.login(user) as direct:
            for number in range(1, mails + 1):
                reply = direct.append(b"INBOX", mail(number))
                assert reply.status == "OK", reply

    def direct(self, user: str) -> Wire:
        """A session with Dovecot itself."""
        return self.keep(self.dovecot.login(user))

    # what the server got

    def out(self) -> bytes:
        """All bytes that reached Dovecot in this test."""
        return self.tap.since(self._mark)

    def wait_out(self, pattern: bytes) -> bytes:
        """Wait until `pattern` reached Dovecot in this test; all that did."""
        return self.tap.wait(self._mark, pattern)

    def into(self) -> bytes:
        """All bytes that Dovecot sent in this test."""
        return b"".join(bytes(one.into) for one in self.tap.recordings[self._mark :])

    # the fake server

    def play(self, script: Script, **config: object) -> Wire:
        """A connection to the proxy in front of the fake server; nothing is read yet."""
        return self.keep(self.before_fake(script, **config).wire())

    def before_fake(self, script: Script, **config: object) -> Proxy:
        """The proxy in front of the fake server, which plays `script` for each connection to come."""
        self.fake.play(lambda session: session.say_hello())
        proxy = self.proxy(plug=(self.fake.address,), **config)
        self.fake.finish()
        self._played = True
        self.fake.play(script)
        return proxy

    def fake_login(self, script: Script, **config: object) -> Wire:
        """As `play`, with a script that begins with a login: done."""
        wire = self.play(script, **config).greet()
        wire.ok(b"LOGIN joe %s" % PASSWORD)
        return wire

    def fake_selected(self, script: Script, **config: object) -> Wire:
        wire = self.fake_login(script, **config)
        wire.ok(b"SELECT INBOX")
        return wire


def mail(number: int, size: int = 0) -> bytes:
    """A small mail; with `size` padded to exactly so many bytes."""
    head = b"From: joe@example.net\r\nTo: ann@example.net\r\nSubject: mail %d\r\nMessage-ID: <%d@e2e>\r\n\r\n" % (
        number,
        number,
    )
    text = b"Text of mail %d.\r\n" % number
    row = b"0123456789abcdef" * 4 + b"\r\n"
    while len(head) + len(text) + len(row) <= size:
        text += row * max(1, (size - len(head) - len(text)) // len(row))
    return head + text + b"x" * max(0, size - len(head) - len(text))


def faulted(wire: Wire, timeout_s: float = 10.0) -> bytes:
    """A framing fault: BAD, then BYE, then the end (configuration.md section 5)."""
    data = wire.rest(timeout_s)
    lines = data.split(b"\r\n")
    assert lines[0].startswith(b"* BAD "), data
    assert lines[-2].startswith(b"* BYE"), data
    assert lines[-1] == b"", data
    return data


def bad(reply: Reply) -> None:
    assert reply.status == "BAD", reply


def refused(reply: Reply) -> None:
    """A refused command (configuration.md section 5)."""
    assert reply.tagged.startswith(b"NO [NOPERM] "), reply
