"""`test-imap4 -t 'test ... mail "FILE"'`: phase 3 on a file, and the mail that comes of it."""

from __future__ import annotations

import shutil
import tempfile
from typing import IO

import msgspec

from imap4fast.config.expression import TestExpr
from imap4fast.config.settings import CommandAcl, Settings
from imap4fast.errors import ConfigError
from imap4fast.policy.gate import scans
from imap4fast.policy.hosts import Names
from imap4fast.policy.mailrehearsal import MailRehearsal, Stage, rehearse_mail
from imap4fast.policy.mailreport import mail_text, mail_values
from imap4fast.policy.material import read
from imap4fast.policy.rehearsal import Rehearsal


class MailTest(msgspec.Struct, frozen=True):
    """What became of the mail: for people, for programs, and whether it goes on."""

    text: str
    values: dict[str, object]
    accepted: bool
    reason: str = ""


def mail_test(settings: Settings, rehearsal: Rehearsal, names: Names) -> MailTest:
    """The mail of the expression under the ACLs that accepted the session. ConfigError: a file cannot be used."""
    assert rehearsal.acls is not None
    expr, (session_acl, command_acl) = rehearsal.expr, rehearsal.acls
    if not scans(command_acl):
        return _passed(expr, command_acl)
    stage = Stage(settings, read(settings), names, rehearsal.facts, session_acl, command_acl)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        size = _copied(expr.mail or "", source)
        found = rehearse_mail(stage, expr, source.fileno(), size, target.fileno())
        written = _written(expr, found)
        text = mail_text(found) + (f"\nwritten to {written}" if written else "")
        values = {**mail_values(found), "written": written}
    return MailTest(text, values, found.accepted, found.trial.reason)


def _passed(expr: TestExpr, command_acl: CommandAcl) -> MailTest:
    """Pass mode: nobody looks."""
    text = f"mail: not looked at: command-acl {command_acl.name} says no-mail-scanning"
    return MailTest(text, {"outcome": "ACCEPTED", "result": "not scanned", "written": None}, accepted=True)


def _copied(path: str, copy: IO[bytes]) -> int:
    """The mail goes to a file of our own, so that nobody changes it meanwhile; its size."""
    try:
        with open(path, "rb") as file:
            shutil.copyfileobj(file, copy)
    except OSError as error:
        raise ConfigError(f'<expression>: error: mail "{path}": {error.strerror}') from None
    copy.flush()
    return copy.tell()


def _written(expr: TestExpr, found: MailRehearsal) -> str | None:
    """Where the mail that comes of it went; nowhere where there is none."""
    if expr.write is None or found.trial.kind == "refused":
        return None
    try:
        with open(expr.write, "wb") as file:
            file.write(found.trial.after)
    except OSError as error:
        raise ConfigError(f'<expression>: error: write "{expr.write}": {error.strerror}') from None
    return expr.write
