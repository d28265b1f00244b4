"""What hostile ends try where mails are processed: hangs, wrong mails, memory without bounds."""

from __future__ import annotations

import gc
import time

import pytest

from imap4fast.imap.replies import ENGLISH, Reply
from imap4fast.session import download, listing, printing
from imap4fast.session import processing as processings
from tests.clock import SLOWER
from tests.play.conftest import Make
from tests.play.post import Kept
from tests.play.stage import Stage
from tests.play.test_download import fetch, selected

DONE = ENGLISH[Reply.DONE]
DATE = 'INTERNALDATE " 1-Jan-2026 00:00:00 +0000"'


def holding(make: Make, **items: object) -> Stage:
    """EXPUNGE of the first mail is held back, the client has not heard of it."""
    stage = selected(make, **items)
    stage.client_says("a FETCH 2 BODY.PEEK[]")
    stage.server_says(f"* 2 FETCH (UID 5 {DATE})")
    stage.server_says("own-3 OK done")
    assert stage.server_says("* 1 EXPUNGE") == (b"", b"")
    stage.server_says('* 1 FETCH (UID 5 BODY[] "x")')
    assert stage.server_says("own-4 OK done")[0].endswith(b"a OK " + DONE.encode() + b"\r\n")
    return stage


def fetch_slowly(stage: Stage, items: str, octets: bytes) -> None:
    """One FETCH of one mail where each step takes a turn of the loop."""
    stage.client_says(f"a UID FETCH 5 {items}")
    stage.server_says(f"* 5 FETCH (UID 5 {DATE})")
    stage.server_says("own-3 OK done")
    stage.post.settle()
    stage.relay.server_data(b"* 5 FETCH (UID 5 BODY[] {%d}\r\n%b)\r\n" % (len(octets), octets))
    stage.relay.server_data(b"own-4 OK done\r\n")
    stage.post.settle()


class TestChoke:
    def test_a_mail_that_is_not_used_frees_the_server(self, make: Make) -> None:
        stage = selected(make)
        stage.post.choking = True
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says(f"* 2 FETCH (UID 5 {DATE})")
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 3 FETCH (BODY[] {5}\r\nhello UID 6)\r\n")
        assert stage.post.received[0].dropped
        assert stage.server.reading

    def test_a_refused_one(self, make: Make) -> None:
        stage = selected(make)
        stage.post.choking = True
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says(f"* 2 FETCH (UID 5 {DATE})")
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {5}\r\nhello)\r\nown-4 NO\r\n")
        assert stage.post.received[0].dropped
        assert stage.server.reading


class TestHeldBack:
    @pytest.mark.parametrize("size", ["5", "5+"])
    def test_replace_never_hits_another_mail(self, make: Make, size: str) -> None:
        stage = holding(make)
        to_client, _ = stage.client_says(f"b REPLACE 2 Drafts {{{size}}}")
        if size == "5+":
            stage.client_says("hello")
        assert b"* 1 EXPUNGE\r\n" in to_client
        assert b"\r\nb NO [EXPUNGEISSUED] " in to_client
        assert stage.client_says("c NOOP")[1].endswith(b" NOOP\r\n")

    def test_uid_replace_goes_on(self, make: Make) -> None:
        stage = holding(make)
        to_client, _ = stage.client_says("b UID REPLACE 5 Drafts {5}")
        assert to_client == b"* 1 EXPUNGE\r\n+ OK\r\n"
        _, to_server = stage.client_says("hello")
        assert to_server.endswith(b" UID REPLACE 5 Drafts {5}\r\n")

    def test_nothing_is_told_between_commands(self, make: Make) -> None:
        """RFC 9051 section 7.5.1: no EXPUNGE where no command is in progress, as where a mail is fetched ahead."""
        stage = selected(make, prefetch=1)
        stage.server_says("* OK [UIDNEXT 9] next")
        stage.server_says("* 4 EXISTS")
        stage.wait(2.0)
        assert stage.server.taken().endswith(b" UID FETCH 9:* (UID INTERNALDATE)\r\n")
        stage.server_says(f"* 4 FETCH (UID 9 {DATE})")
        stage.server_says("own-3 OK done")
        assert stage.server_says("* 1 EXPUNGE") == (b"", b"")
        stage.server_says('* 3 FETCH (UID 9 BODY[] "x")')
        assert stage.server_says("own-4 OK done") == (b"", b"")
        assert stage.client_says("a FETCH 4 FLAGS")[1].endswith(b" FETCH 3 FLAGS\r\n")

    def test_octets_are_bounded(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processings, "MOST_HELD_OCTETS", 1000)
        stage = selected(make)
        stage.client_says("a FETCH 5 (BODY.PEEK[])")
        for _ in range(3):
            stage.server_says("* VANISHED " + ",".join(str(uid) for uid in range(1000, 1100)))
        assert stage.is_closed


class TestMemory:
    def test_rows(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "MOST_LISTED", 1000)
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* (FLAGS BODY.PEEK[])")
        for uid in range(1, 5):
            stage.server_says(f"* {uid} FETCH (UID {uid} FLAGS ({'x' * 400}) {DATE})")
        assert stage.is_closed

    def test_headers(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """Headers above the bound are not kept: their mails are fetched, as in strict mode."""
        monkeypatch.setattr(download, "MOST_HEADERS", 60)
        stage = selected(make, mail_view="headers-first")
        stage.client_says("a UID FETCH 1:* (ENVELOPE)")
        for uid in range(1, 3):
            stage.relay.server_data(
                b"* %d FETCH (UID %d %b RFC822.SIZE 99 BODY[HEADER] {22}\r\nSubject: hello yes\r\n\r\n)\r\n"
                % (uid, uid, DATE.encode())
            )
        to_client, to_server = stage.server_says("own-3 OK done")
        assert to_client.startswith(b"* 1 FETCH (UID 1 ENVELOPE ")
        assert to_server == b"own-4 UID FETCH 2 (UID BODY.PEEK[])\r\n"

    def test_decoded_parts(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(printing, "MOST_MADE", 100)
        stage = selected(make)
        items = " ".join(["BINARY.PEEK[1]"] * 5)
        got = fetch(stage, f"UID FETCH 5 ({items})", 5, b"Subject: a\r\n\r\n" + b"x" * 40)
        assert got.startswith(b"a NO [UNAVAILABLE] ")

    def test_decoded_parts_that_come_late(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(printing, "MOST_MADE", 100)
        stage = selected(make)
        stage.post.slow = True
        items = " ".join(["BINARY.PEEK[1]"] * 5)
        fetch_slowly(stage, f"({items})", b"Subject: a\r\n\r\n" + b"x" * 40)
        assert stage.client.taken().startswith(b"a NO [UNAVAILABLE] ")

    def test_mails_that_were_answered(self, make: Make) -> None:
        """A FETCH of many mails holds but those that are worked on, and the few at hand."""
        stage = selected(make)
        stage.client_says("a UID FETCH 1:30 (BODY.PEEK[])")
        for uid in range(1, 31):
            stage.server_says(f"* {uid} FETCH (UID {uid} {DATE})")
        stage.server_says("own-3 OK done")
        for uid in range(1, 30):
            stage.relay.server_data(b"* %d FETCH (UID %d BODY[] {5}\r\nhello)\r\n" % (uid, uid))
            stage.server_says(f"own-{uid + 3} OK done")
            stage.post.store.clear()
        kept = [thing for thing in gc.get_objects() if isinstance(thing, Kept) and thing._post is stage.post]
        assert len(kept) <= 6


class TestSpelling:
    def test_marks_never_reach_the_client(self, make: Make) -> None:
        stage = selected(make)
        stage.relay.server_data(b"* 2 FETCH (X-GM-LABELS ({1}\r\na b {1}\r\nc))\r\n")
        assert b"{-}" not in stage.client.taken()

    @pytest.mark.parametrize("numbers", ["abc", "1:x", "0", "1,,2", "5)", "*:*,1", "$", "$,1", "99999999999", "1:"])
    def test_sets(self, make: Make, numbers: str) -> None:
        stage = holding(make)
        stage.client_says(f"b FETCH {numbers} BODY.PEEK[]")
        assert stage.session.result == "OK"


class TestTime:
    def test_many_literals_in_one_response(self, make: Make) -> None:
        """What is done for each must not depend on all that came before."""
        stage = selected(make)
        begun = time.process_time()
        stage.relay.server_data(b"* 2 FETCH (UID 5 X-GM-LABELS ({0}\r\n" + b" {0}\r\n" * 200_000 + b"))\r\n")
        assert time.process_time() - begun < 3 * SLOWER
        assert not stage.is_closed

    def test_many_lists_in_one_response(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* BODY.PEEK[]")
        begun = time.process_time()
        stage.relay.server_data(b"* 2 FETCH (UID 5 FLAGS (" + b"()" * 400_000 + b"))\r\n")
        assert time.process_time() - begun < 1.5 * SLOWER
        assert not stage.is_closed


class TestNames:
    def test_one_name_in_two_encodings_is_two_mailboxes(self, make: Make) -> None:
        """RFC 9755: `&AOk-` is "é" before ENABLE UTF8=ACCEPT, and itself behind it."""
        stage = selected(make)
        names = []
        for enabled in (False, True):
            stage.relay.utf8 = enabled
            tag = stage.client_says("a EXAMINE &AOk-")[1].split()[0].decode()
            stage.server_says("* OK [UIDVALIDITY 77] ok")
            stage.server_says(f"{tag} OK done")
            assert stage.session.processing is not None
            assert stage.session.processing.box is not None
            names.append(stage.session.processing.box.name)
        assert names == [b"&AOk-", b"&-AOk-"]
