"""Each row of the attack table is found under its number, and nothing is found in a clean mail."""

from __future__ import annotations

import time

import pytest

from imap4fast._wire import MailIndex
from imap4fast.mail import ambiguity
from tests.clock import SLOWER
from tests.unit.mail.mails import AMBIGUOUS, CLEAN, PARTS, REFUSED, multipart, scan

ALL = [(row, data) for row, several in AMBIGUOUS.items() for data in several]


def rows(data: bytes) -> set[str]:
    return {each.row for each in ambiguity.find(data, scan(data))}


@pytest.mark.parametrize(("row", "data"), ALL, ids=[f"{row}-{at}" for at, (row, _) in enumerate(ALL)])
def test_T_M_rows_are_found(row: str, data: bytes) -> None:  # noqa: N802
    assert row in rows(data)


@pytest.mark.parametrize("row", REFUSED)
def test_T_M_rows_without_a_reading_are_found(row: str) -> None:  # noqa: N802
    assert row in rows(REFUSED[row])


@pytest.mark.parametrize("data", CLEAN)
def test_nothing_is_found_in_a_clean_mail(data: bytes) -> None:
    assert ambiguity.find(data, scan(data)) == []


def test_T_M08_hexadecimal_in_lower_case_is_read_alike() -> None:  # noqa: N802
    assert rows(b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=c3=a9\r\n") == set()


def test_T_M12_canonical_octets_have_no_other_lines() -> None:  # noqa: N802
    assert rows(multipart(b"boundary=b", PARTS.replace(b"x\r\n", b"x--b\r\n"))) == set()


def test_T_M25_a_mail_deeper_than_the_index_looked_is_found() -> None:  # noqa: N802
    deep = b"Content-Type: message/rfc822\r\nMIME-Version: 1.0\r\n\r\n" * 50 + b"x"
    assert "T-M25" in {each.row for each in ambiguity.find(deep, MailIndex.scan(deep))}


def test_T_M34_more_parts_than_the_index_took_are_found() -> None:  # noqa: N802
    many = multipart(b"boundary=b", b"--b\r\n\r\nx\r\n" * 20 + b"--b--\r\n")
    assert "T-M34" in {each.row for each in ambiguity.find(many, MailIndex.scan(many, max_parts=10))}


def test_a_finding_names_its_part() -> None:
    data = multipart(b"boundary=b", b"--b\r\n\r\nx\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--b--\r\n")
    assert [(each.row, each.part) for each in ambiguity.find(data, scan(data))] == [("T-M06", 2)]


@pytest.mark.parametrize(
    "value", [b"(" * 100000, b'"\\' * 50000, b'a="x"' * 20000, b" " * 100000 + b"x", b"=?" * 50000, b"a;" * 50000]
)
def test_T_M18_time_is_linear_in_a_value(value: bytes) -> None:  # noqa: N802
    data = multipart(b"boundary=b; " + value)
    index = MailIndex.scan(data)
    start = time.perf_counter()
    ambiguity.find(data, index)
    assert time.perf_counter() - start < 3 * SLOWER
