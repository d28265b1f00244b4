"""Where mails are processed and where they are not: what the session asks its relay for."""

from __future__ import annotations

from imap4fast.imap.replies import ENGLISH, Reply
from imap4fast.session.processing import FORGET_S, KEEP_ALIVE_S
from tests.play.conftest import Make
from tests.play.post import Kept
from tests.play.stage import accepting, of_user, processing
from tests.play.test_download import selected


def test_pass_mode_has_none_of_it(make: Make) -> None:
    stage = make(accepting())
    assert stage.session.processing is None
    assert not stage.relay.scanning


def test_an_acl_that_login_chooses_begins_it(make: Make) -> None:
    stage = make(processing("J", conditions=of_user("jana")), accepting())
    stage.play("""
        S: * OK ready
        C: z LOGIN jana zq8-Correct-Horse
        S: z OK in
        C| a NOOP
        P> own-1 NOOP
        S| own-1 OK done
        P: a OK done
        """)


def test_and_ends_it(make: Make) -> None:
    stage = make(accepting("J", conditions=of_user("jana")), processing())
    stage.play("""
        S: * OK ready
        C| z LOGIN jana zq8-Correct-Horse
        P> own-1 LOGIN jana zq8-Correct-Horse
        S| own-1 OK in
        P: z OK in
        C: a NOOP
        S: a OK done
        """)
    assert stage.session.processing is None


def test_who_waits_hears_of_it(make: Make) -> None:
    stage = selected(make)
    stage.post.slow = True
    stage.client_says("a APPEND Sent {1+}")
    stage.client_says("x")
    stage.wait(KEEP_ALIVE_S * 2 + 1)
    line = b"* OK " + ENGLISH[Reply.WORKING].encode() + b"\r\n"
    assert stage.client.taken() == line * 2


def test_who_is_idle_has_no_mail_in_memory(make: Make) -> None:
    stage = selected(make)
    work = stage.session.processing
    assert work is not None
    assert work.box is not None
    stage.wait(1)
    work.box.keep(5, 5, Kept(b"A: b", stage.post))
    stage.wait(FORGET_S - 5)
    assert work.box.at_hand(5) is not None
    stage.wait(6)
    assert work.box.at_hand(5) is None
    assert stage.client.taken() == b""


def test_a_mailbox_that_goes_is_forgotten(make: Make) -> None:
    stage = selected(make)
    origin = stage.post.origin(b"Old", 1, 5)
    other = stage.post.origin(b"New", 1, 5)
    assert origin is not None
    assert other is not None
    stage.post.store |= {origin: Kept(b"A: b", stage.post), other: Kept(b"A: b", stage.post)}
    stage.client_says("a RENAME Old Older")
    stage.server_says("own-3 NO it is not there")
    assert set(stage.post.store) == {origin, other}
    stage.client_says("b DELETE {3+}")
    stage.client_says("Old")
    stage.server_says("own-4 OK done")
    assert set(stage.post.store) == {other}
