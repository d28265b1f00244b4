"""Real clients through TLS, at once and by STARTTLS: openssl s_client, curl, Python's imaplib, mbsync, neomutt."""

from __future__ import annotations

import imaplib
import re
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.e2e.lab import PASSWORD, mail
from tests.e2e.legs import LegLab, Over, front
from tests.e2e.parts import need
from tests.e2e.pki import Identity, client_context, pki
from tests.e2e.proxy import Proxy
from tests.e2e.test_clients import Terminal, run

WAYS = pytest.mark.parametrize("client", ["session", "command"])
SERVERS = {"session": "session", "command": "plain"}
"""What stands behind the proxy: TLS at once on both legs, or STARTTLS before a server without TLS."""


def bench(over: Over, client: str) -> LegLab:
    return over(client, SERVERS[client])


# openssl s_client


class SClient:
    """One run of `openssl s_client`: it says the lines and gives all that came back."""

    def __init__(self, proxy: Proxy, *options: str) -> None:
        port = proxy.address[1]
        self._words = [need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"]
        self._words += ["-CAfile", str(pki().root.file), "-verify_return_error", "-verify_hostname", "localhost"]
        self._words += ["-crlf", "-ign_eof", *options]
        if proxy.config.client_tls == "command":
            self._words += ["-starttls", "imap"]

    def say(self, *lines: str) -> str:
        text = "".join(f"{line}\n" for line in lines)
        done = subprocess.run(self._words, input=text, capture_output=True, text=True, timeout=30, check=False)
        self.status = done.returncode
        return done.stdout + done.stderr


def login(lab: LegLab) -> str:
    return f"a LOGIN {lab.user()} {PASSWORD.decode()}"


@WAYS
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client(over: Over, client: str, version: str) -> None:
    lab = bench(over, client)
    text = SClient(lab.proxy(), version).say(login(lab), "b SELECT INBOX", "c LOGOUT")
    assert "Verify return code: 0 (ok)" in text, text
    assert re.search(r"^a OK .*\n(?:.*\n)*b OK .*\n(?:.*\n)*c OK ", text.replace("\r", ""), re.MULTILINE), text
    assert "Server Temp Key: X25519" in text


@WAYS
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_s_client_resumes(over: Over, client: str, version: str, tmp_path: Path) -> None:
    lab = bench(over, client)
    kept = str(tmp_path / "session")
    first = SClient(lab.proxy(), version, "-sess_out", kept).say(login(lab), "z LOGOUT")
    again = SClient(lab.proxy(), version, "-sess_in", kept).say(login(lab), "z LOGOUT")
    assert re.search(r"^New, TLSv1.\d, Cipher is ", first, re.MULTILINE), first
    assert re.search(r"^Reused, TLSv1.\d, Cipher is ", again, re.MULTILINE), again
    assert "z OK" in again
    lab.log(r"TLS SIDE=CLIENT VERSION=\S+ CIPHER=\S+ RESUMED=YES SNI=localhost ")


def certified(identity: Identity) -> tuple[str, ...]:
    return ("-cert", str(identity.chain), "-key", str(identity.key))


@WAYS
def test_s_client_with_a_certificate(over: Over, client: str) -> None:
    lab = bench(over, client)
    sections = front(f'ca-file "{pki().root.file}"; verify require;')
    proxy = lab.proxy(sections=sections)
    text = SClient(proxy, *certified(pki().staff)).say(login(lab), "b LOGOUT")
    assert "a OK " in text, text
    assert "Acceptable client certificate CA names" in text
    lab.log(r"SSLE-102-[ID] CERTIFICATE SIDE=CLIENT SUBJECT=.*CN=Joe Staff", sections=sections)
    for options in ((), certified(pki().stranger)):
        text = SClient(proxy, *options).say(login(lab), "b LOGOUT")
        assert "a OK " not in text, text
        assert "* BYE" not in text, text


@WAYS
def test_s_client_at_once_resumes_with_its_certificate(over: Over, client: str, tmp_path: Path) -> None:
    lab = bench(over, client)
    sections = front(f'ca-file "{pki().root.file}"; verify require;')
    proxy = lab.proxy(sections=sections)
    kept = str(tmp_path / "session")
    SClient(proxy, *certified(pki().staff), "-sess_out", kept).say(login(lab), "z LOGOUT")
    again = SClient(proxy, "-sess_in", kept).say(login(lab), "z LOGOUT")
    assert "Reused, " in again, again
    assert "a OK " in again, again
    assert len(lab.log(r"SSLE-102-[ID] CERTIFICATE SIDE=CLIENT SUBJECT=.*Joe Staff", 2, sections=sections)) == 2


# curl


def curl(proxy: Proxy, user: str, path: str, *options: str) -> bytes:
    by_command = proxy.config.client_tls == "command"
    url = f"{'imap' if by_command else 'imaps'}://localhost:{proxy.address[1]}/{path}"
    words = (need("curl"), "-sS", "--cacert", str(pki().root.file), "--user", f"{user}:{PASSWORD.decode()}", url)
    return run(*words, *(("--ssl-reqd",) if by_command else ()), *options)


@WAYS
def test_curl(over: Over, client: str, tmp_path: Path) -> None:
    lab = bench(over, client)
    user = lab.user()
    lab.fill(user, 3)
    proxy = lab.proxy()
    assert b"INBOX" in curl(proxy, user, "")
    assert curl(proxy, user, "INBOX;MAILINDEX=2") == mail(2)
    (tmp_path / "mail").write_bytes(mail(4, 50_000))
    curl(proxy, user, "INBOX", "-T", str(tmp_path / "mail"))
    assert curl(proxy, user, "INBOX;MAILINDEX=4") == mail(4, 50_000)
    for mechanism in ("PLAIN", "CRAM-MD5"):
        options = ("--login-options", f"AUTH={mechanism}")
        assert curl(proxy, user, "INBOX;MAILINDEX=1", *options) == mail(1), mechanism


# imaplib


def imaplib_client(proxy: Proxy) -> imaplib.IMAP4:
    if proxy.config.client_tls == "session":
        return imaplib.IMAP4_SSL("localhost", proxy.address[1], ssl_context=client_context(), timeout=20)
    client = imaplib.IMAP4("localhost", proxy.address[1], timeout=20)
    assert client.starttls(client_context())[0] == "OK"
    return client


@WAYS
def test_imaplib(over: Over, client: str) -> None:
    lab = bench(over, client)
    user = lab.user()
    with imaplib_client(lab.proxy()) as session:
        assert "STARTTLS" not in session.capabilities
        session.login(user, PASSWORD.decode())
        assert session.create("Work")[0] == "OK"
        assert session.append("Work", r"(\Seen)", '"01-Feb-2024 03:04:05 +0000"', mail(1))[0] == "OK"
        assert session.append("Work", "", "", mail(2, 100_000))[0] == "OK"
        assert session.select("Work") == ("OK", [b"2"])
        _, data = session.fetch("1:2", "(FLAGS BODY.PEEK[])")
        assert [part[1] for part in data if isinstance(part, tuple)] == [mail(1), mail(2, 100_000)]
        session.close()


def test_imaplib_refuses_what_is_not_signed(over: Over) -> None:
    """The test of the tests: such a client does look at the proxy's certificate."""
    sections = front(identity=pki().self_signed)
    proxy = over("session", "plain").proxy(sections=sections)
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib_client(proxy)


# mbsync

_MBSYNCRC = """
IMAPAccount proxy
Host localhost
Port {port}
User {user}
Pass {password}
SSLType {ssl_type}
SSLVersions TLSv1.2 TLSv1.3
SystemCertificates no
CertificateFile {ca}

IMAPStore far
Account proxy

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""


@WAYS
def test_mbsync(over: Over, client: str, tmp_path: Path) -> None:
    lab = bench(over, client)
    user = lab.user()
    lab.fill(user, 40)
    (tmp_path / "mail").mkdir()
    rc = tmp_path / "mbsyncrc"
    rc.write_text(
        _MBSYNCRC.format(
            port=lab.proxy().address[1],
            user=user,
            password=PASSWORD.decode(),
            ssl_type="IMAPS" if client == "session" else "STARTTLS",
            ca=pki().root.file,
            folder=tmp_path,
        )
    )
    sync = (need("mbsync"), "-c", str(rc), "-a")
    run(*sync, home=tmp_path)
    inbox = tmp_path / "mail" / "INBOX"
    files = [*(inbox / "cur").iterdir(), *(inbox / "new").iterdir()]
    assert len(files) == 40
    (inbox / "new" / "9001.local").write_bytes(mail(9001).replace(b"\r\n", b"\n"))
    files[0].unlink()
    run(*sync, home=tmp_path)
    assert b"MESSAGES 40" in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]
    lab.log(r"TLS SIDE=CLIENT VERSION=TLSv1.3 ", 2)


# neomutt

_MUTTRC = """
set folder = "{scheme}://{user}@localhost:{port}/"
set spoolfile = "+INBOX"
set imap_user = "{user}"
set imap_pass = "{password}"
set ssl_starttls = {starttls}
set ssl_force_tls = yes
set ssl_ca_certificates_file = "{ca}"
set imap_check_subscribed = no
set header_cache = ""
set message_cachedir = ""
set quit = yes
set sleep_time = 0
set wait_key = no
unset mark_old
"""


@WAYS
def test_neomutt(over: Over, client: str, tmp_path: Path) -> None:
    lab = bench(over, client)
    user = lab.user()
    lab.fill(user, 3)
    ca = tmp_path / "ca"
    ca.write_bytes(pki().root.file.read_bytes())
    rc = tmp_path / "muttrc"
    rc.write_text(
        _MUTTRC.format(
            scheme="imaps" if client == "session" else "imap",
            starttls="no" if client == "session" else "yes",
            user=user,
            port=lab.proxy().address[1],
            password=PASSWORD.decode(),
            ca=ca,
        )
    )
    terminal = Terminal(tmp_path, need("neomutt"), "-n", "-F", str(rc))
    try:
        assert "mail 1" in terminal.wait_for("mail 3")
        terminal.keys("2", "Enter")
        terminal.keys("Enter")
        terminal.wait_for("Text of mail 2.")
        terminal.keys("q")
        terminal.wait_for("mail 3")
    finally:
        terminal.close()
    lab.log(r"TLS SIDE=CLIENT VERSION=TLSv1.[23] ")
