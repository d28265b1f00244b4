"""CRLF alone, no NUL, and nothing copied where nothing is to be done."""

from __future__ import annotations

import mmap
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail import canonical

OCTETS = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"a", b"\xff"]), max_size=20).map(b"".join)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"a\r\nb", b"a\r\nb"),
        (b"a\nb\r\n", b"a\r\nb\r\n"),
        (b"a\rb", b"a\r\nb"),
        (b"a\0b\r\n", b"ab\r\n"),
        (b"a\r\0\nb", b"a\r\nb"),
        (b"a\r\r\nb", b"a\r\n\r\nb"),
        (b"no end", b"no end"),
        (b"end\n", b"end\r\n"),
    ],
)
def test_T_M12_lines_end_in_one_way(data: bytes, expected: bytes) -> None:  # noqa: N802
    assert canonical.canonical(data) == expected


def test_what_is_canonical_is_the_same_object() -> None:
    data = b"a\r\nb\r\n"
    assert canonical.canonical(data) is data


@given(OCTETS)
def test_twice_is_once(data: bytes) -> None:
    once = canonical.canonical(data)
    assert canonical.canonical(once) is once
    assert canonical.is_canonical(data) == (once == data)
    left = bytes(once).replace(b"\r\n", b"")
    assert not set(left) & set(b"\r\n\0")


@given(OCTETS)
def test_bad_characters_are_nul_and_cr_alone(data: bytes) -> None:
    assert canonical.has_bad_char(data) == (b"\0" in data or b"\r" in data.replace(b"\r\n", b""))


def test_a_line_end_over_two_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "WINDOW", 4)
    for data in (b"abc\r\nabc\r\n", b"\r\n\r\n\r\n", b"abcd\r\n"):
        assert canonical.canonical(data) is data
        assert b"".join(canonical.windows(data)) == data
    assert not canonical.is_canonical(b"abc\rabc")
    assert not canonical.is_canonical(b"abc\r")


def test_a_mapped_file() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a\r\n\xff")
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert canonical.canonical(mapped) is mapped
            assert not canonical.is_ascii(mapped)
            assert canonical.is_ascii(mapped, 0, 3)
