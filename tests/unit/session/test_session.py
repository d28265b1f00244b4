"""The parts of a session that need no conversation; tests/play has the rest."""

from __future__ import annotations

import pytest

from imap4fast._wire import QUESTIONS
from imap4fast.imap.replies import Reply
from imap4fast.log import imap as entries
from imap4fast.session import answers
from imap4fast.session import session as sessions
from tests.play.stage import BEGAN, SERVER, Stage, accepting


def test_every_question_has_a_flow() -> None:
    assert set(sessions._FLOWS) == set(range(1, len(QUESTIONS)))


def test_an_admitted_session() -> None:
    stage = Stage()
    session = stage.session
    assert (session.acl.name, session.powers.acl.name, session.rule) == ("IN", "ALL", "ALL")
    assert (session.status, session.result, session.user) == ("ACCEPTED", "OK", None)
    assert session.facts.parent == "IN"
    assert session.facts.server == (SERVER.host, SERVER.port)
    assert list(stage.connecting) == [SERVER]


def test_the_second_of_two_ends_changes_nothing() -> None:
    stage = Stage()
    assert stage.session.end(Reply.SHUTDOWN, "one") == answers.CLOSE
    assert stage.session.end(Reply.INTERNAL_ERROR, "two") == answers.CLOSE
    assert stage.client.taken().count(b"BYE") == 1
    assert stage.fields(entries.SESSION_END)["REASON"] == "one"


def test_bad_commands_are_counted_up_to_the_limit() -> None:
    session = Stage(max_bad_prelogin=2).session
    assert session.count_bad()
    assert not session.count_bad()
    assert session.over


@pytest.mark.parametrize(
    ("names", "initial"), [(b"IMAP4rev1 SASL-IR", True), (b"sasl-ir", True), (b"IMAP4rev1", False), (b"", False)]
)
def test_what_is_learned_of_the_server(names: bytes, initial: bool) -> None:
    session = Stage().session
    session.learn(names)
    assert session.relay.sasl_ir is initial


def test_warnings_become_quiet() -> None:
    """T-L16"""
    stage = Stage(accepting(), max_bad_commands=0, max_bad_prelogin=0)
    stage.server_says("* OK ready")
    for number in range(30):
        stage.client_says(f"a{number} XFOO")
    written = [line for line in stage.notebook.written if line.entry is entries.FAULT]
    loud = [line for line in written if line.severity in (None, "W")]
    assert len(loud) == sessions.MOST_COMPLAINTS
    assert {line.severity for line in written[sessions.MOST_COMPLAINTS :]} == {"D"}


def test_the_time_in_the_record() -> None:
    stage = Stage()
    stage.now = BEGAN + 61.25
    stage.session.shut_down()
    assert str(stage.fields(entries.SESSION_END)["TIME"]) in ("61.250", "61.25")
