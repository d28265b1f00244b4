"""What workers are given for TLS does its work: tickets of one are taken by the others, new certificates are shown."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from imap4fast._wire import CountTable, Tls, TlsContext
from imap4fast.config.settings import Proxy, SessionAcl, Settings, SslParams, SslUse
from imap4fast.log.setup import Logs
from imap4fast.net.service import Service
from imap4fast.proc import control
from imap4fast.proc.control import Channel
from imap4fast.proc.keyring import Keyring
from tests.play.stage import Notebook
from tests.unit.tls.certificates import Pair
from tests.unit.tls.ends import NAME, PythonEnd, authority, join, python_context

HOUR = 3600.0


class Scene:
    """A master's keyring and two workers' services, without processes between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pair = self.renew()
        params = SslParams("PUBLIC", certificate=str(folder / "cert"), private_key=str(folder / "key"))
        acl = SessionAcl("ALL", accept=True, client_ssl=SslUse(params))
        self.settings = Settings("x", "0", Proxy(name="P", session_acls=(acl,)))
        self.keyring = Keyring(self.settings, cast(Logs, Notebook(9)), 0.0)
        self.workers = [self.worker(), self.worker()]

    def renew(self) -> Pair:
        pair = authority().issue(NAME, (NAME,))
        (self.folder / "cert").write_bytes(pair.chain)
        (self.folder / "key").write_bytes(pair.key)
        return pair

    def worker(self) -> Service:
        """A new one, as the fork makes it."""
        service = Service(self.settings, cast(Logs, Notebook(9)), CountTable(1), 0)
        service.take_tls(self.keyring.materials, self.keyring.ticket_keys)
        return service

    def tell(self, service: Service, with_materials: bool) -> None:
        """As by the master's frame."""
        near, far = Channel.pair()
        near.send(control.Tls(self.keyring.materials if with_materials else None, self.keyring.ticket_keys))
        ((frame, _),) = far.receive()
        assert isinstance(frame, control.Tls)
        service.take_tls(frame.materials, frame.ticket_keys)
        near.close()
        far.close()


class Client:
    """Keeps the session of its first visit."""

    def __init__(self) -> None:
        self.context = python_context(False)
        self.end: PythonEnd | None = None

    def visit(self, service: Service, listener: str = "993") -> bool:
        """Whether the session was resumed."""
        leg = Tls(service.tls.accepting("PUBLIC", listener))
        end = PythonEnd(self.context, False, self.end.tls.session if self.end else None)
        join(end, leg)
        end.pump(leg.seal(b"* OK ready\r\n"))
        assert leg.handshake_done, leg.fault_reason
        self.end = self.end or end
        return leg.resumed


def shown(context: TlsContext) -> bytes | None:
    """The certificate that a client sees."""
    end = PythonEnd(python_context(False), False)
    join(end, Tls(context))
    return end.tls.getpeercert(binary_form=True)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_session_is_resumed_at_any_worker_also_a_later_one(scene: Scene) -> None:
    client = Client()
    assert not client.visit(scene.workers[0])
    assert client.visit(scene.workers[1])
    assert client.visit(scene.worker())
    assert not client.visit(scene.workers[0], "143"), "but not at another listener"


def test_a_ticket_lives_through_one_change_of_keys_and_not_two(scene: Scene) -> None:
    client = Client()
    client.visit(scene.workers[0])
    for hours, resumed in ((12, True), (24, False)):
        assert scene.keyring.change_keys(hours * HOUR)
        for service in scene.workers:
            scene.tell(service, with_materials=False)
            assert client.visit(service) == resumed
        assert client.visit(scene.worker()) == resumed


def test_new_certificates_are_shown_and_sessions_kept(scene: Scene) -> None:
    client = Client()
    client.visit(scene.workers[0])
    before = scene.workers[0].tls.accepting("PUBLIC", "993")
    renewed = scene.renew()
    assert scene.keyring.reload()
    scene.tell(scene.workers[0], with_materials=True)
    assert shown(scene.workers[0].tls.accepting("PUBLIC", "993")) == renewed.der
    assert shown(scene.workers[1].tls.accepting("PUBLIC", "993")) == scene.pair.der
    assert shown(before) == scene.pair.der, "who has the old context goes on with it"
    assert client.visit(scene.workers[0])
