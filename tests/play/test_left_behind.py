"""A session that is over leaves nothing of its mails behind: workers run without the collector of circles."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from imap4fast.session.download import Download
from imap4fast.session.intake import Intake
from imap4fast.session.mailbox import Mailbox
from imap4fast.session.processing import Processing
from imap4fast.session.upload import Upload
from imap4fast.session.writer import AT_ONCE, Writer
from tests.play.post import Kept
from tests.play.stage import Stage, processing
from tests.play.test_download import IN

OWN = (Processing, Download, Upload, Intake, Writer, Mailbox, Kept)
SMALL = b"Subject: hello\r\n\r\nGood day.\r\n"
LARGE = SMALL + b"x" * (3 * AT_ONCE)


def _asked(stage: Stage, mail: bytes, share: float = 1.0) -> None:
    """One mail is fetched, as far as the server gives it."""
    stage.relay.client_data(b"a UID FETCH 5 (BODY.PEEK[])\r\n")
    stage.relay.server_data(b'* 2 FETCH (UID 5 INTERNALDATE " 1-Jan-2026 00:00:00 +0000")\r\nown-3 OK done\r\n')
    stage.relay.server_data(b"* 2 FETCH (UID 5 BODY[] {%d}\r\n" % len(mail))
    stage.relay.server_data(mail[: int(len(mail) * share)])
    if share == 1:
        stage.relay.server_data(b")\r\nown-4 OK done\r\n")


def _uploaded(stage: Stage, mail: bytes, share: float = 1.0) -> None:
    stage.relay.client_data(b"a APPEND INBOX {%d+}\r\n" % len(mail))
    stage.relay.client_data(mail[: int(len(mail) * share)])
    if share == 1:
        stage.relay.client_data(b"\r\n")


def _small(stage: Stage) -> None:
    _asked(stage, SMALL)
    assert b"a OK" in stage.client.taken()


def _large(stage: Stage) -> None:
    _asked(stage, LARGE)
    assert b"a OK" in stage.client.taken()


def _two(stage: Stage) -> None:
    _small(stage)
    stage.relay.client_data(b"b UID FETCH 5 (BODY.PEEK[1])\r\n")
    assert b"b OK" in stage.client.taken()


def _server_cut(stage: Stage) -> None:
    _asked(stage, LARGE, 0.5)


def _client_cut(stage: Stage) -> None:
    stage.relay.client_paused()
    _asked(stage, LARGE)
    assert b"a OK" not in stage.client.taken()


def _reading(stage: Stage) -> None:
    """The disk has not answered yet."""
    stage.post.slow = True
    _asked(stage, LARGE)


def _upload(stage: Stage) -> None:
    _uploaded(stage, LARGE)
    stage.relay.server_data(b"+ go\r\n")
    stage.relay.server_data(b"own-3 OK done\r\n")
    assert b"a OK" in stage.client.taken()


def _upload_cut(stage: Stage) -> None:
    _uploaded(stage, LARGE, 0.5)


def _upload_unanswered(stage: Stage) -> None:
    _uploaded(stage, LARGE)
    stage.relay.server_data(b"+ go\r\n")


def _headers(stage: Stage) -> None:
    stage.relay.client_data(b"a UID FETCH 5 (ENVELOPE)\r\n")


FLOWS: tuple[Callable[[Stage], None], ...] = (
    _small, _large, _two, _server_cut, _client_cut, _reading, _upload, _upload_cut, _upload_unanswered, _headers,
)  # fmt: skip


def _alive() -> list[str]:
    return sorted(type(found).__name__ for found in gc.get_objects() if isinstance(found, OWN))


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__.strip("_"))
@pytest.mark.parametrize("view", ["strict", "headers-first"])
def test_nothing_is_left(flow: Callable[[Stage], None], view: str) -> None:
    gc.collect()
    gc.disable()
    try:
        before = _alive()
        stage = Stage(processing(mail_view=view))
        stage.play(IN)
        flow(stage)
        assert _alive() != before
        stage.session.client_gone()
        stage.post.settle()
        stage.post.ready.clear()
        stage.post.store.clear()
        stage.session.part()
        assert _alive() == before
    finally:
        gc.enable()
