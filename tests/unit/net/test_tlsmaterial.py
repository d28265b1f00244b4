"""Files of ssl-params: what is read, what is said of those that will not do, and the contexts that are made."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from imap4fast._wire import Tls, TlsContext
from imap4fast.config.load import load, load_text
from imap4fast.config.settings import Settings
from imap4fast.errors import InternalError, SetupError
from imap4fast.net.tlsmaterial import MAX_FILE, Contexts, Material, read_materials
from tests.unit.tls.certificates import Pair, key_pem, self_signed
from tests.unit.tls.ends import NAME, PythonEnd, authority, client_context, client_pair, join, python_context

CONF = Path(__file__).parents[3] / "conf"

FILE = """version IMAP4FAST-1;

ssl-params P { %s }
imap4-proxy I {
  listen-on { non-transparent [127.0.0.1] port 1143; }
  ssl-session-cache { timeout 10m; }
  session-acl A { accept; %s plug-to [127.0.0.1] : 143; }
  command-acl A { accept; no-mail-scanning; %s }
}
"""
CLIENTS, SERVERS = "client-ssl-params P;", "server-ssl-params P;"


class Folder:
    """Files for a configuration; `settings` puts the folder's path for `%`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        pair = authority().issue(NAME, (NAME,))
        other = authority().issue("other.example", ("other.example",))
        revoked = authority().issue("gone")
        self.write("cert.pem", pair.chain)
        self.write("key.pem", pair.key)
        self.write("locked.pem", key_pem(pair.private, b"open sesame"))
        self.write("phrase", b"open sesame\r\nmore\n")
        self.write("other.pem", other.chain)
        self.write("other-key.pem", other.key)
        self.write("ca.pem", authority().pem)
        self.write("crl.pem", authority().revoked(revoked))
        self.write("junk.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n")
        self.write("empty", b"")

    def write(self, name: str, content: bytes, mode: int = 0o600) -> None:
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        file.chmod(mode)

    def settings(self, params: str, client: str = CLIENTS, server: str = "") -> Settings:
        return load_text(FILE % (params.replace("%", f"{self.path}/"), client, server), "x.cfg").settings

    def read(self, params: str, client: str = CLIENTS, server: str = "") -> Material:
        (material,) = read_materials(self.settings(params, client, server))
        return material


PAIR = 'certificate "%cert.pem"; private-key "%key.pem"; '


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def peer(context: TlsContext) -> PythonEnd:
    """A client of Python's that has had its handshake."""
    end = PythonEnd(python_context(False), False)
    join(end, Tls(context))
    return end


def test_a_pair(folder: Folder) -> None:
    material = folder.read(PAIR)
    assert (material.name, material.lifetime_s, material.warnings) == ("P", 600, ())
    assert material.certificate == (folder.path / "cert.pem").read_bytes()
    assert (material.ca, material.ca_system, material.verify) == ((), (), None)
    assert (material.min_version, material.max_version) == (0x0303, 0x0304)
    assert material.curves.endswith(b"X25519:prime256v1:secp384r1")
    assert peer(Contexts((material,)).accepting("P", "x")).handshake_done


def test_nothing_is_read_where_nothing_is_used(folder: Folder) -> None:
    assert read_materials(folder.settings('certificate "/nowhere"; private-key "/nowhere";', client="")) == ()


def test_a_locked_key(folder: Folder) -> None:
    material = folder.read('certificate "%cert.pem"; private-key "%locked.pem"; key-passphrase "%phrase";')
    assert material.passphrase == b"open sesame"
    assert peer(Contexts((material,)).accepting("P", "x")).handshake_done


def test_several_names(folder: Folder) -> None:
    material = folder.read(PAIR + 'sni "other.example" "%other.pem" "%other-key.pem";')
    leg = Tls(Contexts((material,)).accepting("P", "x"))
    end = PythonEnd(python_context(False), False, name="other.example")
    join(end, leg)
    assert end.handshake_done, end.error


def test_authorities_of_files_folders_and_the_system(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("ca/one.pem", authority().pem)
    folder.write("ca/link.0", authority().pem)
    folder.write("ca/README", b"nothing of it")
    folder.write("ca/key.pem", (folder.path / "key.pem").read_bytes())
    both = folder.read('ca-file "%ca.pem"; ca-dir "%ca";', "", SERVERS)
    assert both.ca == (authority().pem,) * 2
    monkeypatch.setenv("SSL_CERT_FILE", str(folder.path / "ca.pem"))
    system = folder.read("", "", SERVERS)
    assert (system.ca, system.ca_system) == ((), (authority().pem,))
    assert folder.read("verify none;", "", SERVERS).ca_system == ()
    assert folder.read(PAIR).ca_system == ()
    leg = Tls(Contexts((system,)).connecting("P"))
    leg.set_server_name(NAME.encode())
    join(leg, PythonEnd(python_context(True), True))
    assert leg.handshake_done, leg.fault_reason


@pytest.mark.parametrize(
    ("params", "legs", "what", "why"),
    [
        ('certificate "%none"; private-key "%key.pem";', CLIENTS, 'certificate "%none"', "No such file or directory"),
        ('certificate "%cert.pem"; private-key "%";', CLIENTS, 'private-key "%"', "Is a directory|no regular file"),
        ('certificate "%cert.pem"; private-key "%other-key.pem";', CLIENTS, 'private-key "%other-key.pem"', "not fit"),
        ('certificate "%cert.pem"; private-key "%locked.pem";', CLIENTS, 'private-key "%locked.pem"', "encrypted"),
        (
            'certificate "%cert.pem"; private-key "%locked.pem"; key-passphrase "%ca.pem";',
            CLIENTS,
            'private-key "%locked.pem"',
            "wrong pass phrase",
        ),
        (PAIR + 'key-passphrase "%empty";', CLIENTS, 'key-passphrase "%empty"', "its first line is empty"),
        ('certificate "%key.pem"; private-key "%key.pem";', CLIENTS, 'certificate "%key.pem"', "no certificate in it"),
        ('certificate "%junk.pem"; private-key "%key.pem";', CLIENTS, 'certificate "%junk.pem"', ".+"),
        (PAIR + 'sni a "%none" "%key.pem";', CLIENTS, 'sni a certificate "%none"', "No such file"),
        (PAIR + 'sni a "%cert.pem" "%other-key.pem";', CLIENTS, 'sni a private-key "%other-key.pem"', "not fit"),
        (PAIR + 'ca-file "%empty"; verify request;', CLIENTS, 'ca-file "%empty"', "no certificate in it"),
        ('ca-file "%ca.pem"; ca-dir "%broken";', SERVERS, 'ca-dir "%broken"', ".+"),
        ('ca-file "%junk.pem"; ca-dir "%ca";', SERVERS, 'ca-file "%junk.pem"', ".+"),
        ('ca-dir "%none";', SERVERS, 'ca-dir "%none"', "No such file"),
        ('ca-dir "%keys";', SERVERS, 'ca-dir "%keys"', "no certificate in it"),
        ('ca-file "%ca.pem"; crl "%crl.pem"; crl "%cert.pem";', SERVERS, 'crl "%cert.pem"', "no revocation list in it"),
        (PAIR + "ciphers nonsense;", CLIENTS, 'ciphers "nonsense"', "no cipher match"),
        (
            PAIR + 'max-version TLSv1-2; ciphers "ECDHE-RSA-AES128-GCM-SHA256";',
            CLIENTS,
            'ciphers "ECDHE-RSA',
            "none fits .* ECDSA key",
        ),
        (PAIR + "ciphersuites nonsense;", CLIENTS, 'ciphersuites "nonsense"', "no cipher match"),
        (PAIR + "curves nonsense;", CLIENTS, 'curves "nonsense"', "unknown or empty"),
        (PAIR + 'crl "%fifo";', CLIENTS, 'crl "%fifo"', "no regular file"),
        (PAIR + 'crl "%huge";', CLIENTS, 'crl "%huge"', "larger than 16 MiB"),
    ],
)
def test_what_will_not_do(folder: Folder, params: str, legs: str, what: str, why: str) -> None:
    folder.write("ca/ca.pem", authority().pem)
    folder.write("broken/ca.pem", (folder.path / "junk.pem").read_bytes())
    folder.write("keys/key.pem", (folder.path / "key.pem").read_bytes())
    os.mkfifo(folder.path / "fifo")
    (folder.path / "huge").write_bytes(b"")
    os.truncate(folder.path / "huge", MAX_FILE + 1)
    client, server = (legs, "") if legs == CLIENTS else ("", legs)
    with pytest.raises(SetupError) as caught:
        folder.read(params, client, server)
    assert caught.value.what.startswith(f"x.cfg:3: ssl-params P: {what.replace('%', f'{folder.path}/')}")
    assert re.search(why, str(caught.value.why))


def test_all_faults_at_once(folder: Folder) -> None:
    with pytest.raises(SetupError) as caught:
        folder.read('certificate "%none"; private-key "%nothing"; crl "%never";')
    assert str(caught.value).count("x.cfg:3: ssl-params P: ") == 3
    for name in ("none", "nothing", "never"):
        assert f'{folder.path}/{name}"' in str(caught.value)


def test_the_file_that_is_meant_is_an_included_one(folder: Folder) -> None:
    (folder.path / "tls.inc").write_text('\nssl-params P { certificate "/nowhere"; private-key "/nowhere"; }\n')
    lines = (FILE % ("", CLIENTS, "")).replace("ssl-params P {  }", 'include "tls.inc";')
    (folder.path / "main.cfg").write_text(lines)
    with pytest.raises(SetupError, match=f"^{folder.path}/tls.inc:2: ssl-params P: certificate "):
        read_materials(load(str(folder.path / "main.cfg")).settings)


@pytest.mark.parametrize(("starts", "ends", "said"), [(-9, -2, "expired on"), (3, 9, "is valid from")])
def test_warnings_of_dates(folder: Folder, starts: int, ends: int, said: str) -> None:
    pair = authority().issue(NAME, (NAME,), starts=starts, ends=ends)
    folder.write("cert.pem", pair.chain)
    folder.write("key.pem", pair.key)
    (warning,) = folder.read(PAIR).warnings
    assert warning.startswith(
        f'x.cfg:3: warning: ssl-params P: certificate "{folder.path}/cert.pem": the certificate of '
    )
    assert said in warning


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o604, True), (0o602, True)])
def test_warnings_of_modes(folder: Folder, mode: int, warned: bool) -> None:
    folder.path.joinpath("key.pem").chmod(mode)
    folder.path.joinpath("cert.pem").chmod(0o644)
    warnings = folder.read(PAIR).warnings
    assert bool(warnings) is warned
    if warned:
        assert (
            f'private-key "{folder.path}/key.pem" can be read or written by everybody (mode 0{mode:o})' in warnings[0]
        )


def test_a_material_travels_and_shows_nothing(folder: Folder) -> None:
    material = folder.read(PAIR + 'ca-file "%ca.pem"; crl "%crl.pem"; verify require;')
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(material), type=Material)
    assert again == material
    assert repr((material,)) == "(Material(P),)"


class Scene:
    """Two processes with one material, and a client that keeps its session."""

    def __init__(self, material: Material, pair: Pair | None = None) -> None:
        self.keys = (os.urandom(80),)
        self.one, self.two = Contexts((material,), self.keys), Contexts((material,), self.keys)
        self.context = python_context(False, pair=pair)
        self.end: PythonEnd | None = None

    def resumes(self, contexts: Contexts, listener: str = "993", name: str = "P") -> bool:
        leg = Tls(contexts.accepting(name, listener))
        end = PythonEnd(self.context, False, self.end.tls.session if self.end else None)
        join(end, leg)
        end.pump(leg.seal(b"* OK ready\r\n"))
        assert leg.handshake_done, leg.fault_reason
        self.end = self.end or end
        return leg.resumed


def test_resumption(folder: Folder) -> None:
    material = folder.read(PAIR)
    scene = Scene(material)
    assert not scene.resumes(scene.one)
    assert scene.resumes(scene.one)
    assert scene.resumes(scene.two)
    assert not scene.resumes(scene.one, "143")
    other = msgspec.structs.replace(material, name="Q")
    assert not scene.resumes(Contexts((other,), scene.keys), name="Q")
    assert not scene.resumes(Contexts((material,), (os.urandom(80),)))
    assert not scene.resumes(Contexts((msgspec.structs.replace(material, tickets=False),), scene.keys))
    scene.two.set_ticket_keys((os.urandom(80), *scene.keys))
    assert scene.resumes(scene.two)
    assert scene.resumes(scene.two, "993")


def test_keys_count_for_contexts_that_are_made_later(folder: Folder) -> None:
    material = folder.read(PAIR)
    scene = Scene(material)
    late = Contexts((material,))
    late.set_ticket_keys(scene.keys)
    scene.resumes(scene.one)
    assert scene.resumes(late)


def test_no_session_outlives_a_change_of_who_is_trusted(folder: Folder) -> None:
    material = folder.read(PAIR + 'ca-file "%ca.pem"; verify require;')
    scene = Scene(material, client_pair())
    scene.resumes(scene.one)
    assert scene.resumes(scene.one)
    scene.one.replace((msgspec.structs.replace(material, crl=(authority().revoked(),)),))
    assert not scene.resumes(scene.one)
    renewed = authority().issue(NAME, (NAME,))
    scene.two.replace((msgspec.structs.replace(material, certificate=renewed.chain, private_key=renewed.key),))
    assert scene.resumes(scene.two)


def test_contexts_are_made_once_and_replaced(folder: Folder) -> None:
    material = folder.read(PAIR + 'ca-file "%ca.pem";', CLIENTS, SERVERS)
    contexts = Contexts((material,))
    accepting, connecting = contexts.accepting("P", "x"), contexts.connecting("P")
    assert (accepting.server, connecting.server) == (True, False)
    assert (accepting.verify, connecting.verify) == (0, 2)
    contexts.replace((msgspec.msgpack.decode(msgspec.msgpack.encode(material), type=Material),))
    assert contexts.accepting("P", "x") is accepting
    assert contexts.connecting("P") is connecting
    contexts.replace((msgspec.structs.replace(material, lifetime_s=7),))
    assert contexts.accepting("P", "x") is not accepting
    assert contexts.connecting("P") is not connecting
    contexts.replace(())
    with pytest.raises(InternalError, match="no material for ssl-params P"):
        contexts.accepting("P", "x")


def test_weak_tls_has_to_be_said(folder: Folder) -> None:
    strong = Contexts((folder.read(PAIR),)).accepting("P", "x")
    weak = folder.read(PAIR + 'weak-tls yes; min-version TLSv1; ciphers "ALL:@SECLEVEL=0";')
    assert (weak.min_version, weak.weak_tls) == (0x0301, True)
    old = client_context(min_version=0x0301, max_version=0x0301, security_level=0, ciphers=b"ALL:@SECLEVEL=0")
    for context, version in ((strong, None), (Contexts((weak,)).accepting("P", "x"), "TLSv1")):
        leg, end = Tls(context), Tls(old)
        end.set_server_name(NAME.encode())
        join(end, leg)
        assert leg.version == version


def test_the_sample(folder: Folder) -> None:
    """conf/tls.cfg with files: both legs come up, and the client's certificate is looked at."""
    server = authority().issue("imap.example.org", ("imap.example.org",))
    folder.write("staff-ca.pem", authority().pem)
    folder.write("server-ca.pem", authority().pem)
    text = (CONF / "tls.cfg").read_text().replace("/etc/imap4fast", str(folder.path))
    materials = read_materials(load_text(text, "tls.cfg").settings)
    assert [(material.name, material.warnings, material.lifetime_s) for material in materials] == [
        ("PUBLIC", (), 3600),
        ("SERVER", (), 3600),
    ]
    contexts = Contexts(materials)
    for pair, error in ((client_pair(), False), (self_signed("liar"), True), (None, False)):
        leg = Tls(contexts.accepting("PUBLIC", "[0.0.0.0]:993"))
        join(PythonEnd(python_context(False, pair=pair), False), leg)
        assert leg.handshake_done
        assert (leg.verify_error is not None) is error
        assert (leg.peer_certificate is None) is (pair is None)
    for pair, done in ((server, True), (authority().issue(NAME, (NAME,)), False)):
        leg = Tls(contexts.connecting("SERVER"))
        leg.set_server_name(b"imap.example.org")
        join(leg, PythonEnd(python_context(True, pair=pair), True))
        assert leg.handshake_done is done
