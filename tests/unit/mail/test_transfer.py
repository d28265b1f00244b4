"""Transfer encodings: one reading of what is as the RFC says, every plausible one of what is not."""

from __future__ import annotations

import base64
import binascii
import quopri
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import transfer
from imap4fast.mail.builtin import EICAR
from imap4fast.mail.coding import quoted_printable
from imap4fast.mail.transfer import NotClean, encodings, head, pieces, readings, uudecoded, windows
from tests.clock import SLOWER


def lines(octets: bytes) -> bytes:
    """Base64 as mail has it."""
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


@given(st.binary())
def test_clean_base64_has_one_reading(octets: bytes) -> None:
    for encoded in (lines(octets), lines(octets)[:-2], lines(octets).replace(b"\r\n", b"\n"), base64.b64encode(octets)):
        assert readings(encoded, b"base64") == [octets]


@given(st.binary())
def test_clean_quoted_printable_has_one_reading(octets: bytes) -> None:
    encoded = quopri.encodestring(octets.replace(b"\r", b""), quotetabs=True).replace(b"\n", b"\r\n")
    assert readings(encoded, b"quoted-printable") == [quopri.decodestring(encoded)]


@pytest.mark.parametrize("header", [b"", b"7bit", b" 8bit\r\n", b"BINARY", b"7-bit"])
def test_plain(header: bytes) -> None:
    assert readings(b"QUJD=41", header) == [b"QUJD=41"]


@pytest.mark.parametrize(
    "header",
    [
        b"base64 ",
        b'"base64"',
        b"x-base64",
        b"base64; foo",
        b"(c)base64",
        b"BASE64\x00",
        b"base 64",
        b"base\r\n 64",
        b"base(x)64",
        b"=?us-ascii?q?base64?=",
    ],
)
def test_m05_odd_names_are_read_decoded_and_raw(header: bytes) -> None:
    assert readings(lines(EICAR), header) == [EICAR, lines(EICAR)]


def test_m05_unknown_names_are_read_in_every_way() -> None:
    assert encodings(b"x-foo") == ("plain", "base64", "quoted-printable")
    assert EICAR in readings(lines(EICAR), b"x-foo")


@pytest.mark.parametrize(
    "body",
    [
        b"WDVP!IVAl\r\n####QEFQ",
        b"=WDVPIVAlQEFQ",
        b"WDVPIVAlQEFQ\r\n====\r\nand text",
        b"WDVPIVAlQEFQ=trailing text",
        b"WDVPIVAlQEFQ====",
        b" W D V P I V A l Q E F Q",
        b"WDVPIVAl\0QEFQ",
        b"\xffWDVP\xfeIVAlQEFQ",
    ],
)
def test_m06_junk_in_base64(body: bytes) -> None:
    found = readings(body, b"base64")
    assert b"X5O!P%@AP" in found
    assert found[-1] == body
    assert len(found) > 1


def test_m06_up_to_the_first_junk() -> None:
    assert b"X5O!P%" in readings(b"WDVPIVAl!QEFQ", b"base64")


def test_m06_lines_that_each_begin_anew() -> None:
    assert b"X5O!P%@AP" in readings(b"WDVPI\r\nVAlQEFQ", b"base64")
    assert b"X5O" + b"!P%" in readings(b"WDVPI\r\nIVAl", b"base64")


def test_m06_url_safe_letters() -> None:
    assert b"\xfb\xff\xfe" in readings(b"-__-", b"base64")


def test_m07_pads_in_the_middle() -> None:
    found = readings(b"WDVPIQ==UCVAQVBb", b"base64")
    assert found[0] == b"X5O!"
    assert b"X5O!P%@AP[" in found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=5", {b"a=5", b"a5"}),
        (b"a=zz", {b"a=zz", b"azz"}),
        (b"a=4ab", {b"aJb", b"a=4ab"}),
        (b"a= \t\r\nb", {b"ab", b"a= \t\r\nb"}),
        (b"a==41", {b"a=41", b"a=A", b"aA", b"a==41"}),
        (b"a=\rb\nc", {b"ac", b"a=\rb\nc"}),
        (b"a=", {b"a", b"a="}),
        (b"=\xff1", {b"=\xff1", b"\xff1"}),
    ],
)
def test_m08_odd_quoted_printable(body: bytes, expected: set[bytes]) -> None:
    assert expected <= set(readings(body, b"quoted-printable"))


def test_m08_soft_line_ends_of_either_kind() -> None:
    assert readings(b"a=\nb=\r\nc", b"quoted-printable") == [b"abc"]


def test_m04_several_fields() -> None:
    assert readings(b"QUJD", b"base64", b"7bit") == [b"ABC", b"QUJD"]
    assert readings(b"QUJD", b"7bit", b"base64") == [b"QUJD", b"ABC"]


def test_m28_a_multipart_is_a_body_like_others() -> None:
    inner = b"--b\r\n\r\ntext\r\n--b--\r\n"
    assert readings(lines(inner), b"base64") == [inner]


def test_uuencode() -> None:
    body = b"begin 644 x.com\r\n" + binascii.b2a_uu(EICAR[:45]) + binascii.b2a_uu(EICAR[45:]) + b"`\nend\n"
    assert readings(body, b"x-uuencode") == [EICAR, body]
    name, content, end = uudecoded(b"x\r\n" + body) or ("", b"", 0)
    assert (name, content) == ("x.com", EICAR)
    assert (b"x\r\n" + body)[end:] == b"end\n"
    assert readings(b"nothing", b"x-uue") == [b"nothing"]


def test_uuencode_without_spaces_at_line_ends() -> None:
    line = binascii.b2a_uu(b"AB\0\0\0\0").rstrip()
    assert uudecoded(b"begin 644 x\n" + line.rstrip(b"`") + b"\n") == (
        "x",
        b"AB\0\0\0\0",
        12 + len(line.rstrip(b"`")) + 1,
    )


@given(st.binary(max_size=400), st.sampled_from([b"base64", b"quoted-printable", b"x-uuencode", b"?", b"base64;"]))
def test_no_octets_are_too_odd(octets: bytes, header: bytes) -> None:
    found = readings(octets, header)
    assert found
    assert len(set(found)) == len(found)
    assert readings(memoryview(octets), header) == found


@given(st.binary(min_size=1, max_size=200), st.integers(0, 300), st.sampled_from(b"!=-# \0\xff\t"))
def test_an_octet_too_many_hides_nothing(octets: bytes, place: int, junk: int) -> None:
    encoded = lines(octets)
    encoded = encoded[: place % len(encoded)] + bytes([junk]) + encoded[place % len(encoded) :]
    assert any(octets in found for found in readings(encoded, b"base64"))


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 4000))
def test_head(octets: bytes, size: int) -> None:
    assert head(lines(octets), b"base64", size) == octets[:size]
    assert head(octets, b"", size) == octets[:size]


@given(st.binary(max_size=5000), st.integers(80, 400), st.sampled_from([b"base64", b"quoted-printable", b"", b"8bit"]))
def test_pieces_are_the_whole(octets: bytes, size: int, encoding: bytes) -> None:
    body = {b"base64": lines, b"quoted-printable": quoted_printable}.get(encoding, bytes)(octets)
    decoded = pieces(memoryview(body), encoding, size)
    assert decoded is not None
    assert b"".join(decoded) == octets


def test_pieces_are_not_given_of_what_has_several_readings() -> None:
    assert pieces(b"!!!!" + lines(bytes(999)), b"base64", 100) is None
    assert pieces(b"=z" + bytes(999), b"quoted-printable", 100) is None
    assert pieces(b"x" * 999, b"x-own", 100) is None
    assert pieces(b"x" * 999, b"uuencode", 100) is None
    for tail in (b"!!!!\r\n", lines(b"x") + lines(b"x")):
        late = pieces(lines(bytes(999)) + tail, b"base64", 100)
        assert late is not None
        with pytest.raises(NotClean):
            list(late)
    for tail in (b"=z\r\n", b"= \r\n", b"=3d\r\n", b"x" * 300, b"="):
        late = pieces(b"words\r\n" * 200 + tail, b"quoted-printable", 100)
        assert late is not None
        with pytest.raises(NotClean):
            list(late)


@pytest.mark.parametrize("end", [b"", b"=z\r\n", b"!\r\n"])
@pytest.mark.parametrize("encoding", [b"base64", b"quoted-printable", b"", b"x-own"])
def test_windows_hold_what_is_looked_for(encoding: bytes, end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "SLICE", 100)
    monkeypatch.setattr(transfer.pieces, "__defaults__", (100,))
    sought = b"what is looked for"
    for before in range(200, 320):
        octets = b"x" * (before // 2) + b"\r\n" + b"y" * (before // 2) + sought + b"z" * 130
        body = {b"base64": lines, b"quoted-printable": quoted_printable}.get(encoding, bytes)(octets) + end
        found = list(windows(memoryview(body), encoding, len(sought)))
        assert any(sought in window for window in found)
        if not end and encoding != b"x-own":
            assert len(found) > 1
            assert max(map(len, found)) < len(octets)


@pytest.mark.parametrize(
    "body",
    [
        b"=" * (2 << 20),
        b"Q=" * (1 << 20),
        b" " * (2 << 20) + b"=z",
        b"=z" * (1 << 20),
        b"= " * (1 << 20),
        b"begin 644 x\n" * (1 << 17),
        b"-" * (2 << 20),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_time_is_linear(body: bytes) -> None:
    before = time.process_time()
    for header in (b"base64", b"quoted-printable", b"x-uuencode"):
        readings(body, header)
    assert time.process_time() - before < 10 * SLOWER


def test_encoded_slices_are_joined_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"a=zz \t\r\nline =\r\nlong" * 40
    whole = readings(body, b"quoted-printable")
    monkeypatch.setattr(transfer, "SLICE", 50)
    assert readings(body, b"quoted-printable") == whole
