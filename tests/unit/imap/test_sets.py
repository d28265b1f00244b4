"""Sets in two numberings: checked against a mailbox that is a plain list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imap4fast.imap.sets import to_client, to_server, translated

MAILS = 12


@st.composite
def expunges(draw: st.DrawFn) -> list[int]:
    count = draw(st.integers(0, MAILS - 1))
    return [draw(st.integers(1, MAILS - gone)) for gone in range(count)]


def left_after(expunged: list[int]) -> list[int]:
    """The client's numbers of the mails that are left, in the server's order."""
    mails = list(range(1, MAILS + 1))
    for gone in expunged:
        del mails[gone - 1]
    return mails


@given(expunges())
def test_numbers_there_and_back(expunged: list[int]) -> None:
    mails = left_after(expunged)
    for number in range(1, MAILS + 1):
        server = to_server(number, expunged)
        if number in mails:
            assert server == mails.index(number) + 1
            assert to_client(server, expunged) == number
        else:
            assert server is None


def named(text: bytes, count: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(b","):
        ends = [count if end == b"*" else int(end) for end in part.split(b":")]
        found |= set(range(min(ends), max(ends) + 1))
    return found & set(range(1, count + 1))


ENDS = st.one_of(st.integers(1, MAILS).map(lambda number: b"%d" % number), st.just(b"*"))
PARTS = st.one_of(ENDS, st.tuples(ENDS, ENDS).map(b":".join))


@given(expunges(), st.lists(PARTS, min_size=1, max_size=4))
def test_a_set_names_the_mails_that_are_left(expunged: list[int], parts: list[bytes]) -> None:
    text = b",".join(parts)
    mails = left_after(expunged)
    wanted = {mails.index(number) + 1 for number in named(text, MAILS) if number in mails}
    done = translated(text, expunged)
    got = set() if done is None else named(done, len(mails))
    # `*` is the last mail in either numbering, and a range up to it holds that mail always.
    if b"*" in text:
        assert wanted <= got <= wanted | {len(mails)}
    else:
        assert got == wanted


def test_a_saved_set_stays() -> None:
    assert translated(b"$", [1, 2]) == b"$"
