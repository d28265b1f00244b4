"""mail-filter: what is found and enabled is corrected, what is not enabled makes the mail rejected."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imap4fast._wire import MailIndex
from imap4fast.mail import canonical, corrections
from imap4fast.mail.corrections import FilterRules
from tests.unit.mail.mails import CLEAN, PARTS, TWO, coded, leaf, leaves, multipart, scan

STRICT = FilterRules()
ALL = FilterRules(accept_8bit_header=True, correct_8bit_body=True, correct_bad_char=True, correct_quoting=True)


def corrected(data: bytes, rules: FilterRules) -> bytes:
    done = corrections.apply(data, scan(data), rules)
    assert done.data is not None, done.rejected
    assert all(each.corrected for each in done.findings)
    again = corrections.apply(done.data, scan(bytes(done.data)), rules)
    assert again.data is done.data
    return bytes(done.data)


def rejected(data: bytes, rules: FilterRules = STRICT) -> str:
    done = corrections.apply(data, scan(data), rules)
    assert done.data is None
    assert done.rejected
    return done.rejected.partition(":")[0]


def items(data: bytes, rules: FilterRules) -> list[str]:
    return [each.item for each in corrections.apply(data, scan(data), rules).findings]


@pytest.mark.parametrize("data", CLEAN)
def test_a_mail_in_order_is_the_same_object(data: bytes) -> None:
    done = corrections.apply(data, scan(data), STRICT)
    assert done.data is data
    assert done.findings == ()


def test_lines_are_made_whole_without_a_word() -> None:
    done = corrections.apply(data := b"Subject: x\n\nbody\n", scan(data), STRICT)
    assert done.data == b"Subject: x\r\n\r\nbody\r\n"
    assert (done.rejected, done.findings) == ("", ())
    assert done.index.size == len(b"Subject: x\r\n\r\nbody\r\n")


EIGHT_BIT = 'Subject: \u017elu\u0165 kůň x\r\nFrom: \u0160 "\u017d" <a@example.com>\r\n\r\n'.encode()


def test_T_M36_eight_bit_in_a_header() -> None:  # noqa: N802
    assert rejected(EIGHT_BIT) == "accept-8bit-header"
    once = corrected(EIGHT_BIT, ALL)
    assert once.isascii()
    assert b"<a@example.com>" in once
    assert corrected(EIGHT_BIT, FilterRules(accept_8bit_header=True, header_8bit_chars="keep")) == EIGHT_BIT
    assert rejected(EIGHT_BIT, FilterRules(accept_8bit_header=True, header_8bit_chars="reject")) == "header-8bit-chars"


def test_eight_bit_in_a_body() -> None:
    data = leaf(b"Content-Type: text/plain; charset=utf-8\r\n", "\u017e\r\n".encode())
    assert rejected(data) == "correct-8bit-body"
    once = corrected(data, ALL)
    assert once == data.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n", 1)
    assert items(data, ALL) == ["correct-8bit-body"]


def test_eight_bit_in_a_body_without_mime() -> None:
    once = corrected("Subject: x\r\n\r\n\u017e\r\n".encode(), ALL)
    assert once.startswith(b"Subject: x\r\nContent-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\n")


@pytest.mark.parametrize("encoding", [b"8bit", b"BINARY", b"base64", b"quoted-printable"])
def test_eight_bit_where_it_is_declared_or_anothers_business(encoding: bytes) -> None:
    data = coded(encoding, b"\xff\r\n")
    assert corrections.apply(data, scan(data), STRICT).data is data


def test_only_the_part_that_it_is_in_is_changed() -> None:
    data = TWO.replace(b"first", b"f\xffrst")
    once = corrected(data, ALL)
    assert once == data.replace(b"us-ascii\r\n\r\nf", b"us-ascii\r\nContent-Transfer-Encoding: 8bit\r\n\r\nf")


@pytest.mark.parametrize(
    ("kind", "body", "encoding"),
    [
        (b"text/plain", b"a\0b\rc\r\n", b"quoted-printable"),
        (b"application/x", b"a\0b\rc\n\xff", b"base64"),
        (b"text/plain", b"\r", b"quoted-printable"),
    ],
)
def test_bad_characters_in_a_body_are_kept_by_an_encoding(kind: bytes, body: bytes, encoding: bytes) -> None:
    data = leaf(b"Content-Type: " + kind + b"\r\n", body)
    assert rejected(data) == "correct-bad-char"
    once = corrected(data, ALL)
    assert b"Content-Transfer-Encoding: " + encoding + b"\r\n" in once
    assert leaves(once) == [body]


def test_bad_characters_in_a_header_are_taken_out() -> None:
    data = b"Subject: a\0b\rBcc: c\r\n\r\nbody\r\n"
    assert rejected(data) == "correct-bad-char"
    assert corrected(data, ALL) == b"Subject: ab Bcc: c\r\n\r\nbody\r\n"


@pytest.mark.parametrize("name", [b"Content-Disposition:\0 attachment", b"Content-Disposition: attach\0ment"])
def test_T_M20_T_M23_a_field_is_judged_without_its_nul(name: bytes) -> None:  # noqa: N802
    """It is no bad value, and no parameter of it is lost."""
    data = leaf(name + b'; file\0name="a.exe"\r\n', b"x\r\n")
    assert corrected(data, ALL) == data.replace(b"\0", b"")
    assert set(items(data, ALL)) == {"correct-bad-char"}


def test_bad_characters_in_an_encoded_body_are_taken_out() -> None:
    data = coded(b"base64", b"QU\0JD\rREVG\r\n")
    assert rejected(data) == "correct-bad-char"
    assert corrected(data, ALL) == coded(b"base64", b"QUJD\r\nREVG\r\n")


def test_bad_characters_between_parts_are_taken_out() -> None:
    data = multipart(b"boundary=b", b"pre\0amble\r\n" + PARTS)
    assert rejected(data) == "correct-bad-char"
    assert corrected(data, ALL) == multipart(b"boundary=b", b"preamble\r\n" + PARTS)


def test_a_quote_that_does_not_close() -> None:
    data = multipart(b'charset="x; boundary=b')
    assert rejected(data) == "correct-quoting"
    once = corrected(data, ALL)
    assert b"Content-Type: multipart/mixed; charset=x; boundary=b\r\n" in once
    assert leaves(once) == [b"x", b"<b>"]


def test_a_missing_semicolon_is_put_in() -> None:
    once = corrected(leaf(b'Content-Type: text/plain charset="utf-8" format=flowed\r\n'), STRICT)
    assert b"Content-Type: text/plain; charset=utf-8; format=flowed\r\n" in once


BARE = leaf(b"Content-Type: text/plain; name=a (1) b.txt; charset=utf-8\r\n")


def test_a_field_that_does_not_conform() -> None:
    bare = leaf(b"Content-Type: text/plain; name=a b.txt; x; charset=utf-8\r\n")
    assert b"Content-Type: text/plain; name=a; charset=utf-8\r\n" in corrected(bare, STRICT)
    assert b'Content-Type: text/plain; name="a b.txt"; charset=utf-8\r\n' in corrected(bare, ALL)
    assert corrected(bare, FilterRules(invalid_header="keep")) == bare
    assert rejected(bare, FilterRules(invalid_header="reject")) == "invalid-header"


def test_a_boundary_is_never_shortened() -> None:
    data = multipart(b"boundary=a=b", PARTS.replace(b"--b", b"--a=b"))
    assert leaves(corrected(data, STRICT)) == [b"x", b"<b>"]


@pytest.mark.parametrize("said", [b"text", b"", b"/plain", b"text/", b"a b/c", b"; charset=utf-8"])
def test_a_bad_type_makes_the_mail_rejected(said: bytes) -> None:
    data = leaf(b"Content-Type: " + said + b"\r\n")
    assert rejected(data, ALL) == "invalid-header"
    assert corrected(data, FilterRules(invalid_header="keep")) == data


def test_long_lines_of_a_header_are_folded() -> None:
    data = b"To: " + b", ".join(b"user%d@example.com" % number for number in range(100)) + b"\r\n\r\n"
    once = corrected(data, STRICT)
    assert max(map(len, once.split(b"\r\n"))) <= 998
    assert once.replace(b"\r\n", b"") == data.replace(b"\r\n", b"")
    assert corrected(data, FilterRules(invalid_header="keep")) == data
    assert rejected(data, FilterRules(invalid_header="reject")) == "invalid-header"


def test_T_M26_a_piece_of_a_mail() -> None:  # noqa: N802
    data = leaf(b'Content-Type: message/partial; id="x"; number=1; total=2\r\n')
    assert rejected(data, ALL) == "partial-message"
    assert corrected(data, FilterRules(partial_message="keep")) == data


@pytest.mark.parametrize(
    "data",
    [
        leaf(b"Content-Type: application/ms-tnef\r\n"),
        leaf(b"Content-Type: Application/VND.MS-TNEF\r\n"),
        leaf(b'Content-Type: application/octet-stream; name="WINMAIL.dat"\r\n'),
        leaf(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n", b"eJ8+IgAA\r\n"),
        multipart(b"boundary=b", b"--b\r\nContent-Type: application/ms-tnef\r\n\r\nx\r\n--b--\r\n"),
    ],
)
def test_T_M30_tnef(data: bytes) -> None:  # noqa: N802
    assert rejected(data, ALL) == "tnef"
    assert corrected(data, FilterRules(tnef="keep")) == data


@pytest.mark.parametrize(
    ("index", "item"),
    [
        (MailIndex.scan(TWO, max_parts=2), "max-parts"),
        (MailIndex.scan(TWO, max_header=20), "max-header-size"),
        (MailIndex.scan(multipart(b"boundary=b", b"--b\r\n" + TWO + b"\r\n--b--\r\n"), max_depth=1), "max-depth"),
    ],
)
def test_T_M25_T_M34_more_than_the_caps(index: MailIndex, item: str) -> None:  # noqa: N802
    done = corrections.apply(TWO, index, ALL)
    assert done.data is None
    assert done.rejected.startswith(item)


def test_T_M26_behind_a_bad_character() -> None:  # noqa: N802
    assert rejected(leaf(b"\0Content-Type: message/partial\r\n"), ALL) == "partial-message"


def test_no_cap() -> None:
    assert FilterRules(max_header_size=0, max_parts=0, max_depth=0).scan(TWO).faults == frozenset()


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: text/plain",
                b"; name=",
                b'"',
                b"\xff",
                b"\xc5\xbe",
                b"\0",
                b"\r",
                b"\n",
                b"\r\n",
                b"\r\n\r\n",
                b"From: ",
                b"a@b",
                b" ",
                b"\\",
                b"(",
                b"x" * 1200,
                b"Content-Transfer-Encoding: base64\r\n",
            ]
        ),
        max_size=20,
    ).map(b"".join)
)
def test_any_mail_is_corrected_for_good_or_rejected(data: bytes) -> None:
    done = corrections.apply(data, scan(data), ALL)
    if done.data is None:
        assert done.rejected
        return
    once = bytes(done.data)
    assert canonical.is_canonical(once)
    assert corrections.apply(once, scan(once), ALL).data == once


def test_a_line_end_stays_one_in_whatever_form_it_came() -> None:
    """Of text that is encoded anew for a CR or NUL alone: T-F33."""
    done = corrected(b"A: b\r\n\r\nline\nli\rne\r\nl\0\n", ALL)
    assert done.endswith(b"\r\n\r\nline\r\nli=0Dne\r\nl=00\r\n")
    assert b"=0A" not in done


def test_what_is_made_goes_where_it_is_wanted() -> None:
    kept: list[bytes] = []

    def keep(pieces) -> bytes:
        kept.append(b"".join(pieces))
        return kept[-1]

    data = b"A: b\n\nline\n"
    done = corrections.apply(data, scan(data), STRICT, keep)
    assert done.data is kept[-1]
    assert kept == [b"A: b\r\n\r\nline\r\n"]
