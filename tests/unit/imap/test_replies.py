"""The catalogues of replies: complete, harmless on the wire, and the same text in every spelling of Czech."""

from __future__ import annotations

import re

import pytest

from imap4fast.imap.replies import CZECH, ENGLISH, TEXTS, Reply, text, without_accents

DECODED_AS = {
    "EN": "ascii",
    "CZ": "utf-8",
    "CZ-ASCII": "ascii",
    "CZ-ISO-8859-2": "iso8859_2",
    "CZ-WINDOWS-1250": "cp1250",
}
EVERY = [(language, reply) for language in DECODED_AS for reply in Reply]


def test_languages_are_the_words_of_the_configuration() -> None:
    assert set(TEXTS) == set(DECODED_AS)


@pytest.mark.parametrize("catalogue", [ENGLISH, CZECH])
def test_each_reply_once(catalogue: dict[Reply, str]) -> None:
    assert set(catalogue) == set(Reply)
    assert len(set(catalogue.values())) == len(Reply)


@pytest.mark.parametrize(("language", "reply"), EVERY)
def test_no_text_can_be_taken_for_protocol(language: str, reply: Reply) -> None:
    said = text(language, reply)
    assert said
    assert len(said) <= 100
    assert not said.startswith((b"[", b" "))
    assert not said.endswith(b" ")
    assert not re.search(rb"[\x00-\x1f\x7f]", said)
    assert said.decode(DECODED_AS[language]).isprintable()


@pytest.mark.parametrize("reply", list(Reply))
def test_spellings_of_czech_agree(reply: Reply) -> None:
    czech = text("CZ", reply).decode("utf-8")
    assert text("CZ-ISO-8859-2", reply).decode("iso8859_2") == czech
    assert text("CZ-WINDOWS-1250", reply).decode("cp1250") == czech
    assert text("CZ-ASCII", reply).decode("ascii") == without_accents(czech)


def test_accents_only_are_taken_away() -> None:
    assert without_accents("Příliš žluťoučký kůň úpěl ďábelské ódy") == "Prilis zlutoucky kun upel dabelske ody"


def test_spellings_differ_where_the_encodings_do() -> None:
    said = {text(language, Reply.TOO_BIG) for language in TEXTS}
    assert len(said) == len(TEXTS)


@pytest.mark.parametrize("reply", list(Reply))
def test_codes_are_atoms(reply: Reply) -> None:
    assert re.fullmatch(rb"[A-Z-]*", reply.code)


def test_codes_that_clients_act_on() -> None:
    assert Reply.COMMAND_NOT_PERMITTED.code == b"NOPERM"
    assert Reply.TOO_BIG.code == b"TOOBIG"
    assert Reply.CONNECT_FAILED.code == b"UNAVAILABLE"
    assert Reply.TOO_MANY_SESSIONS.code == b"LIMIT"
    assert Reply.TLS_REQUIRED.code == b"PRIVACYREQUIRED"


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("DE", Reply.DENIED)
