"""What of a server's words reaches the client (protocol.md 1.6 and 3.4)."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from tests.play.conftest import Make, Perform
from tests.play.stage import accepting, words

READY = "S: * OK ready"
IN = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """
SELECTED = f"""
    {IN}
    C: s SELECT INBOX
    S: * 9 EXISTS
    S: s OK [READ-WRITE] done
    """
CLOSES = "P: * BYE [UNAVAILABLE] mail server broke the protocol"


class TestBeforeLogin:
    @pytest.mark.parametrize(
        "line", ['* LIST () "/" evil', "* 3 EXISTS", "* 1 FETCH (FLAGS ())", "* SEARCH 1", "* XNEW"]
    )
    def test_data_are_dropped(self, perform: Perform, line: str) -> None:
        """T-S04"""
        stage = perform(f"""
            {READY}
            S| {line}
            C: a NOOP
            S: a OK done
            """)
        assert len(stage.logged(entries.UNKNOWN_UNTAGGED)) == 1

    def test_a_referral_instead_of_a_login(self, perform: Perform) -> None:
        """T-S08"""
        perform(f"""
            {READY}
            C: a LOGIN jana zq8-Correct-Horse
            S| a NO [REFERRAL imap://u;AUTH=*@attacker.example:243/] moved
            P: a NO moved
            """)

    def test_a_predicted_tag(self, perform: Perform) -> None:
        """T-S07"""
        stage = perform(f"""
            {READY}
            S| a1 OK done
            {CLOSES}
            """)
        assert stage.logged(entries.FAULT)[0][:2] == ("SERVER", "UNKNOWN_TAG")

    def test_status_lines_pass_cleaned(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            S: * OK maintenance tonight
            S| * NO [ALERT] call +1-900-555
            P: * NO call +1-900-555
            """)

    def test_id(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            C: a ID NIL
            S: * ID ("name" "x" "support-url" NIL)
            S: a OK done
            """)


class TestCodes:
    @pytest.mark.parametrize(
        "code",
        [
            "ALERT", "UIDVALIDITY 1", "PERMANENTFLAGS (\\Seen \\*)", "APPENDUID 1 2", "COPYUID 1 2:3 4:5",
            "HIGHESTMODSEQ 7", "TRYCREATE", "OVERQUOTA", "INPROGRESS", "BADCHARSET (UTF-8)",
        ],
    )  # fmt: skip
    def test_known_ones_pass(self, perform: Perform, code: str) -> None:
        perform(f"""
            {SELECTED}
            C: a NOOP
            S: * OK [{code}] x
            S: a OK [{code}] x
            """)

    @pytest.mark.parametrize(
        "code", ["REFERRAL imap://x/", "XNEW 1", "URLMECH INTERNAL", "BADURL x", "NOTIFICATIONOVERFLOW"]
    )
    def test_others_are_taken_out(self, perform: Perform, code: str) -> None:
        stage = perform(f"""
            {SELECTED}
            C: a NOOP
            S| * OK [{code}] x
            P: * OK x
            S| a OK [{code}] y
            P: a OK y
            """)
        assert stage.logged(entries.REMOVED) == [("CODE", code.split()[0].encode())] * 2

    def test_unknown_ones_by_the_configuration(self, perform: Perform) -> None:
        perform(
            f"""
            {SELECTED}
            S: * OK [XNEW 1] x
            S| * OK [REFERRAL imap://x/] x
            P: * OK x
            """,
            accepting(capabilities=words("*", "UNKNOWN")),
        )

    def test_control_characters(self, perform: Perform) -> None:
        """T-R12"""
        perform(f"""
            {SELECTED}
            C: a NOOP
            S| a OK ␛]0;x␇
            P: a OK ]0;x
            """)

    @pytest.mark.parametrize(
        "first", ["[XNEW] ", "[XNEW]", "[XNEW]   ", "␛", " ␛ ", "[XNEW] [XNEW] ␛", "[XNEW] ␇[XNEW]"]
    )
    def test_what_stood_behind_a_code_does_not_become_one(self, perform: Perform, first: str) -> None:
        perform(f"""
            {SELECTED}
            S| * OK {first}[REFERRAL imap://attacker.example/] moved
            P: * OK moved
            C: a NOOP
            S| a OK {first}[REFERRAL imap://attacker.example/] moved
            P: a OK moved
            """)

    @pytest.mark.parametrize("text", ["x {5}", "x{5}", "[UIDNEXT 7] {5}", "[ALERT] }"])
    def test_text_that_looks_like_a_literal(self, in_turns: Perform, text: str) -> None:
        """By the grammar it is none, but JavaMail and imaplib read so many octets behind it: responses that nobody
        looked at could stand in what they then take for lines.
        """
        in_turns(f"""
            S| * OK ready {{5}}
            P: * OK ready {{5}}.
            C: z LOGIN jana zq8-Correct-Horse
            S| z OK in {{5}}
            P: z OK in {{5}}.
            S| * OK {text}
            P: * OK {text}.
            C: a NOOP
            S| a NO {text}
            P: a NO {text}.
            C: b IDLE
            S| + idling {{5}}
            P: + idling
            C: DONE
            S: b OK done
            C: c LOGOUT
            S| * BYE bye {{5}}
            P: * BYE bye {{5}}.
            S: c OK done
            """)

    def test_a_code_that_passes_ends_the_search(self, perform: Perform) -> None:
        perform(f"""
            {SELECTED}
            S| * OK [XNEW] [ALERT] [XNEW] x
            P: * OK [ALERT] [XNEW] x
            """)

    @pytest.mark.parametrize("text", ["[" * 5000, "[]" * 5000, "[a] " * 5000])
    def test_too_many_codes(self, perform: Perform, text: str) -> None:
        perform(f"""
            {SELECTED}
            S| * OK {text}[REFERRAL x]
            P: * OK -
            """)

    def test_the_same_line_again(self, make: Make) -> None:
        """What is kept for other sessions says the same, without the log and with it."""
        acl = accepting()
        for level in (6, 6, 9):
            stage = make(acl, level=level)
            for tag in "abc":
                stage.play(f"""
                    {READY if tag == "a" else ""}
                    C: {tag} LOGIN jana zq8-Correct-Horse
                    S| {tag} NO [CAPABILITY IMAP4rev1 LITERAL+ COMPRESS=DEFLATE] wrong
                    P: {tag} NO [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR] wrong
                    """)


class TestUntagged:
    def test_known_data_pass(self, perform: Perform) -> None:
        perform(f"""
            {SELECTED}
            S: * 10 EXISTS
            S: * 1 RECENT
            S: * 3 EXPUNGE
            S: * VANISHED 1:2
            S: * FLAGS (\\Seen)
            S: * LIST () "/" x
            S: * STATUS x (MESSAGES 3)
            S: * SEARCH 1 2 3
            S: * ESEARCH (TAG "a") UID ALL 1:3
            S: * 1 FETCH (FLAGS (\\Seen) UID 4)
            """)

    def test_unknown_ones_are_dropped_and_warned_of_once(self, perform: Perform) -> None:
        stage = perform(f"""
            {SELECTED}
            S| * XNEW one
            S| * 7 UIDFETCH (BODY[] "x")
            S| * XNEW {{5}}
            S| hello
            S: * 10 EXISTS
            """)
        assert [
            (line.args, line.severity) for line in stage.notebook.written if line.entry is entries.UNKNOWN_UNTAGGED
        ] == [
            ((b"XNEW",), "W"),
            ((b"UIDFETCH",), "D"),
            ((b"XNEW",), "D"),
        ]

    def test_unknown_ones_by_the_configuration(self, perform: Perform) -> None:
        perform(
            f"""
            {SELECTED}
            S: * XNEW one
            """,
            accepting(capabilities=words("*", "UNKNOWN")),
        )

    def test_some_belong_to_a_command(self, perform: Perform) -> None:
        said = f"""
            {SELECTED}
            S%s * ACL INBOX u lr
            """
        perform(said % ":")
        perform(said % "|", accepting(commands=words("!GETACL", "*")))

    @pytest.mark.parametrize(
        ("said", "shown"),
        [
            ("", " SASL-IR LITERAL+"),
            (" ID␛LE", " IDLE SASL-IR LITERAL+"),
            ("  IDLE ", " IDLE SASL-IR LITERAL+"),
            (" IDLE APPENDLIMIT={5}", " IDLE SASL-IR LITERAL+"),
        ],
    )
    def test_odd_capabilities(self, perform: Perform, said: str, shown: str) -> None:
        perform(f"""
            {READY}
            S| * CAPABILITY{said}
            P: * CAPABILITY{shown}
            """)

    def test_preauth_in_the_middle(self, perform: Perform) -> None:
        perform(f"""
            {READY}
            S| * PREAUTH welcome
            {CLOSES}
            """)


class TestOrder:
    def test_the_proxys_words_wait_for_the_end_of_a_unit(self, make: Make) -> None:
        """Never inside one (architecture.md section 5)."""
        stage = make()
        stage.play(f"""
            {SELECTED}
            C: a FETCH 1 BODY[]
            S: * 1 FETCH (BODY[] {{10}}
            S: 01234¬
            C| b XFOO
            C| c COMPRESS DEFLATE
            S: 56789)
            P: b BAD unknown command
            P: c NO [NOPERM] COMPRESS is not available
            S: a OK done
            """)

    def test_what_is_rewritten_keeps_its_place(self, perform: Perform) -> None:
        stage = perform(f"""
            {SELECTED}
            C: a NOOP
            """)
        said = "* 1 EXISTS\r\n* OK [XNEW] x\r\n* 2 EXISTS\r\na OK [XNEW] y\r\n* 3 EXISTS\r\n"
        stage.relay.server_data(said.encode())
        assert stage.client.taken().decode() == said.replace("[XNEW] ", "")


class TestFaults:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("x OK who", "UNKNOWN_TAG"),
            ("+ go", "UNEXPECTED_CONTINUE"),
            ("a DONE well", "BAD_STATUS"),
            ("* 0 FETCH (FLAGS ())", "BAD_NUMBER"),
            ("* 99999999999 EXISTS", "BAD_NUMBER"),
            ("* 10 EXPUNGE", "BAD_NUMBER"),
            ("* ", "BAD_RESPONSE"),
            ("* 1 FETCH (FLAGS ()", "BAD_RESPONSE"),
            ("* OK x␊", "BARE_LF"),
            ("* LIST () a␀", "NUL"),
            ('* LIST () "/', "OPEN_QUOTED"),
            ("* SEARCH " + "(" * 101, "TOO_DEEP"),
        ],
    )
    def test_end_the_session(self, perform: Perform, line: str, code: str) -> None:
        stage = perform(f"""
            {SELECTED}
            C: a NOOP
            """)
        heard, sent = stage.server_says(line)
        assert (heard.decode(), sent) == (CLOSES[3:] + "\r\n", b"")
        assert stage.fields(entries.FAULT)["SIDE"] == "SERVER"
        assert stage.fields(entries.FAULT)["CODE"] == code
        assert stage.fields(entries.SESSION_END)["STATUS"] == "FAILED"

    def test_where_it_was_found(self, make: Make) -> None:
        """OFFSET is the byte in that side's stream (log/imap.py), however the bytes came."""
        offsets = set()
        for pace in ("whole", "bytes", "joined"):
            stage = make(pace=pace)
            stage.play(READY)
            for chunk in (b"a XFOO\r\nb NOOP\r\n",) if pace == "joined" else (b"a XFOO\r\n", b"b NOOP\r\n"):
                stage.relay.client_data(chunk)
            offsets.add(stage.fields(entries.FAULT)["OFFSET"])
        assert len(offsets) == 1


class TestAnswersOutOfOrder:
    """4.2: servers may answer a later command first (RFC 9051 section 5.5)."""

    def test_data_and_mails_between(self, perform: Perform) -> None:
        perform(f"""
            {SELECTED}
            C: a FETCH 1 BODY[]
            C: b STATUS Sent (MESSAGES)
            S: * STATUS Sent (MESSAGES 4)
            S: b OK done
            S: * 1 FETCH (BODY[] {{9}}
            S: b OK no
            S: )
            S: * 10 EXISTS
            S: a OK done
            C: c NOOP
            S: c OK done
            """)

    def test_a_refusal_of_the_proxy_between(self, in_turns: Perform) -> None:
        in_turns(
            f"""
            {SELECTED}
            C: a FETCH 1 FLAGS
            C| b STORE 1 FLAGS ()
            P: b NO [NOPERM] command is not permitted here
            C: c NOOP
            S: c OK done
            S: * 1 FETCH (FLAGS ())
            S: a OK done
            """,
            accepting(commands=words("!STORE", "*")),
        )

    def test_codes_that_must_not_pass(self, perform: Perform) -> None:
        perform(f"""
            {SELECTED}
            C: a NOOP
            C: b CHECK
            S| b OK [XNEW] x
            P: b OK x
            S: * 3 EXPUNGE
            S| a OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] x
            P: a OK [CAPABILITY IMAP4rev1 LITERAL+] x
            """)

    def test_the_answer_that_is_held_for_comes_first(self, perform: Perform) -> None:
        """What follows SELECT is judged when its answer is there, whatever else is pending."""
        perform(f"""
            {IN}
            C: a NOOP
            C: b SELECT INBOX
            S: * 2 EXISTS
            S: b OK done
            C: c FETCH 1 FLAGS
            S: c NO x
            S: a OK done
            C: d CHECK
            S: d OK done
            """)

    def test_a_login_that_overtakes(self, perform: Perform) -> None:
        stage = perform(f"""
            {READY}
            C: a NOOP
            C: b LOGIN jana zq8-Correct-Horse
            S: b OK in
            S: a OK done
            C: c SELECT INBOX
            S: c OK done
            """)
        assert stage.session.user == "jana"
