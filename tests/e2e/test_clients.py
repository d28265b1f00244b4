"""Real clients through the proxy: curl, Python's imaplib, mbsync, neomutt in a terminal."""

from __future__ import annotations

import email
import imaplib
import os
import re
import subprocess
import time
from pathlib import Path

from tests.e2e.lab import PASSWORD, Lab, mail
from tests.e2e.parts import need
from tests.e2e.proxy import Proxy


def run(*words: str, home: Path | None = None) -> bytes:
    """Run a program to its end; its standard output."""
    environment = dict(os.environ, HOME=str(home)) if home else None
    done = subprocess.run(words, capture_output=True, timeout=120, env=environment)
    assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


# curl


def _curl(proxy: Proxy, user: str, path: str, *options: str) -> bytes:
    url = f"imap://127.0.0.1:{proxy.address[1]}/{path}"
    return run(need("curl"), "-sS", "--user", f"{user}:{PASSWORD.decode()}", url, *options)


def test_curl(lab: Lab, tmp_path: Path) -> None:
    user = lab.user()
    lab.fill(user, 3)
    proxy = lab.proxy()
    assert b"INBOX" in _curl(proxy, user, "")
    assert _curl(proxy, user, "INBOX;MAILINDEX=2") == mail(2)
    assert b"Subject: mail 3" in _curl(proxy, user, "INBOX;UID=3;SECTION=HEADER.FIELDS%20(SUBJECT)")
    (tmp_path / "mail").write_bytes(mail(4, 50_000))
    _curl(proxy, user, "INBOX", "-T", str(tmp_path / "mail"))
    assert _curl(proxy, user, "INBOX;MAILINDEX=4") == mail(4, 50_000)
    assert b"* SEARCH 4" in _curl(proxy, user, "INBOX?SUBJECT%20%22mail%204%22")


def test_curl_with_each_mechanism(lab: Lab) -> None:
    user = lab.user()
    lab.fill(user, 1)
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        options = ("--login-options", f"AUTH={mechanism}")
        assert _curl(lab.proxy(), user, "INBOX;MAILINDEX=1", *options) == mail(1), mechanism


# imaplib


def test_imaplib(lab: Lab) -> None:
    user = lab.user()
    with imaplib.IMAP4("127.0.0.1", lab.proxy().address[1], timeout=20) as client:
        client.login(user, PASSWORD.decode())
        assert client.create("Work")[0] == "OK"
        assert client.append("Work", r"(\Seen)", '"01-Feb-2024 03:04:05 +0000"', mail(1))[0] == "OK"
        assert client.append("Work", "", "", mail(2, 100_000))[0] == "OK"
        assert client.select("Work") == ("OK", [b"2"])
        assert client.uid("search", "ALL") == ("OK", [b"1 2"])
        _, data = client.fetch("1:2", "(FLAGS BODY.PEEK[])")
        bodies = [part[1] for part in data if isinstance(part, tuple)]
        assert bodies == [mail(1), mail(2, 100_000)]
        assert email.message_from_bytes(bodies[1])["Subject"] == "mail 2"
        client.store("2", "+FLAGS", r"(\Deleted)")
        assert client.expunge() == ("OK", [b"2"])
        assert client.status("Work", "(MESSAGES)")[1] == [b"Work (MESSAGES 1)"]
        assert client.namespace()[0] == "OK"
        client.close()


def test_imaplib_authenticate(lab: Lab) -> None:
    user = lab.user().encode()
    with imaplib.IMAP4("127.0.0.1", lab.proxy().address[1], timeout=20) as client:
        client.authenticate("PLAIN", lambda _: b"\0" + user + b"\0" + PASSWORD)
        assert client.select() == ("OK", [b"0"])


# mbsync

_MBSYNCRC = """
IMAPAccount proxy
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs *

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

MAILS = 500


def _fill_at_once(lab: Lab, user: str, mails: int) -> None:
    """One MULTIAPPEND for all."""
    direct = lab.direct(user)
    parts = [
        b" (%s) {%d+}\r\n%s" % (b"\\Seen" if at % 2 else b"", len(mail(at)), mail(at)) for at in range(1, mails + 1)
    ]
    direct.send(b"m APPEND INBOX" + b"".join(parts) + b"\r\n")
    assert direct.answer(b"m", 60).status == "OK"
    direct.close()


def _files(folder: Path) -> list[Path]:
    return sorted([*(folder / "cur").iterdir(), *(folder / "new").iterdir()])


def test_mbsync(lab: Lab, tmp_path: Path) -> None:
    user = lab.user()
    _fill_at_once(lab, user, MAILS)
    port = lab.proxy().address[1]
    (tmp_path / "mail").mkdir()
    rc = tmp_path / "mbsyncrc"
    rc.write_text(_MBSYNCRC.format(port=port, user=user, password=PASSWORD.decode(), folder=tmp_path))
    sync = (need("mbsync"), "-c", str(rc), "-a")
    run(*sync, home=tmp_path)
    inbox = tmp_path / "mail" / "INBOX"
    files = _files(inbox)
    assert len(files) == MAILS
    # mbsync marks what it stored by a header of its own.
    assert sorted(re.sub(rb"X-TUID: .*\n", b"", path.read_bytes()) for path in files) == sorted(
        mail(at).replace(b"\r\n", b"\n") for at in range(1, MAILS + 1)
    )
    # Changes on both sides: two mails and a folder here, one flag and one deletion there.
    for at in (9001, 9002):
        (inbox / "new" / f"{at}.local").write_bytes(mail(at).replace(b"\r\n", b"\n"))
    files[0].unlink()
    direct = lab.direct(user)
    direct.ok(b"CREATE Sent")
    direct.append(b"Sent", mail(7000))
    direct.ok(b"SELECT INBOX")
    direct.ok(b"STORE 10 +FLAGS (\\Flagged)")
    direct.ok(b"STORE 11 +FLAGS (\\Deleted)")
    direct.ok(b"EXPUNGE")
    run(*sync, home=tmp_path)
    assert len(_files(inbox)) == MAILS
    assert len(_files(tmp_path / "mail" / "Sent")) == 1
    assert sum("F" in path.name.rpartition(",")[2] for path in _files(inbox)) == 1
    assert b"MESSAGES %d" % MAILS in lab.direct(user).ok(b"STATUS INBOX (MESSAGES)").untagged[0]
    direct.ok(b"SELECT INBOX")
    assert re.fullmatch(rb"\* SEARCH \d+", direct.ok(b'SEARCH SUBJECT "mail 9002"').one(b"* SEARCH"))
    run(*sync, home=tmp_path)
    assert len(_files(inbox)) == MAILS


# neomutt

_MUTTRC = """
set folder = "imap://{user}@127.0.0.1:{port}/"
set spoolfile = "+INBOX"
set imap_user = "{user}"
set imap_pass = "{password}"
set ssl_starttls = no
set ssl_force_tls = no
set imap_check_subscribed = no
set header_cache = ""
set message_cachedir = ""
set quit = yes
set sleep_time = 0
set wait_key = no
unset mark_old
"""


class Terminal:
    """One program in a tmux of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._tmux = (need("tmux"), "-S", str(folder / "tmux.sock"), "-f", "/dev/null")
        command = " ".join(words)
        run(
            *self._tmux,
            "new-session",
            "-d",
            "-x",
            "120",
            "-y",
            "40",
            "env",
            f"HOME={folder}",
            "TERM=screen",
            "sh",
            "-c",
            command,
        )

    def keys(self, *keys: str) -> None:
        run(*self._tmux, "send-keys", *keys)

    def wait_for(self, text: str, timeout_s: float = 20) -> str:
        deadline = time.monotonic() + timeout_s
        while text not in (screen := run(*self._tmux, "capture-pane", "-p").decode()):
            assert time.monotonic() < deadline, f"no {text!r} on the screen:\n{screen}"
            time.sleep(0.1)
        return screen

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False, capture_output=True)


def test_neomutt(lab: Lab, tmp_path: Path) -> None:
    user = lab.user()
    lab.fill(user, 3)
    rc = tmp_path / "muttrc"
    rc.write_text(_MUTTRC.format(user=user, port=lab.proxy().address[1], password=PASSWORD.decode()))
    terminal = Terminal(tmp_path, need("neomutt"), "-n", "-F", str(rc))
    try:
        screen = terminal.wait_for("mail 3")
        assert "mail 1" in screen
        terminal.keys("2", "Enter")
        terminal.keys("Enter")
        terminal.wait_for("Text of mail 2.")
        terminal.keys("q")
        terminal.wait_for("mail 3")
    finally:
        terminal.close()
    assert b"COMPRESS" not in lab.out()
