"""What the relay does without a question: the same as with it, for greetings, LOGIN and its completion.

At level debug and above every question is asked, at level normal those are left out whose answer is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import QUESTIONS
from imap4fast.config.settings import CommandAcl
from imap4fast.log import imap as entries
from imap4fast.session.session import Session
from tests.play.conftest import Make
from tests.play.stage import Stage, accepting, of_user

GREETING = "* OK [CAPABILITY IMAP4rev1 SASL-IR SEARCHRES COMPRESS=DEFLATE AUTH=PLAIN] hello"
DONE = "a OK [CAPABILITY IMAP4rev1 SEARCHRES IDLE COMPRESS=DEFLATE] in"
LOGIN = "a LOGIN jana zq8-Correct-Horse"


@dataclass
class Heard:
    """All that can be seen of a session so far."""

    client: bytes
    server: bytes
    user: str | None
    candidate: str | None
    mechanism: str
    state: int
    sasl_ir: bool
    searchres: bool
    over: bool


def again(first: Stage, *commands: CommandAcl, level: int) -> Stage:
    """One more session under the gate of the first."""
    stage = Stage(*commands, level=level, unconnected=True)
    stage.session.powers = first.session.powers
    stage.relay.gate = first.relay.gate
    stage.connected()
    return stage


def heard(stage: Stage, lines: list[str]) -> Heard:
    """Plays lines, the server's where they begin with `S `."""
    for line in lines:
        feed = stage.relay.server_data if line.startswith("S ") else stage.relay.client_data
        feed(line[2:].encode() + b"\r\n")
    relay, session = stage.relay, stage.session
    session.take_user()
    return Heard(
        stage.client.taken(), stage.server.taken(), session.user, session.candidate, session.mechanism, relay.state,
        relay.sasl_ir, relay.searchres, session.over,
    )  # fmt: skip


def both(lines: list[str], *commands: CommandAcl) -> tuple[Heard, Heard]:
    """The second session under a gate at level normal and one at level full."""
    first = Stage(*commands, level=6)
    heard(first, lines)
    return heard(again(first, *commands, level=6), lines), heard(again(first, *commands, level=9), lines)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions asked from now on."""
    asked: list[str] = []
    ask = Session.ask

    def remembered(self: Session, question: int) -> int:
        asked.append(QUESTIONS[question])
        return ask(self, question)

    monkeypatch.setattr(Session, "ask", remembered)
    return asked


def test_a_second_session_asks_nothing(questions: list[str]) -> None:
    lines = ["S " + GREETING, "C " + LOGIN, "S " + DONE]
    first = Stage(level=6)
    heard(first, lines)
    assert questions == ["GREETING", "STATUS"]
    second = heard(again(first, level=6), lines)
    assert questions == ["GREETING", "STATUS"]
    third = heard(again(first, level=9), lines)
    assert questions[2:] == ["GREETING", "COMMAND", "COMPLETED"]
    assert second == third
    assert second.user == "jana"
    assert b"COMPRESS" not in second.client


GREETINGS = [
    GREETING,
    GREETING.replace("OK", "ok"),
    GREETING.replace("OK", "NO"),
    GREETING.replace("OK", "BYE"),
    GREETING.replace("OK", "PREAUTH"),
    "* OK [CAPABILITY IMAP4rev1 hello",
    "* OK [CAPABILITY] hello",
    "* OK hello",
    "x OK [CAPABILITY IMAP4rev1] hello",
    "* OK [CAPABILITY IMAP4rev1 SEARCHRES] " + "x" * 2000,
]


@pytest.mark.parametrize("greeting", GREETINGS)
def test_greetings(greeting: str) -> None:
    quick, asked = both(["S " + greeting, "C " + LOGIN])
    assert quick == asked


def test_a_line_of_another_condition_is_no_greeting() -> None:
    """What was kept of `tag NO` does not let a session begin."""
    refusal = GREETING.replace("* OK", "NO")
    first = Stage(level=6)
    heard(first, ["S " + GREETING, "C " + LOGIN, "S a " + refusal])
    assert first.relay.gate.said(refusal.encode() + b"\r\n", False) is not None
    assert heard(again(first, level=6), ["S * " + refusal]).over


@pytest.mark.parametrize(
    "login",
    [
        "jana zq8-Correct-Horse",
        '"jana" "zq8-Correct-Horse"',
        '"jana novak" x',
        '"" ""',
        'jana "zq8 \\"quoted\\""',
        '"ja\\"na" x',
        "ja\\na x",
        "jana[] []",
        " jana x",
        "jana  x",
        "jana x ",
        "jana",
        "jana x y",
        "(jana x)",
        "jana ()",
        "jana (x)",
        "() x",
        '"jana x',
        "jana {3}",
        "",
    ],
)
@pytest.mark.parametrize(
    "answer", [DONE, DONE.replace("OK", "NO"), "a OK in", "a OK", "a BAD \x01", "a OK [ALERT] \x07"]
)
def test_logins(login: str, answer: str) -> None:
    quick, asked = both(["S " + GREETING, "C a LOGIN " + login, "S " + answer, "C b NOOP"])
    assert quick == asked


@pytest.mark.parametrize("answer", [DONE, DONE.replace("OK", "NO")])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize(("before", "after"), [(6, 9), (9, 6)])
def test_a_change_of_level_in_the_midst_changes_nothing_else(before: int, after: int, at: int, answer: str) -> None:
    lines = ["S " + GREETING, "C " + LOGIN, "S " + answer]
    first = Stage(level=6)
    expected = heard(first, lines)
    stage = again(first, level=before)
    for place, line in enumerate([*lines, "C b NOOP"]):
        if place == at:
            stage.notebook.level = after
            stage.session.heed_level()
        feed = stage.relay.server_data if line.startswith("S ") else stage.relay.client_data
        feed(line[2:].encode() + b"\r\n")
    seen = heard(stage, [])
    assert seen == replace(expected, server=expected.server + b"b NOOP\r\n")
    assert stage.logged(entries.INTERNAL_ERROR) == []


ARGUMENT = st.text(st.sampled_from('ab\\"({ )[]%*+\x01\xe9'), max_size=5)


@given(ARGUMENT, ARGUMENT)
def test_drawn_logins(user: str, password: str) -> None:
    for login in (f"{user} {password}", f'"{user}" {password}', f'"{user}" "{password}"'):
        quick, asked = both(["S " + GREETING, "C a LOGIN " + login, "S a OK in"])
        assert quick == asked


def test_a_refused_login_is_logged_with_its_user(make: Make) -> None:
    stage = make(level=6)
    heard(stage, ["S " + GREETING, "C " + LOGIN, "S a NO no"])
    assert stage.logged(entries.LOGIN) == [("jana", "LOGIN", b"NO")]
    assert stage.session.user is None


def test_an_authentication_after_a_refused_login_has_its_own_user(make: Make) -> None:
    stage = make(level=6)
    heard(stage, ["S " + GREETING, "C " + LOGIN, "S a NO no", "C b AUTHENTICATE PLAIN AG90dG8AeA==", "S b OK in"])
    assert stage.session.user == "otto"


def test_the_second_search_denies_without_a_question(make: Make) -> None:
    denied = CommandAcl(name="NO", accept=False, conditions=of_user("jana"))
    stage = make(denied, accepting(), level=6)
    seen = heard(stage, ["S " + GREETING, "C " + LOGIN, "S " + DONE])
    assert seen.over
    assert b"a OK" not in seen.client


def test_a_fault_of_the_program_ends_the_session(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Session) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(Session, "logged_in", broken)
    stage = make(level=6)
    seen = heard(stage, ["S " + GREETING, "C " + LOGIN, "S " + DONE])
    assert seen.over
    assert b"a OK" not in seen.client
    assert len(stage.logged(entries.INTERNAL_ERROR)) == 1


def test_few_lines_are_kept() -> None:
    gate = Stage(level=6).relay.gate
    for number in range(300):
        gate.keep(b"OK %d" % number, True, b"OK", True, False)
    assert gate.said(b"OK 255", True) is not None
    assert gate.said(b"OK 256", True) is None
    gate.keep(b"OK " + b"x" * 1000, False, b"OK", True, False)
    assert gate.said(b"OK " + b"x" * 1000, False) is None
