"""LOGIN in all its forms and SASL, with a real Dovecot where it knows the mechanism."""

from __future__ import annotations

import base64

import pytest

from tests.e2e.dovecot import QUOTED_USER
from tests.e2e.fakeserver import CAPABILITIES, Session
from tests.e2e.lab import PASSWORD, Lab, bad
from tests.e2e.sasl import Scram
from tests.e2e.wire import Wire
from tests.secrets import PASSWORDS

ODD = PASSWORDS[1].encode()
WRONG = PASSWORDS[2].encode()
TOKEN = PASSWORDS[4].encode()


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


def logged_user(lab: Lab, wire: Wire, **config: object) -> str:
    wire.close()
    (user,) = lab.log(rf"SESSION-END CLIENT=\S*{wire.port}\b.* USER=(\S+)", **config)
    return user


def test_login_atoms(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user)
    wire.ok(b"SELECT INBOX")
    assert logged_user(lab, wire) == user


FORMS = {
    "quoted": b'a LOGIN "%s" "%s"\r\n' % (QUOTED_USER.encode(), ODD.replace(b"\\", b"\\\\").replace(b'"', b'\\"')),
    "nonsync": b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n" % (len(QUOTED_USER), QUOTED_USER.encode(), len(ODD), ODD),
    "mixed": b"a login %s {%d+}\r\n%s\r\n" % (QUOTED_USER.encode(), len(ODD), ODD),
}


@pytest.mark.parametrize("form", FORMS)
def test_login_forms(lab: Lab, form: str) -> None:
    wire = lab.client()
    wire.send(FORMS[form])
    assert wire.answer(b"a").status == "OK"
    wire.ok(b"SELECT INBOX")
    assert logged_user(lab, wire) == QUOTED_USER


def test_login_by_sync_literals(lab: Lab) -> None:
    wire = lab.client()
    wire.send(b"a LOGIN {%d}\r\n" % len(QUOTED_USER))
    assert wire.unit().startswith(b"+")
    wire.send(QUOTED_USER.encode() + b" {%d}\r\n" % len(ODD))
    assert wire.unit().startswith(b"+")
    wire.send(ODD + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    wire.ok(b"SELECT INBOX")


def test_wrong_password_then_the_right_one(lab: Lab) -> None:
    wire = lab.client()
    user = lab.user().encode()
    assert wire.command(b"LOGIN " + user + b" " + WRONG).tagged.startswith(b"NO [AUTHENTICATIONFAILED]")
    bad(wire.command(b"SELECT INBOX"))
    wire.ok(b"LOGIN " + user + b" " + PASSWORD)
    wire.ok(b"SELECT INBOX")
    bad(wire.command(b"LOGIN " + user + b" " + PASSWORD))


@pytest.mark.parametrize("text", [b"LOGIN", b"LOGIN x", b"LOGIN x y z", b"LOGIN (x) y", b"LOGIN x NIL extra"])
def test_malformed_login(lab: Lab, text: bytes) -> None:
    wire = lab.client()
    bad(wire.command(text))
    assert lab.out() == b""


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("authzid", [b"", b"same"])
def test_plain(lab: Lab, initial: bool, authzid: bytes) -> None:
    user = lab.user()
    secret = b64((user.encode() if authzid else b"") + b"\0" + user.encode() + b"\0" + PASSWORD)
    wire = lab.client()
    if initial:
        wire.send(b"a AUTHENTICATE PLAIN " + secret + b"\r\n")
    else:
        wire.send(b"a authenticate plain\r\n")
        assert wire.unit().startswith(b"+")
        wire.send(secret + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    wire.ok(b"SELECT INBOX")
    assert logged_user(lab, wire) == user


@pytest.mark.parametrize("initial", [True, False])
def test_login_mechanism(lab: Lab, initial: bool) -> None:
    user = lab.user()
    wire = lab.client()
    wire.send(b"a AUTHENTICATE LOGIN" + (b" " + b64(user.encode()) if initial else b"") + b"\r\n")
    if not initial:
        assert wire.unit().startswith(b"+ VXNlcm5hbWU6")
        wire.send(b64(user.encode()) + b"\r\n")
    assert wire.unit().startswith(b"+ UGFzc3dvcmQ6")
    wire.send(b64(PASSWORD) + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    wire.ok(b"SELECT INBOX")
    assert logged_user(lab, wire) == user


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize(("name", "digest"), [(b"SCRAM-SHA-1", "sha1"), (b"SCRAM-SHA-256", "sha256")])
def test_scram(lab: Lab, name: bytes, digest: str, initial: bool) -> None:
    user = lab.user()
    scram = Scram(digest, user, PASSWORD)
    wire = lab.client()
    wire.send(b"a AUTHENTICATE " + name + (b" " + b64(scram.first()) if initial else b"") + b"\r\n")
    if not initial:
        assert wire.unit().startswith(b"+")
        wire.send(b64(scram.first()) + b"\r\n")
    wire.send(b64(scram.final(base64.b64decode(wire.unit()[2:]))) + b"\r\n")
    unit = wire.unit()
    assert unit.startswith(b"+ "), unit
    scram.verify(base64.b64decode(unit[2:]))
    wire.send(b"\r\n")
    assert wire.answer(b"a").status == "OK"
    wire.ok(b"SELECT INBOX")
    assert logged_user(lab, wire) == user


TOKENS = {
    b"XOAUTH2": b"user=joe\x01auth=Bearer " + TOKEN + b"\x01\x01",
    b"OAUTHBEARER": b"n,a=joe,\x01host=x\x01port=143\x01auth=Bearer " + TOKEN + b"\x01\x01",
}
OAUTH = CAPABILITIES + b" AUTH=XOAUTH2 AUTH=OAUTHBEARER"


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("name", TOKENS)
def test_oauth(lab: Lab, name: bytes, initial: bool) -> None:
    secret = b64(TOKENS[name])

    def script(server: Session) -> None:
        server.say_hello(OAUTH)
        tag, text = server.wait_for(b"AUTHENTICATE")
        given = text.partition(b" ")[2]
        if not given:
            server.send(b"+ \r\n")
            given = server.line()[:-2]
        assert given == secret
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    assert b"AUTH=" + name in wire.greeting
    wire.send(b"a AUTHENTICATE " + name + (b" " + secret if initial else b"") + b"\r\n")
    if not initial:
        assert wire.unit().startswith(b"+")
        wire.send(secret + b"\r\n")
    assert wire.answer(b"a").status == "OK"
    assert logged_user(lab, wire, plug=(lab.fake.address,)) == "joe"


@pytest.mark.parametrize("answer", [b"", b"AQ=="])
def test_oauth_error(lab: Lab, answer: bytes) -> None:
    """The server's JSON goes to the client, its empty or dummy answer back, and the session goes on."""

    def script(server: Session) -> None:
        server.say_hello(OAUTH)
        tag, _ = server.wait_for(b"AUTHENTICATE")
        server.send(b"+ " + b64(b'{"status":"401"}') + b"\r\n")
        assert server.line() == answer + b"\r\n"
        server.send(tag + b" NO [AUTHENTICATIONFAILED] expired\r\n")
        tag, _ = server.wait_for(b"LOGIN")
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    wire.send(b"a AUTHENTICATE XOAUTH2 " + b64(TOKENS[b"XOAUTH2"]) + b"\r\n")
    assert wire.unit() == b"+ " + b64(b'{"status":"401"}')
    wire.send(answer + b"\r\n")
    assert wire.answer(b"a").tagged == b"NO [AUTHENTICATIONFAILED] expired"
    wire.ok(b"LOGIN joe " + PASSWORD)


def test_cancel(lab: Lab) -> None:
    wire = lab.client()
    wire.send(b"a AUTHENTICATE PLAIN\r\n")
    assert wire.unit().startswith(b"+")
    wire.send(b"*\r\n")
    bad(wire.answer(b"a"))
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))


def test_empty_initial_response(lab: Lab) -> None:
    """RFC 4959: `=` is an initial response of no bytes."""
    wire = lab.client()
    reply = wire.command(b"AUTHENTICATE PLAIN =")
    assert reply.status in ("NO", "BAD")
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))


def test_initial_response_to_a_server_without_sasl_ir(lab: Lab) -> None:
    """SASL-IR is hop by hop: what the client sees is the proxy's own, so the proxy splits the line if it must."""
    secret = b64(b"\0joe\0" + PASSWORD)

    def script(server: Session) -> None:
        server.say_hello(b"IMAP4rev1 AUTH=PLAIN")
        tag, text = server.wait_for(b"AUTHENTICATE")
        assert text == b"PLAIN", "an initial response went to a server that does not know it"
        server.send(b"+ \r\n")
        assert server.line() == secret + b"\r\n"
        server.send(tag + b" OK in\r\n")
        server.until_closed()

    wire = lab.play(script).greet()
    if b"SASL-IR" in wire.greeting:
        wire.send(b"a AUTHENTICATE PLAIN " + secret + b"\r\n")
    else:
        wire.send(b"a AUTHENTICATE PLAIN\r\n")
        assert wire.unit().startswith(b"+")
        wire.send(secret + b"\r\n")
    assert wire.answer(b"a").status == "OK"


@pytest.mark.parametrize("greeting", [b"* PREAUTH welcome", b"* PREAUTH [CAPABILITY IMAP4rev1] x"])
def test_preauth(lab: Lab, greeting: bytes) -> None:
    """Without TLS asked for, a PREAUTH server may be relayed or refused; a half-way state may not be shown."""

    def script(server: Session) -> None:
        server.send(greeting + b"\r\n")
        server.until_closed()

    unit = lab.play(script).unit()
    assert unit.startswith((b"* PREAUTH ", b"* BYE ")), unit


def test_mechanism_that_is_not_permitted(lab: Lab) -> None:
    wire = lab.client(command="capabilities { ! AUTH=LOGIN, * };")
    assert b"AUTH=LOGIN" not in wire.greeting
    assert wire.command(b"AUTHENTICATE LOGIN").tagged.startswith((b"NO [CANNOT] ", b"NO [NOPERM] "))
    assert lab.out() == b""
