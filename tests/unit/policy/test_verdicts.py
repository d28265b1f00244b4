"""Verdicts of several engines, and of several looks of one."""

from __future__ import annotations

import base64
from itertools import product

import pytest

from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, STATUSES, UNKNOWN, Scan, Verdicts
from imap4fast.policy import verdicts
from imap4fast.policy.documents import Document
from imap4fast.policy.examine import form
from tests.unit.policy.jobs import (
    CLEAN,
    EICAR,
    GTUBE,
    INFECTED,
    TEXT,
    VIRUS,
    kit_of,
    mixed,
    part,
    simple,
)


def looked(mail: bytes, given: Verdicts | None = None, download: str = "use-antivirus enable OWN;") -> Verdicts:
    rules = kit_of(download=download).rules("C", "download")
    found = form(mail, rules.filter, b"")
    leaves = tuple(Document(found.data, found.index, number) for number in found.index.leaves)
    return verdicts.judged(rules, mail, found, leaves, given)


@pytest.mark.parametrize(("one", "other"), list(product(STATUSES, STATUSES)))
def test_of_engines(one: str, other: str) -> None:
    """FOUND > FREE > SKIPPED > UNKNOWN > ERROR."""
    merged = verdicts.of_engines([Scan(one), Scan(other)])
    assert merged.status == next(status for status in STATUSES if status in (one, other))


@pytest.mark.parametrize("bad", [SKIPPED, UNKNOWN, ERROR])
def test_of_looks(bad: str) -> None:
    """What an engine could not look at is not free (T-A03)."""
    assert verdicts.of_looks([Scan(FREE), Scan(bad), Scan(FREE)]).status == bad
    assert verdicts.of_looks([Scan(bad), Scan(FOUND)]).status == FOUND


@pytest.mark.parametrize(
    ("mail", "status", "leaves"),
    [
        (simple(), FREE, [FREE]),
        (mixed(TEXT, CLEAN), FREE, [FREE, FREE]),
        (INFECTED, FOUND, [FREE, FOUND]),
        (simple(EICAR), FOUND, [FOUND]),
        (mixed(part(EICAR, encoding=b"quoted-printable"), TEXT), FOUND, [FOUND, FREE]),
        (mixed(TEXT).replace(b"--bb\r\n", EICAR + b"\r\n--bb\r\n", 1), FOUND, [FREE]),
        (mixed(b"Content-Type: message/rfc822\r\n\r\n" + mixed(VIRUS, boundary=b"in")), FOUND, [FOUND]),
    ],
)
def test_the_built_in_engine(mail: bytes, status: str, leaves: list[str]) -> None:
    """T-A01; in the preamble, too (T-M14)."""
    found = looked(mail)
    assert found.virus is not None
    assert found.virus.status == status
    assert [scan.status for scan in found.leaves] == (leaves if status == FOUND else [])


HIDDEN = {
    "preamble": mixed(TEXT).replace(b"--bb\r\n", VIRUS + b"--bb\r\n", 1),
    "epilogue": mixed(TEXT) + b"\r\n--bb\r\n" + VIRUS + b"--bb--\r\n",
    "two encodings": mixed(VIRUS.replace(b"Content-Transfer", b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer")),
    "odd encoding": mixed(VIRUS.replace(b": base64", b": base64,")),
    "no empty line": mixed(VIRUS.replace(b"base64\r\n\r\n", b"base64\r\n")),
}


@pytest.mark.parametrize("ambiguous", ["keep", "normalise"])
@pytest.mark.parametrize("where", HIDDEN)
def test_parts_that_only_some_programs_see(where: str, ambiguous: str) -> None:
    """T-M04, T-M05, T-M13, T-M14, T-M39: not in the reading that is left, and found."""
    words = f"mail-filter {{ ambiguous-mime {ambiguous}; invalid-header keep; }}"
    found = looked(HIDDEN[where], download=f"use-antivirus enable OWN; {words}")
    assert found.virus is not None
    assert found.virus.status == FOUND


BASE64 = base64.encodebytes(EICAR).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n" + BASE64,
        b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + BASE64,
        b"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n" + BASE64,
        b"Content-Transfer-Encoding : base64\r\n\r\n" + BASE64,
    ],
)
def test_parts_that_programs_read_differently(part: bytes) -> None:
    """T-M04, T-M39, T-M20, where the filter keeps ambiguous mails as they are."""
    found = looked(mixed(TEXT, part), download="use-antivirus enable OWN; mail-filter { ambiguous-mime keep; }")
    assert [scan.status for scan in found.leaves] == [FREE, FOUND]


def test_a_mail_that_is_too_large_for_it() -> None:
    found = looked(INFECTED, download="use-antivirus enable OWN 10;")
    assert found.virus is not None
    assert (found.virus.status, found.leaves) == (SKIPPED, ())


def test_without_engines() -> None:
    assert looked(INFECTED, download="") == Verdicts()


def test_with_those_that_the_worker_asked() -> None:
    free = Verdicts(virus=Scan(FREE, engine="clamd"), leaves=(Scan(FREE), Scan(ERROR)), spam=2.5)
    found = looked(INFECTED, free)
    assert found.virus is not None
    assert (found.virus.status, found.virus.engine) == (FOUND, "(builtin)")
    assert [scan.status for scan in found.leaves] == [FREE, FOUND]
    assert found.spam == 2.5
    other = looked(simple(), Verdicts(virus=Scan(FOUND, "X")))
    assert other.virus == Scan(FOUND, "X")


@pytest.mark.parametrize(
    ("mail", "score"),
    [
        (simple(), 0.0),
        (simple(GTUBE + b"\r\n"), 1000.0),
        (mixed(part(GTUBE, encoding=b"base64")), 1000.0),
        (mixed(part(GTUBE, b"application/pdf", encoding=b"base64")), 0.0),
    ],
)
def test_spam(mail: bytes, score: float) -> None:
    """T-A05."""
    assert looked(mail, download="use-antispam enable GTUBE;").spam == score
    assert looked(mail, download="use-antispam enable GTUBE 10;").spam is None


def test_of_leaves() -> None:
    free, virus = Scan(FREE), Scan(FOUND, "X")
    assert verdicts.of_leaves(Verdicts(), 2) == (Scan(SKIPPED),) * 2
    assert verdicts.of_leaves(Verdicts(free), 2) == (free, free)
    assert verdicts.of_leaves(Verdicts(free, (free, Scan(ERROR))), 2) == (free, free)
    assert verdicts.of_leaves(Verdicts(virus, (free, virus)), 2) == (free, virus)
    assert verdicts.of_leaves(Verdicts(virus, (free, free)), 2) == (virus, virus)
    assert verdicts.of_leaves(Verdicts(virus), 2) == (virus, virus)
    assert verdicts.of_leaves(Verdicts(virus, (free,)), 2) == (virus, virus)


def test_of_messages() -> None:
    free, virus, skipped = Scan(FREE), Scan(FOUND, "X"), Scan(SKIPPED)
    assert verdicts.of_message(Verdicts(free), [free]) == free
    assert verdicts.of_message(Verdicts(virus, (free, virus)), [virus]).status == FREE
    assert verdicts.of_message(Verdicts(virus, (free, virus)), [skipped, virus]) == skipped
    assert verdicts.of_message(Verdicts(virus), [virus]) == virus
    assert verdicts.of_message(Verdicts(virus, (free, free)), [virus]) == virus
