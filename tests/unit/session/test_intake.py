"""Whole mails from the server: asked for in one form, taken once, for the UID that was asked."""

from __future__ import annotations

from imap4fast.session import answers
from imap4fast.session.intake import Intake
from imap4fast.session.mailwork import Receiver, Refused
from tests.play.conftest import Make
from tests.play.post import Box
from tests.play.stage import Stage
from tests.play.test_download import selected


class Case:
    def __init__(self, make: Make, **items: object) -> None:
        self.stage: Stage = selected(make, **items)
        assert self.stage.session.processing is not None
        self.intake: Intake = self.stage.session.processing.intake
        self.came: list[Receiver | Refused | None] = []
        self.intake.want(5, self.came.append)


def test_the_one_form(make: Make) -> None:
    case = Case(make)
    assert case.stage.server.taken() == b"own-3 UID FETCH 5 (UID BODY.PEEK[])\r\n"
    assert case.intake.busy


def test_a_quoted_mail(make: Make) -> None:
    case = Case(make)
    assert case.intake.data(5, {b"UID": b"5", b"BODY[]": b'"A: b"'})
    (box,) = case.stage.post.received
    assert box.octets == b"A: b"


def test_literals_of_other_items_are_dropped(make: Make) -> None:
    case = Case(make)
    assert case.intake.literal(b"BODY[TEXT]") == answers.DROP
    assert case.intake.literal(b"BODY[]") == answers.REPLACE
    assert case.intake.literal(b"BODY[]") == answers.DROP


def test_when_nothing_is_wanted_nothing_is_taken(make: Make) -> None:
    case = Case(make)
    case.intake.drop()
    assert case.intake.literal(b"BODY[]") == answers.DROP
    assert case.intake.data(5, {b"BODY[]": b'"x"'})
    assert case.stage.post.received == []


def test_choking(make: Make) -> None:
    case = Case(make)
    case.stage.post.choking = True
    case.intake.literal(b"BODY[]")
    case.intake.octets(b"abc")
    assert not case.stage.server.reading
    case.stage.post.ready[0]()
    assert case.stage.server.reading


def test_a_refusal_of_the_server_drops_what_came(make: Make) -> None:
    case = Case(make)
    case.intake.literal(b"BODY[]")
    case.stage.session.processing.flow = None  # type: ignore[union-attr]
    case.stage.relay.server_data(b"own-3 NO gone\r\n")
    assert case.intake.answered(3)
    assert case.came == [None]
    assert isinstance(case.stage.post.received[0], Box)
    assert case.stage.post.received[0].dropped
