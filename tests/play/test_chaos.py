"""Both ends say anything in any order: the session never breaks a rule of its own, and tells no secret.

The words are chosen so that many make sense together; hypothesis puts them in order and cuts them into chunks.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imap4fast.log import imap as entries
from imap4fast.log.netc import DATA
from tests.play.sasl import PASSWORD, coded, plain, xoauth2
from tests.play.stage import Stage, accepting, of_user, words

CLIENT = [
    "a LOGIN jana zq8-Correct-Horse", "b LOGIN {4+}", "jana zq8-Correct-Horse", "a LOGIN jana {17}", PASSWORD,
    "a AUTHENTICATE PLAIN", f"b AUTHENTICATE PLAIN {plain('jana')}", plain("jana"), coded(PASSWORD), "*", "", "=",
    f"a AUTHENTICATE XOAUTH2 {xoauth2('petr')}", "b AUTHENTICATE LOGIN", "c AUTHENTICATE NTLM =",
    "a ENABLE UTF8=ACCEPT X", "b ENABLE X", 'c ID ("x-a" "b" "c" {3+}', 'abc "d")', "c ID NIL", "a ID (", "c ID X",
    "a SELECT INBOX", 'b SELECT "é"', "a EXAMINE x", "b CLOSE", "c FETCH 1 BODY[]", "a UID FETCH 1:* (FLAGS)",
    "a IDLE", "DONE", "b APPEND x {3}", "c APPEND x {5+}", "abc", "hello", "hello {3+}", "a APPEND x ~{900000}",
    "a LOGOUT", "b NOOP", "c CAPABILITY", "a STARTTLS", "b COMPRESS DEFLATE", "c XFOO {3+}", "a CREATE {20000}", "␀",
    "␊",
]  # fmt: skip
SERVER = [
    "* OK ready", "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+] hi", "* CAPABILITY", "* CAPABILITY IMAP4rev1 SASL-IR",
    "a OK done", "b OK done", "c OK [CAPABILITY IMAP4rev1 IDLE] x", "a NO [REFERRAL imap://x/] y", "b BAD", "c NO",
    "+ ", "+ YQ==", "+ go", "+ [ALERT] x", "* ENABLED UTF8=ACCEPT", "* ENABLED", "* BYE", "* BYE [ALERT] x",
    "* PREAUTH x", "* 3 EXISTS", "* 1 FETCH (BODY[] {5}", "hello)", "* 1 FETCH (FLAGS ())", "* XNEW {3}", "abc", "* 0",
    "* OK [XNEW] [ALERT] x", "* OK [", "* OK ␛[ALERT] x", "* NO", "* OK", '* ID ("a" "b")', "* LIST () NIL x", "", "x",
]  # fmt: skip

WORD = st.one_of(
    st.tuples(st.just(True), st.sampled_from(CLIENT)),
    st.tuples(st.just(False), st.sampled_from(SERVER)),
    st.tuples(st.booleans(), st.text('a* "(){}+[]\\0\r\n\x00', max_size=12)),
)
LIKELY = st.sampled_from(
    [
        [],
        [(False, SERVER[1])],
        [(False, SERVER[1]), (True, CLIENT[0]), (False, "a OK in")],
        [(False, SERVER[0]), (True, CLIENT[0]), (False, "a OK in"), (True, "a SELECT INBOX"), (False, "a OK done")],
    ]
)


def stage_of(kind: int) -> Stage:
    if kind == 0:
        return Stage()
    if kind == 1:
        return Stage(accepting(read_only=True, max_mail_in=4, max_mail_out=4, max_bytes_in=400))
    return Stage(accepting("JANA", conditions=of_user("jana"), commands=words("!FETCH", "*")), accepting(language="CZ"))


def play(stage: Stage, talk: list[tuple[bool, str]], sizes: list[int]) -> None:
    turn = 0
    for by_client, line in talk:
        said = line.translate({0x2400: 0, 0x240A: 10, 0x241B: 27}).encode() + b"\r\n"
        feed = stage.relay.client_data if by_client else stage.relay.server_data
        at = 0
        while at < len(said):
            size = sizes[turn % len(sizes)]
            feed(said[at : at + size])
            at, turn = at + size, turn + 1
        stage.wait(1)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 2),
    LIKELY,
    st.lists(WORD, max_size=25),
    st.lists(st.sampled_from([1, 3, 10, 1000]), min_size=1, max_size=4),
)
def test_anything(kind: int, first: list[tuple[bool, str]], then: list[tuple[bool, str]], sizes: list[int]) -> None:
    stage = stage_of(kind)
    play(stage, [*first, *then], sizes)
    assert stage.logged(entries.INTERNAL_ERROR) == []
    assert stage.client.taken().count(b"* BYE") <= 1
    stage.session.shut_down()
    assert len(stage.logged(entries.SESSION_END)) == len(stage.logged(entries.PROXY_EVENT)) == 1
    # After a login anything may be a password, if it stands in no command: tests/unit/net/test_dump.py has those.
    assert [leak for leak in stage.leaks() if not leak.startswith(DATA.id)] == []


def test_the_search_sees_internal_errors() -> None:
    stage = Stage()
    stage.session.broken(ValueError("x"))
    assert len(stage.logged(entries.INTERNAL_ERROR)) == 1
