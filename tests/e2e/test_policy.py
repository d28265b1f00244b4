"""What the client sees of the policy: ACLs, command lists, read-only, languages."""

from __future__ import annotations

import base64

import pytest

from tests.e2e.lab import PASSWORD, Lab, mail, refused
from tests.e2e.wire import Wire

# read-only

CHANGES = [
    b"STORE 1 +FLAGS (\\Seen)",
    b"UID STORE 1 FLAGS ()",
    b"EXPUNGE",
    b"UID EXPUNGE 1",
    b"COPY 1 INBOX",
    b"UID COPY 1 INBOX",
    b"MOVE 1 INBOX",
    b"UID MOVE 1 INBOX",
    b"CREATE x",
    b"DELETE x",
    b"RENAME x y",
    b"APPEND INBOX {5+}\r\nhello",
    b"APPEND INBOX {5}",
    b"REPLACE 1 INBOX {5+}\r\nhello",
    b"SETACL INBOX joe lrs",
    b"DELETEACL INBOX joe",
    b'SETMETADATA INBOX (/private/comment "x")',
]


@pytest.mark.parametrize("text", CHANGES)
def test_read_only_refuses_changes(lab: Lab, text: bytes) -> None:
    wire = lab.selected(command="read-only;")
    before = lab.out()
    refused(wire.command(text))
    assert lab.out() == before
    wire.ok(b"NOOP")


@pytest.mark.parametrize("word", [b"SELECT", b"select", b"EXAMINE"])
def test_read_only_select(lab: Lab, word: bytes) -> None:
    wire = lab.login(command="read-only;")
    reply = wire.ok(word + b' "INBOX"')
    assert reply.tagged.startswith(b"OK [READ-ONLY]")
    assert b" SELECT " not in lab.out().upper()
    assert b" EXAMINE " in lab.out().upper()


def test_read_only_select_with_parameters(lab: Lab) -> None:
    wire = lab.login(command="read-only;")
    assert wire.ok(b"SELECT INBOX (CONDSTORE)").tagged.startswith(b"OK [READ-ONLY")
    wire.send(b"a SELECT {5+}\r\nINBOX\r\n")
    assert wire.answer(b"a").tagged.startswith(b"OK [READ-ONLY")
    assert b" SELECT " not in lab.out()


def test_read_only_sets_no_flag(lab: Lab) -> None:
    user = lab.user()
    wire = lab.selected(user=user, command="read-only;")
    assert mail(1) in wire.ok(b"FETCH 1 BODY[]").one(b"* 1 FETCH")
    direct = lab.direct(user)
    direct.ok(b"EXAMINE INBOX")
    assert b"\\Seen" not in direct.ok(b"FETCH 1 FLAGS").one(b"* 1 FETCH")


# command lists


@pytest.mark.parametrize(
    ("commands", "text"),
    [
        ("{ ! DELETE, * }", b"DELETE x"),
        ("{ ! UID-STORE, * }", b"uid store 1 FLAGS ()"),
        ("{ ! STORE, ! UID-STORE, * }", b"STORE 1 FLAGS ()"),
        ("{ ! IDLE, * }", b"IDLE"),
        ("{ ! ID, * }", b'ID ("name" "x")'),
        ("{ ! APPEND, * }", b"APPEND INBOX {5}"),
        ("{ ! APPEND, * }", b"APPEND INBOX {5+}\r\nhello"),
        ("{ ! SELECT, * }", b"SELECT INBOX"),
    ],
)
def test_refused_command(lab: Lab, commands: str, text: bytes) -> None:
    config = {"command": f"commands {commands};"}
    wire = lab.login(**config) if "SELECT" in commands else lab.selected(**config)
    before = lab.out()
    refused(wire.command(text))
    assert lab.out() == before
    wire.ok(b"NOOP")
    assert lab.log(rf"IMAP-730-W COMMAND NAME={text.split()[0].decode().upper()}", **config)


def test_list_of_what_is_permitted(lab: Lab) -> None:
    config = {"command": "commands { CAPABILITY, LOGIN, LOGOUT, NOOP, SELECT, UID-FETCH };"}
    wire = lab.client(**config)
    refused(wire.command(b"AUTHENTICATE PLAIN"))
    wire = lab.selected(**config)
    wire.ok(b"UID FETCH 1 FLAGS")
    refused(wire.command(b"FETCH 1 FLAGS"))


def test_refused_login(lab: Lab) -> None:
    wire = lab.client(command="commands { ! LOGIN, * };")
    refused(wire.command(b"LOGIN u " + PASSWORD))
    refused(wire.command(b"LOGIN {1+}\r\nu {%d+}\r\n%s" % (len(PASSWORD), PASSWORD)))
    assert lab.out() == b""


def test_starttls_is_always_the_proxys_own(lab: Lab) -> None:
    wire = lab.client(command="commands { * };")
    assert wire.command(b"STARTTLS").status in ("NO", "BAD")
    wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
    refused(wire.command(b"COMPRESS DEFLATE"))  # never forwarded, even where `*` permits it
    assert b"COMPRESS" not in lab.out()


@pytest.mark.parametrize(
    "text", [b"XFOO", b"XFOO a b", b"UID", b"UID NOOP", b"FETCHX 1 FLAGS", b"NOOP x", b"FETCH", b"SELECT"]
)
def test_malformed_command(lab: Lab, text: bytes) -> None:
    wire = lab.selected()
    before = lab.out()
    assert wire.command(text).status == "BAD"
    assert lab.out() == before


def test_unknown_commands_by_request(lab: Lab) -> None:
    wire = lab.login(command="commands { UNKNOWN, * };")
    wire.send(b"a XFOO bar\r\n")
    assert b"Unknown command" in wire.answer(b"a").tagged  # Dovecot's own words
    assert b"a XFOO bar\r\n" in lab.out()
    before = lab.out()
    wire.send(b"b XFOO {8+}\r\nc NOOP\r\n\r\nd NOOP\r\n")
    wire.answer(b"b")
    assert b"XFOO" not in lab.out()[len(before) :]  # architecture.md section 6: refused when they carry literals


# languages

LANGUAGES = {"CZ": "utf-8", "CZ-ASCII": "ascii", "CZ-ISO-8859-2": "iso-8859-2", "CZ-WINDOWS-1250": "windows-1250"}


def _refusal(lab: Lab, **config: str) -> bytes:
    wire = lab.login(**config)
    reply = wire.command(b"UNAUTHENTICATE")
    refused(reply)
    return reply.tagged


@pytest.mark.parametrize("word", LANGUAGES)
def test_language(lab: Lab, word: str) -> None:
    english = _refusal(lab)
    english.decode("ascii")
    text = _refusal(lab, session=f"language {word};").decode(LANGUAGES[word])
    assert text != english.decode()
    if word != "CZ-ASCII":
        assert text == _refusal(lab, session="language CZ;").decode()


def test_language_of_the_command_acl_wins(lab: Lab) -> None:
    assert _refusal(lab, session="language CZ;", command="language EN;") == _refusal(lab)


def test_language_of_bye(lab: Lab) -> None:
    acls = "session-acl IN {{ {} accept; PLUG }} command-acl NO {{ deny; no-mail-scanning; }}"
    texts = [lab.proxy(acls=acls.format(f"language {word};")).wire() for word in ("EN", "CZ")]
    english, czech = [lab.keep(wire).rest() for wire in texts]
    assert english.startswith(b"* BYE ")
    assert czech.startswith(b"* BYE ")
    assert english != czech


# ACLs


@pytest.mark.parametrize(
    ("acls", "name"),
    [
        ("session-acl NOBODY { deny; } command-acl ALL { accept; no-mail-scanning; }", "NOBODY"),
        ("session-acl FAR { from [192.0.2.1]; accept; PLUG } command-acl ALL { accept; no-mail-scanning; }", "<NULL>"),
    ],
)
def test_session_acl_denies(lab: Lab, acls: str, name: str) -> None:
    wire = lab.keep(lab.proxy(acls=acls, probe=False).wire())
    assert wire.rest() == b""
    assert lab.out() == b""
    lab.log(rf"IMAP-721-I ACL PHASE=1 NAME={name} REJECTED", acls=acls, probe=False)
    lab.log(r"IMAP-702-I SESSION-END .* REJECTED", acls=acls, probe=False)


@pytest.mark.parametrize(
    ("acl", "name"),
    [
        ("command-acl NOBODY { deny; no-mail-scanning; }", "NOBODY"),
        ("command-acl FAR { from [192.0.2.1]; accept; no-mail-scanning; }", "<NULL>"),
        ("command-acl FAR { parent-acl OTHER; accept; no-mail-scanning; }", "<NULL>"),
    ],
)
def test_command_acl_denies(lab: Lab, acl: str, name: str) -> None:
    acls = "session-acl OTHER { from [192.0.2.1]; accept; PLUG } session-acl IN { accept; PLUG } " + acl
    wire = lab.keep(lab.proxy(acls=acls).wire())
    data = wire.rest()
    assert data.startswith(b"* BYE ")
    assert data.count(b"\r\n") == 1
    lab.log(rf"IMAP-722-I ACL PHASE=2 PARENT=IN NAME={name} REJECTED", acls=acls)


def test_first_match_by_address(lab: Lab) -> None:
    acls = """
      session-acl NEAR { from { ! [127.0.0.9], [127.0.0.8/29] }; deny; }
      session-acl IN { from [127.0.0.0/8]; accept; PLUG }
      command-acl RO { from [127.0.0.9]; accept; read-only; no-mail-scanning; }
      command-acl ALL { accept; no-mail-scanning; }
    """
    proxy = lab.proxy(acls=acls)
    assert lab.keep(proxy.wire("127.0.0.10")).rest() == b""
    for source, expected in (("127.0.0.9", "NO"), ("127.0.0.1", "OK"), ("127.0.0.2", "OK")):
        wire = lab.keep(proxy.wire(source)).greet()
        wire.ok(b"LOGIN %s %s" % (lab.user().encode(), PASSWORD))
        assert wire.command(b"CREATE x").status == expected, source
    lab.log(r"ACL PHASE=2 PARENT=IN NAME=RO ACCEPTED", acls=acls)
    lab.log(r"ACL PHASE=2 PARENT=IN NAME=ALL ACCEPTED", acls=acls, count=2)


BY_USER = """
  session-acl IN { accept; PLUG }
  command-acl EVIL { user "mallory"; deny; no-mail-scanning; }
  command-acl RO { user { "reader", "lector" }; accept; read-only; no-mail-scanning; }
  command-acl ALL { accept; no-mail-scanning; }
"""


def _as_user(lab: Lab, user: bytes) -> Wire:
    wire = lab.client(acls=BY_USER)
    wire.send(b"a LOGIN " + user + b" " + PASSWORD + b"\r\n")
    return wire


@pytest.mark.parametrize(("user", "status"), [(b"reader", "NO"), (b"lector", "NO"), (b"writer", "OK")])
def test_search_after_login(lab: Lab, user: bytes, status: str) -> None:
    wire = _as_user(lab, user)
    assert wire.answer(b"a").status == "OK"
    reply = wire.command(b"CREATE made-%s-%d" % (user, wire.port))
    assert reply.status == status
    lab.log(rf"ACL PHASE=2 PARENT=IN NAME={'RO' if status == 'NO' else 'ALL'} ACCEPTED", acls=BY_USER)


def test_search_after_login_denies(lab: Lab) -> None:
    wire = _as_user(lab, b"mallory")
    wire.send(b"b CREATE forbidden\r\n")
    data = wire.rest()
    assert b"* BYE" in data
    assert b"b OK" not in data
    assert b"CREATE" not in lab.out()
    lab.log(r"ACL PHASE=2 PARENT=IN NAME=EVIL REJECTED", acls=BY_USER)
    lab.log(r"SESSION-END .* USER=mallory .* REJECTED", acls=BY_USER)


def test_search_after_login_governs_what_was_pipelined(lab: Lab) -> None:
    wire = lab.client(acls=BY_USER)
    wire.send(b"a LOGIN reader " + PASSWORD + b"\r\nb CREATE pipelined\r\n")
    assert wire.answer(b"a").status == "OK"
    refused(wire.answer(b"b"))
    assert b"CREATE" not in lab.out()


def test_user_of_sasl(lab: Lab) -> None:
    """The authorization identity counts where it is given; Dovecot here accepts only the same one."""
    wire = lab.client(acls=BY_USER)
    wire.ok(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0reader\0" + PASSWORD))
    refused(wire.command(b"CREATE x"))
