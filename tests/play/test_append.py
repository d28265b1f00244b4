"""APPEND in all its forms, to servers with LITERAL+, LITERAL- and neither (RFC 7888, RFC 3502, RFC 3516, RFC 9755)."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from imap4fast.session.session import MOST_COMPLAINTS
from tests.play.conftest import Make, Perform
from tests.play.stage import accepting, words

NONE = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """
PLUS = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S| z OK [CAPABILITY IMAP4rev1 LITERAL+] in
    P: z OK [CAPABILITY IMAP4rev1 LITERAL+] in
    """
MINUS = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S| z OK [CAPABILITY IMAP4rev1 LITERAL-] in
    P: z OK [CAPABILITY IMAP4rev1 LITERAL+] in
    """
SERVERS = {"none": NONE, "plus": PLUS, "minus": MINUS}
DONE = "S: a OK [APPENDUID 1 2] done"


@pytest.mark.parametrize("server", SERVERS)
class TestSynchronising:
    def test_streams_once_the_server_says_plus(self, in_turns: Perform, server: str) -> None:
        in_turns(f"""
            {SERVERS[server]}
            C: a APPEND INBOX {{11}}
            S: + ready
            C: Subject: xy¬
            C:
            {DONE}
            C: b NOOP
            """)

    def test_with_flags_and_date(self, in_turns: Perform, server: str) -> None:
        in_turns(f"""
            {SERVERS[server]}
            C: a APPEND "Sent Mail" (\\Seen $Label) " 7-Feb-1994 21:52:25 -0800" {{5}}
            S: + OK
            C: hello
            {DONE}
            """)

    def test_the_server_says_no(self, in_turns: Perform, server: str) -> None:
        in_turns(f"""
            {SERVERS[server]}
            C: a APPEND nowhere {{5}}
            S: a NO [TRYCREATE] none
            C: b CREATE nowhere
            """)

    def test_octets_that_look_like_commands(self, in_turns: Perform, server: str) -> None:
        in_turns(f"""
            {SERVERS[server]}
            C: a APPEND x {{16}}
            S: + OK
            C: b DELETE INBOX
            C:
            {DONE}
            """)

    def test_the_plus_is_cleaned(self, in_turns: Perform, server: str) -> None:
        in_turns(f"""
            {SERVERS[server]}
            C: a APPEND x {{3}}
            S| + [ALERT] ␛[0m
            P: + OK
            C: abc
            {DONE}
            """)

    def test_zero_octets(self, in_turns: Perform, server: str) -> None:
        """T-L09"""
        in_turns(f"""
            {SERVERS[server]}
            C: a APPEND x {{0}}
            S: + OK
            C:
            S: a NO empty
            C: b NOOP
            """)


class TestNonSynchronising:
    def test_waits_for_plus_where_the_server_has_no_such_literals(self, perform: Perform) -> None:
        perform(f"""
            {NONE}
            C| a APPEND x {{5+}}
            P> a APPEND x {{5}}
            C| hello
            S| + OK
            P> hello
            {DONE}
            C: b NOOP
            """)

    @pytest.mark.parametrize("server", ["plus", "minus"])
    def test_and_where_it_has_some(self, perform: Perform, server: str) -> None:
        """A server that gives a command up before its literal may read the octets as commands (protocol.md 3.2)."""
        perform(f"""
            {SERVERS[server]}
            C| a APPEND x {{5+}}
            P> a APPEND x {{5}}
            C| hello
            C| b NOOP
            S| + OK
            P> hello
            P> b NOOP
            {DONE}
            S: b OK done
            """)

    def test_above_the_limit_of_literal_minus(self, make: Make) -> None:
        """T-L10: accepted."""
        make().play(f"""
            {MINUS}
            C| b APPEND x {{4097+}}
            P> b APPEND x {{4097}}
            C| {"m" * 4097}
            S| + OK
            P> {"m" * 4097}
            S: b OK done
            """)

    def test_refused_by_the_server_and_eaten(self, perform: Perform) -> None:
        """T-F07: the octets are no commands."""
        perform(f"""
            {NONE}
            C| a APPEND x {{16+}}
            P> a APPEND x {{16}}
            C| b DELETE INBOX
            C|
            C| c NOOP
            S: a NO [OVERQUOTA] full
            P> c NOOP
            """)


class TestOtherForms:
    def test_literal8(self, in_turns: Perform) -> None:
        in_turns(f"""
            {PLUS}
            C: a APPEND x ~{{5}}
            S: + OK
            C: h␀llo
            {DONE}
            """)

    def test_literal8_to_a_server_without(self, perform: Perform) -> None:
        perform(f"""
            {NONE}
            C| a APPEND x (\\Seen) ~{{5+}}
            P> a APPEND x (\\Seen) ~{{5}}
            C| h␀llo
            S| + OK
            P> h␀llo
            {DONE}
            """)

    def test_a_name_by_literal(self, perform: Perform) -> None:
        perform(f"""
            {NONE}
            C| a APPEND {{4+}}
            C| "a b {{5+}}
            P> a APPEND {{4}}
            C| hello
            S| + OK
            P> "a b {{5}}
            S| + OK
            P> hello
            {DONE}
            C: b NOOP
            """)

    def test_a_name_by_synchronising_literal(self, in_turns: Perform) -> None:
        in_turns(f"""
            {NONE}
            C| a APPEND {{1}}
            P: + OK
            C| x (\\Seen) {{5}}
            P> a APPEND {{1}}
            S| + OK
            P> x (\\Seen) {{5}}
            S: + go
            C: hello
            {DONE}
            """)

    def test_several_mails(self, in_turns: Perform) -> None:
        """MULTIAPPEND"""
        in_turns(f"""
            {PLUS}
            C: a APPEND x {{3}}
            S: + OK
            C: one (\\Seen) {{3}}
            S: + OK
            C: two "17-Jul-1996 02:44:25 -0700" {{5}}
            S: + OK
            C: three
            {DONE}
            C: b NOOP
            """)

    def test_several_mails_one_at_a_time(self, in_turns: Perform) -> None:
        in_turns(f"""
            {NONE}
            C: a APPEND x {{3}}
            S: + OK
            C: one {{3}}
            S: + OK
            C: two
            {DONE}
            """)

    def test_several_mails_by_a_server_without_such_literals(self, perform: Perform) -> None:
        perform(f"""
            {NONE}
            C| a APPEND x {{3+}}
            P> a APPEND x {{3}}
            C| one {{3+}}
            C| two
            S| + OK
            P> one {{3}}
            S| + OK
            P> two
            {DONE}
            """)

    def test_refused_at_the_second_mail(self, perform: Perform) -> None:
        perform(f"""
            {NONE}
            C| a APPEND x {{3+}}
            P> a APPEND x {{3}}
            C| one {{16+}}
            C| b DELETE INBOX
            C|
            C| c NOOP
            S| + OK
            P> one {{16}}
            S: a NO full
            P> c NOOP
            """)

    def test_utf8(self, in_turns: Perform) -> None:
        """RFC 9755 section 4: `UTF8 (~{{n}} octets)`."""
        in_turns(f"""
            {PLUS}
            C: a APPEND x UTF8 (~{{5}}
            S: + OK
            C: hello)
            {DONE}
            C: b NOOP
            """)

    def test_utf8_to_a_server_without_such_literals(self, perform: Perform) -> None:
        perform(f"""
            {NONE}
            C| a APPEND x UTF8 (~{{5+}}
            P> a APPEND x UTF8 (~{{5}}
            C| hello)
            S| + OK
            P> hello)
            {DONE}
            """)

    def test_replace(self, in_turns: Perform) -> None:
        """RFC 8508"""
        in_turns(f"""
            {PLUS}
            C: s SELECT INBOX
            S: s OK done
            C: a REPLACE 4 x (\\Seen) {{5}}
            S: + OK
            C: hello
            S: a OK done
            C: b UID REPLACE 4 x {{5}}
            S: + OK
            C: hello
            S: b OK done
            """)

    def test_wide_spaces_are_not_sent_on(self, in_turns: Perform) -> None:
        in_turns(f"""
            {PLUS}
            C| a APPEND   x  {{5}}
            P> a APPEND x {{5}}
            S: + OK
            C: hello
            {DONE}
            """)


class TestTooBig:
    SMALL = accepting(max_mail_out=10)

    def test_known_at_the_announcement(self, perform: Perform) -> None:
        stage = perform(
            f"""
            {NONE}
            C| a APPEND x {{11}}
            P: a NO [TOOBIG] mail is too large
            C: b NOOP
            """,
            self.SMALL,
        )
        assert stage.logged(entries.LIMIT) == [("max-mail-out", 10)]
        assert not stage.is_closed

    def test_many_mails(self, make: Make) -> None:
        """RFC 3502 knows no most, and what ends the session takes back all that came before."""
        stage = make()
        stage.play(NONE)
        mail = '(\\Seen) "17-Jul-1996 02:44:25 -0700" {1}'
        stage.client_says(f"a APPEND x {mail}")
        for _ in range(1000):
            stage.server_says("+ OK")
            assert stage.client_says(f"y {mail}") == (b"", f"y {mail}\r\n".encode())
        stage.server_says("+ OK")
        stage.play("""
            C: y
            S: a OK done
            C: b NOOP
            """)

    def test_again_and_again_is_logged_as_a_warning_some_times_only(self, make: Make) -> None:
        """T-L16"""
        stage = make(self.SMALL, level=6)
        stage.play(NONE)
        for at in range(100):
            stage.client_says(f"a{at} APPEND x {{11}}")
        assert len(stage.logged(entries.LIMIT)) <= MOST_COMPLAINTS + 1
        assert not stage.is_closed

    def test_at_the_limit(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {NONE}
            C: a APPEND x {{10}}
            S: + OK
            C: 0123456789
            {DONE}
            """,
            self.SMALL,
        )

    def test_eaten_where_it_comes_unasked(self, perform: Perform) -> None:
        perform(
            f"""
            {PLUS}
            C| a APPEND x {{16+}}
            P: a NO [TOOBIG] mail is too large
            C| b DELETE INBOX
            C|
            C: c NOOP
            """,
            self.SMALL,
        )

    def test_with_a_gathered_name(self, perform: Perform) -> None:
        perform(
            f"""
            {PLUS}
            C| a APPEND {{1+}}
            C| x {{16+}}
            P: a NO [TOOBIG] mail is too large
            C| b DELETE INBOX
            C|
            C: c NOOP
            """,
            self.SMALL,
        )

    def test_the_parts_of_a_mail_are_one_mail(self, in_turns: Perform) -> None:
        """CATENATE (RFC 4469): else any mail could come in parts that are small enough."""
        stage = in_turns(
            f"""
            {NONE}
            C: a APPEND x CATENATE (TEXT {{6}}
            S: + OK
            C: 012345 URL "/y/;UID=1" TEXT {{4}}
            S: + OK
            C: 6789)
            S: a OK done
            C: b APPEND x CATENATE (TEXT {{6}}
            S: + OK
            C: 012345) CATENATE (TEXT {{6}}
            S: + OK
            C: 012345¬
            C|  TEXT {{5}}
            P: b NO [TOOBIG] mail is too large
            P: * BYE [TOOBIG] mail is too large
            """,
            self.SMALL,
        )
        assert stage.is_closed

    def test_at_most_a_megabyte_is_eaten(self, perform: Perform) -> None:
        """configuration.md section 3, max-mail-out: else BYE and close."""
        stage = perform(
            f"""
            {PLUS}
            C| a APPEND x {{1048577+}}
            P: a NO [TOOBIG] mail is too large
            P: * BYE [TOOBIG] mail is too large
            """,
            self.SMALL,
        )
        assert stage.is_closed

    def test_the_second_mail(self, in_turns: Perform) -> None:
        """The server is in the middle of the command: only the end takes it back."""
        stage = in_turns(
            f"""
            {PLUS}
            C: a APPEND x {{3}}
            S: + OK
            C| one {{11+}}
            P> one¬
            P: a NO [TOOBIG] mail is too large
            P: * BYE [TOOBIG] mail is too large
            """,
            self.SMALL,
        )
        assert stage.is_closed

    @pytest.mark.parametrize("size", ["4294967296", "9223372036854775808", "18446744073709551616", "9" * 100])
    def test_huge_numbers(self, make: Make, size: str) -> None:
        """T-L01: no "+"."""
        stage = make()
        stage.play(NONE)
        heard, sent = stage.client_says(f"a APPEND x {{{size}}}")
        assert sent == b""
        assert heard.startswith((b"a NO [TOOBIG]", b"a BAD", b"* BAD"))
        assert b"+" not in heard


class TestRefused:
    def test_read_only(self, perform: Perform) -> None:
        perform(
            f"""
            {NONE}
            C| a APPEND x {{3}}
            P: a NO [NOPERM] mailbox may only be read here
            C| b APPEND x {{16+}}
            P: b NO [NOPERM] mailbox may only be read here
            C| b DELETE INBOX
            C|
            C: c NOOP
            """,
            accepting(read_only=True),
        )

    def test_not_permitted(self, perform: Perform) -> None:
        perform(
            f"""
            {PLUS}
            C| a APPEND x {{3+}}
            P: a NO [NOPERM] command is not permitted here
            C| abc {{3+}}
            C| def
            C: c NOOP
            """,
            accepting(commands=words("!APPEND", "*")),
        )

    @pytest.mark.parametrize("line", ["a APPEND", "a APPEND x (\\Seen"])
    def test_grammar(self, make: Make, line: str) -> None:
        stage = make()
        stage.play(NONE)
        assert stage.client_says(line) == (b"a BAD syntax error in command\r\n", b"")

    def test_a_bad_tail(self, in_turns: Perform) -> None:
        """What stands behind the octets is no end of a command."""
        stage = in_turns(f"""
            {PLUS}
            C: a APPEND x {{3}}
            S: + OK
            C| abcdef
            P> abc¬
            P: a BAD malformed data, end of command unknown
            P: * BYE malformed data, end of command unknown
            """)
        assert stage.is_closed
