"""VANISHED while FETCH is under way (RFC 7162), and answers of the server that come in pieces."""

from __future__ import annotations

import pytest

from imap4fast.session import listing
from tests.play.conftest import Make, Perform
from tests.play.stage import processing
from tests.play.test_download import DONE, IN, selected

DATE = 'INTERNALDATE " 1-Jan-2026 00:00:00 +0000"'


def body(stage_number: int, uid: int, octets: str = "A: b␍␊␍␊c") -> str:
    return f"* {stage_number} FETCH (UID {uid} BODY[] {{9}}\r\nA: b\r\n\r\nc)\r\n"


class TestVanished:
    def test_earlier_comes_before_the_mails(self, in_turns: Perform) -> None:
        """RFC 7162 section 3.2.6: it changes no number, and clients want it first."""
        in_turns(
            f"""
            {IN}
            C| a UID FETCH 1:* (FLAGS BODY.PEEK[TEXT]) (CHANGEDSINCE 7 VANISHED)
            P> own-3 UID FETCH 1:* (UID INTERNALDATE FLAGS) (CHANGEDSINCE 7 VANISHED)
            S: * VANISHED (EARLIER) 1:3,9
            S| * 2 FETCH (UID 5 MODSEQ (8) FLAGS () {DATE})
            S| own-3 OK done
            P> own-4 UID FETCH 5 (UID BODY.PEEK[])
            S: * VANISHED (EARLIER) 10
            S| * 2 FETCH (UID 5 BODY[] {{9}}
            S| A: b␍␊␍␊c¬
            S| )
            S| own-4 OK done
            P: * 2 FETCH (UID 5 MODSEQ (8) FLAGS () BODY[TEXT] {{1}}
            P: c)
            P: a OK {DONE}
            """,
            processing(),
        )

    def test_numbers_behind_it_are_told_behind_it(self, make: Make) -> None:
        """Of three mails the second goes while the server lists them: the third one is number 2 from then on."""
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* (RFC822.SIZE)")
        stage.server_says(f"* 1 FETCH (UID 4 {DATE})")
        assert stage.server_says("* VANISHED 5") == (b"", b"")
        assert stage.server_says("* 2 FETCH (UID 6 FLAGS (\\Seen))") == (b"", b"")
        assert stage.server_says("* 3 EXISTS") == (b"", b"")
        stage.server_says(f"* 2 FETCH (UID 6 {DATE})")
        stage.server_says("own-3 OK done")
        stage.relay.server_data(body(1, 4).encode())
        first, asked = stage.server_says("own-4 OK done")
        assert asked == b"own-5 UID FETCH 6 (UID BODY.PEEK[])\r\n"
        stage.relay.server_data(body(2, 6).encode())
        second, _ = stage.server_says("own-5 OK done")
        assert first + second == (
            b"* 1 FETCH (UID 4 RFC822.SIZE 9)\r\n* VANISHED 5\r\n* 2 FETCH (UID 6 FLAGS (\\Seen))\r\n* 3 EXISTS\r\n"
            b"* 2 FETCH (UID 6 RFC822.SIZE 9)\r\na OK %b\r\n" % DONE.encode()
        )
        assert stage.client_says("b FETCH 2 (FLAGS)")[1] == b"own-6 FETCH 2 (FLAGS)\r\n"

    def test_a_number_from_before_is_not_used_again(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* (BODY.PEEK[TEXT])")
        stage.server_says(f"* 3 FETCH (UID 6 {DATE})")
        stage.server_says("* VANISHED 5")
        stage.server_says("own-3 OK done")
        stage.relay.server_data(body(2, 6).encode())
        heard, _ = stage.server_says("own-4 OK done")
        assert heard.startswith(b"* 3 FETCH (UID 6 BODY[TEXT] {1}\r\nc)\r\n* VANISHED 5\r\na OK ")
        _, asked = stage.client_says("b UID FETCH 6 (BODY.PEEK[TEXT])")
        assert asked == b"own-5 UID FETCH 6 (UID INTERNALDATE)\r\n"

    def test_a_mail_that_has_gone_is_left_out(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* (RFC822.SIZE)")
        stage.server_says(f"* 1 FETCH (UID 4 {DATE})")
        stage.server_says("* VANISHED 4")
        stage.server_says("own-3 OK done")
        heard, _ = stage.server_says("own-4 OK done")
        assert heard == b"* VANISHED 4\r\na OK %b\r\n" % DONE.encode()

    def test_what_is_said_of_a_mail_behind_it_is_not_lost(self, make: Make) -> None:
        """All mails are listed: it is told at the end, and so are the flags of a mail whose number it has changed."""
        stage = selected(make)
        stage.client_says("a UID FETCH 4 (RFC822.SIZE)")
        stage.server_says(f"* 1 FETCH (UID 4 {DATE})")
        stage.server_says("own-3 OK done")
        assert stage.server_says("* VANISHED 5") == (b"", b"")
        assert stage.server_says("* 2 FETCH (UID 6 FLAGS (\\Seen))") == (b"", b"")
        stage.relay.server_data(body(1, 4).encode())
        heard, _ = stage.server_says("own-4 OK done")
        assert heard == (
            b"* 1 FETCH (UID 4 RFC822.SIZE 9)\r\n* VANISHED 5\r\n* 2 FETCH (UID 6 FLAGS (\\Seen))\r\na OK %b\r\n"
            % DONE.encode()
        )

    def test_the_server_refuses_behind_it(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 4 (RFC822.SIZE)")
        stage.server_says("* VANISHED 5")
        assert stage.server_says("own-3 NO no")[0] == b"* VANISHED 5\r\na NO no\r\n"

    def test_fetch_by_number_cannot_go_on(self, make: Make) -> None:
        """A server must not say it then; what it names behind it has numbers that nobody can tell."""
        stage = selected(make)
        stage.client_says("a FETCH 1:3 (RFC822.SIZE)")
        stage.server_says(f"* 1 FETCH (UID 4 {DATE})")
        stage.server_says("* VANISHED 5")
        stage.server_says(f"* 2 FETCH (UID 6 {DATE})")
        stage.server_says("own-3 OK done")
        stage.relay.server_data(body(1, 4).encode())
        heard, _ = stage.server_says("own-4 OK done")
        assert heard.startswith(b"* 1 FETCH (RFC822.SIZE 9)\r\na NO [UNAVAILABLE] ")
        assert stage.client_says("b NOOP")[0].startswith(b"* VANISHED 5\r\n* 2 FETCH (UID 6")

    def test_new_mails_are_counted_behind_it(self, make: Make) -> None:
        """From three mails on: VANISHED leaves two, EXPUNGE one, then three are new. A server must not say both."""
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* (RFC822.SIZE)")
        stage.server_says("* VANISHED 5")
        stage.server_says("* 1 EXPUNGE")
        assert stage.server_says("* 4 EXISTS") == (b"", b"")
        assert stage.server_says("own-3 OK done")[0] == (
            b"* VANISHED 5\r\n* 5 EXISTS\r\n* 1 EXPUNGE\r\na OK %b\r\n" % DONE.encode()
        )

    def test_what_is_told_between_is_bounded(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "MOST_BETWEEN", 1000)
        stage = selected(make)
        stage.client_says("a UID FETCH 1:* (RFC822.SIZE)")
        stage.server_says("* VANISHED 5")
        for _ in range(20):
            stage.server_says("* 2 FETCH (FLAGS (\\Seen))")
        assert stage.is_closed


class TestPieces:
    @pytest.mark.parametrize(
        "said",
        [
            ("UID 5 FLAGS ()", f"UID 5 {DATE} MODSEQ (3)"),
            ("UID 5", "UID 5 MODSEQ (3)", f"FLAGS () {DATE}"),
            ("FLAGS ()", f"{DATE} MODSEQ (3)", "UID 5"),
            ("UID 5 FLAGS () MODSEQ (3)", f"UID 5 {DATE}"),
        ],
    )
    def test_items_spread_over_responses(self, make: Make, said: tuple[str, ...]) -> None:
        """RFC 9051 section 7.5.2: each response has some of them."""
        stage = selected(make)
        stage.client_says("a FETCH 2 (FLAGS MODSEQ BODY.PEEK[TEXT])")
        stage.server_says(f"* 1 FETCH (UID 4 {DATE} FLAGS () MODSEQ (2))")
        for items in said:
            stage.server_says(f"* 2 FETCH ({items})")
        stage.client.taken()
        stage.server_says("own-3 OK done")
        stage.relay.server_data(body(1, 4).encode())
        _, asked = stage.server_says("own-4 OK done")
        assert asked == b"own-5 UID FETCH 5 (UID BODY.PEEK[])\r\n"
        stage.relay.server_data(body(2, 5).encode())
        heard, _ = stage.server_says("own-5 OK done")
        shown = (b"FLAGS () MODSEQ (3)", b"MODSEQ (3) FLAGS ()")
        assert heard in [b"* 2 FETCH (%b BODY[TEXT] {1}\r\nc)\r\na OK %b\r\n" % (each, DONE.encode()) for each in shown]
        assert [work.date for work in stage.post.worked] == [" 1-Jan-2026 00:00:00 +0000"] * 2

    def test_pieces_of_two_mails_are_not_joined(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a FETCH 2:3 (FLAGS BODY.PEEK[TEXT])")
        stage.server_says("* 2 FETCH (FLAGS (\\Seen))")
        stage.server_says("* 1 EXPUNGE")
        stage.server_says("* 2 FETCH (UID 6)")
        assert stage.server_says("own-3 OK done") == (b"a OK " + DONE.encode() + b"\r\n", b"")

    def test_the_proxys_own_items_are_not_shown(self, make: Make) -> None:
        """A date that only the proxy has asked for."""
        stage = selected(make)
        stage.client_says("a UID FETCH 5 (FLAGS BODY.PEEK[TEXT])")
        assert stage.server_says("* 2 FETCH (UID 5 FLAGS ())") == (b"", b"")
        assert stage.server_says(f"* 2 FETCH (UID 5 {DATE})") == (b"", b"")
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {5}\r\nVIRUS)\r\n")
        stage.server_says("own-4 OK done")
        assert stage.post.worked[0].date == " 1-Jan-2026 00:00:00 +0000"
