"""IDLE (RFC 2177, T-F24): only DONE ends it, and what follows waits for the answer."""

from __future__ import annotations

from imap4fast.log import imap as entries
from tests.play.conftest import Perform

IN = """
    S: * OK ready
    C: z LOGIN jana zq8-Correct-Horse
    S: z OK in
    """


def test_idle_and_done(in_turns: Perform) -> None:
    in_turns(f"""
        {IN}
        C: a IDLE
        S: + idling
        S: * 4 EXISTS
        S: * 1 FETCH (FLAGS (\\Seen))
        S: * OK Still here
        C: DONE
        S: a OK done
        C: b NOOP
        """)


def test_done_in_any_case(in_turns: Perform) -> None:
    in_turns(f"""
        {IN}
        C: a IDLE
        S: + idling
        C: done
        S: a OK done
        """)


def test_done_pipelined_waits_for_the_plus(perform: Perform) -> None:
    perform(f"""
        {IN}
        C: a IDLE
        C| DONE
        S: + idling
        P> DONE
        S: a OK done
        C: b NOOP
        """)


def test_what_is_pipelined_behind_done(perform: Perform) -> None:
    perform(f"""
        {IN}
        C: a IDLE
        C| DONE
        C| b NOOP
        S: + idling
        P> DONE
        P> b NOOP
        S: a OK done
        S: b OK done
        """)


def test_refused_by_the_server(perform: Perform) -> None:
    """Then DONE is a bad command."""
    perform(f"""
        {IN}
        C: a IDLE
        C| DONE
        S: a NO not now
        P: * BAD tag is missing, malformed or in use
        C: b NOOP
        """)


def test_ended_by_the_server(in_turns: Perform) -> None:
    in_turns(f"""
        {IN}
        C: a IDLE
        S: + idling
        S: a OK enough
        C: b NOOP
        """)


def test_a_command_instead_of_done(in_turns: Perform) -> None:
    """T-F24: `* BAD expected DONE`, counted, IDLE goes on."""
    stage = in_turns(f"""
        {IN}
        C: a IDLE
        S: + idling
        C| b NOOP
        P: * BAD expected DONE
        S: * 1 EXISTS
        C: DONE
        S: a OK done
        """)
    assert stage.session.bad_commands == 1
    assert stage.fields(entries.FAULT)["CODE"] == "EXPECTED_DONE"


def test_a_literal_instead_of_done_is_not_eaten(in_turns: Perform) -> None:
    """It announces nothing: every line in IDLE is judged alone."""
    stage = in_turns(f"""
        {IN}
        C: a IDLE
        S: + idling
        C| b APPEND x {{6+}}
        P: * BAD expected DONE
        C: DONE
        S: a OK done
        """)
    assert stage.session.bad_commands == 1


def test_text_of_the_plus_is_the_proxys_where_it_might_be_read_as_more(in_turns: Perform) -> None:
    in_turns(f"""
        {IN}
        C: a IDLE
        S| + [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] idling
        P: + idling
        C: DONE
        S: a OK done
        """)


def test_a_second_plus(in_turns: Perform) -> None:
    """T-R13"""
    stage = in_turns(f"""
        {IN}
        C: a IDLE
        S: + idling
        S| + idling
        P: * BYE [UNAVAILABLE] mail server broke the protocol
        """)
    assert stage.fields(entries.FAULT)["CODE"] == "UNEXPECTED_CONTINUE"


def test_arguments(perform: Perform) -> None:
    perform(f"""
        {IN}
        C| a IDLE now
        P: a BAD syntax error in command
        """)


def test_idle_after_idle(perform: Perform) -> None:
    """Two round trips at once: the second waits for its own "+"."""
    perform(f"""
        {IN}
        C: a IDLE
        S: + idling
        C: DONE
        C: b IDLE
        C| DONE
        C| c NOOP
        S: a OK done
        S: + idling
        P> DONE
        P> c NOOP
        S: b OK done
        S: c OK done
        """)
