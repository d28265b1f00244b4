"""The shape of entries: what a text may hold, severities and levels, names of values."""

from __future__ import annotations

import dataclasses

import pytest

from imap4fast.log.entry import LEVELS, SEVERITY_LEVELS, SEVERITY_NAMES, SYSLOG_PRIORITIES, Component, Entry


def test_keys_come_from_the_text_and_the_names_of_bare_places() -> None:
    entry = Entry("TEST", 1, "I", "A=%s then %s B-C=%u CMDs=%d", "help", unnamed=("STATUS",))
    assert entry.keys == ("A", "STATUS", "B-C", "CMDs")
    assert entry.form.kinds == "ssud"
    assert entry.form.template.id == b"TEST-1-I"
    assert entry.form.template.text == b"A=%s then %s B-C=%u CMDs=%d"


def test_fixed_pairs_are_known() -> None:
    assert Entry("TEST", 1, "I", "ACL PHASE=1 NAME=%s", "help").form.fixed == {"PHASE": "1"}


@pytest.mark.parametrize(
    ("text", "unnamed"),
    [
        ("A=%s A=%s", ()),
        ("A=%s %s", ("A",)),
        ("%s", ()),
        ("A=%s", ("B",)),
        ("A=%x", ()),
        ("100%", ()),
        ("%(a)s", ()),
        ("%5s", ("A",)),
        ("%%", ()),
    ],
)
def test_texts_that_are_refused(text: str, unnamed: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="TEST-1-I"):
        Entry("TEST", 1, "I", text, "help", unnamed=unnamed)


def test_other_severities_have_forms_of_their_own() -> None:
    entry = Entry("TEST", 7, "W", "x", "help", others="DE")
    assert [entry.forms[letter].id for letter in "WDE"] == ["TEST-7-W", "TEST-7-D", "TEST-7-E"]
    assert entry.form is entry.forms["W"]
    assert [entry.forms[letter].level for letter in "WDE"] == [4, 7, 3]
    assert [entry.forms[letter].urgent for letter in "WDE"] == [False, False, True]


def test_a_severity_must_be_known() -> None:
    with pytest.raises(KeyError):
        Entry("TEST", 7, "X", "x", "help")


def test_entries_do_not_change() -> None:
    entry = Entry("TEST", 7, "W", "x", "help")
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.text = "y"  # type: ignore[misc]


def test_tables_speak_of_the_same_severities() -> None:
    assert set(SEVERITY_LEVELS) == set(SYSLOG_PRIORITIES) == set(SEVERITY_NAMES) == set("CEWNIKDTF")


def test_notices_and_statistics_are_below_every_level() -> None:
    assert max(SEVERITY_LEVELS["N"], SEVERITY_LEVELS["I"]) < min(LEVELS.values())
    assert LEVELS == {"error": 3, "warning": 4, "normal": 6, "debug": 7, "trace": 8, "full": 9}


def test_a_component_keeps_numbers_apart() -> None:
    component = Component("TEST", "about")
    component.entry(1, "I", "x", "help")
    with pytest.raises(ValueError, match="TEST-1 stands twice"):
        component.entry(1, "W", "y", "help")


@pytest.mark.parametrize("code", ["IMP", "imap", "IMAPX", "IM-P"])
def test_component_codes_have_four_letters(code: str) -> None:
    with pytest.raises(ValueError, match="component code"):
        Component(code, "about")
