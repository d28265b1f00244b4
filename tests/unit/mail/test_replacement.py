"""Replacements: small, deterministic, with one reading, and known again."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast._wire import decode_words
from imap4fast.mail import ambiguity, canonical, edit, fields, replacement, texts
from imap4fast.mail.edit import Edits
from imap4fast.mail.replacement import Why
from imap4fast.mail.template import Values
from tests.unit.mail.mails import TWO, leaves, leaves_of_python, scan

HEADER = (
    b"Received: from x\r\nFrom: =?utf-8?q?=C3=A9?= <a@example.com>\r\nTo: b@example.com,\r\n c@example.com\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nSubject: =?utf-8?q?=C5=BE?=\r\n\r\n"
)
WHY = Why("virus", rule="VIRUS", virus="Eicar-Test", size=1234, detail="clamd")
TEMPLATE = b"%{filename} (%{type}, %{size}) was removed: %{virus} by %{rule}\n"
VALUES = Values("a.exe", "application/x-dosexec", 12, "Eicar", "VIRUS")


def fine(data: bytes) -> None:
    assert canonical.is_canonical(data)
    assert ambiguity.find(data, scan(data)) == []
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert leaves(data) == leaves_of_python(data)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_mail_in_each_language(language: str) -> None:
    data = replacement.mail(HEADER, WHY, b"seed", language)
    fine(data)
    assert len(data) < 2500
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert mail["From"].addresses[0].addr_spec == "a@example.com"
    assert [each.addr_spec for each in mail["To"].addresses] == ["b@example.com", "c@example.com"]
    assert mail["Subject"] == texts.PREFIXES[language] + "\u017e"
    assert mail["Message-ID"] == "<1@example.com>"
    assert mail["Date"] == "Mon, 01 Jan 2024 00:00:00 +0000"
    assert "Eicar-Test" in mail.get_content()
    assert "Received" not in mail
    assert replacement.is_ours(data)


def test_what_is_missing_comes_from_the_seed_and_the_server() -> None:
    data = replacement.mail(b"\r\n", WHY, b"1", date="17-Jul-1996 02:44:25 -0700")
    fine(data)
    assert b"Date: 17 Jul 1996 02:44:25 -0700\r\n" in data
    assert b"Subject: [Denied]\r\n" in data
    assert data == replacement.mail(b"\r\n", WHY, b"1", date="17-Jul-1996 02:44:25 -0700")
    assert fields.first(data, b"message-id") != fields.first(replacement.mail(b"", WHY, b"2"), b"message-id")
    assert replacement.is_ours(data)


def test_a_replacement_of_a_replacement_has_the_same_facts() -> None:
    once = replacement.mail(HEADER, WHY, b"seed")
    assert replacement.mail(once[: once.find(b"\r\n\r\n") + 4], WHY, b"other") == once


@pytest.mark.parametrize(
    "change",
    [
        (b"Eicar-Test", b"Harmless"),
        (b"virus=", b"virus*="),
        (b"\r\n\r\n", b"\r\nX-Other: y\r\n\r\n"),
        (b"Subject: ", b"Subject: x"),
        (b"size*=utf-8''1234", b"size*=utf-8''x"),
        (b"mail; ", b"part; "),
        (b"reason*=utf-8''virus", b"reason*=utf-8''other"),
    ],
)
def test_T_H07_a_forged_one_is_not_ours(change: tuple[bytes, bytes]) -> None:  # noqa: N802
    data = replacement.mail(HEADER, WHY, b"seed")
    forged = data.replace(*change, 1)
    assert not replacement.is_ours(forged) or forged == data
    assert not replacement.is_ours(data + b"virus")


def test_other_mails_are_not_ours() -> None:
    assert not replacement.is_ours(TWO)
    assert not replacement.is_ours(b"")


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        (b"From: \xc3\xa9 <a@example.com>", "\u00e9 <a@example.com>"),
        (b"From: =?utf-8?q?a=00b?= <a@example.com>", "a b <a@example.com>"),
        (b"To: " + b", ".join(b"user%d@example.com" % number for number in range(1000)), None),
        (b"From: " + b"x" * 5000, ""),
    ],
)
def test_only_safe_facts_are_kept(field: bytes, kept: str | None) -> None:
    data = replacement.mail(field + b"\r\n\r\n", WHY, b"seed")
    fine(data)
    assert len(data) < 4000
    said = fields.first(data, field.partition(b":")[0].lower())
    if kept is not None:
        assert (decode_words(said.value) if said else "") == kept


def test_T_H06_names_do_not_leave_their_place() -> None:  # noqa: N802
    why = Why("policy", rule="R\r\n\r\n--b", virus="v\r\nBcc: x", detail="d\r\n.\r\n")
    data = replacement.mail(HEADER, why, b"seed")
    fine(data)
    assert b"\r\nBcc" not in data
    assert b"\r\n--b" not in data
    assert replacement.is_ours(data)


def test_a_part() -> None:
    new = replacement.part(VALUES, TEMPLATE)
    data = bytes(edit.apply(TWO, scan(TWO), Edits(parts={2: new})))
    fine(data)
    assert leaves(data)[1] == b"a.exe (application/x-dosexec, 12) was removed: Eicar by VIRUS\r\n"
    part = scan(data).part(2)
    header, octets = data[part.header : part.body], data[part.body : part.body + part.body_size]
    assert replacement.part_is_ours(header, octets, TEMPLATE)
    assert not replacement.part_is_ours(header, octets + b"x", TEMPLATE)
    assert not replacement.part_is_ours(header, octets, TEMPLATE + b"x")
    assert not replacement.part_is_ours(header, octets, TEMPLATE, "text/html")


def test_a_whole_mail_as_a_part() -> None:
    new = replacement.part(VALUES, TEMPLATE)
    data = bytes(edit.apply(TWO, scan(TWO), Edits(parts={0: new}, subject_prefix="[S] ")))
    fine(data)
    part = scan(data).part(0)
    assert replacement.part_is_ours(data[: part.body], data[part.body :], TEMPLATE)


def test_T_H06_html_and_other_types() -> None:  # noqa: N802
    new = replacement.part(Values(filename="<b>\r\n"), "<p>%{filename} \u017e</p>".encode(), "text/html")
    assert b"text/html; charset=utf-8" in new.header
    assert b"<p>&lt;b&gt; =C5=BE</p>" in new.octets
    for kind in ("text/xml", "application/xhtml+xml", "image/svg+xml"):
        new = replacement.part(Values(filename="<script/>'\"&"), b"<svg><text>%{filename}</text></svg>\r\n", kind)
        assert new.octets == b"<svg><text>&lt;script/&gt;&#x27;&quot;&amp;</text></svg>\r\n"
    image = replacement.part(VALUES, b"\x89PNG\r\n%{filename}", "image/png")
    assert image.octets == b"iVBORw0KJXtmaWxlbmFtZX0=\r\n"
    assert b"Content-Type: image/png\r\n" in image.header


@given(st.text(max_size=80), st.text(max_size=80), st.binary(max_size=80))
def test_any_facts(name: str, detail: str, sender: bytes) -> None:
    header = b"From: " + sender.translate(None, b"\r\n\0") + b"\r\n\r\n"
    data = replacement.mail(header, Why("policy", rule=name, virus=name, detail=detail), b"seed", "CZ")
    fine(data)
    assert replacement.is_ours(data)
    new = replacement.part(Values(name, name, 1, name, name), TEMPLATE)
    assert replacement.part_is_ours(new.header, new.octets, TEMPLATE)
