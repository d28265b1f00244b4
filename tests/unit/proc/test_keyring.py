"""The keyring by itself. (test_reload.py has it in running services.)"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from imap4fast.config.settings import CommandAcl, Proxy, SessionAcl, Settings, SslParams, SslUse
from imap4fast.errors import ConfigError, SetupError
from imap4fast.log.entry import Entry
from imap4fast.net.jobs import Limits
from imap4fast.net.tlsmaterial import Material
from imap4fast.proc import keyring, sandbox
from imap4fast.proc.keyring import Keyring
from imap4fast.proc.nursery import Nursery
from tests.unit.proc.nurseries import trick


def material(name: str, *warnings: str) -> Material:
    fields = dict.fromkeys(Material.__struct_fields__)
    return Material(**fields | {"name": name, "warnings": warnings})  # type: ignore[arg-type]


FIRST = (material("first"),)
OTHERS = (material("second"), material("third"))
LEGS = SslParams(
    "BOTH",
    certificate="a.pem",
    private_key="b.pem",
    key_passphrase="c",
    sni=(("x.org", "d.pem", "e.pem"),),
    ca_file="f.pem",
    ca_dir="g",
    crl=("h.pem", "/i.pem"),
)
SETTINGS = Settings(
    "x",
    "0",
    Proxy(
        name="IMAP",
        session_acls=(SessionAcl("S", accept=True, client_ssl=SslUse(LEGS)), SessionAcl("NONE", accept=True)),
        command_acls=(CommandAcl("C", accept=True, server_ssl=SslUse(LEGS, starttls=True)),),
    ),
)


class Logs:
    """Remembers what was written."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, tuple[object, ...]]] = []

    def write(self, entry: Entry, *args: object, severity: str | None = None) -> None:
        self.lines.append((entry.forms[severity or entry.severity].id, args))


class Files:
    """In place of read_materials: gives what it is told to, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.gives: object = FIRST
        self.asked: list[Settings] = []

    def __call__(self, settings: Settings) -> object:
        self.asked.append(settings)
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    made = Files()
    monkeypatch.setattr(keyring, "read_materials", made)
    return made


def made(logs: Logs) -> Keyring:
    return Keyring(SETTINGS, logs, 100.0)  # type: ignore[arg-type]


def test_every_path_is_that_of_the_start_for_good(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ring = made(Logs())
    monkeypatch.chdir("/")
    assert ring.reload()
    rooted = msgspec.structs.replace(
        LEGS,
        certificate=f"{tmp_path}/a.pem",
        private_key=f"{tmp_path}/b.pem",
        key_passphrase=f"{tmp_path}/c",
        sni=(("x.org", f"{tmp_path}/d.pem", f"{tmp_path}/e.pem"),),
        ca_file=f"{tmp_path}/f.pem",
        ca_dir=f"{tmp_path}/g",
        crl=(f"{tmp_path}/h.pem", "/i.pem"),
    )
    for asked in files.asked:
        session, none = asked.proxy.session_acls
        assert session.client_ssl == SslUse(rooted)
        assert none.client_ssl is None
        assert asked.proxy.command_acls[0].server_ssl == SslUse(rooted, starttls=True)
    assert len(files.asked) == 2


def test_warnings_are_logged_at_the_start_and_again(files: Files) -> None:
    logs = Logs()
    files.gives = (material("first"), material("second", "it has expired", "everybody may read it"))
    made(logs).reload()
    said = [args for line, args in logs.lines if line == "CFGP-102-W"]
    assert said == [("it has expired",), ("everybody may read it",)] * 2


def test_a_reload_keeps_the_ticket_keys(files: Files) -> None:
    logs = Logs()
    ring = made(logs)
    keys = ring.ticket_keys
    files.gives = OTHERS
    assert ring.reload()
    assert ring.materials == OTHERS
    assert ring.ticket_keys == keys
    assert [line for line, _ in logs.lines] == ["TCPS-714-N", "SSLE-120-K"]
    assert logs.lines[1][1] == (2,)


@pytest.mark.parametrize("error", [ConfigError("cfg:3:1: error: no key"), SetupError("key-file /k", "no key")])
def test_a_failed_reload_changes_nothing(files: Files, error: Exception) -> None:
    logs = Logs()
    ring = made(logs)
    files.gives = error
    assert not ring.reload()
    assert ring.materials == FIRST
    assert logs.lines[-1] == ("SSLE-121-E", (str(error),))


def test_an_error_of_the_program_does_not_end_the_service(files: Files) -> None:
    logs = Logs()
    ring = made(logs)
    files.gives = ValueError("odd")
    assert not ring.reload()
    assert ring.materials == FIRST
    assert logs.lines[-1] == ("TCPS-790-E", ("keyring.reload", "ValueError: odd"))


@pytest.mark.parametrize("error", [ConfigError("cfg:3:1: error: no key"), SetupError("key-file /k", "no key")])
def test_a_failed_start_is_one_of_the_machine(files: Files, error: Exception) -> None:
    files.gives = error
    with pytest.raises(SetupError, match="no key"):
        made(Logs())


def test_new_ticket_keys_are_logged_without_them(files: Files) -> None:
    logs = Logs()
    ring = made(logs)
    assert not ring.change_keys(100.0 + 43199)
    assert ring.change_keys(100.0 + 43200)
    assert logs.lines == [("SSLE-122-D", ())]
    assert len(ring.ticket_keys) == 2


def test_without_tls_there_are_no_keys(files: Files) -> None:
    logs = Logs()
    files.gives = ()
    ring = made(logs)
    assert ring.ticket_keys == ()
    assert not ring.change_keys(1e9)
    assert not ring.reload()
    assert logs.lines == [("TCPS-714-E", ("reload is not supported yet",))]
    ring.forget()


def test_what_is_forgotten_is_gone(files: Files) -> None:
    ring = made(Logs())
    ring.forget()
    assert ring.materials == ()
    assert ring.ticket_keys == ()


def in_memory_of(pid: int, text: bytes) -> int:
    """How many times this stands in the memory of a process."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            first, end = (int(word, 16) for word in span.split("-"))
            if rights.startswith("r") and "[v" not in line and end - first < 1 << 30:  # a sanitizer has vast ones
                memory.seek(first)
                found += memory.read(end - first).count(text)
    return found


@pytest.mark.parametrize("wiped", [True, False])
def test_a_nursery_that_comes_later_has_no_key_in_its_memory(tmp_path: Path, wiped: bool) -> None:
    """Real files, read as in service. Without the wipe both keys are found: the search can find them."""
    make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x -days 3"
    subprocess.run(make, shell=True, cwd=tmp_path, check=True, stderr=subprocess.DEVNULL)
    files = SslParams("TLS", certificate=str(tmp_path / "cert.pem"), private_key=str(tmp_path / "key.pem"))
    acl = SessionAcl("S", accept=True, client_ssl=SslUse(files))
    ring = Keyring(Settings("x", "0", Proxy(name="IMAP", session_acls=(acl,))), Logs(), 0)  # type: ignore[arg-type]
    made = Nursery(lambda: trick, None, Limits(), ring.wipe if wiped else lambda: None)
    found = [in_memory_of(made.pid, (tmp_path / "key.pem").read_bytes()[300:400])]
    found.append(in_memory_of(made.pid, ring.ticket_keys[0]))
    made.end()
    assert [bool(count) for count in found] == [not wiped, not wiped]
    assert ring.materials[0].private_key == (tmp_path / "key.pem").read_bytes()


def test_what_is_wiped_is_gone(files: Files) -> None:
    key, one = bytes(bytearray(b"private key")), bytes(bytearray(b"k"))
    files.gives = (
        msgspec.structs.replace(FIRST[0], private_key=key, passphrase=one, sni=((b"n", b"chain", key[:5]),)),
    )
    ring = Keyring(SETTINGS, Logs(), 0)  # type: ignore[arg-type]
    pid = sandbox.forked(lambda: os._exit(_left(ring, key, one)))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert key == b"private key"


def _left(ring: Keyring, key: bytes, one: bytes) -> int:
    """1 where anything is left."""
    ring.wipe()
    gone = key == bytes(len(key)) and one == b"k" and ring.materials == () and ring.ticket_keys == ()
    return int(not gone)
