"""An open file's side on the loop: marks, the end of a mail, and what was read ahead."""

from __future__ import annotations

import pytest

from imap4fast.net.openfile import OpenFile


def test_who_is_due_is_told_once() -> None:
    file = OpenFile()
    heard: list[int] = []
    file.marks = [(10, lambda: heard.append(10)), (50, lambda: heard.append(50))]
    for file.pending in (50, 49, 49, 9, 0):
        for callback in file.take_due():
            callback()
    assert heard == [50, 10]


@pytest.mark.parametrize(
    ("size", "offset", "left"), [(100, 0, 100), (101, 0, 100), (5, 98, 2), (5, 100, 0), (5, 900, 0)]
)
def test_an_object_ends_with_its_mail(size: int, offset: int, left: int) -> None:
    assert OpenFile(100).within(size, offset) == left
    assert OpenFile().within(size, offset) == size


@pytest.mark.parametrize(
    ("size", "offset", "found"),
    [
        (4, 10, b"abcd"),
        (2, 12, b"cd"),
        (6, 10, b"abcdef"),
        (1, 9, None),
        (7, 10, None),
        (1, 16, None),
        (0, 10, b""),
    ],
)
def test_what_was_read_ahead(size: int, offset: int, found: bytes | None) -> None:
    file = OpenFile()
    assert file.ready(size, offset) is None
    file.read_ahead(b"abcdef", 10, ends=False)
    assert file.ready(size, offset) == found


def test_at_the_end_there_is_less() -> None:
    file = OpenFile()
    file.read_ahead(b"abcdef", 10, ends=True)
    assert [file.ready(9, 10), file.ready(9, 15), file.ready(9, 16), file.ready(9, 900)] == [b"abcdef", b"f", b"", b""]
    assert file.ready(9, 9) is None
