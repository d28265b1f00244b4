"""Commands that are refused, and those of which something is taken out: ENABLE, ID, STARTTLS, COMPRESS, read-only."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from tests.play.conftest import Perform
from tests.play.stage import accepting, words

READY = "S: * OK ready"
IN = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """
READ_ONLY = accepting(read_only=True)


class TestRefusals:
    def test_by_the_list_of_commands(self, perform: Perform) -> None:
        stage = perform(
            f"""
            {IN}
            C| a DELETE INBOX
            P: a NO [NOPERM] command is not permitted here
            C: b NOOP
            """,
            accepting(commands=words("!DELETE", "*")),
        )
        assert stage.logged(entries.COMMAND_REFUSED) == [(b"DELETE", "COMMAND_NOT_PERMITTED")]

    def test_uid_forms_have_words_of_their_own(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C: s SELECT INBOX
            S: s OK done
            C: a COPY 1 x
            C| b UID COPY 1 x
            P: b NO [NOPERM] command is not permitted here
            """,
            accepting(commands=words("!UID-COPY", "*")),
        )

    def test_with_a_literal_that_is_eaten(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C| a CREATE {{14+}}
            P: a NO [NOPERM] command is not permitted here
            C| x DELETE INBOX
            C: b NOOP
            """,
            accepting(commands=words("!CREATE", "*")),
        )

    def test_with_a_literal_that_is_never_sent(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C| a CREATE {{3}}
            P: a NO [NOPERM] command is not permitted here
            C: b NOOP
            """,
            accepting(commands=words("!CREATE", "*")),
        )

    @pytest.mark.parametrize("line", ["UNAUTHENTICATE", "PROXYAUTH petr"])
    def test_commands_that_change_the_user(self, perform: Perform, line: str) -> None:
        perform(f"""
            {IN}
            C| a {line}
            P: a NO [NOPERM] command is not permitted here
            """)

    @pytest.mark.parametrize("line", ["XWHAT", "X-UNAUTHENTICATE", "UID XWHAT 1", "NOOPS"])
    def test_unknown_ones(self, perform: Perform, line: str) -> None:
        stage = perform(f"""
            {IN}
            C| a {line}
            P: a BAD unknown command
            C: b NOOP
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("CLIENT", "UNKNOWN_COMMAND")

    def test_unknown_ones_that_are_permitted(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C: a XWHAT one two
            S: a OK done
            C| b XWHAT {{5+}}
            P: b BAD unknown command
            C| hello
            C: c NOOP
            """,
            accepting(commands=words("*")),
        )

    @pytest.mark.parametrize(
        "line", ["SELECT x", 'LIST "" *', "APPEND x {3}", "IDLE", "ENABLE X", "CLOSE", "FETCH 1 FLAGS"]
    )
    def test_wrong_state_before_login(self, perform: Perform, line: str) -> None:
        stage = perform(f"""
            {READY}
            C| a {line}
            P: a BAD command is not possible now
            """)
        assert stage.logged(entries.COMMAND_REFUSED) == [(line.split()[0].encode(), "BAD_STATE")]

    @pytest.mark.parametrize("line", ["FETCH 1 FLAGS", "UID FETCH 1 FLAGS", "CLOSE", "AUTHENTICATE PLAIN", "STARTTLS"])
    def test_wrong_state_after_login(self, perform: Perform, line: str) -> None:
        perform(f"""
            {IN}
            C| a {line}
            P: a BAD command is not possible now
            """)

    def test_after_close_and_a_failed_select(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C: a SELECT INBOX
            S: a OK [READ-WRITE] done
            C: b CLOSE
            S: b OK done
            C| c FETCH 1 FLAGS
            P: c BAD command is not possible now
            C: d SELECT INBOX
            S: d OK done
            C: e SELECT nowhere
            S: e NO [NONEXISTENT] none
            C| f FETCH 1 FLAGS
            P: f BAD command is not possible now
            """)

    def test_a_tag_in_use(self, in_turns: Perform) -> None:
        stage = in_turns(f"""
            {IN}
            C: a NOOP
            C| a NOOP
            P: * BAD tag is missing, malformed or in use
            S: a OK done
            C: a NOOP
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("CLIENT", "BAD_TAG")


class TestTls:
    def test_starttls_is_not_available(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C| a STARTTLS
            P: a NO [NOPERM] STARTTLS is not available
            C: b NOOP
            """)

    def test_compress_is_not_available(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C| a COMPRESS DEFLATE
            P: a NO [NOPERM] COMPRESS is not available
            C: b NOOP
            """)

    def test_not_even_when_the_configuration_says_so(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C| a COMPRESS DEFLATE
            P: a NO [NOPERM] COMPRESS is not available
            """,
            accepting(commands=words("COMPRESS", "*")),
        )


class TestEnable:
    def test_what_is_offered_goes_on(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C: a ENABLE CONDSTORE UTF8=ACCEPT
            S: * ENABLED CONDSTORE UTF8=ACCEPT
            S: a OK done
            """)

    def test_what_is_not_offered_is_taken_out(self, perform: Perform) -> None:
        stage = perform(f"""
            {IN}
            C| a ENABLE CONDSTORE XNEW COMPRESS=DEFLATE
            P> a ENABLE CONDSTORE
            S: * ENABLED CONDSTORE
            S: a OK done
            """)
        assert stage.logged(entries.REMOVED) == [("ENABLE", b"XNEW"), ("ENABLE", b"COMPRESS=DEFLATE")]

    def test_nothing_is_left(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C| a ENABLE XNEW
            P: * ENABLED
            P: a OK ENABLE
            C: b NOOP
            """)

    @pytest.mark.parametrize("said", ["UTF8=ACCEPT", "utf8=accept", "QRESYNC UTF8=ACCEPT"])
    def test_enabled_unasked_changes_nothing(self, perform: Perform, said: str) -> None:
        """T-R15: not shown, and 8-bit in quoted strings stays a fault."""
        stage = perform(f"""
            {IN}
            S| * ENABLED {said}
            C| a CREATE "é"
            P: a BAD syntax error in command
            """)
        assert ("ENABLED", b"UTF8=ACCEPT") in stage.logged(entries.REMOVED)
        assert not stage.relay.utf8

    def test_more_than_was_asked_for(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C: a ENABLE CONDSTORE
            S| * ENABLED condstore UTF8=ACCEPT
            P: * ENABLED condstore
            S: a OK done
            """)

    def test_after_the_answer_it_is_unasked(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C: a ENABLE CONDSTORE
            S: a OK done
            S| * ENABLED CONDSTORE
            """)

    def test_an_empty_one_passes(self, perform: Perform) -> None:
        perform(f"""
            {IN}
            C: a ENABLE CONDSTORE
            S: * ENABLED
            S: a OK done
            """)

    @pytest.mark.parametrize("name", ["UTF8=ACCEPT", "IMAP4rev2"])
    def test_utf8_may_then_stand_in_quoted_strings(self, perform: Perform, name: str) -> None:
        perform(f"""
            {IN}
            C| a CREATE "é"
            P: a BAD syntax error in command
            C: b ENABLE {name}
            C| c CREATE "é"
            S: * ENABLED {name}
            S: b OK done
            P> c CREATE "é"
            """)

    @pytest.mark.parametrize("line", ["ENABLE", 'ENABLE "X"', "ENABLE (X)"])
    def test_its_grammar(self, perform: Perform, line: str) -> None:
        perform(f"""
            {IN}
            C| a {line}
            P: a BAD syntax error in command
            """)


class TestId:
    def test_nil_and_plain_pairs_go_on(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C: a ID NIL
            C: b ID ("name" "Mail" "version" NIL)
            S: * ID ("name" "server")
            S: a OK done
            S: b OK done
            """)

    def test_fields_of_a_proxy_are_taken_out(self, perform: Perform) -> None:
        """T-S16"""
        stage = perform(f"""
            {READY}
            C| a ID ("x-originating-ip" "127.0.0.1" "X-forward-nopassword" "y" "name" "x")
            P> a ID ("name" "x")
            S: a OK done
            """)
        assert stage.logged(entries.REMOVED) == [("ID", b"x-originating-ip"), ("ID", b"X-forward-nopassword")]

    def test_nothing_is_left(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C| a ID ("x-a" "b")
            P> a ID NIL
            """)

    def test_literals_become_quoted_strings(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C| a ID ({{9+}}
            C| x-session {{1+}}
            C| 1 "name" {{3+}}
            C| a"b)
            P> a ID ("name" "a\\"b")
            """)

    def test_thirty_pairs_and_no_more(self, perform: Perform) -> None:
        """T-L17, RFC 2971 section 3.3."""
        pairs = " ".join(f'"k{number}" "v"' for number in range(31))
        perform(f"""
            {READY}
            C: a ID ({pairs.removesuffix(' "k30" "v"')})
            C| b ID ({pairs})
            P: b BAD syntax error in command
            """)

    @pytest.mark.parametrize(
        "arguments",
        [
            '("name")',
            '("name" x)',
            '(name "x")',
            '("a" ("b"))',
            '("a" "b") "c"',
            "X",
            f'("{"k" * 31}" "v")',
            f'("k" "{"v" * 1025}")',
        ],
    )
    def test_its_grammar(self, perform: Perform, arguments: str) -> None:
        perform(f"""
            {READY}
            C| a ID {arguments}
            P: a BAD syntax error in command
            """)


class TestReadOnly:
    def test_select_becomes_examine(self, perform: Perform) -> None:
        stage = perform(
            f"""
            {IN}
            C| a SELECT INBOX
            P> a EXAMINE INBOX
            S: * 3 EXISTS
            S: a OK [READ-ONLY] done
            C: b FETCH 1 FLAGS
            """,
            READ_ONLY,
        )
        assert (b"SELECT", b"a") in stage.logged(entries.COMMAND_PASSED)

    @pytest.mark.parametrize(
        ("said", "sent"),
        [
            ('"a b"', '"a b"'),
            ("INBOX (CONDSTORE)", "INBOX (CONDSTORE)"),
            ("x (QRESYNC (67890007 20050715194045000 41,43:211 (1:20 5:30)))",) * 2,
        ],
    )
    def test_with_its_arguments(self, perform: Perform, said: str, sent: str) -> None:
        perform(
            f"""
            {IN}
            C| a SELECT {said}
            P> a EXAMINE {sent}
            S: a OK [READ-ONLY] done
            C: b FETCH 1 FLAGS
            """,
            READ_ONLY,
        )

    def test_a_literal_becomes_a_quoted_string(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C| a SELECT {{5+}}
            C| a "b\\
            P> a EXAMINE "a \\"b\\\\"
            S: a OK [READ-ONLY] done
            C: b FETCH 1 FLAGS
            """,
            READ_ONLY,
        )

    def test_a_name_in_utf8(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C: e ENABLE UTF8=ACCEPT
            S: * ENABLED UTF8=ACCEPT
            S: e OK done
            C| a SELECT "é"
            P> a EXAMINE "é"
            S: a OK [READ-ONLY] done
            """,
            READ_ONLY,
        )

    @pytest.mark.parametrize(
        "line",
        [
            "CREATE x", "DELETE x", "RENAME x y", "SUBSCRIBE x", "UNSUBSCRIBE x", "APPEND x {3}", "SETACL x u lr",
            "SETQUOTA x (STORAGE 1)", "STORE 1 FLAGS ()", "COPY 1 x", "MOVE 1 x", "EXPUNGE", "UID STORE 1 FLAGS ()",
            "UID COPY 1 x", "UID MOVE 1 x", "UID EXPUNGE 1", "REPLACE 1 x {3}", "UID REPLACE 1 x {3}",
            "DELETEACL x u", 'SETMETADATA x (/private/comment "x")',
        ],
    )  # fmt: skip
    def test_commands_that_change_anything(self, perform: Perform, line: str) -> None:
        stage = perform(
            f"""
            {IN}
            C| s SELECT INBOX
            P> s EXAMINE INBOX
            S: s OK [READ-ONLY] done
            C| a {line}
            P: a NO [NOPERM] mailbox may only be read here
            C: b NOOP
            """,
            READ_ONLY,
        )
        assert stage.logged(entries.COMMAND_REFUSED)[0][1] == "READ_ONLY"

    def test_a_command_that_is_not_permitted_anyway(self, perform: Perform) -> None:
        perform(
            f"""
            {IN}
            C| a DELETE x
            P: a NO [NOPERM] command is not permitted here
            """,
            accepting(read_only=True, commands=words("!DELETE", "*")),
        )


class TestBadCommands:
    def test_three_before_login(self, perform: Perform) -> None:
        """T-S14"""
        stage = perform(f"""
            {READY}
            C| GET / HTTP/1.1
            P: GET BAD syntax error in command
            C| Host: x
            P: Host: BAD unknown command
            C| a XFOO
            P: a BAD unknown command
            P: * BYE too many bad commands
            """)
        assert stage.is_closed
        assert stage.logged(entries.LIMIT) == [("max-bad-prelogin", 3)]
        end = stage.fields(entries.SESSION_END)
        assert (end["STATUS"], end["REASON"]) == ("FAILED", "too many bad commands")

    def test_ten_after_login_counted_anew(self, perform: Perform) -> None:
        nine = "".join(f"\nC| b{n} XFOO\nP: b{n} BAD unknown command" for n in range(9))
        stage = perform(f"""
            {READY}
            C| a1 XFOO
            P: a1 BAD unknown command
            C| a2 XFOO
            P: a2 BAD unknown command
            C: z LOGIN jana zq8-Correct-Horse
            S: z OK in
            {nine}
            C: c NOOP
            C| b9 XFOO
            P: b9 BAD unknown command
            P: * BYE too many bad commands
            """)
        assert stage.logged(entries.LIMIT) == [("max-bad-commands", 10)]

    def test_refusals_are_not_bad(self, perform: Perform) -> None:
        many = "".join(f"\nC| b{n} COMPRESS DEFLATE\nP: b{n} NO [NOPERM] COMPRESS is not available" for n in range(20))
        stage = perform(IN + many)
        assert not stage.is_closed

    def test_a_permitted_unknown_one_is_waited_for(self, perform: Perform) -> None:
        """Nobody knows what it does: a "+" that it brings must not set an upload free that stands behind it."""
        unknown = accepting(commands=words("*"), capabilities=words("*", "UNKNOWN"))
        perform(
            f"""
            {IN}
            C: a XFOO
            S: a OK done
            C: b APPEND x {{5}}
            S: + OK
            """,
            unknown,
        )
        stage = perform(
            f"""
            {IN}
            C: a XFOO
            C| b APPEND x {{5}}
            S| + more
            P: * BYE [UNAVAILABLE] mail server broke the protocol
            """,
            unknown,
        )
        assert stage.is_closed

    def test_none_counts_where_there_is_no_limit(self, perform: Perform) -> None:
        many = "".join(f"\nC| b{n} XFOO\nP: b{n} BAD unknown command" for n in range(30))
        stage = perform(READY + many, max_bad_prelogin=0)
        assert not stage.is_closed

    def test_a_framing_fault_ends_at_once(self, perform: Perform) -> None:
        """configuration.md section 5: `* BAD`, then `* BYE`."""
        stage = perform(f"""
            {READY}
            C| a NOOP␍x
            P: * BAD malformed data, end of command unknown
            P: * BYE malformed data, end of command unknown
            """)
        assert stage.is_closed
        assert stage.fields(entries.FAULT)["CODE"] == "BARE_CR"
