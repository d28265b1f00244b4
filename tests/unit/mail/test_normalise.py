"""What is left has one reading, for the index and for Python's email package, and stays as it is."""

from __future__ import annotations

import mmap
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imap4fast._wire import MailIndex
from imap4fast.mail import ambiguity, canonical, corrections, normalise
from tests.unit.mail.mails import (
    AMBIGUOUS,
    CLEAN,
    FORWARDED,
    PARTS,
    REFUSED,
    TWO,
    has_reports,
    leaves,
    leaves_of_python,
    multipart,
    scan,
)

ALL = [(row, data) for row, several in AMBIGUOUS.items() for data in several]


def rewritten(data: bytes, seed: bytes = b"seed") -> bytes:
    done = normalise.rewrite(data, scan(data), seed)
    assert done.data is not None, done.refused
    return bytes(done.data)


@pytest.mark.parametrize(("row", "data"), ALL, ids=[f"{row}-{at}" for at, (row, _) in enumerate(ALL)])
def test_T_M_rows_have_one_reading_left(row: str, data: bytes) -> None:  # noqa: N802
    done = normalise.rewrite(data, scan(data), b"seed")
    assert row in {each.row for each in done.findings}
    assert done.data is not None
    once = bytes(done.data)
    assert ambiguity.find(once, scan(once)) == []
    assert rewritten(once, b"other") == once
    assert has_reports(once) or leaves(once) == leaves_of_python(once)
    assert canonical.is_canonical(once)


@pytest.mark.parametrize("row", REFUSED)
def test_T_M_rows_without_a_reading_are_refused(row: str) -> None:  # noqa: N802
    done = normalise.rewrite(REFUSED[row], scan(REFUSED[row]))
    assert done.data is None
    assert done.refused
    assert row in {each.row for each in done.findings}


@pytest.mark.parametrize("data", CLEAN)
def test_a_clean_mail_is_the_same_object(data: bytes) -> None:
    assert normalise.rewrite(data, scan(data)).data is data


def test_the_seed_decides_and_nothing_else() -> None:
    data = AMBIGUOUS["T-M13"][0]
    assert rewritten(data, b"1") == rewritten(data, b"1") != rewritten(data, b"2")


def test_T_M02_a_multipart_that_is_there_counts_before_a_text() -> None:  # noqa: N802
    assert [leaves(rewritten(data)) for data in AMBIGUOUS["T-M02"][:2]] == [[b"x", b"<b>"]] * 2


@pytest.mark.parametrize("parameters", [b"xboundary=a; boundary=b", b'boundary=b; x="; boundary=a"; charset=c'])
def test_T_M03_no_other_parameter_is_taken_for_the_boundary(parameters: bytes) -> None:  # noqa: N802
    """By programs that look for the word anywhere; other parameters stay."""
    done = rewritten(multipart(parameters))
    kind = done[done.index(b"Content-Type:") : done.index(b"\r\n\r\n")]
    assert kind.lower().count(b"boundary") == 1
    assert (b"charset=c" in kind) is (b"charset" in parameters)


def test_T_M17_a_boundary_in_the_boundary() -> None:  # noqa: N802
    """Who looks for the last one reads another."""
    data = multipart(b'boundary="xboundary=b"', PARTS.replace(b"--b", b"--xboundary=b"))
    assert [each.row for each in ambiguity.find(data, scan(data))] == ["T-M17"]
    assert rewritten(data).count(b"boundary=") == 1


def test_T_M04_the_encoding_that_the_body_keeps_to_counts() -> None:  # noqa: N802
    assert [leaves(rewritten(data)) for data in AMBIGUOUS["T-M04"]] == [[b"X5O!"]] * 3


def test_T_M05_an_odd_name_of_an_encoding_is_read() -> None:  # noqa: N802
    read = [leaves(rewritten(data)) for data in AMBIGUOUS["T-M05"]]
    assert read == [[b"X5O!"]] * 7 + [[b"WDVPIQ==\r\n"]] * 2


def test_T_M06_junk_is_skipped_and_text_behind_is_not_read() -> None:  # noqa: N802
    assert [leaves(rewritten(data)) for data in AMBIGUOUS["T-M06"]] == [[b"X5O!P%@AP"], [b"X5O"], [b"X5O"], [b"X5O!"]]


def test_T_M07_what_follows_a_padding_is_read() -> None:  # noqa: N802
    expected = [[b"X5O"], [b"X5O"], [b"X5O!P%@AP["], [b"X5O!P%@"]]
    assert [leaves(rewritten(data)) for data in AMBIGUOUS["T-M07"]] == expected


def test_T_M09_without_a_boundary_it_is_a_text() -> None:  # noqa: N802
    data = AMBIGUOUS["T-M09"][0]
    assert leaves(rewritten(data)) == [b"--\r\n\r\nx\r\n----\r\n"]


def test_T_M10_inner_parts_stay_inside() -> None:  # noqa: N802
    data = rewritten(AMBIGUOUS["T-M10"][0])
    assert [scan(data).part(number).depth for number in range(len(scan(data)))] == [0, 1, 2, 1]
    assert leaves(data) == [b"in", b"out"]


def test_T_M13_T_M14_parts_outside_of_the_boundaries_are_gone() -> None:  # noqa: N802
    for data in (*AMBIGUOUS["T-M13"][1:3], *AMBIGUOUS["T-M14"]):
        once = rewritten(data)
        assert leaves(once) == [b"x", b"<b>"]
        assert b"evil" not in once
        assert b"begin 644" not in once


def test_a_preamble_of_words_stays() -> None:
    once = rewritten(multipart(b"boundary=b; boundary=c", b"just words\r\n" + PARTS + b"more words\r\n"))
    assert b"\r\n\r\njust words\r\n--=_" in once
    assert once.endswith(b"--\r\nmore words\r\n")


@pytest.mark.parametrize("row", ["T-M15", "T-M16", "T-M18", "T-M20", "T-M21"])
def test_T_M15_to_T_M21_the_parts_are_found(row: str) -> None:  # noqa: N802
    for data in AMBIGUOUS[row]:
        if row != "T-M18" or b"mixed(" not in data:
            assert leaves(rewritten(data)) == [b"x", b"<b>"]


def test_T_M21_a_line_that_is_no_field_says_so() -> None:  # noqa: N802
    assert b"X-Unparsed: junk line\r\n" in rewritten(AMBIGUOUS["T-M21"][2])


def test_T_M23_the_name_of_a_program_counts() -> None:  # noqa: N802
    once = rewritten(AMBIGUOUS["T-M23"][0])
    assert b"filename=a.exe\r\n" in once
    assert b"a.txt" not in once


def test_T_M24_an_encoded_mail_is_decoded() -> None:  # noqa: N802
    assert leaves(rewritten(AMBIGUOUS["T-M24"][0])) == [b"body"]


def test_T_M24_an_encoded_mail_does_not_end_what_it_is_in() -> None:  # noqa: N802
    inner = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nDQoNCi0tYg0KDQpldmls\r\n"
    done = normalise.rewrite(data := multipart(b"boundary=b", b"--b\r\n" + inner + b"--b--\r\n"), scan(data))
    assert done.data is None
    assert "boundary" in done.refused


def test_T_M25_what_is_too_deep_is_refused() -> None:  # noqa: N802
    deep = b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" * 50 + b"x"
    assert normalise.rewrite(deep, MailIndex.scan(deep)).refused == "too deep"


def test_T_M27_what_is_kept_elsewhere_is_a_text() -> None:  # noqa: N802
    once = rewritten(AMBIGUOUS["T-M27"][0])
    assert b"Content-Type: text/plain\r\n" in once
    assert b"example.com" not in once


def test_T_M28_an_encoded_multipart_is_decoded() -> None:  # noqa: N802
    assert leaves(rewritten(AMBIGUOUS["T-M28"][0])) == [b"x", b"<b>"]


def test_what_is_not_ambiguous_stays_byte_for_byte() -> None:
    once = rewritten(
        multipart(b"boundary=b; boundary=c", b"--b\r\n" + FORWARDED + b"\r\n--b\r\n" + TWO + b"\r\n--b--\r\n")
    )
    assert FORWARDED in once
    assert TWO in once


PIECES = [
    b"--b",
    b"--b\r\n",
    b"--b--\r\n",
    b"--bb\r\n",
    b"\r\n",
    b"Content-Type: text/plain\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: multipart/mixed; boundary=bb\r\n",
    b'Content-Type: multipart/mixed; boundary="b\r\n',
    b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Transfer-Encoding : x\r\n",
    b'Content-Disposition: attachment; filename="a.exe"; filename*0=b\r\n',
    b"MIME-Version: 1.0\r\n",
    b"Subject: x\r\n",
    b" \r\n",
    b"\t(",
    b"=",
    b"LS1iDQo=\r\n",
    b"text\r\n",
    b"\0",
    b"\xff",
]
MAILS = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(MAILS)
def test_any_mail_has_one_reading_or_is_refused(drawn: bytes) -> None:
    data = canonical.canonical(drawn)
    done = normalise.rewrite(data, scan(data), b"seed")
    if done.data is None:
        assert done.refused
        return
    once = bytes(done.data)
    assert ambiguity.find(once, scan(once)) == []
    assert rewritten(once, b"other") == once
    assert has_reports(once) or leaves(once) == leaves_of_python(once)


def test_findings_are_not_sought_twice() -> None:
    data = AMBIGUOUS["T-M13"][0]
    index = scan(data)
    known = tuple(ambiguity.find(data, index))
    assert normalise.rewrite(data, index, b"seed", MailIndex.scan, known).data == rewritten(data)
    assert normalise.rewrite(data, index, b"seed", MailIndex.scan, ()).data is data


@pytest.mark.parametrize("row", AMBIGUOUS)
def test_a_mapped_mail(row: str) -> None:
    for data in AMBIGUOUS[row]:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                assert ambiguity.find(mapped, scan(data)) == ambiguity.find(data, scan(data))
                assert normalise.rewrite(mapped, MailIndex.scan(mapped), b"seed").data == rewritten(data)
                rules = corrections.FilterRules()
                by_octets = corrections.apply(data, scan(data), rules)
                by_file = corrections.apply(mapped, scan(data), rules)
                assert by_file.findings == by_octets.findings
                assert by_file.data is mapped if by_octets.data is data else by_file.data == by_octets.data
