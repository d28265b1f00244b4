"""Parts of FETCH that conversations (tests/play/test_download.py) show only from outside."""

from __future__ import annotations

from imap4fast.imap.fetch import Items, Request
from imap4fast.session.download import Download
from tests.play.conftest import Make
from tests.play.test_download import selected


def flow(make: Make, *, dynamic: tuple[bytes, ...] = (), seen: bool = False, uid: bool = False) -> Download:
    stage = selected(make)
    work = stage.session.processing
    assert work is not None
    assert work.box is not None
    return Download(work, work.box, Request(b"1:2", Items(dynamic, (), seen)), uid=uid)


def test_what_belongs_to_the_answer(make: Make) -> None:
    download = flow(make, dynamic=(b"FLAGS",))
    assert not download.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"()")])  # nothing was asked yet
    download.begin()
    assert not download.data(1, 5, [(b"UID", b"5")])
    assert not download.data(2, None, [(b"FLAGS", b"()")])
    assert download.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"(\\Seen)")])
    assert not download.data(1, 5, [(b"UID", b"5"), (b"FLAGS", b"()")])  # said again: unasked
