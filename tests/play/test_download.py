"""FETCH where mails are processed: what the server is asked, what the client gets, in which order."""

# ruff: noqa: N802 (tests bear the names of the rows)

from __future__ import annotations

import pytest

from imap4fast.imap.replies import ENGLISH, Reply
from imap4fast.session.processing import MOST_HELD
from tests.play.conftest import Make, Perform
from tests.play.post import REPLACEMENT
from tests.play.stage import Stage, processing

DONE = ENGLISH[Reply.DONE]
IN = """
    S: * OK ready
    C| z LOGIN jana zq8-Correct-Horse
    P> own-1 LOGIN jana zq8-Correct-Horse
    S| own-1 OK in
    P: z OK in
    C| y SELECT INBOX
    P> own-2 SELECT INBOX
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 77] ok
    S| own-2 OK [READ-WRITE] selected
    P: y OK [READ-WRITE] selected
    """
MAIL = "Subject: hello␍␊␍␊Good day.␍␊"
"""29 octets."""


def selected(make: Make, **items: object) -> Stage:
    stage = make(processing(**items))
    stage.play(IN)
    return stage


def literal(octets: bytes) -> str:
    return octets.decode().replace("\r\n", "␍␊")


class TestOneMail:
    def test_fetched_whole_and_answered_from_what_came_of_it(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a UID FETCH 5 (BODY.PEEK[])
            P> own-3 UID FETCH 5 (UID INTERNALDATE)
            S| * 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")
            S| own-3 OK done
            P> own-4 UID FETCH 5 (UID BODY.PEEK[])
            S| * 2 FETCH (UID 5 BODY[] {{29}}
            S| {MAIL[:14]}¬
            S| {MAIL[14:]}¬
            S| )
            S| own-4 OK done
            P: * 2 FETCH (UID 5 BODY[] {{29}}
            P: {MAIL}¬
            P: )
            P: a OK {DONE}
            """,
            processing(),
        )

    def test_infected(self, in_turns: Perform) -> None:
        stage = in_turns(
            f"""
            {IN}
            C| a FETCH 2 (UID FLAGS RFC822.SIZE BODY.PEEK[TEXT]<0.4>)
            P> own-3 FETCH 2 (UID INTERNALDATE FLAGS)
            S| * 2 FETCH (FLAGS (\\Recent) UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")
            S| own-3 OK done
            P> own-4 UID FETCH 5 (UID BODY.PEEK[])
            S| * 2 FETCH (UID 5 BODY[] {{5}}
            S| VIRUS)
            S| own-4 OK done
            P: * 2 FETCH (FLAGS (\\Recent) UID 5 RFC822.SIZE {len(REPLACEMENT)} BODY[TEXT]<0> {{4}}
            P: This)
            P: a OK {DONE}
            """,
            processing(),
        )
        assert stage.post.worked[0].date == " 1-Jan-2026 00:00:00 +0000"

    def test_again_from_what_is_at_hand(self, make: Make) -> None:
        stage = selected(make)
        fetch(stage, "UID FETCH 5 (BODY.PEEK[])", 5, b"Subject: a\r\n\r\nbody\r\n")
        to_client, to_server = stage.client_says("b UID FETCH 5 (UID BODY.PEEK[TEXT]<1.2>)")
        assert to_server == b""
        assert to_client == b"* 5 FETCH (UID 5 BODY[TEXT]<1> {2}\r\nod)\r\nb OK " + DONE.encode() + b"\r\n"

    def test_not_at_hand_once_an_expunge_was_heard(self, make: Make) -> None:
        stage = selected(make)
        fetch(stage, "UID FETCH 5 (BODY.PEEK[])", 5, b"Subject: a\r\n\r\nbody\r\n")
        assert stage.server_says("* 1 EXPUNGE") == (b"* 1 EXPUNGE\r\n", b"")
        _, to_server = stage.client_says("b UID FETCH 5 (UID BODY.PEEK[TEXT]<1.2>)")
        assert to_server == b"own-5 UID FETCH 5 (UID INTERNALDATE)\r\n"

    def test_seen(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a FETCH 2 BODY[TEXT]
            P> own-3 FETCH 2 (UID INTERNALDATE FLAGS)
            S| * 2 FETCH (FLAGS () UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")
            S| own-3 OK done
            P> own-4 UID FETCH 5 (UID BODY.PEEK[])
            S| * 2 FETCH (UID 5 BODY[] {{29}}
            S| {MAIL})
            S| own-4 OK done
            P: * 2 FETCH (BODY[TEXT] {{11}}
            P: Good day.
            P: )
            P> own-5 UID STORE 5 +FLAGS (\\Seen)
            S| * 2 FETCH (FLAGS (\\Seen) UID 5)
            P: * 2 FETCH (FLAGS (\\Seen) UID 5)
            S| own-5 OK done
            P: a OK {DONE}
            """,
            processing(),
        )

    @pytest.mark.parametrize(
        "what", ["* 2 FETCH (UID 5)", "* 2 FETCH (UID 5 BODY[] NIL)", '* 3 FETCH (UID 6 BODY[] "x")']
    )
    def test_T_R06_the_server_does_not_give_it(self, make: Make, what: str) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        assert stage.server_says(what)[0] == b""
        to_client, _ = stage.server_says("own-4 OK done")
        assert to_client.startswith(b"a NO [UNAVAILABLE] ")


def fetch(stage: Stage, command: str, uid: int, octets: bytes) -> bytes:
    """One FETCH of one mail that is number `uid`, to its end; what the client got."""
    stage.client.taken()
    _, asked = stage.client_says(f"a {command}")
    tag = asked.split(b" ")[0].decode()
    stage.server_says(f'* {uid} FETCH (UID {uid} INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
    _, asked = stage.server_says(f"{tag} OK done")
    assert asked.endswith(b" UID FETCH %d (UID BODY.PEEK[])\r\n" % uid)
    tag = asked.split(b" ")[0].decode()
    stage.relay.server_data(b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, uid, len(octets), octets))
    to_client, _ = stage.server_says(f"{tag} OK done")
    return to_client


class TestRows:
    def test_T_R01_unrequested_content(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C| a NOOP
            P> own-3 NOOP
            S| * 2 FETCH (UID 9 BODY[] {{5}}
            S| VIRUS FLAGS (\\Seen))
            P: * 2 FETCH (UID 9 FLAGS (\\Seen))
            S| * 2 FETCH (ENVELOPE NIL)
            S| * 3 FETCH (RFC822.SIZE 12)
            S: * 3 FETCH (FLAGS (\\Seen) MODSEQ (12))
            S| own-3 OK done
            P: a OK done
            """,
            processing(),
        )

    def test_T_R02_another_mail_than_asked(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 3 FETCH (UID 6 BODY[] {5}\r\nVIRUS)\r\n")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        assert stage.client.taken() == b""
        to_client, _ = stage.server_says("own-4 OK done")
        assert to_client.startswith(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\na OK")
        assert stage.post.received[0].dropped

    def test_T_R03_two_replies(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {5}\r\nVIRUS)\r\n")
        to_client, _ = stage.server_says("own-4 OK done")
        assert to_client.startswith(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\na OK")

    def test_T_R19_expunge_during_our_own_fetch(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a FETCH 1:2 (BODY.PEEK[TEXT])")
        stage.server_says('* 1 FETCH (UID 4 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        assert stage.server_says("* 1 EXPUNGE") == (b"", b"")
        _, asked = stage.server_says("own-4 OK done")
        assert asked == b"own-5 UID FETCH 5 (UID BODY.PEEK[])\r\n"
        stage.relay.server_data(b"* 1 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        to_client, _ = stage.server_says("own-5 OK done")
        assert to_client == b"* 2 FETCH (BODY[TEXT] {1}\r\nc)\r\na OK " + DONE.encode() + b"\r\n"
        # the client has not heard of it: its numbers are the old ones
        _, asked = stage.client_says("b FETCH 2:3 (FLAGS)")
        assert asked == b"own-6 FETCH 1:2 (FLAGS)\r\n"
        assert stage.server_says("* 1 FETCH (FLAGS ())")[0] == b"* 2 FETCH (FLAGS ())\r\n"
        stage.server_says("own-6 OK done")
        to_client, asked = stage.client_says("c STORE 2 +FLAGS (\\Deleted)")
        assert (to_client[:22], asked) == (b"c NO [EXPUNGEISSUED] m", b"")
        to_client, asked = stage.client_says("d NOOP")
        assert (to_client, asked) == (b"* 1 EXPUNGE\r\n", b"own-7 NOOP\r\n")
        stage.server_says("own-7 OK done")
        assert stage.client_says("e FETCH 2 (FLAGS)")[1] == b"own-8 FETCH 2 (FLAGS)\r\n"

    def test_T_R18_other_uidvalidity(self, make: Make) -> None:
        stage = selected(make)
        fetch(stage, "UID FETCH 5 (BODY.PEEK[])", 5, b"Subject: a\r\n\r\nbody\r\n")
        stage.server_says("* OK [UIDVALIDITY 99] other")
        _, asked = stage.client_says("b UID FETCH 5 (UID BODY.PEEK[TEXT]<1.2>)")
        assert asked == b"own-5 UID FETCH 5 (UID INTERNALDATE)\r\n"

    def test_T_C10_examine_sets_no_flag(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("b EXAMINE INBOX")
        stage.server_says("own-3 OK [READ-ONLY] done")
        stage.client_says("a UID FETCH 5 (FLAGS BODY[TEXT])")
        stage.server_says('* 2 FETCH (UID 5 FLAGS () INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        _, asked = stage.server_says("own-4 OK done")
        assert asked == b"own-5 UID FETCH 5 (UID BODY.PEEK[])\r\n"
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        to_client, asked = stage.server_says("own-5 OK done")
        assert (to_client, asked) == (
            b"* 2 FETCH (UID 5 FLAGS () BODY[TEXT] {1}\r\nc)\r\na OK " + DONE.encode() + b"\r\n",
            b"",
        )


class TestWaiting:
    def test_what_the_client_says_meanwhile_waits(self, make: Make) -> None:
        stage = selected(make)
        stage.post.slow = True
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        assert stage.client_says("b NOOP") == (b"", b"")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.post.turn()
        assert stage.server.taken() == b"own-4 UID FETCH 5 (UID BODY.PEEK[])\r\n"
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        assert stage.server_says("own-4 OK done") == (b"", b"")
        assert stage.server_says("* 4 EXISTS") == (b"* 4 EXISTS\r\n", b"")
        stage.wait(11)
        assert stage.client.taken() == b"* OK " + ENGLISH[Reply.WORKING].encode() + b"\r\n"
        stage.post.settle()
        assert stage.client.taken() == b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\na OK %b\r\n" % DONE.encode()
        assert stage.server.taken() == b"own-5 NOOP\r\n"

    def test_the_answer_to_idle_sets_no_other_command_free(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a IDLE")
        stage.server_says("+ idling")
        _, asked = stage.client_says("DONE\r\nb FETCH 1 (BODY.PEEK[])\r\nc FETCH 2 (FLAGS)")
        assert asked == b"DONE\r\nown-4 FETCH 1 (UID INTERNALDATE)\r\n"
        assert stage.server_says("own-3 OK idled") == (b"a OK idled\r\n", b"")
        stage.server_says('* 1 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        assert stage.server_says("own-4 OK done")[1] == b"own-5 UID FETCH 5 (UID BODY.PEEK[])\r\n"
        stage.relay.server_data(b"* 1 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        to_client, asked = stage.server_says("own-5 OK done")
        assert to_client == b"* 1 FETCH (BODY[] {9}\r\nA: b\r\n\r\nc)\r\nb OK %b\r\n" % DONE.encode()
        assert asked == b"own-6 FETCH 2 (FLAGS)\r\n"

    def test_nothing_stands_inside_an_answer(self, make: Make) -> None:
        stage = selected(make)
        octets = b"A: b\r\n\r\n" + b"x" * 600_000 + b"\r\n"
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {%d}\r\n%b)\r\n" % (len(octets), octets))
        stage.post.slow = True
        stage.server_says("own-4 OK done")
        stage.post.turn()
        assert stage.relay.saying
        heard, _ = stage.server_says("* 4 EXISTS")
        stage.post.settle()
        heard += stage.client.taken()
        assert heard == (
            b"* 2 FETCH (UID 5 BODY[] {%d}\r\n%b)\r\n* 4 EXISTS\r\na OK %b\r\n" % (len(octets), octets, DONE.encode())
        )

    def test_T_C08_the_client_goes(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
        stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        stage.post.slow = True
        stage.server_says("own-4 OK done")
        stage.client_ended()
        assert stage.post.given_up == 1
        stage.post.settle()

    def test_many_mails_in_their_order(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a FETCH 1:* (RFC822.SIZE)")
        for number in range(1, 21):
            stage.server_says(f'* {number} FETCH (UID {number} INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        _, asked = stage.server_says("own-3 OK done")
        for number in range(1, 21):
            assert asked.endswith(b" UID FETCH %d (UID BODY.PEEK[])\r\n" % number)
            stage.relay.server_data(
                b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (number, number, number, b"x" * number)
            )
            to_client, asked = stage.server_says(f"own-{number + 3} OK done")
            assert to_client.startswith(b"* %d FETCH (RFC822.SIZE %d)\r\n" % (number, number))


class TestRefused:
    @pytest.mark.parametrize(
        "command",
        [
            "FETCH 1 BODY[0]", "FETCH 1 SNIPPET", "FETCH 1 (ANNOTATION)", "UID FETCH 1 RFC822.SHA1",
            "FETCH 1 DIGEST.SHA1", "FETCH 1 (ALL)", "FETCH 1 X-FOO", "FETCH 1 BODY[HEADER.FIELDS ()]",
        ],
    )  # fmt: skip
    def test_T_F22_items_that_nobody_knows(self, make: Make, command: str) -> None:
        to_client, to_server = selected(make).client_says(f"a {command}")
        assert (to_client[:6], to_server) == (b"a BAD ", b"")

    @pytest.mark.parametrize("command", ["SEARCH RETURN (UPDATE (UID BODY[])) ALL", "UID SEARCH return (CONTEXT) ALL"])
    def test_search_that_would_bring_content(self, make: Make, command: str) -> None:
        to_client, to_server = selected(make).client_says(f"a {command}")
        assert (to_client[:5], to_server) == (b"a NO ", b"")

    def test_mail_too_large(self, make: Make) -> None:
        stage = selected(make, max_mail_in=20)
        _, asked = stage.client_says("a UID FETCH 5 (BODY.PEEK[TEXT])")
        assert asked == b"own-3 UID FETCH 5 (UID INTERNALDATE RFC822.SIZE)\r\n"
        stage.server_says('* 2 FETCH (UID 5 RFC822.SIZE 21 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        to_client, asked = stage.server_says("own-3 OK done")
        assert (asked, to_client[:30]) == (b"", b"* 2 FETCH (UID 5 BODY[TEXT] {2")
        assert b"too large" in to_client

    def test_one_refused_mail_does_not_hide_the_others(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a FETCH 1:2 (RFC822.SIZE)")
        for number in (1, 2):
            stage.server_says(f'* {number} FETCH (UID {number} INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        stage.relay.server_data(b"* 1 FETCH (UID 1 BODY[] {6}\r\nREFUSE)\r\n")
        stage.server_says("own-4 OK done")
        stage.relay.server_data(b"* 2 FETCH (UID 2 BODY[] {6}\r\nA: b\r\n)\r\n")
        to_client, _ = stage.server_says("own-5 OK done")
        assert to_client.startswith(b"* 2 FETCH (RFC822.SIZE 6)\r\na NO [CANNOT] ")

    @pytest.mark.parametrize("which", ["full", "filled"])
    def test_T_L08_no_room(self, make: Make, which: str) -> None:
        stage = selected(make)
        setattr(stage.post, which, True)
        to_client = fetch(stage, "UID FETCH 5 (BODY.PEEK[])", 5, b"Subject: a\r\n\r\nbody\r\n")
        assert to_client == b"a NO [LIMIT] " + ENGLISH[Reply.SPOOL_FULL].encode() + b"\r\n"
        setattr(stage.post, which, False)
        to_client = fetch(stage, "UID FETCH 5 (BODY.PEEK[])", 5, b"Subject: a\r\n\r\nbody\r\n")
        assert b"body" in to_client

    def test_refused_mails_make_room_for_the_next(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a FETCH 1:20 (RFC822.SIZE)")
        for number in range(1, 21):
            stage.server_says(f'* {number} FETCH (UID {number} INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        stage.server_says("own-3 OK done")
        for number in range(1, 21):
            stage.relay.server_data(b"* %d FETCH (UID %d BODY[] {6}\r\nREFUSE)\r\n" % (number, number))
            to_client, _ = stage.server_says(f"own-{number + 3} OK done")
        assert to_client.startswith(b"a NO [CANNOT] ")


class TestPrefetch:
    def test_a_new_mail_is_fetched_ahead(self, make: Make) -> None:
        stage = make(processing(prefetch=2))
        stage.play(
            IN.replace("S: * OK [UIDVALIDITY 77] ok", "S: * OK [UIDVALIDITY 77] ok\n    S: * OK [UIDNEXT 9] next")
        )
        stage.wait(3)
        assert stage.server.taken() == b""
        assert stage.server_says("* 4 EXISTS") == (b"* 4 EXISTS\r\n", b"")
        stage.wait(2)
        assert stage.server.taken() == b"own-3 UID FETCH 9:* (UID INTERNALDATE)\r\n"
        stage.client_says("a NOOP")
        stage.server_says('* 4 FETCH (UID 9 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        assert stage.server_says("own-3 OK done") == (b"", b"own-4 UID FETCH 9 (UID BODY.PEEK[])\r\n")
        stage.relay.server_data(b"* 4 FETCH (UID 9 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        assert stage.server_says("own-4 OK done") == (b"", b"own-5 NOOP\r\n")
        assert [origin.uid for origin in stage.post.store] == [9]
        stage.server_says("own-5 OK done")
        stage.wait(5)
        assert stage.server.taken() == b""

    def test_none_is_newer(self, make: Make) -> None:
        stage = make(processing(prefetch=2))
        stage.play(
            IN.replace("S: * OK [UIDVALIDITY 77] ok", "S: * OK [UIDVALIDITY 77] ok\n    S: * OK [UIDNEXT 9] next")
        )
        stage.server_says("* 4 EXISTS")
        stage.wait(2)
        stage.server_says('* 4 FETCH (UID 8 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
        assert stage.server_says("own-3 OK done") == (b"", b"")
        stage.wait(5)
        assert stage.server.taken() == b""

    def test_not_without_the_item(self, make: Make) -> None:
        stage = selected(make)
        stage.server_says("* OK [UIDNEXT 9] next")
        stage.server_says("* 4 EXISTS")
        stage.wait(5)
        assert stage.server.taken() == b""


class TestHeadersFirst:
    def listed(self, make: Make, items: str, header: str) -> tuple[Stage, bytes]:
        stage = selected(make, mail_view="headers-first")
        _, asked = stage.client_says(f"a UID FETCH 5 ({items})")
        assert asked == b"own-3 UID FETCH 5 (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])\r\n"
        date = 'INTERNALDATE " 1-Jan-2026 00:00:00 +0000"'
        head = f"* 2 FETCH (UID 5 {date} RFC822.SIZE 4711 BODY[HEADER] {{{len(header)}}}"
        stage.relay.server_data(f"{head}\r\n{header})\r\n".encode())
        return stage, stage.server_says("own-3 OK done")[0]

    def test_headers_come_without_the_mail(self, make: Make) -> None:
        stage, heard = self.listed(
            make, "RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject)]", "Subject: VIRUS\r\nA: b\r\n\r\n"
        )
        assert heard == (
            b"* 2 FETCH (UID 5 RFC822.SIZE 4711 BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: clean\r\n\r\n)\r\n"
            b"a OK %b\r\n" % DONE.encode()
        )
        assert stage.post.received == []

    def test_a_header_that_may_not_be_shown_leads_to_the_mail(self, make: Make) -> None:
        stage, _ = self.listed(make, "ENVELOPE", "Subject: REFUSE\r\n\r\n")
        stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {9}\r\nA: b\r\n\r\nc)\r\n")
        assert stage.server_says("own-4 OK done")[0].startswith(b"* 2 FETCH (UID 5 ENVELOPE (")

    @pytest.mark.parametrize(
        "items", ["BODYSTRUCTURE", "BODY.PEEK[1]", "RFC822.SIZE BODY.PEEK[TEXT]", "BODY.PEEK[1.HEADER]"]
    )
    def test_all_else_is_strict(self, make: Make, items: str) -> None:
        stage = selected(make, mail_view="headers-first")
        _, asked = stage.client_says(f"a UID FETCH 5 ({items})")
        assert b"HEADER" not in asked


def answering(stage: Stage) -> bytes:
    """A large answer is under way to a client that takes no more of it; what it has got so far."""
    octets = b"A: b\r\n\r\n" + b"x" * 600_000 + b"\r\n"
    stage.client_says("a UID FETCH 5 (BODY.PEEK[])")
    stage.server_says('* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")')
    stage.server_says("own-3 OK done")
    stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {%d}\r\n%b)\r\n" % (len(octets), octets))
    stage.post.slow = True
    heard, _ = stage.server_says("own-4 OK done")
    stage.post.turn()
    assert stage.relay.saying
    return heard


class TestBounds:
    @pytest.mark.parametrize(
        "line", [b"* LIST () NIL " + b"x" * 50_000, b"* OK [XNEW] " + b"x" * 50_000, b"* 4 EXISTS"]
    )
    def test_what_waits_behind_an_answer_stops_the_server(self, make: Make, line: bytes) -> None:
        """Whether it passes, or something stands in its place."""
        stage = selected(make)
        heard = answering(stage)
        said = 0
        while stage.server.reading and said < 2000:
            stage.relay.server_data(line + b"\r\n")
            said += 1
        assert not stage.server.reading
        assert said < 1500
        assert said * len(line) < 2 << 20
        stage.post.settle()
        assert stage.server.reading
        heard += stage.client.taken()
        assert heard.count(line.replace(b"[XNEW] ", b"") + b"\r\n") == said
        assert heard.endswith(b"a OK " + DONE.encode() + b"\r\n")

    def test_what_waits_behind_an_answer_is_bounded(self, make: Make) -> None:
        """A transport that goes on reading, and a chunk that is very large."""
        stage = selected(make)
        answering(stage)
        stage.relay.server_data((b"* LIST () NIL " + b"x" * 50_000 + b"\r\n") * 100)
        assert stage.is_closed

    def test_more_held_back_than_any_mailbox_brings(self, make: Make) -> None:
        stage = selected(make)
        stage.client_says("a FETCH 1 (BODY.PEEK[TEXT])")
        stage.relay.server_data(b"* 1 EXPUNGE\r\n" + b"* 2 EXISTS\r\n" * (MOST_HELD + 1))
        assert stage.session.over
