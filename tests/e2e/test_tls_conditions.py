"""`ssl-cert-match`: each condition with a certificate that fits and one that does not, at each place where it stands.

In session-acl the misfit is closed without a byte of IMAP, in command-acl another ACL fits, for servers the client gets
a BYE. test-imap4 says the same of the same files.
"""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress

import pytest

from imap4fast.cli import test_imap4
from tests.e2e.fakeserver import Script, Session
from tests.e2e.lab import PASSWORD
from tests.e2e.legs import LegLab, Over, back, front
from tests.e2e.pki import Identity, client_context, pki, server_context
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


def match(text: str, name: str = "PEOPLE") -> str:
    staff = pki().staff
    pairs = re.findall("..?", staff.fingerprint.upper())
    text = text.replace("{serial}", staff.serial.upper()).replace("{fingerprint}", ":".join(pairs))
    return f"ssl-cert-match {name} {{ {text} }}\n"


def front_for(verify: str, text: str) -> str:
    return front(f'ca-file "{pki().both}"; verify {verify};') + match(text)


CONDITIONS = pytest.mark.parametrize("name", FITS)
CLIENTS = pytest.mark.parametrize("client", ["session", "command"])


# One proxy for a whole table: which condition is in force depends on the client's address.

NUMBERS = {name: number for number, name in enumerate(FITS, 1)}


def source_of(name: str) -> str:
    return f"127.0.1.{NUMBERS[name]}"


def table(session: str, command: str, sections: str) -> dict[str, object]:
    """A configuration with all conditions; N and FROM in the ACLs stand for each one's number and client."""

    def each(text: str) -> str:
        rows = [
            text.replace("N_", f"{at}_").replace("FROM", f"from [{source_of(name)}];") for name, at in NUMBERS.items()
        ]
        return "\n".join(rows if "FROM" in text else [text])

    matches = "".join(match(text, f"M{NUMBERS[name]}_") for name, text in FITS.items())
    return {
        "acls": f"{each(session)}\n{each(command)}\ncommand-acl OTHERS {{ accept; no-mail-scanning; }}",
        "sections": sections + matches,
    }


def connected(lab: LegLab, identity: Identity | None, source: str = "", **config: object) -> Wire:
    """A client that shows this certificate; TLS is there, IMAP not yet."""
    wire = lab.bare(source, **config)
    if lab.legs.client == "command":
        wire.greet().ok(b"STARTTLS")
    return wire.secure(client_context(identity))


# session-acl


def kept_out(lab: LegLab, identity: Identity | None, source: str = "", **config: object) -> str:
    """Closed without a byte of IMAP; the log says why, the server hears nothing. What failed, by the log."""
    before = lab.connections()
    wire = connected(lab, identity, source, **config)
    assert wire.rest() == b""
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$", **config)
    (failed,) = lab.log(rf"SSLE-104-W CERTIFICATE-MISMATCH SIDE=CLIENT MATCH=(.*) SESSION={number}$", **config)
    lab.log(rf"IMAP-702-I SESSION-END CLIENT=\S*:{wire.port} .* REJECTED REASON=\S*client-cert-match", **config)
    assert lab.connections() == before
    return failed


def item_of(name: str) -> str:
    """The item that a misfit's line names."""
    return {"several": "organization", "excluded": "organization"}.get(name, name.removesuffix("-pattern"))


def misfit(name: str) -> str:
    """How the log says it of the guest."""
    return f'M{NUMBERS[name]}_ CONDITION="{item_of(name)} '


def front_of_table(verify: str) -> str:
    return front(f'ca-file "{pki().both}"; verify {verify};')


def requiring() -> dict[str, object]:
    acl = "session-acl CN_ { FROM accept; client-cert-match MN_; PLUG }"
    return table(acl, "", front_of_table("require"))


@CONDITIONS
def test_session_acl_requires(over: Over, name: str) -> None:
    lab = over("session", "plain")
    config = requiring()
    assert kept_out(lab, pki().guest, source_of(name), **config).startswith(misfit(name))
    wire = connected(lab, pki().staff, source_of(name), **config).greet()
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    lab.log(r'SSLE-102-I CERTIFICATE SIDE=CLIENT SUBJECT="CN=Joe Staff,OU=Mail Staff,O=Example" ', **config)


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


def chosen(lab: LegLab, identity: Identity | None, source: str = "", **config: object) -> str:
    """The command-acl of a session; it holds."""
    wire = connected(lab, identity, source, **config)
    if lab.legs.client == "session":
        wire.greet()
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    refused = wire.command(b"CREATE x").status == "NO"
    (number,) = lab.log(rf"SESSION-START FROM=\S*:{wire.port} .* SESSION=(\d+)$", **config)
    (name,) = lab.log(rf"ACL PHASE=2 PARENT=IN NAME=(\w+) ACCEPTED SESSION={number}$", **config)
    assert refused == name.startswith("STAFF")
    return name


def choosing() -> dict[str, object]:
    acl = "command-acl STAFFN_ { FROM client-cert-match MN_; accept; no-mail-scanning; read-only; }"
    return table("session-acl IN { accept; PLUG }", acl, front_of_table("request"))


@CONDITIONS
def test_command_acl_chooses(over: Over, name: str) -> None:
    lab = over("session", "plain")
    config = choosing()
    assert chosen(lab, pki().staff, source_of(name), **config) == f"STAFF{NUMBERS[name]}_"
    assert chosen(lab, pki().guest, source_of(name), **config) == "OTHERS"


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
    acl = "command-acl CN_ { FROM accept; no-mail-scanning; server-cert-match MN_; }"
    config = table("session-acl IN { accept; PLUG }", acl, back(ca=pki().both))
    proxy = lab.before_fake(showing(pki().staff, "session"), **config)
    wire = lab.keep(proxy.wire(source_of(name))).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    wire.vanish()
    proxy = lab.before_fake(showing(pki().guest, "session"), **config)
    data = lab.keep(proxy.wire(source_of(name))).rest()
    assert re.fullmatch(rb"\* BYE \[UNAVAILABLE\] [ -~]+\r\n", data), data
    config["plug"] = (lab.fake.address,)
    (failed,) = lab.log(r"SSLE-104-W CERTIFICATE-MISMATCH SIDE=SERVER MATCH=(.*) SESSION=\d+$", **config)
    assert failed.startswith(misfit(name))
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen


@pytest.mark.parametrize("client", ["plain", "session", "command"])
def test_server_certificate_after_starttls(over: Over, client: str) -> None:
    lab = over(client, "command")
    config = {"sections": back(ca=pki().both) + match("organization Example;"), "command": "server-cert-match PEOPLE;"}
    data = lab.play(showing(pki().guest, "command"), **config).rest()
    assert re.search(rb"(^|\n)\* BYE \[UNAVAILABLE\] [ -~]+\r\n$", data), data
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen


# test-imap4


def question(identity: Identity | None, source: str) -> str:
    cert = f' cert "{identity.chain}"' if identity else ""
    return f"test from [{source}] to [127.0.0.1] : 993{cert};"


@CONDITIONS
def test_rehearsal_of_a_session_acl(over: Over, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status as the proxy acts, and the condition that failed with what it saw."""
    proxy = over("session", "plain").proxy(**requiring())

    def ask(identity: Identity | None) -> tuple[int, str]:
        status = test_imap4.main(["-f", str(proxy.config_path), "-t", question(identity, source_of(name))])
        return status, capsys.readouterr().out

    assert ask(pki().staff)[0] == 0
    status, text = ask(pki().guest)
    assert status == 1, text
    assert "client-cert-match" in text
    assert item_of(name) in text
    assert ask(None)[0] == 1


def test_rehearsal_by_the_command(over: Over) -> None:
    """As people ask it."""
    proxy = over("session", "plain").proxy(**choosing())
    source = source_of("common-name")
    for identity, expected in ((pki().staff, f"STAFF{NUMBERS['common-name']}_"), (pki().guest, "OTHERS")):
        words = [sys.executable, "-m", "imap4fast.cli.test_imap4", "-f", str(proxy.config_path)]
        words += ["-t", question(identity, source)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done
        assert re.search(rf"\b{expected}\b", done.stdout), done.stdout
        if expected == "OTHERS":
            assert re.search(r"common-name.*Ann Guest", done.stdout, re.DOTALL), done.stdout
