"""What sessions share: compiled powers, limits, and the proxy's words."""

from __future__ import annotations

from typing import cast

import pytest

from imap4fast.config.settings import CommandAcl, Proxy, SessionAcl, Settings
from imap4fast.imap.replies import TEXTS, Reply
from imap4fast.log.setup import Logs
from imap4fast.policy.search import Policy
from imap4fast.session.charter import Charter
from tests.play.stage import SERVER, Notebook, accepting

IN = SessionAcl(name="IN", accept=True, plug_to=(SERVER,))
IDLER = SessionAcl(name="IDLER", accept=True, plug_to=(SERVER,), idle_timeout=5.0)


@pytest.fixture
def charter() -> Charter:
    acls = (accepting("ALL"), accepting("SMALL", max_mail_out=5), CommandAcl(name="NO", accept=False))
    settings = Settings(path="x", digest="0", proxy=Proxy(name="P", session_acls=(IN, IDLER), command_acls=acls))
    return Charter(settings, Policy(settings), cast(Logs, Notebook(6)))


def test_powers_of_those_that_accept(charter: Charter) -> None:
    assert set(charter.powers) == {"ALL", "SMALL"}
    assert charter.powers["SMALL"].acl.max_mail_out == 5


def test_limits_are_made_once_for_each_pair(charter: Charter) -> None:
    everything, small = (charter.powers[name].acl for name in ("ALL", "SMALL"))
    assert charter.limits(IN, everything) is charter.limits(IN, everything)
    assert charter.limits(IN, small).max_mail_out == 5
    assert charter.limits(IN, everything).max_mail_out == 0
    assert charter.limits(IDLER, everything).idle_s == 5
    assert charter.limits(IN, everything).idle_s == 1800


def test_words_with_and_without_a_code(charter: Charter) -> None:
    assert charter.say("EN", b"NO", Reply.DENIED) == b"NO [NOPERM] access denied by policy\r\n"
    assert charter.say("EN", b"BAD", Reply.BAD_SYNTAX) == b"BAD syntax error in command\r\n"
    assert charter.say("EN", b"* BYE", Reply.DENIED) == b"* BYE [NOPERM] access denied by policy\r\n"


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("reply", Reply)
def test_every_word_in_every_language_is_one_line(charter: Charter, language: str, reply: Reply) -> None:
    line = charter.say(language, b"NO", reply)
    assert line is charter.say(language, b"NO", reply)
    assert line.endswith(TEXTS[language][reply] + b"\r\n")
    assert line.count(b"\n") == line.count(b"\r") == 1
