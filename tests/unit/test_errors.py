"""What an operator reads of an exception."""

from __future__ import annotations

import pytest

from imap4fast.errors import ConfigError, Imap4FastError, InternalError, ServiceError, SetupError


def test_what_failed_and_why() -> None:
    error = SetupError("bind [::1]:143", PermissionError(13, "Permission denied"))
    assert str(error) == "bind [::1]:143: [Errno 13] Permission denied"
    assert error.what == "bind [::1]:143"
    assert isinstance(error.why, PermissionError)


def test_which_service_and_why() -> None:
    error = ServiceError("resolver", "timed out")
    assert (str(error), error.service, error.why) == ("resolver: timed out", "resolver", "timed out")


@pytest.mark.parametrize("kind", [ConfigError, InternalError])
def test_the_text_is_the_report(kind: type[Imap4FastError]) -> None:
    assert str(kind("a.cfg:1:1: error: x")) == "a.cfg:1:1: error: x"


@pytest.mark.parametrize("kind", [ConfigError, SetupError, ServiceError, InternalError])
def test_all_have_one_base(kind: type[Imap4FastError]) -> None:
    assert issubclass(kind, Imap4FastError)
    assert not issubclass(kind, OSError)
