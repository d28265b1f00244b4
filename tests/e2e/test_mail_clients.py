"""Real clients reading and writing mails with EICAR in every position: imaplib, curl, mbsync, neomutt, offlineimap.

None gets an octet of the virus, none stops: what is denied arrives as a mail that says so.
"""

from __future__ import annotations

import email
import imaplib
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.carriers import POSITIONS, carrier, clean, spam, traces
from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.lab import PASSWORD, Lab, Proxies, mail
from tests.e2e.mailproxy import BLOCKING, REPLACE_VIRUS, Processing
from tests.e2e.mailrows import stored
from tests.e2e.parts import need
from tests.e2e.proxy import Proxy
from tests.e2e.tap import Tap
from tests.e2e.test_clients import _MBSYNCRC, _MUTTRC, Terminal, run

MAILS = [*(carrier(position) for position in POSITIONS), spam(), clean(1, 100_000), mail(7)]

DECIDE = f'mail-acl SPAM {{ spam-score ge 5.0; accept; subject-prefix "[SPAM] "; }}\n  {REPLACE_VIRUS}'
POLICIES = {"mail": BLOCKING, "document": Processing(decide=DECIDE)}


@pytest.fixture(params=list(POLICIES))
def processing(request: pytest.FixtureRequest) -> Processing:
    return POLICIES[request.param]


@pytest.fixture(scope="module")
def user(dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies) -> str:
    return stored(Lab(dovecot, tap, fake, proxies), MAILS)


def harmless(octets: bytes) -> bytes:
    """A whole mail that a client got, after a look at it."""
    assert not traces(octets.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")), octets[:300]
    assert not traces(octets)
    return octets


# imaplib


def test_imaplib_reads(lab: Lab, user: str, processing: Processing) -> None:
    with imaplib.IMAP4("127.0.0.1", lab.proxy(**processing.config()).address[1], timeout=30) as client:
        client.login(user, PASSWORD.decode())
        client.select()
        for form in ("(UID RFC822.SIZE BODY.PEEK[])", "(RFC822)", "(BODY.PEEK[TEXT]<0.3000> BODY.PEEK[1])"):
            status, data = client.fetch("1:*", form)
            assert status == "OK"
            for part in data:
                if isinstance(part, tuple):
                    harmless(part[1])
        _, data = client.fetch(str(len(MAILS)), "(BODY.PEEK[])")
        assert isinstance(data[0], tuple)
        assert data[0][1] == mail(7)


def test_imaplib_writes(lab: Lab, processing: Processing) -> None:
    with imaplib.IMAP4("127.0.0.1", lab.proxy(**processing.config()).address[1], timeout=30) as client:
        client.login(lab.user(), PASSWORD.decode())
        told = {position: client.append("INBOX", "", "", carrier(position))[0] for position in POSITIONS}
        if processing is BLOCKING:
            # The normal form of a mail has no preamble: without it that one is clean.
            assert {name for name, status in told.items() if status != "NO"} <= {"preamble-base64"}
        assert client.append("INBOX", "", "", clean(2, 50_000))[0] == "OK"
        client.select()
        _, data = client.fetch("1:*", "(BODY.PEEK[])")
        bodies = [part[1] for part in data if isinstance(part, tuple)]
        assert clean(2, 50_000) in bodies
        assert bodies == [harmless(octets) for octets in bodies]
    assert not traces(lab.out())


# curl


def _curl(proxy: Proxy, user: str, path: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    url = f"imap://127.0.0.1:{proxy.address[1]}/{path}"
    words = (need("curl"), "-sS", "--user", f"{user}:{PASSWORD.decode()}", url, *options)
    return subprocess.run(words, capture_output=True, timeout=60)


CURL_SECTIONS = (
    "",
    ";SECTION=1",
    ";SECTION=2",
    ";SECTION=TEXT",
    ";SECTION=2.MIME",
    ";SECTION=HEADER",
    ";SECTION=1;PARTIAL=0.34",
)


@pytest.mark.parametrize("position", ["only-base64", "second-of-two", "in-mail", "zip", "text-part"])
def test_curl_by_section(lab: Lab, user: str, processing: Processing, position: str) -> None:
    proxy = lab.proxy(**processing.config())
    number = list(POSITIONS).index(position) + 1
    for section in CURL_SECTIONS:
        harmless(_curl(proxy, user, f"INBOX;UID={number}{section}").stdout)


def test_curl_writes(lab: Lab, processing: Processing, tmp_path: Path) -> None:
    proxy = lab.proxy(**processing.config())
    user = lab.user()
    for name, octets in (("bad", carrier("only-plain")), ("good", clean(3))):
        (tmp_path / name).write_bytes(octets)
    if processing is BLOCKING:
        assert _curl(proxy, user, "INBOX", "-T", str(tmp_path / "bad")).returncode != 0
    assert _curl(proxy, user, "INBOX", "-T", str(tmp_path / "good")).returncode == 0
    assert not traces(lab.out())


# mbsync


def test_mbsync(lab: Lab, processing: Processing, tmp_path: Path) -> None:
    """All mails down, one good and one bad up, a second run that finds nothing to do."""
    user = stored(lab, MAILS)
    (tmp_path / "mail").mkdir()
    rc = tmp_path / "mbsyncrc"
    port = lab.proxy(**processing.config()).address[1]
    rc.write_text(_MBSYNCRC.format(port=port, user=user, password=PASSWORD.decode(), folder=tmp_path))
    sync = (need("mbsync"), "-c", str(rc), "-a")
    run(*sync, home=tmp_path)
    inbox = tmp_path / "mail" / "INBOX"
    files = [*(inbox / "cur").iterdir(), *(inbox / "new").iterdir()]
    assert len(files) == len(MAILS)
    held = [harmless(path.read_bytes()) for path in files]
    assert mail(7).replace(b"\r\n", b"\n") in [re.sub(rb"X-TUID: .*\n", b"", octets) for octets in held]
    (inbox / "new" / "1.local").write_bytes(clean(4).replace(b"\r\n", b"\n"))
    run(*sync, home=tmp_path)
    (inbox / "new" / "2.local").write_bytes(carrier("zip").replace(b"\r\n", b"\n"))
    subprocess.run(sync, capture_output=True, timeout=120, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert not traces(lab.out())
    with lab.dovecot.login(user) as direct:
        (status,) = direct.ok(b"STATUS INBOX (MESSAGES)").untagged
    assert int(re.search(rb"MESSAGES (\d+)", status)[1]) - len(MAILS) == (1 if processing is BLOCKING else 2)  # type: ignore[index]
    run(*(sync if processing is not BLOCKING else ("true",)), home=tmp_path)


# neomutt


def test_neomutt(lab: Lab, processing: Processing, tmp_path: Path) -> None:
    """The list, a denied mail on the screen, a good one after it, and one saved to a file."""
    user = stored(lab, [carrier("second-of-two"), carrier("only-plain"), mail(7)])
    rc = tmp_path / "muttrc"
    port = lab.proxy(**processing.config()).address[1]
    rc.write_text(
        _MUTTRC.format(user=user, port=port, password=PASSWORD.decode())
        + "set mbox_type = mbox\nset sort = mailbox-order\n"
    )
    terminal = Terminal(tmp_path, need("neomutt"), "-n", "-F", str(rc))
    try:
        terminal.wait_for("mail 7")
        terminal.keys("3", "Enter")
        terminal.keys("Enter")
        terminal.wait_for("Text of mail 7.")
        terminal.keys("q")
        for number in ("1", "2"):
            terminal.keys(number, "Enter")
            terminal.keys("C", f"{tmp_path}/saved{number}", "Enter")
            time.sleep(0.3)
            terminal.keys("y")
            _wait(tmp_path / f"saved{number}")
    finally:
        terminal.close()
    for number in ("1", "2"):
        harmless((tmp_path / f"saved{number}").read_bytes())


def _wait(path: Path, timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.1)


# offlineimap

_OFFLINEIMAPRC = """[general]
accounts = a
maxsyncaccounts = 1
metadata = {folder}/meta
ui = quiet

[Account a]
localrepository = near
remoterepository = far

[Repository near]
type = Maildir
localfolders = {folder}/mail

[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = no
starttls = no
auth_mechanisms = LOGIN
folderfilter = lambda name: name == 'INBOX'
"""


def test_offlineimap(lab: Lab, processing: Processing, tmp_path: Path) -> None:
    user = stored(lab, MAILS)
    rc = tmp_path / "rc"
    port = lab.proxy(**processing.config()).address[1]
    rc.write_text(_OFFLINEIMAPRC.format(folder=tmp_path, port=port, user=user, password=PASSWORD.decode()))
    sync = (need("offlineimap"), "-c", str(rc), "-o", "-1")
    run(*sync, home=tmp_path)
    inbox = tmp_path / "mail" / "INBOX"
    files = [*(inbox / "cur").iterdir(), *(inbox / "new").iterdir()]
    assert len(files) == len(MAILS)
    subjects = {str(email.message_from_bytes(harmless(path.read_bytes()))["Subject"]) for path in files}
    assert "mail 7" in subjects
    (inbox / "new" / "1.local:2,").write_bytes(mail(8).replace(b"\r\n", b"\n"))
    run(*sync, home=tmp_path)
    with lab.dovecot.login(user) as direct:
        direct.ok(b"SELECT INBOX")
        assert direct.ok(b'SEARCH SUBJECT "mail 8"').one(b"* SEARCH") != b"* SEARCH"
    assert not traces(lab.out())
