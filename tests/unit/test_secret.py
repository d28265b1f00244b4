"""A Secret shows its mark wherever a value could be printed."""

from __future__ import annotations

import pickle

import pytest

from imap4fast.secret import Secret

HIDDEN = b"zq8-hidden"


@pytest.mark.parametrize("printed", [str, repr, "{}".format, "{:>20}".format, "%s".__mod__, "%r".__mod__, ascii])
def test_printing_shows_the_mark(printed: object) -> None:
    assert callable(printed)
    assert printed(Secret(HIDDEN)) == Secret.MARK
    assert "zq8" not in printed([Secret(HIDDEN)] if printed in (str, repr, ascii) else Secret(HIDDEN))


def test_revealing_gives_the_bytes() -> None:
    assert Secret(HIDDEN).reveal() == HIDDEN


def test_it_is_never_pickled_and_holds_no_dictionary() -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Secret(HIDDEN))
    with pytest.raises(TypeError):
        vars(Secret(HIDDEN))
