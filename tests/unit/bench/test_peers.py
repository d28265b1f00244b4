"""Configurations and commands of the peers; nothing is started here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from bench import peers
from bench.certificates import make_certificates
from bench.operations import REFERENCE, SUBJECT, Legs
from bench.peers import PEERS, Peer, PeerError, Place, install_missing, is_missing, mail_module, write_configuration
from bench.tables import EVERY_OPERATION, EVERY_TARGET
from bench.tls_words import Ending, Words, dovecot_words, haproxy_words, imap4fast_words, nginx_words


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, port=20001, server_port=20002, extra_port=20003)


WORDS: dict[str, Callable[[Ending | None], Words]] = {
    "dovecot.conf": lambda ending: dovecot_words(ending, 20001),
    "haproxy.cfg": haproxy_words,
    "imap4fast.cfg": imap4fast_words,
    "nginx.conf": nginx_words,
}


def filled(place: Place, template: str, ending: Ending | None) -> str:
    users = {"load_module": "", **peers.ROOT_USERS}
    return Path(write_configuration(place, template, **users, **WORDS[template](ending))).read_text()


def ending(tmp_path: Path, legs: Legs, tickets: bool = True) -> Ending:
    return Ending(legs, tickets, make_certificates(tmp_path))


def test_every_template_has_its_words() -> None:
    assert sorted(path.name for path in peers.TEMPLATES.iterdir()) == sorted(WORDS)


@pytest.mark.parametrize("legs", ["", "client", "both"])
@pytest.mark.parametrize("template", sorted(WORDS))
def test_every_template_is_filled_in_wholly(place: Place, template: str, legs: Legs | Literal[""]) -> None:
    text = filled(place, template, ending(place.folder, legs) if legs else None)
    assert "20001" in text
    assert "20002" in text
    assert "$" not in text
    assert ("cert.pem" in text or "both.pem" in text) == bool(legs)
    verifies = ("client", "both") if template == "dovecot.conf" else () if template == "nginx.conf" else ("both",)
    assert ("ca.pem" in text) == (legs in verifies)


@pytest.mark.parametrize(
    ("template", "off"),
    [
        ("dovecot.conf", "no_ticket"),
        ("haproxy.cfg", "no-tls-tickets"),
        ("imap4fast.cfg", "session-tickets no"),
        ("nginx.conf", "ssl_session_tickets off"),
    ],
)
def test_tickets_are_on_or_off(place: Place, template: str, off: str) -> None:
    assert off not in filled(place, template, ending(place.folder, "client"))
    assert off in filled(place, template, ending(place.folder, "client", tickets=False))


def test_targets_name_known_operations_and_peers() -> None:
    names = {peer.name for peer in PEERS}
    assert {SUBJECT, REFERENCE} <= names
    assert {target.operation for target in EVERY_TARGET} <= {operation.name for operation in EVERY_OPERATION}
    assert {target.other for target in EVERY_TARGET} <= names | {""}


@pytest.mark.parametrize("options", ["--with-mail --with-stream", "--with-stream --with-mail"])
def test_a_linked_mail_module_needs_no_line(options: str) -> None:
    assert mail_module(options) == ""


def test_the_mail_module_is_looked_for_where_nginx_says(tmp_path: Path) -> None:
    options = f"--modules-path={tmp_path} --with-mail=dynamic"
    with pytest.raises(PeerError, match="no mail module"):
        mail_module(options)
    (tmp_path / "ngx_mail_module.so").touch()
    assert mail_module(options) == f"load_module {tmp_path}/ngx_mail_module.so;"


ABSENT = Peer("absent", "a peer that nobody has", lambda place: [], "no-such-proxy", ("no-such-package",))


def test_a_missing_peer_is_never_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert is_missing(ABSENT)
    with pytest.raises(PeerError, match=r"apt-get install .* no-such-package"):
        install_missing([ABSENT])


def test_root_installs_and_then_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 100)

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, path=None: name if name == "apt-get" else None)
    monkeypatch.setattr("subprocess.run", run)
    with pytest.raises(PeerError, match="peers are missing"):
        install_missing([ABSENT])
    assert asked[0][-1] == "no-such-package"


def test_nothing_is_installed_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("nothing may be run"))
    install_missing([peer for peer in PEERS if not peer.binary])
