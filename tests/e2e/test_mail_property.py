"""By property: over random partitions of mails into sections and ranges every octet belongs to the processed mail."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.e2e.carriers import POSITIONS, carrier, clean, traces
from tests.e2e.dovecot import Dovecot
from tests.e2e.fakeserver import FakeServer
from tests.e2e.imapanswers import Fetched, all_fetched
from tests.e2e.lab import Lab, Proxies
from tests.e2e.mailproxy import BLOCKING, CHANGED, REPLACE_VIRUS, Processing
from tests.e2e.mailrows import body, entered, mails_of, opened, seen, stored
from tests.e2e.oracle import parts
from tests.e2e.tap import Tap
from tests.e2e.wire import Wire

MAILS = [carrier(position) for position in POSITIONS]

BY_DOCUMENT = Processing(decide=REPLACE_VIRUS)


@pytest.fixture(scope="module")
def user(dovecot: Dovecot, tap: Tap, fake: FakeServer, proxies: Proxies) -> str:
    return stored(Lab(dovecot, tap, fake, proxies), MAILS)


def _pieces(pick: random.Random, wire: Wire, uid: int) -> Iterator[tuple[Fetched, str, tuple[int, int] | None]]:
    """Random sections and ranges of one mail: the answer, the section, the range."""
    (told,) = all_fetched(wire.ok(b"UID FETCH %d (UID BODYSTRUCTURE RFC822.SIZE)" % uid))
    size = told.integer("RFC822.SIZE")
    sections = ["", "", "", "TEXT", "HEADER"]
    for part in parts(told.items["BODYSTRUCTURE"]):
        sections += [part.path, f"{part.path}.MIME"]
        if part.kind == "message":
            sections += [f"{part.path}.HEADER", f"{part.path}.TEXT"]
    for _ in range(12):
        section = pick.choice(sections)
        span = (pick.randrange(size + 20), pick.randrange(1, size + 20)) if pick.random() < 0.8 else None
        suffix = b"<%d.%d>" % span if span else b""
        (one,) = mails_of(
            wire.ok(b"UID FETCH %d BODY.PEEK[%s]%s" % (uid, section.encode(), suffix)), _named(section, span)
        )
        yield one, section, span


def _named(section: str, span: tuple[int, int] | None) -> str:
    return f"BODY[{section}]" + (f"<{span[0]}>" if span else "")


@pytest.mark.parametrize("processing", [BLOCKING, BY_DOCUMENT, CHANGED], ids=["mail", "document", "changed"])
def test_every_octet_belongs_to_the_processed_mail(lab: Lab, user: str, processing: Processing) -> None:
    """Random partitions into sections and ranges, asked first; the whole mail is asked last."""
    pick = random.Random(4)
    wire = entered(lab, user, processing)
    told: dict[int, list[tuple[str, tuple[int, int] | None, bytes]]] = {}
    for uid in range(1, len(MAILS) + 1):
        told[uid] = [
            (section, span, one.octets(_named(section, span))) for one, section, span in _pieces(pick, wire, uid)
        ]
    for uid, pieces in told.items():
        mail = body(wire.ok(b"UID FETCH %d BODY.PEEK[]" % uid))
        sections = sorted({section for section, _, _ in pieces if section})
        items = b" ".join(b"BODY.PEEK[%s]" % section.encode() for section in sections)
        (whole,) = all_fetched(wire.ok(b"UID FETCH %d (UID %s)" % (uid, items)))
        for section, span, octets in pieces:
            source = whole.octets(f"BODY[{section}]") if section else mail
            assert source in mail
            assert octets == (source[span[0] : sum(span)] if span else source), (uid, section, span)
            assert not traces(octets)


def test_partition_of_a_whole_mail(lab: Lab) -> None:
    """Ranges one behind the other, of any sizes, give the mail and its parts."""
    mail = clean(5, 50_000)
    wire = opened(lab, [mail])
    pick = random.Random(9)
    for section in (b"", b"TEXT", b"2"):
        at, got = 0, b""
        while True:
            size = pick.choice((1, 7, 1000, 4096, 65536))
            piece = body(
                wire.ok(b"UID FETCH 1 BODY.PEEK[%s]<%d.%d>" % (section, at, size)), f"BODY[{section.decode()}]<{at}>"
            )
            got += piece
            at += size
            if len(piece) < size:
                break
        assert got == body(wire.ok(b"UID FETCH 1 BODY.PEEK[%s]" % section), f"BODY[{section.decode()}]")
        assert got in mail


def test_seen_only_bodies(lab: Lab) -> None:
    """A denied mail is marked as read like any other."""
    wire = opened(lab, [carrier("zip")])
    wire.ok(b"FETCH 1 BODY[1]")
    (one,) = all_fetched(wire.ok(b"FETCH 1 FLAGS"))
    assert b"\\Seen" in one.flags
    assert not traces(seen(wire.ok(b"NOOP")))
