"""Limits in bytes and sizes of mails (configuration.md section 3), of lines and literals (section 2)."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from tests.play.conftest import Make, Perform
from tests.play.stage import accepting

READY = "S: * OK ready"
IN = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """
SELECTED = f"""
    {IN}
    C: s SELECT INBOX
    S: s OK done
    """


class TestBytes:
    def test_in_between_units(self, make: Make) -> None:
        stage = make(accepting(max_bytes_in=40))
        stage.play(f"""
            {READY}
            C: a CAPABILITY
            S: * OK twenty octets!
            S| * OK eight more octets
            P: * BYE [LIMIT] data limit of the session reached
            """)
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("max-bytes-in", 40)]
        end = stage.fields(entries.SESSION_END)
        assert (end["STATUS"], end["REASON"]) == ("FAILED", "max-bytes-in")

    def test_in_inside_a_unit_there_is_no_bye(self, make: Make) -> None:
        stage = make(accepting(max_bytes_in=150))
        stage.play(f"""
            {SELECTED}
            C: a FETCH 1 BODY[]
            S: * 1 FETCH (BODY[] {{500}}
            S| {"x" * 120}¬
            """)
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("max-bytes-in", 150)]

    def test_out(self, make: Make) -> None:
        stage = make(accepting(max_bytes_out=60))
        stage.play(f"""
            {IN}
            C: a NOOP
            C| b NOOP {"x" * 20}
            P: * BYE [LIMIT] data limit of the session reached
            """)
        assert stage.logged(entries.LIMIT) == [("max-bytes-out", 60)]
        assert stage.fields(entries.SESSION_END)["OUT"] == 33 + 8 + 28

    def test_exactly_as_much(self, make: Make) -> None:
        stage = make(accepting(max_bytes_out=33 + 8, max_bytes_in=12 + 9 + 8))
        stage.play(f"""
            {IN}
            C: a NOOP
            S: a OK x
            """)
        assert not stage.is_closed


class TestMails:
    def test_a_download_that_is_too_large(self, in_turns: Perform) -> None:
        """The session ends before the literal (configuration.md section 3, max-mail-in in pass mode)."""
        stage = in_turns(
            f"""
            {SELECTED}
            C: a FETCH 1:2 BODY[]
            S: * 1 FETCH (BODY[] {{10}}
            S: 0123456789)
            S| * 2 FETCH (BODY[] {{11}}
            P: * BYE [LIMIT] mail is larger than the session may transfer
            """,
            accepting(max_mail_in=10),
        )
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("max-mail-in", 10)]

    def test_other_literals_are_no_mails(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {IN}
            C: a LIST "" *
            S: * LIST () "/" {{11}}
            S: abcdefghijk
            S: a OK done
            """,
            accepting(max_mail_in=10),
        )


class TestLinesAndLiterals:
    def test_a_long_line_of_the_client(self, perform: Perform) -> None:
        stage = perform(
            f"""
            {READY}
            C| a LOGIN jana {"x" * 100}¬
            P: * BAD [TOOBIG] line is too long
            P: * BYE [TOOBIG] line is too long
            """,
            max_line=100,
        )
        assert stage.logged(entries.LIMIT) == [("max-line", 100)]
        assert stage.fields(entries.FAULT)["CODE"] == "LINE_TOO_LONG"

    def test_a_long_line_of_the_server(self, perform: Perform) -> None:
        stage = perform(
            f"""
            {READY}
            S| * CAPABILITY {"x" * 100}¬
            P: * BYE [UNAVAILABLE] mail server broke the protocol
            """,
            max_server_line=100,
        )
        assert stage.logged(entries.LIMIT) == [("max-server-line", 100)]

    def test_a_long_literal(self, perform: Perform) -> None:
        stage = perform(
            f"""
            {IN}
            C| a CREATE {{101}}
            P: a NO [TOOBIG] literal is too long
            C| b CREATE {{101+}}
            P: b NO [TOOBIG] literal is too long
            C| {"x" * 101}
            C: c NOOP
            """,
            max_literal=100,
        )
        assert stage.logged(entries.LIMIT) == [("max-literal", 100)] * 2

    @pytest.mark.parametrize("size", ["8193", "4294967296"])
    def test_shorter_before_login(self, make: Make, size: str) -> None:
        """T-L02: 8K."""
        stage = make()
        stage.play(READY)
        heard, sent = stage.client_says(f"a LOGIN {{{size}}}")
        assert (heard[:6], sent) == (b"a BAD ", b"")

    def test_too_many_pending_commands_wait(self, make: Make) -> None:
        """max-pending: beyond it the client is not read."""
        stage = make(max_pending=2)
        stage.play(f"""
            {IN}
            C: a NOOP
            C: b NOOP
            C| c NOOP
            C| d NOOP
            """)
        assert not stage.client.reading
        stage.play("""
            S: b OK done
            P> c NOOP
            S: a OK done
            P> d NOOP
            """)
        assert stage.client.reading


class TestBackPressure:
    def test_a_client_that_does_not_read_stops_the_server(self, make: Make) -> None:
        """T-L06"""
        stage = make()
        stage.play(IN)
        stage.relay.client_paused()
        assert not stage.server.reading
        stage.relay.client_resumed()
        assert stage.server.reading

    def test_a_server_that_does_not_read_stops_the_client(self, make: Make) -> None:
        stage = make()
        stage.play(IN)
        stage.relay.server_paused()
        assert not stage.client.reading
        stage.relay.server_resumed()
        assert stage.client.reading
