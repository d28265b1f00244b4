"""Exceptions in a log line: where, what kind, and nothing of the conversation."""

from __future__ import annotations

import errno

from imap4fast.log.cause import cause

QUOTED = "zq8-in-an-exception"


def raised(error: BaseException, earlier: BaseException | None = None) -> BaseException:
    try:
        if earlier is None:
            raise error
        try:
            raise earlier
        except BaseException as first:
            raise error from first
    except BaseException as caught:
        return caught


def test_places_are_named_innermost_first() -> None:
    def inner() -> None:
        raise LookupError

    try:
        inner()
    except LookupError as error:
        text = cause(error)
    assert text.startswith("LookupError at log/test_cause.py:")
    assert " inner < log/test_cause.py:" in text


def test_texts_that_may_quote_the_wire_are_left_out() -> None:
    for error in (ValueError(QUOTED), KeyError(QUOTED.encode()), RuntimeError(QUOTED), UnicodeError(QUOTED)):
        assert QUOTED not in cause(raised(error))


def test_texts_that_name_types_stay() -> None:
    assert "('NoneType' object has no attribute 'x')" in cause(
        raised(AttributeError("'NoneType' object has no attribute 'x'"))
    )
    text = cause(raised(OSError(errno.ENOSPC, "No space left on device", QUOTED)))
    assert "(No space left on device)" in text
    assert QUOTED not in text


def test_what_led_to_it_follows() -> None:
    assert "; from ValueError at " in cause(raised(TypeError("x"), ValueError(QUOTED)))


def test_deep_recursion_stays_short() -> None:
    def deep() -> None:
        deep()

    try:
        deep()
    except RecursionError as error:
        text = cause(error)
    assert text.count(" < ") == 11
    assert len(text) < 1000


def test_an_error_that_was_never_raised() -> None:
    assert cause(ValueError("x")) == "ValueError"
