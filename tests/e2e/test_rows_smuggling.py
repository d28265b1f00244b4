"""More of row T-F05: literals that a server reads as commands, since it gave the command up before them.

Measured with Dovecot 2.3.19.1: it does not skip the literal of a command that it does not know (extensions without
their plugin), nor one behind the last argument, nor that of an APPEND whose flags or date it refuses.
"""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import pytest

from tests.e2e.lab import Lab

COMPLETE = [
    b"NOOP",
    b"CAPABILITY",
    b"CREATE x",
    b"CREATE (x)",
    b"DELETE x",
    b"RENAME x y",
    b"SUBSCRIBE x",
    b"UNSUBSCRIBE x",
    b"SELECT INBOX",
    b"SELECT INBOX (CONDSTORE)",
    b"EXAMINE INBOX",
    b"STATUS INBOX (MESSAGES)",
    b'LIST "" x',
    b'LSUB "" x',
    b"NAMESPACE",
    b"ENABLE CONDSTORE",
    b'ID ("a" "b")',
    b"ID NIL",
    b"CHECK",
    b"CLOSE",
    b"UNSELECT",
    b"EXPUNGE",
    b"UID EXPUNGE 1",
    b"FETCH 1 FLAGS",
    b"FETCH 1 (FLAGS)",
    b"STORE 1 +FLAGS (x)",
    b"STORE 1 FLAGS x",
    b"COPY 1 x",
    b"UID MOVE 1 x",
    b"IDLE",
    b"LOGOUT",
    b"SORT (SUBJECT) UTF-8 ALL",
    b"THREAD REFERENCES UTF-8 ALL",
    b"SEARCH ALL",
    b"GETQUOTAROOT INBOX",
    b"MYRIGHTS INBOX",
    b"LOGIN u p",
    b"MOVE 1 x",
    b"UID COPY 1 x",
    b"UID STORE 1 +FLAGS x",
    b"UID FETCH 1 FLAGS",
    b"FETCH 1 FLAGS (CHANGEDSINCE 1)",
    b"CREATE x (USE (\\Junk))",
    b'GETQUOTA ""',
    b"NOTIFY NONE",
    b"GETMETADATA INBOX /private/comment",
    b"SETMETADATA INBOX (/private/comment NIL)",
    b"GETACL INBOX",
    b"SETACL INBOX joe lrs",
    b"RESETKEY",
    b"LANGUAGE",
    b"COMPARATOR",
    b'XLIST "" x',
]

WITH_ARGUMENT = [
    b"GETACL",
    b"SETACL INBOX",
    b"DELETEACL INBOX",
    b"LISTRIGHTS INBOX",
    b"MYRIGHTS",
    b"GETQUOTA",
    b"GETQUOTAROOT",
    b"SETQUOTA",
    b"GETMETADATA INBOX",
    b"SETMETADATA",
    b"GENURLAUTH",
    b"URLFETCH",
    b"RESETKEY",
    b"LANGUAGE",
    b"COMPARATOR",
    b'XLIST ""',
    b'LSUB ""',
    b"CREATE",
    b"SUBSCRIBE",
    b"RENAME x",
    b"STATUS",
    b"COPY 1",
    b"COPY 9",
    b"UID MOVE 1",
    b"SEARCH SUBJECT",
    b"SEARCH FILTER",
    b"SORT (SUBJECT)",
    b"THREAD",
    b"STORE 1 +FLAGS",
    b"ENABLE",
    b"ID",
    b"CONVERT 1",
    b"REPLACE 1 INBOX",
    b"REPLACE 1",
    b"ESEARCH",
    b"CANCELUPDATE",
    b"NOTIFY SET",
    b"UIDBATCHES",
    b"APPEND INBOX (\\Seen)",
    b"APPEND INBOX (\\Seen bad",
    b"APPEND INBOX CATENATE (TEXT",
    b'APPEND INBOX (\\Seen) "99-Foo-2024 00:00:00 +0000"',
    b"APPEND INBOX () (x)",
    b"APPEND INBOX UTF8 (",
    b'APPEND ""',
    b'APPEND "&"',
    b"APPEND nowhere",
    b"APPEND INBOX ANNOTATION (x)",
    b"APPEND INBOX (\\Recent)",
    b"APPEND INBOX (\\Odd)",
    b"APPEND INBOX (" + b"k" * 2000 + b")",
    b"APPEND INBOX (" + b" ".join(b"k%d" % number for number in range(200)) + b")",
]


@pytest.mark.parametrize("command", COMPLETE)
def test_T_F05_literal_after_the_last_argument(lab: Lab, command: bytes) -> None:
    """Dovecot carries a command out when it has its arguments, drops the rest of the line, and then reads the literal
    as commands. So a literal where the grammar has no argument may not go on."""
    user = lab.user()
    lab.direct(user).ok(b"CREATE Sent")
    wire = lab.selected(user=user)
    wire.send(b"a " + command + b" {15+}\r\nb DELETE Sent\r\n\r\n")
    wire.send(b"c LOGOUT\r\n")
    assert b"\r\nb " not in b"\r\n" + wire.rest()
    assert lab.direct(user).ok(b'LIST "" Sent').untagged


@pytest.mark.parametrize("command", WITH_ARGUMENT)
def test_T_F05_literal_of_a_command_that_the_server_may_not_know(lab: Lab, command: bytes) -> None:
    """Dovecot without the plugin refuses the command at once and reads the literal as commands."""
    user = lab.user()
    lab.direct(user).ok(b"CREATE Sent")
    wire = lab.selected(user=user)
    wire.send(b"a " + command + b" {15+}\r\nb DELETE Sent\r\n\r\n")
    wire.send(b"c LOGOUT\r\n")
    assert b"\r\nb " not in b"\r\n" + wire.rest()
    assert lab.direct(user).ok(b'LIST "" Sent').untagged


@pytest.mark.parametrize("command", [b"NOOP", b"CAPABILITY", b"ID NIL", b'ID ("a" "b")', b"LOGIN u p", b"LOGOUT"])
def test_T_F05_literal_after_the_last_argument_before_login(lab: Lab, command: bytes) -> None:
    wire = lab.client()
    wire.send(b"a " + command + b" {10+}\r\nb NOOP  \r\n\r\nc LOGOUT\r\n")
    assert b"\r\nb " not in b"\r\n" + wire.rest()
