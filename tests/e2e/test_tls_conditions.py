"""`ssl-cert-match`: each condition with a certificate that fits and one that does not, at each place where it stands.

In session-acl the misfit is closed without a byte of IMAP, in command-acl another ACL fits, for servers the client gets
a BYE. test-imap4 says the same of the same files.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.e2e.fakeserver import Script, Session
from tests.e2e.lab import PASSWORD
from tests.e2e.legs import LegLab, Over, back, front
from tests.e2e.pki import Identity, client_context, pki, server_context
from tests.e2e.proxy import Proxy
from tests.e2e.wire import Wire, WireError

FITS = {
    "subject": 'subject "CN=Joe Staff,OU=Mail Staff,O=Example";',
    "subject-pattern": "subject /^CN=Joe/;",
    "issuer": 'issuer "CN=Test CA";',
    "common-name": 'common-name { "nobody", "joe staff" };',
    "organization": "organization Example;",
    "organizational-unit": 'organizational-unit "MAIL STAFF";',
    "email": 'email "joe@example.net";',
    "dns-name": "dns-name staff.example.net;",
    "dns-name-pattern": "dns-name /^staff[.]/;",
    "serial": 'serial "{serial}";',
    "fingerprint": 'fingerprint "sha256:{fingerprint}";',
    "valid-days": "valid-days 20;",
    "key-usage": "key-usage keyAgreement;",
    "ext-key-usage": "ext-key-usage { codeSigning, emailProtection };",
    "excluded": "organization { ! Elsewhere, * };",
    "several": 'organization Example; valid-days 3; organizational-unit "Mail Staff";',
}
"""STAFF fits each of these, GUEST none."""


def match(text: str) -> str:
    staff = pki().staff
    pairs = re.findall("..?", staff.fingerprint.upper())
    text = text.replace("{serial}", staff.serial.upper()).replace("{fingerprint}", ":".join(pairs))
    return f"ssl-cert-match PEOPLE {{ {text} }}\n"


def front_for(verify: str, text: str) -> str:
    return front(f'ca-file "{pki().both}"; verify {verify};') + match(text)


CONDITIONS = pytest.mark.parametrize("name", FITS)
CLIENTS = pytest.mark.parametrize("client", ["session", "command"])


def connected(lab: LegLab, identity: Identity | None, **config: object) -> Wire:
    """A client that shows this certificate; TLS is there, IMAP not yet."""
    wire = lab.bare(**config)
    if lab.legs.client == "command":
        wire.greet().ok(b"STARTTLS")
    return wire.secure(client_context(identity))


# session-acl


def kept_out(lab: LegLab, identity: Identity | None, **config: object) -> None:
    """Closed without a byte of IMAP; the log says why, the server hears nothing."""
    wire = connected(lab, identity, **config)
    assert wire.rest() == b""
    lab.log(r"SSLE-104-W CERTIFICATE-MISMATCH SIDE=CLIENT MATCH=PEOPLE CONDITION=", **config)
    lab.log(rf"IMAP-702-I SESSION-END CLIENT=\S*:{wire.port} .* REJECTED REASON=\S*client-cert-match", **config)
    assert lab.connections() == 0


@CONDITIONS
def test_session_acl_requires(over: Over, name: str) -> None:
    lab = over("session", "plain")
    config = {"sections": front_for("require", FITS[name]), "session": "client-cert-match PEOPLE;"}
    kept_out(lab, pki().guest, **config)
    connected(lab, pki().staff, **config).greet().ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    lab.log(r"SSLE-102-[ID] CERTIFICATE SIDE=CLIENT SUBJECT=\S*Joe", **config)
    lab.forget(**config)


@CLIENTS
def test_session_acl_requires_any(over: Over, client: str) -> None:
    lab = over(client, "plain")
    config = {"sections": front_for("request", "any;"), "session": "client-cert-match PEOPLE;"}
    kept_out(lab, None, **config)
    kept_out(lab, pki().stranger, **config)
    kept_out(lab, pki().expired, **config)
    wire = connected(lab, pki().guest, **config)
    wire.send(b"a CAPABILITY\r\n")
    while not wire.unit().startswith(b"a OK"):
        pass


@CLIENTS
def test_session_acl_requires_none(over: Over, client: str) -> None:
    lab = over(client, "plain")
    config = {"sections": front_for("request", "none;"), "session": "client-cert-match PEOPLE;"}
    kept_out(lab, pki().staff, **config)
    wire = connected(lab, None, **config)
    wire.send(b"a CAPABILITY\r\n")
    while not wire.unit().startswith(b"a OK"):
        pass


def test_a_resumed_session_is_judged_too(over: Over) -> None:
    """The ticket of a guest is good for the handshake, and for nothing more."""
    lab = over("session", "plain")
    config = {"sections": front_for("require", "organization Example;"), "session": "client-cert-match PEOPLE;"}
    context = client_context(pki().staff)
    first = lab.bare(**config).secure(context).greet()
    again = lab.bare(**config).secure(context, session=first.tls.session)
    assert again.tls.session_reused
    again.greet().ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    context = client_context(pki().guest)
    first = lab.bare(**config).secure(context)
    assert first.rest() == b""
    again = lab.bare(**config).secure(context, session=first.tls.session)
    assert again.rest() == b""


# command-acl

CHOICE = """
  session-acl IN { accept; PLUG }
  command-acl STAFF { client-cert-match PEOPLE; accept; no-mail-scanning; read-only; }
  command-acl OTHERS { accept; no-mail-scanning; }
"""


def chosen(lab: LegLab, identity: Identity | None, **config: object) -> str:
    """The command-acl of a session; it holds."""
    wire = connected(lab, identity, **config)
    if lab.legs.client == "session":
        wire.greet()
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    refused = wire.command(b"CREATE x").status == "NO"
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$", **config)
    (name,) = lab.log(rf"ACL PHASE=2 PARENT=IN NAME=(\w+) ACCEPTED SESSION={number}$", **config)
    assert refused == (name == "STAFF")
    return name


@CONDITIONS
def test_command_acl_chooses(over: Over, name: str) -> None:
    lab = over("session", "plain")
    config = {"sections": front_for("request", FITS[name]), "acls": CHOICE}
    assert chosen(lab, pki().staff, **config) == "STAFF"
    assert chosen(lab, pki().guest, **config) == "OTHERS"
    lab.forget(**config)


@CLIENTS
@pytest.mark.parametrize(("text", "fits"), [("any;", ["staff", "guest"]), ("none;", ["nobody", "stranger", "expired"])])
def test_command_acl_chooses_by_any_and_none(over: Over, client: str, text: str, fits: list[str]) -> None:
    """A certificate that does not verify counts as none."""
    lab = over(client, "plain")
    config = {"sections": front_for("request", text), "acls": CHOICE}
    found = {
        who: chosen(lab, getattr(pki(), who, None), **config)
        for who in ("staff", "guest", "nobody", "stranger", "expired")
    }
    assert [who for who, name in found.items() if name == "STAFF"] == fits


def test_command_acl_denies(over: Over) -> None:
    """None fits: a BYE inside TLS."""
    acls = CHOICE.replace("  command-acl OTHERS { accept; no-mail-scanning; }\n", "")
    lab = over("session", "plain")
    config = {"sections": front_for("request", "organization Example;"), "acls": acls}
    wire = connected(lab, pki().guest, **config)
    assert re.fullmatch(rb"\* BYE \[NOPERM\] [ -~]+\r\n", wire.rest())
    assert lab.connections() == 0


# server-cert-match


def showing(identity: Identity, way: str) -> Script:
    """A server with this certificate."""

    def script(server: Session) -> None:
        if way == "command":
            server.begin_tls(server_context(identity))
        else:
            server.accept_tls(server_context(identity))
            server.say_hello()
        with suppress(WireError):  # the proxy may have seen enough
            tag, _ = server.wait_for(b"LOGIN")
            server.send(tag + b" OK in\r\n")
            server.until_closed()

    return script


@CONDITIONS
def test_server_certificate_must_fit(over: Over, name: str) -> None:
    lab = over("plain", "session", shaken=False)
    config = {
        "sections": back(ca=pki().both) + match(FITS[name]),
        "command": "server-cert-match PEOPLE;",
        "plug": (lab.fake.address,),
    }
    script_config = {key: value for key, value in config.items() if key != "plug"}
    wire = lab.play(showing(pki().staff, "session"), **script_config).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    wire.vanish()
    lab.log(r"SSLE-102-[ID] CERTIFICATE SIDE=SERVER SUBJECT=\S*Joe", **config)
    data = lab.play(showing(pki().guest, "session"), **script_config).rest()
    assert re.fullmatch(rb"\* BYE \[UNAVAILABLE\] [ -~]+\r\n", data), data
    lab.log(r"SSLE-104-W CERTIFICATE-MISMATCH SIDE=SERVER MATCH=PEOPLE CONDITION=", **config)
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen
    lab.forget(**config)


@pytest.mark.parametrize("client", ["plain", "session", "command"])
def test_server_certificate_after_starttls(over: Over, client: str) -> None:
    lab = over(client, "command")
    config = {"sections": back(ca=pki().both) + match("organization Example;"), "command": "server-cert-match PEOPLE;"}
    data = lab.play(showing(pki().guest, "command"), **config).rest()
    assert re.search(rb"(^|\n)\* BYE \[UNAVAILABLE\] [ -~]+\r\n$", data), data
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen


# test-imap4


def asked(proxy: Proxy, expression: str, *options: str) -> tuple[int, str]:
    """test-imap4 with the configuration of a proxy: its exit status and answer."""
    words = [sys.executable, "-m", "imap4fast.cli.test_imap4", "-f", str(proxy.config_path), "-t", expression]
    done = subprocess.run([*words, *options], capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def question(identity: Identity | None) -> str:
    cert = f' cert "{identity.chain}"' if identity else ""
    return f"test from [127.0.0.1] to [127.0.0.1] : 993{cert};"


@pytest.mark.parametrize("name", ["organization", "fingerprint", "valid-days", "several"])
def test_rehearsal_of_a_session_acl(over: Over, name: str) -> None:
    """Exit status as the proxy would act, and the condition that failed with what it saw."""
    config = {"sections": front_for("require", FITS[name]), "session": "client-cert-match PEOPLE;"}
    proxy = over("session", "plain").proxy(**config)
    status, text = asked(proxy, question(pki().staff))
    assert (status, "ACCEPTED" in text) == (0, True), text
    status, text = asked(proxy, question(pki().guest))
    assert (status, "REJECTED" in text) == (1, True), text
    assert "client-cert-match" in text
    item = "organization" if name == "several" else name
    assert item in text
    status, text = asked(proxy, question(None))
    assert status == 1, text


@pytest.mark.parametrize("name", ["common-name", "key-usage"])
def test_rehearsal_of_a_command_acl(over: Over, name: str) -> None:
    proxy = over("session", "plain").proxy(sections=front_for("request", FITS[name]), acls=CHOICE)
    for identity, expected, other in ((pki().staff, "STAFF", "OTHERS"), (pki().guest, "OTHERS", "STAFF")):
        status, text = asked(proxy, question(identity))
        assert status == 0, text
        last = text.strip().splitlines()[-1]
        assert expected in last or expected in text, text
        answer = json.loads(asked(proxy, question(identity), "--json")[1])
        assert json.dumps(answer).count(expected) >= 1
        if identity is pki().guest:
            assert name in text, text
        del other
