"""Configurations and commands of the peers; nothing is started here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench import peers
from bench.operations import OPERATIONS, REFERENCE, SUBJECT, TARGETS
from bench.peers import PEERS, Peer, PeerError, Place, install_missing, is_missing, mail_module, write_configuration


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, port=20001, server_port=20002, extra_port=20003)


@pytest.mark.parametrize("template", sorted(path.name for path in peers.TEMPLATES.iterdir()))
def test_every_template_is_filled_in_wholly(place: Place, template: str) -> None:
    path = write_configuration(place, template, load_module="", **peers.ROOT_USERS)
    text = Path(path).read_text()
    assert "20001" in text
    assert "20002" in text
    assert "$" not in text


def test_targets_name_known_operations_and_peers() -> None:
    names = {peer.name for peer in PEERS}
    assert {SUBJECT, REFERENCE} <= names
    assert {target.operation for target in TARGETS} <= {operation.name for operation in OPERATIONS}
    assert {target.other for target in TARGETS} <= names | {""}


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
