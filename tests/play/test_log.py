"""Which lines a session writes, in which order, and that no argument of any is a secret.

(Every other conversation of this folder is searched for the passwords as well, see conftest.py.)
"""

from __future__ import annotations

import pytest

from imap4fast.log import imap as entries
from imap4fast.session.responses import MOST_REMOVED
from tests.play.conftest import Make
from tests.play.sasl import coded, oauthbearer, plain, xoauth2
from tests.play.stage import Stage, accepting, processing
from tests.play.test_download import IN as SCANNED
from tests.secrets import PASSWORDS

EASY = """
    S| * OK [CAPABILITY IMAP4rev1 IDLE] ready
    P: * OK [CAPABILITY IMAP4rev1 IDLE SASL-IR LITERAL+] ready
    C: a LOGIN jana zq8-Correct-Horse
    S: a OK in
    C: b ID NIL
    S: b OK done
    C| c XFOO
    P: c BAD unknown command
    C: d LOGOUT
    S: * BYE x
    S: d OK done
    """


def played(make: Make, level: int) -> Stage:
    stage = make(level=level)
    stage.play(EASY)
    stage.session.server_gone()
    return stage


def test_at_normal(make: Make) -> None:
    """Statistics and warnings only."""
    numbers = [line.entry.number for line in played(make, 6).notebook.written]
    assert numbers[:3] == [701, 721, 722]
    assert numbers[-2:] == [702, 888]
    assert set(numbers) <= {701, 702, 721, 722, 725, 730, 740, 745, 888}
    assert 745 in numbers


def test_at_error_statistics_are_still_there(make: Make) -> None:
    numbers = [line.entry.number for line in played(make, 3).notebook.written]
    assert [number for number in numbers if number != 725] == [701, 721, 722, 702, 888]


def test_at_debug(make: Make) -> None:
    stage = played(make, 7)
    assert [line.entry.number for line in stage.notebook.written] == [
        701, 721, 722, 733, 732, 725, 732, 745, 702, 888,
    ]  # fmt: skip
    assert stage.logged(entries.COMMAND_PASSED) == [(b"LOGIN", b"a"), (b"ID", b"b")]


def test_each_line_carries_the_sessions_number(make: Make) -> None:
    assert {line.track for line in played(make, 9).notebook.written} == {7}


def test_the_first_lines(make: Make) -> None:
    stage = make()
    assert stage.logged(entries.SESSION_START) == [("192.0.2.7:40000", "192.0.2.1:143", "NO")]
    assert stage.logged(entries.SESSION_ACL) == [("IN", "ACCEPTED")]
    assert stage.logged(entries.COMMAND_ACL) == [("IN", "ALL", "ACCEPTED")]


GOOD, QUOTED = PASSWORDS[0], PASSWORDS[1]
SECRETS = [
    f"a LOGIN jana {GOOD}",
    f'a LOGIN "jana" "{GOOD}"',
    'a LOGIN jana "' + QUOTED.replace("\\", "\\\\").replace('"', '\\"') + '"',
    f"a LOGIN {{4+}}\r\njana {{{len(GOOD)}+}}\r\n{GOOD}",
    f"a LOGIN jana {{{len(GOOD) - 2}+}}\r\n{GOOD}",
    f"a LOGIN jana {GOOD} {GOOD}",
    f"a LOGIN {GOOD} (",
    f"a LOGON jana {GOOD}",
    f"{GOOD}",
    f"{GOOD} x",
    f"a {GOOD}",
    f"a UID {GOOD}",
    f"jana {GOOD} x",
    f"a LOGIN jana {GOOD}\x00",
    f'a LOGIN jana "{GOOD}',
    f"a AUTHENTICATE PLAIN {plain('jana')}",
    f"a AUTHENTICATE XOAUTH2 {xoauth2('jana')}",
    f"a AUTHENTICATE OAUTHBEARER {oauthbearer('jana')}",
    f"a AUTHENTICATE {plain('jana')}",
    f"a AUTHENTICATE PLAIN {GOOD}",
    f"a AUTHENTICATE PLAIN\r\n{plain('jana')}",
    f"a AUTHENTICATE LOGIN\r\n{coded('jana')}\r\n{coded(GOOD)}",
    f"a AUTHENTICATE LOGIN {coded('jana')}\r\n{coded(GOOD)}",
    f"a AUTHENTICATE LOGIN\r\n\r\n{coded(GOOD)}",
    f"a AUTHENTICATE CRAM-MD5\r\n{coded(GOOD)}",
    f"a AUTHENTICATE SCRAM-SHA-1 {coded('n,,n=jana,r=' + GOOD)}",
    f"a AUTHENTICATE PLAIN\r\n{GOOD}",
    f'a ID ("x-password" "{GOOD}" "name" "x")',
    f'a ID ("password" "{GOOD}")',
    f"a ENABLE {GOOD}",
    f"a STARTTLS\r\nb LOGIN jana {GOOD}",
]


@pytest.mark.parametrize("line", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize("mechanisms", [True, False])
def test_no_secret_is_an_argument(make: Make, line: str, mechanisms: bool) -> None:
    """Whatever of it is understood, refused or left over. The server answers each line with "+"."""
    stage = make(accepting(sasl_external=mechanisms), max_line=200, max_bad_prelogin=0)
    stage.server_says("* OK ready")
    for part in line.split("\r\n"):
        stage.relay.client_data(part.encode() + b"\r\n")
        if stage.server.taken() and not stage.is_closed:
            stage.server_says("+ UGFzc3dvcmQ6")
    stage.session.shut_down()
    assert stage.leaks() == []


def test_a_planted_secret_is_found() -> None:
    stage = Stage()
    stage.notebook.write(entries.LIMIT, f"x{GOOD}", 1)
    stage.notebook.write(entries.LIMIT, coded(f"jana\0{GOOD}"), 1)
    assert len(stage.leaks()) == 4


def test_arguments_are_checked() -> None:
    with pytest.raises(AssertionError):
        Stage().notebook.write(entries.LIMIT, "max-line")


def test_items_of_fetch_that_are_logged_are_bounded(make: Make) -> None:
    stage = make(processing(), level=7)
    stage.play(SCANNED)
    items = " ".join(f"X{at} 1" for at in range(1000))
    assert stage.server_says(f"* 1 FETCH (FLAGS () {items})") == (b"* 1 FETCH (FLAGS ())\r\n", b"")
    assert len(stage.logged(entries.REMOVED)) == MOST_REMOVED
