"""Mail processing as the master keeps it: on or off, shared out, and replaced when it dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from imap4fast.config.settings import Proxy, Settings, TcpServer
from imap4fast.errors import SetupError
from imap4fast.log import tcps
from imap4fast.net.jobs import Work
from imap4fast.proc import kernel
from imap4fast.proc.brood import AGAIN_S, Brood, Craft, helper_share
from tests.unit.proc.nurseries import Desk, Log, children, play, tells, trick

CORES = len(os.sched_getaffinity(0))


def settings(helpers: int = 0) -> Settings:
    return Settings("x", "0", Proxy(name="IMAP", tcpserver=TcpServer(helpers=helpers)))


@pytest.mark.parametrize(
    ("helpers", "workers", "share"),
    [(0, CORES, 1), (0, 1, CORES), (0, 4 * CORES, 1), (6, 2, 3), (7, 2, 4), (1, 8, 1), (1024, 1, 1024)],
)
def test_helpers_are_shared_among_workers(helpers: int, workers: int, share: int) -> None:
    assert helper_share(settings(helpers).proxy, workers) == share


@pytest.mark.parametrize("craft", [None, Craft(lambda settings: False, lambda settings: os._exit(1))])
def test_no_mail_no_processes(craft: Craft | None) -> None:
    before = children()
    brood = Brood(settings(), Log(), craft, 2)  # type: ignore[arg-type]
    assert (brood.craft, brood.fileno(), brood.sprout(), brood.look(1e9)) == (None, -1, None, False)
    brood.bury(0)
    brood.forget()
    brood.end()
    assert children() == before


def test_the_settings_decide_and_are_what_work_is_made_of() -> None:
    told: list[str] = []

    def make_work(made_of: Settings) -> Work:
        return lambda order, source, target: tells(target, made_of.proxy.tcpserver.helpers)

    async def script(desk: Desk) -> None:
        told.append(await desk.told())

    brood = Brood(settings(3), Log(), Craft(lambda asked: asked.proxy.name == "IMAP", make_work), 1)  # type: ignore[arg-type]
    assert brood._nursery is not None
    play(brood._nursery, script)
    brood.end()
    assert (told, brood.share) == (["3"], 3)


@pytest.fixture
def scene() -> Iterator[SimpleNamespace]:
    log = Log()

    def make_work(settings: Settings) -> Work:
        if state["fails"]:
            raise ValueError("told to fail")
        return trick

    state = {"fails": False}
    brood = Brood(settings(), log, Craft(lambda settings: True, make_work), 1)  # type: ignore[arg-type]
    yield SimpleNamespace(brood=brood, log=log, state=state)
    brood.end()


def kill(scene: SimpleNamespace) -> int:
    pid = scene.brood._nursery.pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return int(pid)


def test_a_nursery_that_died_is_replaced_after_a_while(scene: SimpleNamespace) -> None:
    pid = kill(scene)
    assert scene.brood.sprout() is None
    scene.brood.bury(10)
    assert scene.log.lines == [f"{tcps.NURSERY_DIED.id} ({pid},)"]
    assert (scene.brood.fileno(), scene.brood.sprout()) == (-1, None)
    assert not scene.brood.look(10 + AGAIN_S / 2)
    assert scene.brood.look(10 + AGAIN_S)
    assert not scene.brood.look(100)
    scene.brood.sprout().close()
    assert scene.brood._nursery.pid != pid


def test_one_that_comes_later_forgets_what_the_master_has(scene: SimpleNamespace) -> None:
    def forget() -> None:
        raise ValueError("forgotten")

    scene.brood.forget_secrets = forget
    kill(scene)
    scene.brood.bury(10)
    assert not scene.brood.look(20)
    assert scene.log.lines[-1] == f"{tcps.INTERNAL_ERROR.id} ('brood.look', 'mail processing: ValueError: forgotten')"


def test_one_that_cannot_be_made_is_tried_again(scene: SimpleNamespace) -> None:
    kill(scene)
    scene.brood.bury(10)
    scene.state["fails"] = True
    assert not scene.brood.look(20)
    assert not scene.brood.look(20 + AGAIN_S / 2)
    scene.state["fails"] = False
    assert not scene.brood.look(20 + AGAIN_S / 2)
    assert scene.brood.look(20 + AGAIN_S)


def test_the_first_one_must_be_made() -> None:
    def make_work(settings: Settings) -> Work:
        raise ValueError("told to fail")

    with pytest.raises(SetupError, match="told to fail"):
        Brood(settings(), Log(), Craft(lambda settings: True, make_work), 1)  # type: ignore[arg-type]


def test_what_the_sandbox_lacks_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(kernel, "unshare", refuse)
    log = Log()
    Brood(settings(), log, Craft(lambda settings: True, lambda settings: trick), 1).end()  # type: ignore[arg-type]
    assert log.lines == [f"{tcps.SANDBOX_LACKS.id} ('Operation not permitted',)"]
