"""FETCH against its second reading (`fetch_grammar`), both ends of it, each vector at every split."""

from __future__ import annotations

import itertools

import pytest

from imap4fast.imap.responses import DYNAMIC_ITEMS
from tests.fuzz import fetching
from tests.wire import fetch_grammar
from tests.wire.play import Split, cut, pieces, single

ODD = [
    b"1 BODY[0]", b"1 BODY[01]", b"1 BODY[MIME]", b"1 BODY[1.]", b"1 BINARY[TEXT]", b"1 BODY[]<0>",
    b"1 (ALL)", b"1 ()", b"1 (FLAGS (UID))", b"0 FLAGS", b"1:", b"1 FLAGS (CHANGEDSINCE 1 )", b"1 FLAGS ()",
    b"1 FLAGS (CHANGEDSINCE 01)", b"1 FLAGS (PARTIAL 0:1)", b"1 FLAGS ( VANISHED)", b"1 FLAGS (VANISHED VANISHED)",
    b"1 FLAGS (VANISHED(CHANGEDSINCE 1))", b"1 PREVIEW (EAGER)", b"1 PREVIEW (LAZY) (CHANGEDSINCE 1)",
    b"1 (PREVIEW (LAZY)) (CHANGEDSINCE 1)", b"1 (BODY[HEADER.FIELDS (a)]x)", b"1 BODY[HEADER.FIELDS ()]",
    b"1 BODY[HEADER.FIELDS (\"a:b\")]", b"1 BODY[HEADER.FIELDS ({3}\r\na]b)]", b"1 BODY[HEADER.FIELDS (a",
    b"1 (UID BODY.PEEK[])(VANISHED)", b"1 BODY [TEXT]", b"1 BODY[TEXT] <0.1>", b"4294967296 FLAGS",
    b"1 BODY[4294967296]", b"1 BODY[]<4294967295.4294967295>", b"1 BODY[]<4294967296.1>", b"1 BODY[HEADER.FIELDS a]",
]  # fmt: skip
SAID = [
    b"(FLAGS \"a\"BODY[] \"x\")\r\n", b"(UID 5\"x\" FLAGS ())\r\n", b"(FLAGS ()UID 5)\r\n", b"(FLAGS a(b))\r\n",
    b"(UID 5 FLAGS (\"(\" \\Seen))\r\n", b"(UID 5 BODY[] \"a\" BODY[] {1}\r\nx)\r\n", b"(X ~)\r\n",
    b"(X (~{1}\r\n)))\r\n", b"(BODY[HEADER.FIELDS (\"]\")] {0}\r\n)\r\n", b"(UID 5))\r\n", b"(UID 5) \r\n",
    b"(UID  5)\r\n", b"( UID 5)\r\n", b"UID 5\r\n",
    b"(FLAGS (\\Seen) UID 5 MODSEQ (1) X-GM-LABELS (\"a b\" {1}\r\nx))\r\n", b"(UID 5 FLAGS (a {2})\r\n",
    b"(INTERNALDATE \"a\\\")\r\n", b"(INTERNALDATE \"a\\\\\" UID 1)\r\n", b"(BODY[] {=} UID 1)\r\n",
    b"(BODY[] {-})\r\n",
]  # fmt: skip
FATES = list(itertools.product(range(3), repeat=2))


def splits(said: bytes) -> list[Split]:
    return [single, pieces((3, 1)), *(cut(at) for at in range(1, len(said)))]


@pytest.mark.parametrize("said", [*fetching.SEEDS, *ODD])
@pytest.mark.parametrize("uid", ["", "UID "])
def test_what_clients_ask_for(said: bytes, uid: str) -> None:
    whole = b"a %bFETCH %b\r\n" % (uid.encode(), said)
    for at, split in enumerate(splits(whole)):
        fetching.command(whole, fetching.MAILS[at % 3], split)


@pytest.mark.parametrize("said", [*fetching.SAID, *SAID])
def test_what_servers_say(said: bytes) -> None:
    for at, split in enumerate(splits(b"* 7 FETCH " + said)):
        fetching.served(said, FATES[at % len(FATES)], split)


@pytest.mark.parametrize("said", fetching.SEEDS)
def test_all_seeds_ask_for_something(said: bytes) -> None:
    assert fetch_grammar.asked(b"a FETCH " + said + b"\r\n") is not None


@pytest.mark.parametrize("said", ODD)
def test_what_has_no_such_form_is_never_asked(said: bytes) -> None:
    """Lexer and session together take what the grammar has, and nothing else."""
    whole = b"a FETCH " + said + b"\r\n"
    _, units = fetching.commands(whole, None)
    taken = [unit for unit, found in units if fetching.read(unit, found) is not None]
    assert taken == ([whole] if fetch_grammar.asked(whole) else [])


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        (b'(UID 5 FLAGS (\\Seen "a b"))\r\n', True),
        (b'(INTERNALDATE "a" UID 5)\r\n', True),
        (b"(UID 5 RFC822.SIZE 7)\r\n", False),
        (b'(INTERNALDATE "a"BODY[] "x")\r\n', False),
        (b'(FLAGS ()BODY[] "x")\r\n', False),
        (b'(INTERNALDATE a"BODY[] "x)\r\n', False),
        (b"(FLAGS a(b))\r\n", False),
    ],
)
def test_what_passes_unread_has_dynamic_items_alone(said: bytes, passes: bool) -> None:
    """Whether the session is not asked: a reader that needs no space between values would find content behind one."""
    play = fetching.listening(b"* 7 FETCH " + said, (0,), None)
    assert ("FETCH" not in play.questions) is passes
    assert (play.shown == b"* 7 FETCH " + said) is passes


def test_the_second_reading_knows_the_same_dynamic_items() -> None:
    assert fetch_grammar.DYNAMIC == DYNAMIC_ITEMS


@pytest.mark.parametrize(
    "said", [b'* 1 EXPUNGE x"(\r\n', b"* 1 EXPUNGE )\r\n", b"* 3 EXISTS (\r\n", b"* VANISHED 1 {3}\r\n"]
)
def test_nobody_is_asked_about_the_mailbox_behind_a_fault(said: bytes) -> None:
    """The session is over then; one that has been told so must not be asked."""
    for split in splits(said):
        asked = [name for name, *_ in fetching.listening(said, (0,), split).events]
        assert asked == ["SERVER_FAULT"]
