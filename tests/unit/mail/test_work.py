"""Orders and outcomes: they survive the way to a helper and back, and nothing else does."""

from __future__ import annotations

import msgspec
import pytest

from imap4fast.mail.work import FOUND, REFUSED, LogLine, Order, Outcome, Quarantined, Scan, Verdicts

VERDICTS = Verdicts(Scan(FOUND, "Eicar", "CLAM"), (Scan("free"),), 5.5)


@pytest.mark.parametrize(
    "value",
    [
        Order("process", "download", "ALL", ("SPAM", "REST"), ("REST",), 310, b"\0\xff", verdicts=VERDICTS),
        Outcome(REFUSED, reason="message/partial", code="CANNOT", log=(LogLine("IMAP-760", ("<a@b>", 3, None), "W"),)),
        Outcome("changed", 12, 3, b"\1" * 32, quarantine=(Quarantined("/q", "why"),), pieces=((0, 4), (4, 9))),
    ],
)
def test_there_and_back(value: Order | Outcome) -> None:
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value))
    assert again == value


def test_what_has_another_shape_is_not_taken() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(["passed", "many"]), type=Outcome)
