"""Rows T-C01 to T-C10 and T-L04, 08, 09, 11, 12, 13 where mail is processed: state, store, cost."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.carriers import carrier, clean, spam
from tests.e2e.imapanswers import all_fetched
from tests.e2e.lab import Lab
from tests.e2e.mailproxy import BLOCKING, Processing
from tests.e2e.mailrows import body, faced, is_replacement, mails_of, opened, plain, stored
from tests.e2e.mailserver import MailServer, Request
from tests.e2e.proxy import Proxy, children
from tests.e2e.wire import Wire

FETCHING = b"BODY.PEEK[]"


def fetches(lab: Lab) -> int:
    """How often a whole mail was asked of Dovecot in this test."""
    return lab.out().upper().count(FETCHING)


def descriptors(proxy: Proxy) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in children(proxy.pid))


def until(condition: object, timeout_s: float = 10.0) -> bool:
    """Wait for what a function tells."""
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(found)


def test_T_C01_select_fails(lab: Lab) -> None:
    wire = opened(lab, [plain(b"one")])
    wire.send(b"a SELECT nowhere\r\nb FETCH 1 BODY[]\r\nc UID FETCH 1 ENVELOPE\r\n")
    assert wire.answer(b"a").status == "NO"
    for tag in (b"b", b"c"):
        reply = wire.answer(tag)
        assert reply.status == "BAD", reply
        assert not all_fetched(reply)


def test_T_C02_two_commands_one_fetch(lab: Lab) -> None:
    mail = clean(2)
    wire = opened(lab, [mail])
    texts = (b"BODY.PEEK[1]", b"BODY.PEEK[2]", b"ENVELOPE", b"BODY.PEEK[]<5.10>", b"RFC822.SIZE", b"BODY.PEEK[]")
    wire.send(b"".join(b"p%d UID FETCH 1 %s\r\n" % (at, text) for at, text in enumerate(texts)))
    replies = [wire.answer(b"p%d" % at) for at in range(len(texts))]
    assert body(replies[-1]) == mail
    assert fetches(lab) == 1


def test_T_C03_expunged_mail(lab: Lab) -> None:
    mails = [plain(b"one"), plain(b"two")]
    wire = opened(lab, mails)
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == mails[0]
    wire.ok(b"UID STORE 1 +FLAGS.SILENT (\\Deleted)")
    wire.ok(b"EXPUNGE")
    assert not all_fetched(wire.command(b"UID FETCH 1 BODY.PEEK[]"))
    assert body(wire.ok(b"FETCH 1 BODY.PEEK[]")) == mails[1]


def test_T_C03_expunged_by_another_session(lab: Lab) -> None:
    user = stored(lab, [plain(b"one"), plain(b"two")])
    wire = lab.login(user, **BLOCKING.config())
    wire.ok(b"SELECT INBOX")
    wire.ok(b"UID FETCH 1:2 BODY.PEEK[]")
    direct = lab.direct(user)
    direct.ok(b"SELECT INBOX")
    direct.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    direct.ok(b"EXPUNGE")
    wire.ok(b"NOOP")
    assert not all_fetched(wire.command(b"UID FETCH 1 (UID BODY.PEEK[])"))


def test_T_C04_mailbox_made_anew(lab: Lab) -> None:
    user = lab.user()
    wire = lab.login(user, **BLOCKING.config())
    for text in (b"first", b"second"):
        stored(lab, [plain(text)], b"work", user)
        wire.ok(b"SELECT work")
        assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == plain(text)
        wire.ok(b"CLOSE")
        wire.ok(b"DELETE work")
        time.sleep(1.1)  # Dovecot's UIDVALIDITY is of the second.


def test_T_C05_renamed_mailbox(lab: Lab) -> None:
    user = stored(lab, [plain(b"old")], b"work")
    wire = lab.login(user, **BLOCKING.config())
    wire.ok(b"SELECT work")
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == plain(b"old")
    wire.ok(b"CLOSE")
    wire.ok(b"RENAME work archive")
    stored(lab, [plain(b"new")], b"work", user)
    for name, text in ((b"archive", b"old"), (b"work", b"new")):
        wire.ok(b"SELECT " + name)
        assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == plain(text)


def test_T_C06_two_accounts(lab: Lab) -> None:
    """Same mailbox, same UIDVALIDITY, same UID: never the other's mail."""
    server = MailServer()
    server.by_user = {b"joe": {1: plain(b"for joe")}, b"ann": {1: plain(b"for ann")}}
    for user in (b"joe", b"ann", b"joe"):
        wire = faced(lab, server, user=user)
        assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == plain(b"for " + user)
        wire.vanish()


@pytest.mark.parametrize("text", [b"UNAUTHENTICATE", b"PROXYAUTH ann", b"COMPRESS DEFLATE"])
def test_T_C07_change_of_user(lab: Lab, text: bytes) -> None:
    wire = opened(lab, [plain(b"one")])
    before = lab.out()
    assert wire.command(text).status in ("NO", "BAD")
    assert lab.out() == before


def test_T_C08_client_goes_in_the_midst(lab: Lab) -> None:
    """The server's leg is closed, no descriptor and no file stays."""

    def trick(request: Request) -> bytes | None:
        return b"* 1 FETCH (UID 1 BODY[] {9000000}\r\nSubject: begun\r\n" if request.wants_mail else None

    server = MailServer([plain(b"one")], trick)
    proxy = lab.before_fake(server, **BLOCKING.config())
    before = descriptors(proxy)
    for _ in range(5):
        wire = faced(lab, server)
        wire.send(b"a UID FETCH 1 BODY.PEEK[]\r\n")
        assert until(lambda: server.fetched)
        wire.vanish()
        server.requests.clear()
    lab.fake.finish(20)
    assert until(lambda: descriptors(proxy) <= before + 4), (before, descriptors(proxy))


def _restarted(lab: Lab, folder: Path, processing: Processing, user: str) -> tuple[Wire, int]:
    """A proxy of its own on this spool; a session of the user, and how many mails were asked for before."""
    config = replace(processing, spool=str(folder)).config()
    wire = lab.login(user, **config)
    wire.ok(b"SELECT INBOX")
    return wire, fetches(lab)


def test_T_C09_proxy_restart(lab: Lab, tmp_path: Path) -> None:
    """The same policy: no second fetch. Another policy: processed anew."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    mail = clean(9)
    user = stored(lab, [mail])
    wire, _ = _restarted(lab, folder, BLOCKING, user)
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == mail
    assert fetches(lab) == 1
    wire.close()
    lab.forget(**replace(BLOCKING, spool=str(folder)).config())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    assert modes <= {0o600}, modes
    wire, _ = _restarted(lab, folder, BLOCKING, user)
    assert body(wire.ok(b"UID FETCH 1 BODY.PEEK[]")) == mail
    assert fetches(lab) == 1
    wire.close()
    other = Processing(decide='mail-acl ALL { accept; subject-prefix "[X] "; } doc-acl ALL { accept; }')
    wire, before = _restarted(lab, folder, other, user)
    assert b"Subject: [X] clean 9" in body(wire.ok(b"UID FETCH 1 BODY.PEEK[]"))
    assert fetches(lab) == before + 1


def test_T_C10_examine_stores_nothing(lab: Lab) -> None:
    wire = opened(lab, [plain(b"one")], verb=b"EXAMINE")
    wire.ok(b"FETCH 1 BODY[]")
    wire.ok(b"UID FETCH 1 (BODY[TEXT] RFC822)")
    (one,) = all_fetched(wire.ok(b"FETCH 1 FLAGS"))
    assert b"\\Seen" not in one.flags
    assert b"STORE" not in lab.out()


def test_T_C10_read_only_stores_nothing(lab: Lab) -> None:
    wire = opened(lab, [plain(b"one")], replace(BLOCKING, command="read-only;"))
    wire.ok(b"FETCH 1 BODY[]")
    assert b"STORE" not in lab.out()


# cost


QUICK = "client-conn { recv-timeout 2; }"


@pytest.mark.parametrize("plus", [b"", b"+"])
def test_T_L04_silence_in_a_literal(lab: Lab, plus: bytes) -> None:
    processing = replace(BLOCKING, proxy=QUICK)
    wire = lab.login(**processing.config())
    proxy = lab.proxy(**processing.config())
    before = lab.out()
    descriptors_before = descriptors(proxy)
    wire.send(b"a APPEND INBOX {1000000%s}\r\n" % plus)
    if not plus:
        assert wire.unit().startswith(b"+")
    wire.send(b"Subject: x\r\n")
    data = wire.rest(15)
    assert b"a OK" not in data
    assert b"APPEND" not in lab.out()[len(before) :]
    assert until(lambda: descriptors(proxy) < descriptors_before)


def test_T_L08_spool_is_full(lab: Lab) -> None:
    """Each upload is below its limit; together they are above that of the spool."""
    processing = replace(BLOCKING, proxy="spool-max 3M;")
    wires = [lab.login(**processing.config()) for _ in range(6)]
    for wire in wires:
        wire.send(b"a APPEND INBOX {600000+}\r\nSubject: x\r\n\r\n" + b"x" * 500_000)
    time.sleep(0.3)
    # The rest arrives in parts, so that all are there at once.
    ends = []
    for wire in wires:
        wire.flood(b"x" * (600_000 - 500_000 - 14) + b"\r\n")
        ends.append(wire.answer(b"a", 15).tagged)
    assert any(end.startswith(b"NO [LIMIT]") for end in ends), ends
    assert any(end.startswith(b"OK") for end in ends), ends
    assert wires[0].append(b"INBOX", plain(b"later")).status == "OK"


@pytest.mark.parametrize("mark", [b"{0}", b"{0+}"])
def test_T_L09_zero_literal(lab: Lab, mark: bytes) -> None:
    wire = lab.login(**BLOCKING.config())
    wire.send(b"a APPEND INBOX " + mark + b"\r\n")
    if b"+" not in mark and (unit := wire.unit()).startswith(b"a "):
        assert unit.startswith(b"a NO"), unit
        return
    wire.send(b"\r\n")
    assert wire.answer(b"a").status == "NO"
    wire.ok(b"NOOP")


def test_T_L11_fetch_repeated(lab: Lab) -> None:
    mail = plain(b"once")
    wire = opened(lab, [mail])
    count = 2000
    size = len(mail)
    wire.send(b"".join(b"r%d UID FETCH 1 BODY.PEEK[]\r\n" % at for at in range(count)))
    for at in range(count):
        reply = wire.answer(b"r%d" % at, 60)
        assert reply.status == "OK"
    assert len(body(reply)) == size
    assert fetches(lab) == 1
    assert len(lab.log(r"IMAP-760", 1, **BLOCKING.config())) == 1


def test_T_L12_partial_storm(lab: Lab) -> None:
    mail = clean(1, 3_000_000)
    wire = opened(lab, [mail])
    spans = [(at, 64 + at % 7) for at in range(0, len(mail) + 100_000, 6151)]
    got = {}
    window = 50
    for start in range(0, len(spans), window):
        part = spans[start : start + window]
        wire.send(b"".join(b"s%d UID FETCH 1 BODY.PEEK[]<%d.%d>\r\n" % (at, at, size) for at, size in part))
        for at, _ in part:
            got[at] = body(wire.answer(b"s%d" % at, 60), f"BODY[]<{at}>")
    assert got == {at: mail[at : at + size] for at, size in spans}
    assert fetches(lab) == 1


def test_T_L13_structure_storm(lab: Lab) -> None:
    """All mails at once; then a client that goes in the midst: the work ends with it."""
    mails = [clean(at) for at in range(150)]
    user = stored(lab, mails)
    wire = lab.login(user, **BLOCKING.config())
    wire.ok(b"SELECT INBOX")
    wire.send(b"a FETCH 1:* (UID BODYSTRUCTURE)\r\n")
    wire.take(200, 20)
    wire.vanish()
    time.sleep(0.5)
    before = fetches(lab)
    time.sleep(0.7)
    assert fetches(lab) <= before + 1
    wire = lab.login(user, **BLOCKING.config())
    wire.ok(b"SELECT INBOX")
    reply = wire.ok(b"FETCH 1:* (UID BODYSTRUCTURE)", 60)
    assert [one.uid for one in mails_of(reply, "BODYSTRUCTURE")] == list(range(1, 151))


def test_verdicts_outlive_bodies(lab: Lab) -> None:
    """The same mail in another mailbox, and moved: the same octets, though its UID is another."""
    wire = opened(lab, [spam(), carrier("zip")])
    first = [one.octets("BODY[]") for one in mails_of(wire.command(b"FETCH 1:2 BODY.PEEK[]"))]
    wire.ok(b"CREATE other")
    wire.ok(b"COPY 1:2 other")
    wire.ok(b"SELECT other")
    again = [one.octets("BODY[]") for one in mails_of(wire.command(b"FETCH 1:2 BODY.PEEK[]"))]
    assert again[0] == first[0]
    assert is_replacement(again[1], carrier("zip"))
