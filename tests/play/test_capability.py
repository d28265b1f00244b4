"""Capabilities in the four places where they stand: greeting, untagged, code of an untagged OK, code of a tagged OK."""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from imap4fast.session.responses import MOST_REMOVED
from tests.play.conftest import Make, Perform
from tests.play.stage import accepting, processing, words
from tests.play.test_download import IN as IN_SCANNED

READY = "S: * OK ready"
IN = """
    S: * OK ready
    C: a LOGIN jana zq8-Correct-Horse
    S: a OK done
    """
OFFERED = "IMAP4rev1 STARTTLS IDLE COMPRESS=DEFLATE LITERAL- UNAUTHENTICATE MOVE"


@pytest.mark.parametrize("word", ["CAPABILITY", "ENABLED", "OK [CAPABILITY"])
def test_a_list_without_end_is_no_flood_of_lines(make: Make, word: str) -> None:
    stage = make(level=7)
    stage.play(IN)
    stage.server_says(f"* {word} " + " ".join(f"X{at}" for at in range(100_000)) + ("]" if "[" in word else ""))
    assert len(stage.logged(entries.REMOVED)) == MOST_REMOVED


def test_untagged_before_login(perform: Perform) -> None:
    stage = perform(f"""
        {READY}
        C: a CAPABILITY
        S| * CAPABILITY {OFFERED} AUTH=PLAIN AUTH=SCRAM-SHA-256-PLUS
        P: * CAPABILITY IMAP4rev1 IDLE MOVE AUTH=PLAIN SASL-IR LITERAL+
        S: a OK done
        """)
    shown = stage.fields(entries.CAPABILITIES)
    assert shown["WHERE"] == "UNTAGGED"
    assert shown["CLIENT"] == b"IMAP4rev1 IDLE MOVE AUTH=PLAIN SASL-IR LITERAL+"
    assert shown["SERVER"] == f"{OFFERED} AUTH=PLAIN AUTH=SCRAM-SHA-256-PLUS".encode()


def test_untagged_after_login_without_initial_response(perform: Perform) -> None:
    perform(f"""
        {IN}
        C: b CAPABILITY
        S| * CAPABILITY {OFFERED}
        P: * CAPABILITY IMAP4rev1 IDLE MOVE LITERAL+
        S: b OK done
        """)


def test_code_of_a_tagged_ok(perform: Perform) -> None:
    stage = perform(f"""
        {READY}
        C: a LOGIN jana zq8-Correct-Horse
        S| a OK [CAPABILITY {OFFERED}] welcome
        P: a OK [CAPABILITY IMAP4rev1 IDLE MOVE LITERAL+] welcome
        """)
    shown = stage.fields(entries.CAPABILITIES)
    assert (shown["WHERE"], shown["SERVER"]) == ("CODE", OFFERED.encode())


@pytest.mark.parametrize("before", [READY, IN])
def test_code_of_an_untagged_ok(perform: Perform, before: str) -> None:
    own = "SASL-IR LITERAL+" if before is READY else "LITERAL+"
    perform(f"""
        {before}
        S| * OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE URLAUTH] x
        P: * OK [CAPABILITY IMAP4rev1 URLAUTH {own}] x
        """)


def test_code_of_a_tagged_answer_that_nobody_waits_for(perform: Perform) -> None:
    perform(f"""
        {IN}
        C: b NOOP
        S| b OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] x
        P: b OK [CAPABILITY IMAP4rev1 LITERAL+] x
        """)


def test_code_in_small_letters(perform: Perform) -> None:
    perform(f"""
        {IN}
        S| * ok [capability imap4rev1 compress=deflate] x
        P: * ok [CAPABILITY imap4rev1 LITERAL+] x
        """)


def test_a_name_that_nobody_knows_is_hidden_unless_permitted(perform: Perform) -> None:
    said = f"""
        {READY}
        S| * CAPABILITY IMAP4rev1 XNEW
        """
    perform(said + "P: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+")
    open_to_new = accepting(capabilities=words("UNKNOWN"))
    perform(said + "P: * CAPABILITY IMAP4rev1 XNEW", open_to_new)


def test_a_list_of_the_configuration_decides(perform: Perform) -> None:
    chosen = accepting(capabilities=words("IDLE", "!AUTH=PLAIN", "AUTH=*", "LITERAL+"))
    perform(
        f"""
        {READY}
        C: a CAPABILITY
        S| * CAPABILITY {OFFERED} AUTH=PLAIN AUTH=XOAUTH2
        P: * CAPABILITY IMAP4rev1 IDLE AUTH=XOAUTH2 LITERAL+
        S: a OK done
        """,
        chosen,
    )


def test_a_refused_command_takes_its_capability_away(perform: Perform) -> None:
    perform(
        f"""
        {READY}
        S| * CAPABILITY IMAP4rev1 IDLE MOVE NAMESPACE
        P: * CAPABILITY IMAP4rev1 MOVE SASL-IR LITERAL+
        """,
        accepting(commands=words("!IDLE", "!NAMESPACE", "*")),
    )


@pytest.mark.parametrize(("offered", "shown"), [("=9000", "=500"), ("=100", "=100"), ("", "=500")])
def test_appendlimit_is_the_smaller_one(perform: Perform, offered: str, shown: str) -> None:
    perform(
        f"""
        {READY}
        S| * CAPABILITY IMAP4rev1 APPENDLIMIT{offered}
        P: * CAPABILITY IMAP4rev1 APPENDLIMIT{shown} SASL-IR LITERAL+
        """,
        accepting(max_mail_out=500),
    )


LIMITS = [
    ("x (APPENDLIMIT 9000)", "x (APPENDLIMIT 500)"),
    ("x (MESSAGES 3 APPENDLIMIT 501 UIDNEXT 9000)", "x (MESSAGES 3 APPENDLIMIT 500 UIDNEXT 9000)"),
    ("x (APPENDLIMIT 499)", "x (APPENDLIMIT 499)"),
    ("x (MESSAGES 9000 APPENDLIMIT NIL)", "x (MESSAGES 9000 APPENDLIMIT 500)"),
    ("x (appendlimit nil)", "x (appendlimit 500)"),
    ("x (APPENDLIMIT -1)", "x (APPENDLIMIT 500)"),
    ("x (APPENDLIMIT 1" + "0" * 5000 + ")", "x (APPENDLIMIT 500)"),
    ('"a (APPENDLIMIT 9000) \\" \\\\" (APPENDLIMIT 9000)', '"a (APPENDLIMIT 9000) \\" \\\\" (APPENDLIMIT 500)'),
    ("APPENDLIMIT (MESSAGES 9000)", "APPENDLIMIT (MESSAGES 9000)"),
    (
        "x (APPENDLIMIT 9000 MAILBOXID (F9000) APPENDLIMIT 9000)",
        "x (APPENDLIMIT 500 MAILBOXID (F9000) APPENDLIMIT 500)",
    ),
]


@pytest.mark.parametrize(("said", "shown"), LIMITS)
def test_appendlimit_of_a_mailbox(perform: Perform, said: str, shown: str) -> None:
    """RFC 7889 section 3, also for LIST-STATUS (RFC 5819)."""
    passes = said == shown
    perform(
        f"""
        {IN}
        C: b LIST "" * RETURN (STATUS (MESSAGES APPENDLIMIT))
        S: * LIST () "/" x
        {"S:" if passes else "S|"} * STATUS {said}
        {"" if passes else f"P: * STATUS {shown}"}
        S: * LIST () "/" "APPENDLIMIT 9000"
        S: b OK done
        """,
        accepting(max_mail_out=500),
    )
    perform(
        f"""
        {IN}
        C: b STATUS x (APPENDLIMIT)
        S: * STATUS {said}
        S: b OK done
        """
    )


def test_appendlimit_of_a_mailbox_named_by_a_literal(in_turns: Perform) -> None:
    stage = in_turns(
        f"""
        {IN}
        C: b STATUS x (APPENDLIMIT)
        S: * STATUS {{18}}
        S| (APPENDLIMIT 9000) (APPENDLIMIT 9000)
        P: (APPENDLIMIT 9000) (APPENDLIMIT 500)
        S: b OK done
        """,
        accepting(max_mail_out=500),
    )
    assert stage.logged(entries.INTERNAL_ERROR) == []


def test_appendlimit_of_a_mailbox_named_by_a_literal_where_mails_are_processed(in_turns: Perform) -> None:
    """Its name may be anything, APPENDLIMIT among it, and keeps its octets."""
    stage = in_turns(
        f"""
        {IN_SCANNED}
        C| b LIST "" * RETURN (STATUS (MESSAGES APPENDLIMIT))
        P> own-3 LIST "" * RETURN (STATUS (MESSAGES APPENDLIMIT))
        S| * LIST () "/" {{18}}
        S| (APPENDLIMIT 9000)
        P: * LIST () "/" {{18}}
        P: (APPENDLIMIT 9000)
        S| * STATUS {{18}}
        S| (APPENDLIMIT 9000) (MESSAGES 9000 APPENDLIMIT 9000)
        P: * STATUS {{18}}
        P: (APPENDLIMIT 9000) (MESSAGES 9000 APPENDLIMIT 500)
        S| * STATUS {{1}}
        S| x (APPENDLIMIT 499)
        P: * STATUS {{1}}
        P: x (APPENDLIMIT 499)
        S| own-3 OK done
        P: b OK done
        """,
        processing(max_mail_out=500),
    )
    assert stage.logged(entries.INTERNAL_ERROR) == []


def test_external_needs_its_item(perform: Perform) -> None:
    said = f"""
        {READY}
        S| * CAPABILITY IMAP4rev1 AUTH=EXTERNAL
        """
    perform(said + "P: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+")
    perform(said + "P: * CAPABILITY IMAP4rev1 AUTH=EXTERNAL SASL-IR LITERAL+", accepting(sasl_external=True))


def test_each_name_that_is_taken_out_is_in_the_log(perform: Perform) -> None:
    """IMAP-731: a capability was removed (configuration.md section 7)."""
    stage = perform(f"""
        {READY}
        S| * CAPABILITY IMAP4rev1 COMPRESS=DEFLATE XNEW
        P: * CAPABILITY IMAP4rev1 SASL-IR LITERAL+
        """)
    removed = {name for kind, name in stage.logged(entries.REMOVED) if kind == "CAPABILITY"}
    assert removed == {b"COMPRESS=DEFLATE", b"XNEW"}
