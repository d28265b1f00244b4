"""Resolving the names of a configuration: what is known, known to be nothing, and unknown."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from imap4fast.config.values import Address
from imap4fast.net import resolve
from imap4fast.net.resolve import ClientNames, resolve_names
from tests.unit.net.running import run

ANSWERS = {
    "two.example": ["10.0.0.1", "2001:db8::1"],
    "mapped.example": ["::ffff:10.0.0.2"],
    "zone.example": ["fe80::1%lo"],
}
ERRORS = {
    "none.example": socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "later.example": socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
    "broken.example": OSError("no descriptors"),
    "x..example": UnicodeError("label empty"),
}


def fake_getaddrinfo(name: str, port: object, **hints: object) -> list[tuple]:
    if name in ERRORS:
        raise ERRORS[name]
    return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ANSWERS[name]]


def test_what_each_answer_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", fake_getaddrinfo)
    assert resolve_names([*ANSWERS, *ERRORS]) == {
        "two.example": frozenset({Address(4, 0x0A000001), Address(6, (0x20010DB8 << 96) + 1)}),
        "mapped.example": frozenset({Address(4, 0x0A000002)}),
        "zone.example": frozenset({Address(6, (0xFE80 << 112) + 1)}),
        "none.example": frozenset(),
    }


def test_no_names() -> None:
    assert resolve_names(()) == {}


def test_the_real_resolver_knows_localhost() -> None:
    assert Address(4, 0x7F000001) in resolve_names(["localhost"])["localhost"]


def fake_getnameinfo(place: tuple[str, int], flags: int) -> tuple[str, str]:
    assert flags == socket.NI_NAMEREQD
    if place[0] == "10.0.0.3":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return {"10.0.0.7": "x..example", "10.0.0.8": "later.example", "10.0.0.9": "10.0.0.9"}.get(
        place[0], "two.example"
    ), "0"


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", fake_getaddrinfo)
    monkeypatch.setattr(socket, "getnameinfo", fake_getnameinfo)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.1", "two.example"),
        ("2001:db8::1", "two.example"),
        ("10.0.0.4", None),  # says that it is two.example, and is not
        ("10.0.0.3", None),
        ("10.0.0.7", None),
        ("10.0.0.8", None),
        ("10.0.0.9", None),  # an address for a name
    ],
)
@pytest.mark.usefixtures("known")
def test_the_confirmed_name_of_an_address(host: str, name: str | None) -> None:
    assert run(ClientNames().of(host)) == name


class Slow:
    """A resolver that answers once it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.answers = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", fake_getaddrinfo)
        monkeypatch.setattr(socket, "getnameinfo", self)

    def __call__(self, place: tuple[str, int], flags: int) -> tuple[str, str]:
        self.asked.append(place[0])
        assert self.answers.wait(10)
        return "two.example", "0"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    resolver = Slow(monkeypatch)
    yield resolver
    resolver.answers.set()


def test_no_answer_in_time(monkeypatch: pytest.MonkeyPatch, slow: Slow) -> None:
    monkeypatch.setattr(resolve, "NAME_S", 0.05)
    assert run(ClientNames().of("10.0.0.1")) is None


def test_clients_with_one_address_share_a_lookup(slow: Slow) -> None:
    async def main() -> list[str | None]:
        names = ClientNames()
        asking = [asyncio.ensure_future(names.of("10.0.0.1")) for _ in range(5)]
        await asyncio.sleep(0.05)
        asking.pop().cancel()
        slow.answers.set()
        return await asyncio.gather(*asking)

    assert run(main()) == ["two.example"] * 4
    assert slow.asked == ["10.0.0.1"]


def test_what_waited_too_long_is_not_asked_any_more(monkeypatch: pytest.MonkeyPatch, slow: Slow) -> None:
    """Many clients whose names nobody answers for: what they leave behind is no queue."""
    monkeypatch.setattr(resolve, "NAME_S", 0.05)

    async def main() -> str | None:
        names = ClientNames()
        assert await asyncio.gather(*(names.of(f"10.1.0.{at}") for at in range(250))) == [None] * 250
        asked = len(slow.asked)
        assert asked < 50
        slow.answers.set()
        monkeypatch.setattr(resolve, "NAME_S", 5.0)
        found = await names.of("10.0.0.1")
        assert len(slow.asked) == asked + 1
        return found

    assert run(main()) == "two.example"


def test_no_more_lookups_than_that(monkeypatch: pytest.MonkeyPatch, slow: Slow) -> None:
    monkeypatch.setattr(resolve, "MOST_LOOKUPS", 3)

    async def main() -> None:
        names = ClientNames()
        first = [asyncio.ensure_future(names.of(f"10.1.0.{at}")) for at in range(3)]
        await asyncio.sleep(0)
        assert await names.of("10.0.0.1") is None
        slow.answers.set()
        await asyncio.gather(*first)
        assert await names.of("10.0.0.1") == "two.example"

    run(main())


@pytest.mark.usefixtures("slow")
def test_servers_are_found_meanwhile() -> None:
    async def main() -> None:
        names = ClientNames()
        asking = [asyncio.ensure_future(names.of(f"10.1.0.{at}")) for at in range(100)]
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(loop.getaddrinfo("localhost", 143, type=socket.SOCK_STREAM), 2)
        await asyncio.wait_for(loop.run_in_executor(None, int), 2)
        for one in asking:
            one.cancel()

    run(main())
