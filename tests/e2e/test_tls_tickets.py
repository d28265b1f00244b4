"""Session tickets over workers, their deaths and reloads, and certificates that are read again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import ssl
from pathlib import Path

import pytest

from tests.e2e.lab import PASSWORD
from tests.e2e.legs import LegLab, Over, front
from tests.e2e.pki import Identity, client_context, pki
from tests.e2e.proc_running import eventually
from tests.e2e.proxy import children
from tests.e2e.wire import Wire

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
TWO = {"tcpserver": "workers 2;"}


def context_of(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = client_context()
    context.maximum_version = version
    return context


def secured(lab: LegLab, context: ssl.SSLContext, session: ssl.SSLSession | None = None, **config: object) -> Wire:
    wire = lab.bare(**config)
    if lab.legs.client == "command":
        wire.greet().ok(b"STARTTLS")
        wire.secure(context, session=session).ok(b"NOOP")
        return wire
    return wire.secure(context, session=session).greet()


def worker_of(lab: LegLab, wire: Wire, **config: object) -> int:
    """The process that has this connection."""
    return int(lab.log(rf"\[(\d+)\]: IMAP-701-I SESSION-START FROM=\S*:{wire.port} ", **config)[0])


def sessions_at_both(lab: LegLab, context: ssl.SSLContext, session: ssl.SSLSession | None) -> dict[int, bool]:
    """By worker, whether a session goes on there."""
    found: dict[int, bool] = {}
    for _ in range(60):
        wire = secured(lab, context, session, **TWO)
        found[worker_of(lab, wire, **TWO)] = bool(wire.tls.session_reused)
        wire.close()
        if len(found) == 2:
            return found
    raise AssertionError("one worker takes all")


@VERSIONS
@pytest.mark.parametrize("client", ["session", "command"])
def test_ticket_at_another_worker(over: Over, client: str, version: ssl.TLSVersion) -> None:
    lab = over(client, "plain")
    context = context_of(version)
    session = secured(lab, context, **TWO).tls.session
    assert list(sessions_at_both(lab, context, session).values()) == [True, True]


@VERSIONS
def test_ticket_after_a_workers_death(over: Over, version: ssl.TLSVersion) -> None:
    lab = over("session", "plain")
    context = context_of(version)
    session = secured(lab, context, **TWO).tls.session
    proxy = lab.proxy(**TWO)
    old = set(sessions_at_both(lab, context, session))
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(set(children(proxy.pid)) - old) == 3, 10)
    lab.log(r"TCPS-734-W Worker \d restarted", 2, **TWO)
    new = sessions_at_both(lab, context, session)
    assert not set(new) & old
    assert list(new.values()) == [True, True]
    lab.forget(**TWO)


@VERSIONS
def test_ticket_after_a_reload(over: Over, version: ssl.TLSVersion) -> None:
    lab = over("session", "plain")
    context = context_of(version)
    session = secured(lab, context, **TWO).tls.session
    lab.proxy(**TWO).process.send_signal(signal.SIGRTMIN)
    lab.log(r"SSLE-120-K FILES-READ-AGAIN", **TWO)
    assert list(sessions_at_both(lab, context, session).values()) == [True, True]


def test_ticket_that_nobody_made(over: Over) -> None:
    """A ticket of another proxy: a full handshake, no failure."""
    lab = over("session", "plain")
    context = client_context()
    session = secured(lab, context, proxy="login-timeout 61;").tls.session
    wire = secured(lab, context, session)
    assert not wire.tls.session_reused
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))


def test_ticket_that_is_too_old(over: Over) -> None:
    lab = over("session", "plain")
    context = client_context()
    config = {"proxy": "ssl-session-cache { timeout 1; }"}
    session = secured(lab, context, **config).tls.session
    eventually(lambda: not secured(lab, context, session, **config).tls.session_reused, 6)


# certificates that are read again


def placed(folder: Path, identity: Identity) -> Identity:
    """The files of an identity at a place of the test's own."""
    for source, name in ((identity.chain, "cert"), (identity.key, "key")):
        shutil.copy(source, folder / name)
    return Identity(identity.certificate, folder / "cert", folder / "key", identity.pem)


def common_name(wire: Wire) -> str:
    shown = wire.tls.getpeercert()
    assert shown is not None
    subject = dict(pair for part in shown["subject"] for pair in part)  # type: ignore[union-attr, misc]
    return str(subject["commonName"])


@pytest.mark.parametrize("workers", ["workers 2;", "workers 1;"])
def test_new_certificate_at_the_reload_signal(over: Over, tmp_path: Path, workers: str) -> None:
    """For handshakes from then on; who is in stays in."""
    lab = over("session", "plain")
    config = {"sections": front(identity=placed(tmp_path, pki().server)), "tcpserver": workers}
    context = client_context()
    living = [secured(lab, context, **config) for _ in range(6)]
    for wire in living:
        wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    assert common_name(living[0]) == "mail.example.net"
    placed(tmp_path, pki().renewed)
    lab.proxy(**config).process.send_signal(signal.SIGRTMIN)
    lab.log(r"SSLE-120-K FILES-READ-AGAIN PARAMS=1$", **config)

    def all_new() -> bool:
        return all(common_name(secured(lab, context, **config)) == "renewed.example.net" for _ in range(8))

    eventually(all_new)
    for wire in living:
        wire.append(b"INBOX", b"Subject: x\r\n\r\nx\r\n")
        wire.ok(b"SELECT INBOX")
    lab.forget(**config)


def test_bad_certificate_at_the_reload_signal(over: Over, tmp_path: Path) -> None:
    """The old one stays in force, also in workers that are started anew; the log says what is wrong."""
    lab = over("session", "plain")
    config = {"sections": front(identity=placed(tmp_path, pki().server)), "tcpserver": "workers 2;"}
    context = client_context()
    secured(lab, context, **config)
    (tmp_path / "cert").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    proxy = lab.proxy(**config)
    proxy.process.send_signal(signal.SIGRTMIN)
    lab.log(rf"SSLE-121-E FILES-NOT-READ-AGAIN REASON=.*{re.escape(str(tmp_path / 'cert'))}", **config)
    victim = worker_of(lab, secured(lab, context, **config), **config)
    os.kill(victim, signal.SIGKILL)
    lab.log(r"TCPS-734-W", **config)
    for _ in range(8):
        assert common_name(secured(lab, context, **config)) == "mail.example.net"
    lab.forget(**config)


def test_key_of_another_certificate_at_the_reload_signal(over: Over, tmp_path: Path) -> None:
    lab = over("session", "plain")
    config = {"sections": front(identity=placed(tmp_path, pki().server))}
    context = client_context()
    secured(lab, context, **config)
    shutil.copy(pki().renewed.key, tmp_path / "key")
    lab.proxy(**config).process.send_signal(signal.SIGRTMIN)
    (reason,) = lab.log(r"SSLE-121-E FILES-NOT-READ-AGAIN REASON=(.*)$", **config)
    assert str(tmp_path / "key") in reason
    assert common_name(secured(lab, context, **config)) == "mail.example.net"
    lab.forget(**config)


def test_revocation_at_the_reload_signal(over: Over, tmp_path: Path) -> None:
    """Who is on the new list does not come in any more, not by a ticket either."""
    shutil.copy(pki().root.revocations("empty"), tmp_path / "crl")
    lab = over("session", "plain")
    config = {"sections": front(f'ca-file "{pki().root.file}"; verify require; crl "{tmp_path / "crl"}";')}
    context = client_context(pki().staff)
    session = secured(lab, context, **config).tls.session
    assert secured(lab, context, session, **config).tls.session_reused
    shutil.copy(pki().root.revocations("staff", pki().staff), tmp_path / "crl")
    lab.proxy(**config).process.send_signal(signal.SIGRTMIN)
    lab.log(r"SSLE-120-K", **config)

    def kept_out(session: ssl.SSLSession | None) -> bool:
        wire = lab.bare(**config)
        try:
            return wire.secure(context, session=session).rest() == b"" and bool(wire.broken)
        except ssl.SSLError:
            return True

    eventually(lambda: kept_out(None))
    assert kept_out(session)
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=.*certificate revoked", **config)
    lab.forget(**config)
