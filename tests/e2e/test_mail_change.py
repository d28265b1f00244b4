"""Other settings of mail processing: they come with another instance; sessions of the old one end as they began."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from imap4fast.log import tcps
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import Processing
from tests.e2e.mailrows import body, plain, stored
from tests.e2e.wire import Wire

WAIT_S = 12


def prefixing(word: str, spool: Path) -> Processing:
    """Mails get this word before their subject."""
    decide = f'mail-acl ALL {{ accept; subject-prefix "{word} "; }}\n  doc-acl ALL {{ accept; }}'
    more = {"tcpserver": f"workers 1; terminate-wait {WAIT_S};"}
    return replace(Processing(decide=decide, spool=str(spool)), more=more)


def entered(lab: Lab, user: str, processing: Processing) -> Wire:
    wire = lab.login(user, **processing.config())
    wire.wait_s = 20.0
    wire.ok(b"SELECT INBOX")
    return wire


def subject(wire: Wire, number: int) -> bytes:
    mail = body(wire.ok(b"FETCH %d (BODY.PEEK[])" % number))
    return next(line for line in mail.split(b"\r\n") if line.startswith(b"Subject:"))


def test_another_instance_has_the_new_settings_and_old_sessions_end(lab: Lab, tmp_path: Path) -> None:
    """SIGHUP; then the service is started with the changed file, over the same spool."""
    before, after = (prefixing(word, tmp_path / "spool") for word in ("[OLD]", "[NEW]"))
    user = stored(lab, [plain(b"one", b"one"), plain(b"two", b"two")])
    old = entered(lab, user, before)
    assert subject(old, 1) == b"Subject: [OLD] one"
    first = lab.proxy(**before.config())
    first.process.send_signal(signal.SIGHUP)
    first.wait_log(tcps.SOCKETS_UNBOUND.id)
    new = entered(lab, user, after)
    assert [subject(new, number) for number in (1, 2)] == [b"Subject: [NEW] one", b"Subject: [NEW] two"]
    assert [subject(old, number) for number in (1, 2)] == [b"Subject: [OLD] one", b"Subject: [OLD] two"]
    assert old.line(3.0 * WAIT_S).startswith(b"* BYE ")
    assert first.process.wait(10) == 0
    del lab._used[first.config]
    lab.proxies.forget(first)
    assert subject(new, 2) == b"Subject: [NEW] two"


@pytest.mark.parametrize("mode", ["", "singleproc;"])
def test_sigrtmin_leaves_mail_processing_as_it_is(lab: Lab, tmp_path: Path, mode: str) -> None:
    """Whatever the file says by then, for sessions that begin after it, too (TCPS-714)."""
    made = replace(prefixing("[OLD]", tmp_path / "spool"), proxy=mode)
    user = stored(lab, [plain(b"one", b"one")])
    proxy = lab.proxy(**made.config())
    proxy.config_path.write_text(proxy.config_path.read_text().replace("[OLD]", "[NEW]"))
    proxy.process.send_signal(signal.SIGRTMIN)
    proxy.wait_log(f"{tcps.RELOAD_FAILED.id} Configuration not reloaded: .reload is not supported yet")
    assert subject(entered(lab, user, made), 1) == b"Subject: [OLD] one"
    lab.forget(**made.config())
