"""Parts of uploads that conversations (tests/play/test_upload.py) show only from outside."""

from __future__ import annotations

from imap4fast.session.upload import MOST_MAILS
from tests.play.conftest import Make
from tests.play.test_download import selected


def test_no_more_mails_than_that(make: Make) -> None:
    stage = selected(make)
    stage.client_says("a APPEND Sent {1+}")
    for _ in range(MOST_MAILS - 1):
        stage.client_says("x {1+}")
    to_client, to_server = stage.client_says("x {1+}")
    assert to_client.startswith(b"a NO ")
    assert to_server == b""
    assert all(box.dropped for box in stage.post.received)
