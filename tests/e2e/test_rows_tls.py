"""Rows T-S01 to T-S11 where TLS is on a leg or shall be: STARTTLS on either side, and what comes before it."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import base64
import re
import ssl
import time

import pytest

from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, bad
from tests.e2e.legs import WAYS, Over, back, front
from tests.e2e.pki import client_context, server_context
from tests.e2e.wire import Wire
from tests.secrets import PASSWORDS

TYPO = PASSWORDS[3].encode()
CLIENTS = pytest.mark.parametrize("client", WAYS)


def client_hello() -> bytes:
    """The first flight of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        end.do_handshake()
    return outgoing.read()


# the client's leg


@pytest.mark.parametrize("behind", [b"b LOGIN evil evil\r\n", b"b NOOP\r\n", b"b LOG", b"\r\n", client_hello()])
def test_T_S01_octets_behind_starttls(over: Over, behind: bytes) -> None:
    """In one segment: closed, and nothing of it is looked at."""
    lab = over("command", "plain")
    wire = lab.bare().greet()
    wire.send(b"a STARTTLS\r\n" + behind)
    data = wire.rest()
    assert not re.search(rb"^(a OK|b )", data, re.MULTILINE), data
    assert data.startswith(b"* B")
    lab.log(rf"SSLE-107-W INJECTED SIDE=CLIENT SIZE={len(behind)} ")
    assert lab.connections() == 0


def test_T_S01_nothing_from_before_is_kept(over: Over) -> None:
    """What an attacker said before TLS is not what the client said inside: no login, no ID, no count of errors."""
    lab = over("command", "plain")
    wire = lab.bare().greet()
    wire.ok(b'ID ("name" "evil")')
    wire.command(b"XFOO")
    wire.command(b"LOGIN evil " + TYPO)
    wire.starttls(client_context())
    wire.ok(b"NOOP")
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    assert b"evil" not in lab.out()
    assert lab.connections() == 1


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
@pytest.mark.parametrize("text", [b"b NOOP\r\n\x16\x03\x01", b"b LOGIN evil evil\r\n", b"b LOGOUT\r\n"])
def test_T_S02_octets_before_the_handshake(over: Over, text: bytes, pause_s: float) -> None:
    """After `a OK` and before ClientHello: TLS fails on them, whatever comes behind."""
    lab = over("command", "plain")
    wire = lab.bare().greet()
    wire.ok(b"STARTTLS")
    wire.flood(text)
    time.sleep(pause_s)
    wire.flood(client_hello())
    data = wire.rest()
    assert b"b " not in data
    assert b"* " not in data
    lab.log(r"SSLE-10[368]-W \S+ SIDE=CLIENT REASON=")
    assert lab.connections() == 0


def test_T_S09_greeting_before_tls_is_our_own(over: Over) -> None:
    """The server is not even connected."""
    lab = over("command", "plain")
    wire = lab.bare().greet()
    assert re.fullmatch(rb"\* OK \[CAPABILITY [^]]* STARTTLS LOGINDISABLED\] ready", wire.greeting)
    wire.ok(b"CAPABILITY")
    wire.ok(b"NOOP")
    assert lab.connections() == 0


CLEAR = [
    b"LOGIN joe " + TYPO,
    b"LOGIN joe {%d+}\r\n%s" % (len(TYPO), TYPO),
    b'LOGIN "joe" "' + TYPO + b'"',
    b"AUTHENTICATE PLAIN",
    b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0joe\0" + TYPO),
    b"AUTHENTICATE CRAM-MD5",
]


@pytest.mark.parametrize("text", CLEAR)
def test_T_S10_login_in_clear(over: Over, text: bytes) -> None:
    lab = over("command", "plain")
    wire = lab.bare().greet()
    reply = wire.command(text)
    assert reply.tagged.startswith(b"NO [PRIVACYREQUIRED] "), reply
    assert reply.untagged == []
    assert b" LOGINDISABLED" in wire.ok(b"CAPABILITY").one(b"* CAPABILITY")
    # The session goes on in step, and TLS is still to be had.
    wire.starttls(client_context())
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    assert TYPO not in lab.out()
    log = lab.logged()
    assert TYPO.decode() not in log
    assert base64.b64encode(b"\0joe\0" + TYPO)[:20].decode() not in log


def test_T_S10_no_literal_is_asked_for(over: Over) -> None:
    """A synchronising literal with a password in it must not come in clear: no `+`."""
    lab = over("command", "plain")
    wire = lab.bare().greet()
    wire.send(b"a LOGIN joe {%d}\r\n" % len(TYPO))
    assert wire.answer(b"a").tagged.startswith(b"NO [PRIVACYREQUIRED] ")
    assert lab.connections() == 0


def test_T_S10_where_the_operator_permits_it(over: Over) -> None:
    lab = over("command", "plain")
    sections = front("require-tls no;")
    wire = lab.bare(sections=sections).greet()
    assert b"STARTTLS" in wire.greeting
    assert b"LOGINDISABLED" not in wire.greeting
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    wire.ok(b"SELECT INBOX")
    bad(wire.command(b"STARTTLS"))


@pytest.mark.parametrize("client", ["session", "command"])
def test_T_S11_starttls_inside_tls(over: Over, client: str) -> None:
    lab = over(client, "plain")
    wire = lab.client()
    names = wire.ok(b"CAPABILITY").one(b"* CAPABILITY")
    assert b"STARTTLS" not in names
    assert b"LOGINDISABLED" not in names
    bad(wire.command(b"STARTTLS"))
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    bad(wire.command(b"STARTTLS"))
    assert b"STARTTLS" not in lab.out()


@pytest.mark.parametrize("client", ["plain", "session"])
def test_T_S11_the_servers_starttls_is_its_own(over: Over, tls_dovecot: Dovecot, client: str) -> None:
    """Dovecot offers it on a plain leg; the client never sees it."""
    wire = over(client, "plain").client(plug=(tls_dovecot.address,))
    with tls_dovecot.wire() as direct:
        assert b"STARTTLS" in direct.greeting
    for unit in (wire.greeting, wire.ok(b"CAPABILITY").one(b"* CAPABILITY")):
        assert b"STARTTLS" not in unit


# the server's leg: what it says before TLS


def turned_away(wire: Wire) -> bytes:
    """A BYE, in plain words, and the end: all that the client sees."""
    data = wire.rest()
    assert re.fullmatch(rb"(\* OK \[CAPABILITY [^\r]*\] ready\r\n)?\* BYE \[UNAVAILABLE\] [ -~]*\r\n", data), data
    return data


INJECTED = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN XEVIL\r\nk2 OK [ALERT] hi\r\n"


@CLIENTS
@pytest.mark.parametrize("behind", [INJECTED, b"* 3 EXISTS\r\n", b"x", b"\r\n"])
def test_T_S03_octets_behind_the_answer(over: Over, client: str, behind: bytes) -> None:
    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n")
        tag, _ = server.wait_for(b"STARTTLS")
        server.send(tag + b" OK begin TLS\r\n" + behind)
        server.until_closed()

    lab = over(client, "command")
    turned_away(lab.play(script))
    lab.log(rf"SSLE-107-W INJECTED SIDE=SERVER SIZE={len(behind)} ", plug=(lab.fake.address,))
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen
    assert b"\x16\x03" not in lab.fake.seen


def test_T_S03_octets_before_the_handshake(over: Over) -> None:
    """In a segment of their own, after the OK: TLS fails on them."""

    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n")
        tag, _ = server.wait_for(b"STARTTLS")
        server.send(tag + b" OK begin TLS\r\n")
        server.take(1)
        server.send(INJECTED)
        server.until_closed()

    lab = over("plain", "command")
    turned_away(lab.play(script))
    lab.log(r"SSLE-10[368]-W \S+ SIDE=SERVER REASON=", plug=(lab.fake.address,))


@CLIENTS
def test_T_S03_capabilities_are_asked_anew(over: Over, client: str) -> None:
    inside = b"IMAP4rev1 SASL-IR IDLE AUTH=PLAIN"

    def script(server: Session) -> None:
        server.send(b"* OK [CAPABILITY IMAP4rev1 STARTTLS MOVE UIDPLUS AUTH=CRAM-MD5] outside\r\n")
        tag, _ = server.wait_for(b"STARTTLS", b"IMAP4rev1 STARTTLS QUOTA")
        server.send(tag + b" OK begin TLS\r\n")
        server.accept_tls(server_context())
        tag, _ = server.wait_for(b"LOGIN", inside)
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    lab = over(client, "command")
    wire = lab.play(script).greet()
    names = wire.ok(b"CAPABILITY").one(b"* CAPABILITY").split()
    assert {b"IDLE", b"AUTH=PLAIN"} <= set(names)
    assert not {b"MOVE", b"UIDPLUS", b"AUTH=CRAM-MD5", b"QUOTA", b"STARTTLS"} & set(names)
    assert b"outside" not in wire.greeting
    wire.ok(b"LOGIN joe " + PASSWORD)


EVIL = b'* LIST () "/" evil\r\n* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n* OK [ALERT] evil\r\n'


@CLIENTS
@pytest.mark.parametrize("place", ["greeting", "answer"])
def test_T_S04_data_before_tls(over: Over, client: str, place: str) -> None:
    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n" + (EVIL if place == "greeting" else b""))
        tag, _ = server.wait_for(b"STARTTLS")
        server.send((EVIL if place == "answer" else b"") + tag + b" OK begin TLS\r\n")
        server.accept_tls(server_context())
        tag, _ = server.wait_for(b"LOGIN")
        server.send(tag + b" OK in\r\n")
        tag, _ = server.wait_for(b"LOGOUT")
        server.send(b"* BYE\r\n" + tag + b" OK\r\n")

    wire = over(client, "command").play(script).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    bad(wire.command(b"FETCH 1 BODY[]"))
    wire.send(b"z LOGOUT\r\n")
    data = wire.greeting + wire.rest()
    for word in (b"evil", b"EXISTS", b"FETCH ("):
        assert word not in data


@CLIENTS
def test_T_S05_preauth_instead_of_starttls(over: Over, client: str) -> None:
    def script(server: Session) -> None:
        server.send(b"* PREAUTH [CAPABILITY " + CAPABILITIES + b"] welcome\r\n")
        server.until_closed()

    lab = over(client, "command")
    assert b"PREAUTH" not in turned_away(lab.play(script))
    lab.log(r"SSLE-10[368]-W \S+ SIDE=SERVER REASON=.*PREAUTH", plug=(lab.fake.address,))
    lab.fake.finish()
    assert b"LOGIN" not in lab.fake.seen


STRIPPED = [b"%b NO not now\r\n", b"%b BAD what\r\n", b"* BYE %b\r\n", b""]


@CLIENTS
@pytest.mark.parametrize("answer", STRIPPED)
def test_T_S06_no_starttls(over: Over, client: str, answer: bytes) -> None:
    """Not even where the client has sent its login already."""

    def script(server: Session) -> None:
        server.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] no TLS here\r\n")
        tag, _ = server.wait_for(b"STARTTLS", b"IMAP4rev1 AUTH=PLAIN")
        server.send(answer % ((tag,) if b"%b" in answer else ()))
        if answer:
            server.until_closed()

    lab = over(client, "command")
    wire = lab.play(script)
    wire.flood(b"a LOGIN joe " + PASSWORD + b"\r\n")
    turned_away(wire)
    lab.fake.finish()
    assert PASSWORD not in lab.fake.seen
    assert b"LOGIN" not in lab.fake.seen


def test_T_S06_where_the_operator_permits_it(over: Over) -> None:
    def script(server: Session) -> None:
        server.send(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] no TLS here\r\n")
        tag, _ = server.wait_for(b"STARTTLS", b"IMAP4rev1 AUTH=PLAIN")
        server.send(tag + b" BAD what\r\n")
        tag, _ = server.wait_for(b"LOGIN", b"IMAP4rev1 AUTH=PLAIN")
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    wire = over("plain", "command").play(script, sections=back("require-tls no;")).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)


TAGS = [b"a", b"a1", b"a001", b"1", b"t1", b"A0001", b"k"]


@pytest.mark.parametrize("tag", TAGS)
def test_T_S07_predicted_answer_to_starttls(over: Over, tag: bytes) -> None:
    """Said before our command could be read: with the tag guessed it would begin TLS, or feign its refusal."""

    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n" + tag + b" OK begin TLS\r\n")
        server.until_closed()

    lab = over("plain", "command")
    turned_away(lab.play(script))
    lab.fake.finish()
    assert b"\x16\x03" not in lab.fake.seen
    assert b"LOGIN" not in lab.fake.seen


def test_T_S07_tags_of_starttls_differ(over: Over) -> None:
    seen = []

    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n")
        seen.append(server.wait_for(b"STARTTLS")[0])

    lab = over("plain", "command")
    for _ in range(3):
        lab.play(script).rest()
    lab.fake.finish()
    assert len(set(seen)) == len(seen) == 3
    assert all(len(tag) >= 8 for tag in seen)


OUTSIDE = [
    b"* OK [REFERRAL imap://;AUTH=*@attacker.example/] hi\r\n",
    b"* OK [ALERT] Call +1-900-attacker\r\n",
    b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] attacker\r\n",
]


@CLIENTS
@pytest.mark.parametrize("greeting", OUTSIDE)
def test_T_S09_text_before_tls(over: Over, client: str, greeting: bytes) -> None:
    """Nothing of a greeting before TLS is shown."""

    def script(server: Session) -> None:
        server.begin_tls(server_context(), greeting)
        tag, _ = server.wait_for(b"LOGIN")
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    wire = over(client, "command").play(script).greet()
    wire.ok(b"LOGIN joe " + PASSWORD)
    assert re.fullmatch(rb"\* OK \[CAPABILITY [^]]*\] ready", wire.greeting), wire.greeting
    assert b"attacker" not in wire.greeting
    assert b"LOGINDISABLED" not in wire.greeting or client == "command"


def test_T_S08_referral_instead_of_tls(over: Over) -> None:
    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n")
        tag, _ = server.wait_for(b"STARTTLS")
        server.send(tag + b" NO [REFERRAL imap://u;AUTH=*@attacker.example:243/] moved\r\n")
        server.until_closed()

    assert b"attacker" not in turned_away(over("plain", "command").play(script))


@CLIENTS
def test_T_S13_endless_talk_before_tls(over: Over, client: str) -> None:
    """A server that never comes to the point, and one whose line never ends."""

    def script(server: Session) -> None:
        server.send(b"* OK ready\r\n")
        server.wait_for(b"STARTTLS")
        for _ in range(20_000):
            server.send(b"* OK still here, and still not ready for TLS at all\r\n")

    lab = over(client, "command")
    turned_away(lab.play(script))
    turned_away(lab.play(lambda server: server.flood(b"* OK " + b"x" * 1_000_000)))
