"""Whole jobs, as a helper does them."""

from __future__ import annotations

import email
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imap4fast._wire import MailIndex
from imap4fast.log.catalogue import COMPONENTS
from imap4fast.mail.work import ERROR, FOUND, FREE, Scan, Verdicts
from imap4fast.policy import mailjob
from tests.unit.policy.jobs import (
    CLEAN,
    EICAR,
    GTUBE,
    HEADER,
    INFECTED,
    TEXT,
    VIRUS,
    done,
    entries,
    kit_of,
    mixed,
    part,
    simple,
    template,
    written,
)

NET = "use-antivirus enable NET;"
REMOVE = "doc-acl V { virus found; accept; remove; } doc-acl R { accept; }"
DENY = "mail-acl M { virus found; deny; } mail-acl R { accept; } doc-acl D { accept; }"


@pytest.mark.parametrize("mail", [simple(), mixed(TEXT, CLEAN), HEADER + b"\r\n", b"", b"\r\n"])
def test_a_mail_that_nobody_objects_to(mail: bytes) -> None:
    outcome, after = done(kit_of(), mail)
    assert (outcome.kind, after, outcome.sha256) == ("passed", mail, hashlib.sha256(mail).digest())
    assert outcome.verdicts is not None
    assert outcome.verdicts.virus == Scan(FREE, "", "(builtin)")


def test_a_mail_in_another_form() -> None:
    outcome, after = done(kit_of(), simple().replace(b"\r\n", b"\n"))
    assert (outcome.kind, after) == ("changed", simple())


def test_a_mail_that_is_denied_is_replaced() -> None:
    outcome, after = done(kit_of(DENY), INFECTED, date="17-Jul-1996 02:44:25 -0700", language="CZ")
    assert (outcome.kind, outcome.reason, outcome.code) == ("replaced", "virus: Eicar-Test-Signature", "")
    mail = email.message_from_bytes(after)
    assert mail["From"] == "Jana <jana@a.example>"
    assert mail["Message-ID"] == "<1@a.example>"
    assert mail.get_content_charset() == "utf-8"
    assert EICAR[:20] not in after
    # Who uploads it anew has a mail like any other: a mark of ours in it says nothing, since anybody can write one.
    _, again = done(kit_of(DENY), after)
    assert email.message_from_bytes(again).get_payload() == mail.get_payload()
    assert done(kit_of(DENY), again)[1] == again


def test_a_mail_that_is_denied_is_refused() -> None:
    kit = kit_of(DENY, "use-antivirus enable OWN; on-deny error;")
    outcome, after = done(kit, INFECTED)
    assert (outcome.kind, outcome.code, outcome.mail_size, after) == ("refused", "CANNOT", 0, b"")
    assert done(kit, INFECTED, direction="upload")[0].kind == "refused"


def test_a_scanner_that_failed() -> None:
    outcome, _ = done(kit_of(download=NET), simple(), "finish", verdicts=Verdicts(Scan(ERROR, "timeout")))
    assert (outcome.kind, outcome.reason, outcome.code) == ("refused", "unavailable: timeout", "UNAVAILABLE")
    kit = kit_of(download=f"{NET} on-unavailable replace;")
    outcome, after = done(kit, simple(), "finish", verdicts=Verdicts(Scan(ERROR, "timeout")))
    assert outcome.kind == "replaced"
    assert b"could not be checked" in after


def test_a_mail_of_bad_form() -> None:
    outcome, _ = done(kit_of(), HEADER + b"X: \xff\r\n\r\n")
    assert (outcome.kind, outcome.reason) == ("replaced", "form: accept-8bit-header: 8-bit character in header")
    assert entries(outcome, "IMAP-762") == [
        ("<1@a.example>", "FORM", "accept-8bit-header: 8-bit character in header"),
    ]


def test_a_mail_that_is_denied_whatever_is_in_it() -> None:
    outcome, after = done(kit_of(), HEADER + b"\r\n", refused="size: 60M")
    assert (outcome.kind, outcome.reason) == ("replaced", "size: 60M")
    assert b"too big" in after
    assert done(kit_of(), HEADER + b"\r\n", refused="no room")[0].reason == "policy: no room"
    kit = kit_of(download="use-antivirus enable OWN; on-deny error;")
    assert done(kit, HEADER, refused="size")[0].code == "TOOBIG"


def test_a_bad_mail_with_an_endless_header() -> None:
    mail = HEADER + b"X: y\r\n" * 200_000 + b"\r\n"
    outcome, after = done(kit_of(), mail)
    assert (outcome.kind, outcome.reason.split(":")[:2]) == ("replaced", ["form", " max-header-size"])
    assert outcome.message_id == "<1@a.example>"
    assert len(after) < 2000


class TestSeveralJobs:
    """With engines that the worker asks."""

    def test_a_mail_in_good_form_needs_no_other_octets(self) -> None:
        outcome, after = done(kit_of(download=NET), INFECTED, "examine")
        assert (outcome.kind, outcome.mail_size, after) == ("examined", 0, b"")

    def test_a_mail_in_another_form_is_scanned_in_that(self) -> None:
        outcome, after = done(kit_of(download=NET), simple().replace(b"\r\n", b"\n"), "examine")
        assert (outcome.kind, after) == ("examined", simple())

    def test_what_the_built_in_engine_says_is_told(self) -> None:
        outcome, _ = done(kit_of(download=f"{NET} use-antivirus enable OWN;"), INFECTED, "examine")
        assert outcome.verdicts is not None
        assert outcome.verdicts.virus is not None
        assert outcome.verdicts.virus.status == FOUND
        assert [scan.status for scan in outcome.verdicts.leaves] == [FREE, FOUND]
        free = done(kit_of(download=f"{NET} use-antivirus enable OWN;"), simple(), "examine")[0].verdicts
        assert free == Verdicts(Scan(FREE, "", "(builtin)"))
        assert done(kit_of(download=NET), INFECTED, "examine")[0].verdicts == Verdicts()

    def test_a_mail_of_bad_form_is_done_with(self) -> None:
        bad = HEADER + b"X: \xff\r\n\r\n"
        outcome, _ = done(kit_of(download=f"{NET} on-deny error;"), bad, "examine")
        assert (outcome.kind, outcome.reason[:5]) == ("refused", "form:")
        outcome, after = done(kit_of(download=NET), bad, "examine")
        assert (outcome.kind, after) == ("examined", b"")
        assert done(kit_of(download=NET), bad, "finish", verdicts=Verdicts(Scan(FREE)))[0].kind == "replaced"

    def test_what_was_found_in_the_form_is_told_once(self) -> None:
        bad = HEADER + b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n"
        examined, normal = done(kit_of(download=NET), bad, "examine")
        finished, _ = done(kit_of(download=NET), normal, "finish", verdicts=Verdicts(Scan(FREE)))
        assert [line.entry for line in examined.log] == ["SMTD-743"]
        assert "SMTD-743" not in {line.entry for line in finished.log}

    def test_leaves(self) -> None:
        outcome, written = done(kit_of(download=NET), mixed(TEXT, VIRUS, CLEAN), "leaves")
        found = [written[at : at + size] for at, size in outcome.pieces]
        assert found == [b"Hello there", EICAR, b"clean" * 20]

    @pytest.mark.parametrize("junk", [b"", b"####\r\n", b"====\r\n"])
    def test_large_leaves(self, junk: bytes) -> None:
        """Piece by piece, as whole."""
        octets = os.urandom(3 << 20)
        large = part(octets, b"application/octet-stream", b"a.bin", b"base64")
        if junk:
            large = large[:-2] + b"\r\n" + junk
        outcome, written = done(
            kit_of(download=f"{NET} mail-filter {{ ambiguous-mime keep; }}"), mixed(TEXT, large), "leaves"
        )
        at, size = outcome.pieces[1]
        assert written[at : at + size] == octets

    def test_the_leaves_verdicts_go_to_the_documents(self, tmp_path: Path) -> None:
        acls = f"mail-acl M {{ accept; }} {REMOVE}"
        verdicts = Verdicts(Scan(FOUND, "X", "clamd"), (Scan(FREE), Scan(FREE), Scan(FOUND, "X")))
        outcome, after = done(kit_of(acls, NET), mixed(TEXT, VIRUS, CLEAN), "finish", verdicts=verdicts)
        assert [one.get_filename() for one in email.message_from_bytes(after).get_payload()] == [None, "game.com"]
        assert [args[4] for args in entries(outcome, "IMAP-761")] == ["FREE", "FREE", "FOUND"]

    def test_what_stands_between_parts_goes_with_what_was_found(self) -> None:
        acls = f"mail-acl M {{ accept; }} {REMOVE}"
        inner = mixed(TEXT, boundary=b"in", header=b"").replace(b"--in\r\n", b"words in\r\n--in\r\n", 1)
        mail = mixed(inner + b"more in\r\n", VIRUS).replace(b"--bb\r\n", b"words\r\n--bb\r\n", 1) + b"more words\r\n"
        verdicts = Verdicts(Scan(FOUND, "X", "clamd"), (Scan(FREE), Scan(FOUND, "X")))
        _, after = done(kit_of(acls, NET), mail, "finish", verdicts=verdicts)
        assert b"words" not in after
        assert b"more" not in after
        assert after == mixed(mixed(TEXT, boundary=b"in", header=b"") + b"\r\n")
        clean = Verdicts(Scan(FREE, "", "clamd"))
        assert done(kit_of(acls, NET), mail, "finish", verdicts=clean)[1] == mail

    @pytest.mark.parametrize("name", ["NET", "builtin"])
    def test_what_was_found_in_no_document_may_be_anywhere(self, name: str) -> None:
        acls = f"mail-acl M {{ accept; }} {REMOVE}"
        verdicts = Verdicts(Scan(FOUND, "X", name), (Scan(FREE), Scan(FREE)))
        engine = "antivirus builtin { connection clamav-net [127.0.0.1] : 3311; }"
        kit = kit_of(acls, f"use-antivirus enable {name};", head=engine)
        mail = mixed(TEXT, CLEAN)
        outcome, after = done(kit, mail, "finish", verdicts=verdicts)
        assert (outcome.kind, outcome.doubtful) == ("changed", True)
        assert b"Hello there" not in after
        outcome, after = done(kit, mail, "finish", verdicts=verdicts, left=Scan(FOUND, "Y", name))
        assert (outcome.kind, outcome.reason, outcome.doubtful) == ("replaced", "virus: Y", False)
        assert b"Hello there" not in after


def test_a_replacement_of_ours_that_has_a_virus_is_none() -> None:
    made = done(kit_of(DENY), INFECTED)[1]
    forged = made.replace(b"Jana", EICAR)
    outcome, after = done(kit_of("mail-acl M { virus free; accept; } doc-acl D { accept; }"), forged)
    assert outcome.kind == "replaced"
    assert EICAR not in after


class TestLog:
    def test_of_a_mail(self) -> None:
        acls = (
            "mail-acl M { spam-score ge 5; accept; } doc-acl V { virus found; accept; remove; } doc-acl R { accept; }"
        )
        mail = mixed(part(GTUBE), VIRUS)
        outcome, _ = done(kit_of(acls, "use-antivirus enable OWN; use-antispam enable GTUBE;"), mail)
        assert entries(outcome, "IMAP-760") == [("<1@a.example>", "1000000", "FOUND", "C", "M", "ACCEPTED")]
        assert entries(outcome, "IMAP-761") == [
            ("<1@a.example>", "text/plain", None, len(GTUBE), "FREE", "M", "R", "PASSED"),
            ("<1@a.example>", "application/octet-stream", "game.com", 68, "FOUND", "M", "V", "REMOVED"),
        ]

    def test_of_a_mail_that_no_acl_fits(self) -> None:
        outcome, _ = done(kit_of(""), simple())
        assert entries(outcome, "IMAP-760") == [("<1@a.example>", "UNKNOWN", "FREE", "C", None, "REJECTED")]
        assert written(outcome, "IMAP-760").endswith(" PARENT=C NAME=<NULL> REJECTED")
        outcome, _ = done(kit_of("mail-acl M { accept; }"), simple())
        assert written(outcome, "IMAP-761").endswith(" PARENT=M NAME=<NULL> REJECTED")

    def test_the_type_is_the_one_by_which_the_acl_decided(self) -> None:
        acls = "mail-acl M { accept; } doc-acl P { doctype-ident-order magic; mime-type application/pdf; accept; }"
        outcome, _ = done(kit_of(acls), simple(b"%PDF-1.4"))
        assert written(outcome, "IMAP-761").endswith(
            " TYPE=application/pdf FILENAME=<NULL> SIZE=8 VIR=FREE PARENT=M NAME=P PASSED"
        )

    def test_of_a_mail_without_message_id(self) -> None:
        outcome, _ = done(kit_of("mail-acl M { accept; } doc-acl D { accept; }"), b"Subject: x\r\n\r\n")
        assert written(outcome, "IMAP-760").startswith("ACL PHASE=3M MSGID=<NULL> SPAM=")
        assert written(outcome, "IMAP-761").startswith("ACL PHASE=3D MSGID=<NULL> TYPE=")
        outcome, _ = done(kit_of(""), b"X: \xff\r\n\r\n")
        assert written(outcome, "IMAP-762").startswith("MAIL-DENIED MSGID=<NULL> REASON=FORM ")

    def test_values_fit_their_entries(self) -> None:
        acls = "mail-acl M { accept; } doc-acl D { accept; }"
        lines = []
        for mail in (INFECTED, HEADER + b"X: \xff\r\n\r\n", HEADER + b"\r\n"):
            lines += done(kit_of(acls, "use-antivirus enable OWN; on-deny error;"), mail)[0].log
        assert len({line.entry for line in lines}) >= 4
        for line in lines:
            code, number = line.entry.split("-")
            form = (
                COMPONENTS[code]
                .entries[int(number)]
                .forms[line.severity or COMPONENTS[code].entries[int(number)].severity]
            )
            assert len(form.kinds) == len(line.args)
            assert all(
                isinstance(value, int) for kind, value in zip(form.kinds, line.args, strict=True) if kind in "ud"
            )

    def test_of_a_mail_of_very_many_documents(self) -> None:
        outcome, _ = done(kit_of(), mixed(*[TEXT] * 200))
        assert len(entries(outcome, "IMAP-761")) == mailjob.MOST_DOCUMENTS
        assert entries(outcome, "SMTD-745") == [(mailjob.MOST_DOCUMENTS, 200 - mailjob.MOST_DOCUMENTS)]


def parts_of(mail: bytes) -> int:
    return len(MailIndex.scan(mail))


SECOND = b"\r\nContent-Type: application/x-a\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"<p onload=x>\r\n--b&#98;" + SECOND + b"evil",
        b"<p onload=x>\r\n--<b>bb</b>" + SECOND + b"evil",
        b"<p onload=x>\r\n--b\0b" + SECOND + b"evil",
        b"<p onload=x>\r\n--b<script></script>b" + SECOND + b"evil",
    ],
)
def test_T_H06_what_is_written_anew_opens_no_part(body: bytes) -> None:  # noqa: N802
    acls = "mail-acl M { accept; } doc-acl D { accept; html-filter H; }"
    form = "mail-filter { correct-bad-char; }"
    head = "html-filter H { script-tag-language deny *; intrinsic-language deny *; }"
    for mail in (mixed(part(body, b"text/html")), mixed(part(body, b"text/html", encoding=b"base64"))):
        kind, after = done(kit_of(acls, form, head=head), mail)
        assert kind.kind == "changed"
        assert parts_of(after) == parts_of(mail) == 2
        assert len(list(email.message_from_bytes(after).walk())) == 2


def test_T_H06_a_name_in_a_replacement_opens_no_part(tmp_path: Path) -> None:  # noqa: N802
    text = tmp_path / "text"
    text.write_bytes(b"%{filename}\n\n%{filename}\n")
    replacing = f'doc-acl D {{ filename /exe/; accept; replace-file "{text}"; }} doc-acl R {{ accept; }}'
    for name in (b"--bb", b"--bb--", b"--bb exe"):
        mail = mixed(part(b"x", b"application/x-a", name + b".exe"), TEXT)
        outcome, after = done(kit_of(f"mail-acl M {{ accept; }} {replacing}"), mail)
        assert outcome.kind == "changed"
        assert parts_of(after) == 3
        assert len(list(email.message_from_bytes(after).walk())) == 3


def test_quarantine() -> None:
    acls = 'mail-acl M { virus found; deny "no"; quarantine "/q"; } mail-acl R { accept; } doc-acl D { accept; }'
    outcome, _ = done(kit_of(acls), INFECTED)
    (kept,) = outcome.quarantine
    assert kept.directory == "/q"
    assert kept.text == (
        f"Message-ID: <1@a.example>\nDirection: download\nSize: {len(INFECTED)}\nVirus: found Eicar-Test-Signature\n"
        "Spam-Score: UNKNOWN\nCommand-ACL: C\nMail-ACL: M\nOutcome: replaced virus: Eicar-Test-Signature\n"
    )
    assert done(kit_of(acls), simple())[0].quarantine == ()


parts = st.lists(
    st.one_of(
        st.sampled_from([TEXT, CLEAN, VIRUS, part(b"<p onload=x>a<script>b</script>", b"text/html")]),
        st.binary(max_size=40).map(lambda octets: part(octets, b"application/x-a", b"a.exe", b"base64")),
        st.sampled_from([b"Content-Type: message/rfc822\r\n\r\n" + mixed(TEXT, VIRUS, boundary=b"in")]),
    ),
    min_size=1,
    max_size=4,
)
pieces = st.sampled_from(
    [
        *(b"\r\n", b"--bb\r\n", b"--bb--\r\n", b"Content-Type: ", b"=", b"\0", b"\n", b"\xff", b"boundary=x", EICAR),
        *(b"\r\n--&#98;b\r\n", b"\r\n-\0-bb\r\n", b"\r\n--=62b\r\n", b"\r-\0-bb--\r", b"\n--b<b></b>b\n\n"),
        *(b"\r\nContent-Transfer-Encoding: quoted-printable\r\n", b" filename=--bb.exe\r\n"),
    ]
)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """Good mails, some of them with something put in anywhere."""
    mail = mixed(*draw(parts), subtype=draw(st.sampled_from([b"mixed", b"alternative", b"signed"])))
    for where, piece in draw(st.lists(st.tuples(st.floats(0, 1), pieces), max_size=3)):
        at = int(where * len(mail))
        mail = mail[:at] + piece + mail[at:]
    return mail


@settings(max_examples=200, deadline=None)
@given(mails(), st.sampled_from(["pass-if-clean", "rewrite"]), st.sampled_from(["normalise", "deny"]))
def test_whatever_comes(mail: bytes, signed: str, ambiguous: str) -> None:
    """The same each time; done once it is done; no virus is in it in the clear; and never more than one reading."""
    with tempfile.TemporaryDirectory() as place:
        acls = f"""
          mail-acl M {{ accept; subject-prefix "[X] "; modify-header add X-A b; }}
          doc-acl V {{ virus found; accept; replace-file "{template(Path(place))}"; }}
          doc-acl E {{ filename /exe$/; accept; remove; }}
          doc-acl H {{ mime-type text/html; accept; html-filter H; }}
          doc-acl R {{ accept; }}"""
        form = f"mail-filter {{ accept-8bit-header; correct-8bit-body; correct-bad-char; ambiguous-mime {ambiguous}; }}"
        head = "html-filter H { script-tag-language deny *; intrinsic-language deny *; }"
        kit = kit_of(acls, f"use-antivirus enable OWN; {form}", f"signed {signed};", head=head)
        outcome, after = done(kit, mail)
        assert done(kit, mail) == (outcome, after)
        if outcome.kind == "replaced":
            _, after = done(kit, after)
        again, twice = done(kit, after)
        assert twice == after
        assert parts_of(after) <= parts_of(done(kit, mail, "examine")[1] or mail)
        assert again.kind == "passed"
        assert EICAR not in after
        assert outcome.kind in ("passed", "changed", "replaced")
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", after) is None


MEMORY = """
import os, sys, tempfile
sys.path.insert(0, os.getcwd())
from tests.unit.policy import jobs
from imap4fast.config.sections import command_acl
from imap4fast.policy.mailjob import run

def anonymous():
    figures = dict(line.split(":") for line in open("/proc/self/smaps_rollup").read().splitlines()[1:])
    return int(figures["Anonymous"].split()[0])

def peak():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))

kit = jobs.kit_of(sys.argv[1], sys.argv[2])
ends, encoding = sys.argv[3] == "lf", sys.argv[4].encode()
kind = b"application/octet-stream" if encoding == b"base64" else b"text/plain"
line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\\r\\n"
with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
    start = jobs.mixed(jobs.TEXT, jobs.part(b"", kind, b"a.bin", encoding))
    head, tail = start[:-8], start[-8:]
    source.write(head)
    for _ in range(100):
        octets = line * (1000000 // len(line))
        source.write(octets.replace(b"\\r", b"") if ends else octets)
    source.write(tail)
    source.flush()
    size = source.tell()
    jobs.done(kit, jobs.INFECTED)
    import resource, threading
    before, most, over = anonymous(), [0], threading.Event()
    def watch():
        while not over.wait(0.005):
            most[0] = max(most[0], anonymous())
    thread = threading.Thread(target=watch)
    thread.start()
    outcome = run(kit, jobs.order_of(kit, b"", size=size), source.fileno(), target.fileno())
    over.set()
    thread.join()
    print(outcome.kind, outcome.mail_size - size, max(most[0], anonymous()) - before)
"""


@pytest.mark.parametrize(
    ("acls", "ends", "encoding", "kind", "grown"),
    [
        ("mail-acl M { accept; } doc-acl D { accept; }", "crlf", "base64", "passed", 0),
        ("mail-acl M { accept; } doc-acl D { accept; }", "crlf", "quoted-printable", "passed", 0),
        ("mail-acl M { accept; } doc-acl D { accept; }", "crlf", "7bit", "passed", 0),
        ('mail-acl M { accept; subject-prefix "[X] "; } doc-acl D { accept; }', "crlf", "base64", "changed", 4),
        (
            'mail-acl M { accept; subject-prefix "[X] "; } doc-acl D { accept; }',
            *("lf", "base64", "changed", 4 + 100 * 12195),
        ),
    ],
)
def test_memory_does_not_grow_with_the_mail(acls: str, ends: str, encoding: str, kind: str, grown: int) -> None:
    """100 MB: no more than 20 MB of anonymous memory, with the built-in engines looking at all of it."""
    engines = "use-antivirus enable BIG; use-antispam enable GTUBE;"
    script = [sys.executable, "-c", MEMORY, acls, engines, ends, encoding]
    run = subprocess.run(script, capture_output=True, text=True, timeout=60)
    assert run.stderr == ""
    word, more, kilobytes = run.stdout.split()
    assert (word, int(more)) == (kind, grown)
    assert int(kilobytes) < 20_000


def test_index_and_mail_belong_together() -> None:
    outcome, after = done(kit_of(), mixed(TEXT, CLEAN))
    assert MailIndex.scan(after).size == outcome.mail_size
