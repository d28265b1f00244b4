"""`test-imap4`: checks a configuration and answers, without traffic, what the proxy would decide.

Exit status: 0 the configuration is good and a `test` was accepted, 1 a `test` was rejected, 2 usage, configuration or
expression error. Results go to standard output, warnings and errors to standard error.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from imap4fast.cli.mailtest import mail_test
from imap4fast.cli.options import USAGE_ERROR, base_parser
from imap4fast.config.dump import dump_acls, dump_proxy
from imap4fast.config.expression import Expr, Help, ShowAcl, ShowHash, ShowProxy, TestExpr, parse_expression
from imap4fast.config.load import load
from imap4fast.config.settings import Settings
from imap4fast.errors import ConfigError, Imap4FastError
from imap4fast.net.resolve import resolve_names
from imap4fast.net.tlsmaterial import read_materials
from imap4fast.policy.hosts import Names
from imap4fast.policy.kit import Kit
from imap4fast.policy.material import read
from imap4fast.policy.rehearsal import names_asked, rehearse
from imap4fast.policy.report import outcome_text, rehearsal_text, rehearsal_values, searches_text
from imap4fast.policy.search import Policy

ACCEPTED = 0
REJECTED = 1

WARNING_LEVEL = 4
"""Warnings are shown from this log level on; -d 3 shows errors alone."""

EXPRESSIONS = """\
Expressions for -t, in configuration syntax; several are answered in turn:
  test [from HOST] [transparent] [to SOCK] [server SOCK] [user STR] [group LIST]
       [time [[MM]DD]hhmm] [cert "PEM-FILE"]
       [mail "FILE" [direction download|upload] [virus STATUS] [spam-score N]
       [write "FILE"]]
                     search the ACLs with these values and explain the outcome.
                     from: the client; to: what it connects to; transparent: that
                     is not the proxy itself; server: where the session would go
                     (else plug-to says it); user, group: who logs in; time: now;
                     cert: what the client presents, taken for verified;
                     mail: the whole of phase 3 on a file (download unless
                     direction says otherwise); virus and spam-score: what the
                     engines say (else the built-in ones look, and others count
                     as free); write: where the mail that comes of it goes
  show-acl [PHASE]   the ACLs of a phase: 1 session-acl (default), 2 command-acl,
                     3 mail-acl and doc-acl
  show-proxy [all]   the proxy's items; all: those left at their default too
  show-hash          the hash of the configuration
  help               this text
A session is searched at connection (session-acl), before login (command-acl, with
no user yet) and, where a command-acl asks for user or group, again after login.
Without -r a host name in a condition cannot be told, and what cannot be told does
not match.
"""

EXAMPLES = """\
Examples:
  test-imap4 -f proxy.cfg
        is the configuration good, are certificates and keys?
  test-imap4 -f proxy.cfg -t 'test from [10.9.1.1] to [10.0.0.1]:143;'
        which ACLs get a client at 10.9.1.1 that connects to 10.0.0.1 port 143?
  test-imap4 -f proxy.cfg -t 'test from [10.9.1.1] to [10.0.0.1]:143 user alice time 2230;'
        the same when alice logs in at half past ten tonight
  test-imap4 -r -f proxy.cfg -t 'test from mail.example.org to [10.0.0.1]:143;'
        resolve names first
  test-imap4 -f proxy.cfg -t 'test from [10.9.1.1] to [10.0.0.1]:993 cert "jana.pem";'
        the same for a client with that certificate
  test-imap4 -f proxy.cfg -t 'test from [10.9.1.1] user alice mail "a.eml" write "b.eml";'
        what becomes of a mail, part by part, and the mail that alice would see
  test-imap4 -f proxy.cfg -t 'show-proxy all' --json
        everything that is set, for a program
"""

JSON_HELP = """\
With --json standard output is one JSON document:
  always      file, warnings (list of strings), expression (the word, or null)
  (no -t)     good: true
  test        outcome (ACCEPTED or REJECTED), reason (or null), asked {from,
              transparent, to, user, group, cert, time}, unpresented (why cert
              is never shown, or null), requirement (of the session-acl: {item,
              moment} and what each of acls has, or null), searches [{phase, section,
              moment, server, acl, accepted, reason, acls [{name, matched,
              condition, seen, conditions [{item, text, seen, result}]}]}],
              in_effect {servers, limits in bytes and seconds (0: none), ...,
              commands_excluded, capabilities} or null when rejected.
              mail (with mail, else null) {outcome, result (passed, changed,
              replaced or refused), reason, size, size_after, direction, virus
              {status, name} or null, spam_score, not_asked (engines), form
              [{item, part, what}], acl, acls as above, documents [{part, types,
              names, size, virus, acl, accepted, action, acls}], written}
              condition, seen: the first condition that failed and the value that
              it saw; result: "fits", "does not fit" or "cannot tell"
  show-acl    phase, text
  show-proxy  text
  show-hash   hash
  help        text
  several expressions: answers, a list of what one alone would add, in order

Exit status: 0 configuration good and every test ACCEPTED, 1 a test REJECTED,
2 usage, configuration or expression error.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the result is its exit status."""
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except Imap4FastError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    description = "Check a configuration of imap4-proxy, and ask what it decides, without traffic."
    parser = base_parser("test-imap4", description, "\n".join((EXPRESSIONS, EXAMPLES, JSON_HELP)))
    parser.add_argument("-r", "--resolve", action="store_true", help="resolve host names of the configuration first")
    parser.add_argument("-t", "--test", metavar="EXPR", help="what to ask; see below")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _run(options: argparse.Namespace) -> int:
    exprs = () if options.test is None else parse_expression(options.test)
    loaded = load(options.file)
    warnings = [str(warning) for warning in loaded.warnings]
    _warn(warnings, options)
    answers = [_answer(loaded.settings, expr, options.resolve) for expr in exprs or (None,)]
    later = [warning for answer in answers for warning in answer.warnings]
    _warn(later, options)
    warnings += later
    if options.json:
        _print(_json({"file": options.file, "warnings": warnings, **_document(answers)}))
    else:
        _print("\n\n".join(answer.text for answer in answers))
    return max(answer.status for answer in answers)


def _print(text: str) -> None:
    """To whom it may concern: who reads only the beginning, as `head` does, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit


def _warn(warnings: list[str], options: argparse.Namespace) -> None:
    if options.debug_level is None or options.debug_level >= WARNING_LEVEL:
        for warning in warnings:
            print(warning, file=sys.stderr)


class Answer(msgspec.Struct, frozen=True):
    """What one expression, or none (a check of the configuration), comes to."""

    expression: str | None
    text: str
    values: dict[str, object]
    status: int = ACCEPTED
    warnings: list[str] = []

    def document(self) -> dict[str, object]:
        """Its part of the JSON document."""
        return {"expression": self.expression, **self.values}


def _document(answers: list[Answer]) -> dict[str, object]:
    return answers[0].document() if len(answers) == 1 else {"answers": [answer.document() for answer in answers]}


def _answer(settings: Settings, expr: Expr | None, resolve: bool) -> Answer:
    if isinstance(expr, TestExpr):
        return _answer_test(settings, expr, resolve)
    if isinstance(expr, ShowAcl):
        text = _acls(settings, expr.phase)
        return Answer("show-acl", text, {"phase": expr.phase, "text": text})
    if isinstance(expr, ShowProxy):
        text = dump_proxy(settings, expr.all).rstrip("\n")
        return Answer("show-proxy", text, {"text": text})
    if isinstance(expr, ShowHash):
        return Answer("show-hash", settings.digest, {"hash": settings.digest})
    if isinstance(expr, Help):
        text = f"{EXPRESSIONS}\n{EXAMPLES}".rstrip("\n")
        return Answer("help", text, {"text": text})
    return _answer_check(settings)


def _answer_check(settings: Settings) -> Answer:
    """Of the configuration as a whole: the files that it names are read, too, and all that is wrong with them told."""
    faults: list[str] = []
    warnings: list[str] = []
    try:
        Kit(settings, read(settings))
    except Imap4FastError as error:
        faults.append(str(error))
    try:
        warnings = [warning for material in read_materials(settings) for warning in material.warnings]
    except Imap4FastError as error:
        faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return Answer(None, f"{settings.path}: the configuration is good", {"good": True}, warnings=warnings)


def _acls(settings: Settings, phase: int) -> str:
    return dump_acls(settings, phase).rstrip("\n")


def _answer_test(settings: Settings, expr: TestExpr, resolve: bool) -> Answer:
    names = _resolved(settings, expr) if resolve else {}
    certificate = None if expr.cert is None else _certificate(expr.cert)
    rehearsal = rehearse(settings, expr, datetime.datetime.now(), names, certificate)
    status = ACCEPTED if rehearsal.accepted else REJECTED
    values = rehearsal_values(rehearsal, settings)
    if expr.mail is None or rehearsal.acls is None:
        return Answer("test", rehearsal_text(rehearsal, settings), {**values, "mail": None}, status)
    mail = mail_test(settings, rehearsal, names)
    outcome = outcome_text(rehearsal)
    if rehearsal.accepted and not mail.accepted:
        status, outcome = REJECTED, f"REJECTED at the mail: {mail.reason}"
        values |= {"outcome": "REJECTED", "reason": f"mail: {mail.reason}"}
    text = "\n\n".join((searches_text(rehearsal, settings), mail.text, f"outcome: {outcome}"))
    return Answer("test", text, {**values, "mail": mail.values}, status)


def _certificate(path: str) -> bytes:
    """The first certificate of a PEM file, in DER."""
    try:
        with open(path, "rb") as file:
            found = x509.load_pem_x509_certificate(file.read())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "there is no certificate in it"
        raise ConfigError(f'<expression>: error: cert "{path}": {why}') from None
    return found.public_bytes(serialization.Encoding.DER)


def _resolved(settings: Settings, expr: TestExpr) -> Names:
    wanted = Policy(settings).host_names | names_asked(expr)
    names = resolve_names(wanted)
    for name in sorted(wanted - names.keys()):
        print(f"warning: {name} was not resolved", file=sys.stderr)
    return names


def _json(values: dict[str, object]) -> str:
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode()


if __name__ == "__main__":
    sys.exit(main())
