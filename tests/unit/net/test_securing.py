"""Sessions whose legs come to TLS, with real sockets: both forms on both legs, what fails on the way, nothing left."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from imap4fast._wire import Handshake, Tls
from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import CertMatch, TcpServer
from imap4fast.config.values import WordMember
from imap4fast.log import ssle
from imap4fast.net.securing import ClientLeg, Farewell, ServerLeg
from imap4fast.session.starttls import StartTls
from tests.play.stage import accepting
from tests.unit.net.running import Running, Talk, easy, run, serving, silent
from tests.unit.net.secure import (
    ANSWERED,
    FILTERED,
    FORMS,
    HELLO,
    LOGIN,
    NAMES,
    Secure,
    acl_for,
    at_once,
    bad_server,
    behind,
    by_starttls,
    client,
    client_side,
    event,
    no_internal_error,
    remains,
    says,
    secured,
    server_side,
    tls_client,
)
from tests.unit.net.test_driver import ALIVE as PLAIN_ALIVE
from tests.unit.tls.ends import TLS12, TLS13, authority

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("version", [TLS12, TLS13])
@pytest.mark.parametrize(("client_form", "server_form"), list(itertools.product(FORMS, FORMS)))
def test_a_session(client_form: str | None, server_form: str | None, version: int) -> None:
    """Greeting, login, logout; counts are plain octets; each end hears that TLS ends."""
    seen: list[Secure] = []

    async def main() -> None:
        talk = behind(server_form, **({"context": server_side(version), "seen": seen} if server_form else {}))
        async with serving(talk, acl_for(server_form), **secured(client_form, server_form)) as running:
            end = None
            if client_form is None:
                heard, said = await running.hears(LOGIN), len(LOGIN)
                counts = (len(heard), said)
            else:
                heard, end = await tls_client(running, client_form == "command", version)
                counts = (end.heard, end.said)
            greeting = FILTERED if server_form == "command" else HELLO
            assert heard == (b"" if client_form == "command" else greeting) + ANSWERED
            told = await event(running)
            assert (told["RESULT"], told["USER"], told["STATUS"]) == ("OK", "jana", "ACCEPTED")
            assert (told["BYTES-CIN"], told["BYTES-COUT"]) == counts
            if seen:
                assert (told["BYTES-SIN"], told["BYTES-SOUT"]) == (seen[0].said, seen[0].heard)
            else:
                assert told["BYTES-SOUT"] == len(LOGIN)
            legs = [leg for leg, name in (("CLIENT", client_form), ("SERVER", server_form)) if name]
            lines = [line.args for line in running.notebook.written if line.entry is ssle.ESTABLISHED]
            assert [(args[0], args[1]) for args in lines] == [(leg, _name_of(version)) for leg in legs]
            assert end is None or end.end.closed
            for server in seen:
                assert await server.rest() == b""
                assert server.end.closed
            assert await running.logged(ssle.TRUNCATED, 0) == []
            no_internal_error(running)

    run(main())


def _name_of(version: int) -> str:
    return {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}[version]


@pytest.mark.parametrize(("client_form", "server_form"), [("session", "session"), ("command", "command")])
def test_a_mail_each_way(client_form: str, server_form: str) -> None:
    """Both ways through both legs, with ends that do not read at once."""
    up, down = random.Random(1).randbytes(1_500_000), random.Random(2).randbytes(1_500_000)
    got: list[bytes] = []

    async def stores(secure: Secure) -> None:
        while line := await secure.readline():
            tag, command = line.split()[:2]
            if command == b"APPEND":
                secure.write(b"+ go\r\n")
                await asyncio.sleep(0.1)
                got.append(await secure.exactly(len(up) + 2))
            if command == b"FETCH":
                secure.write(b"* 1 FETCH (BODY[] {%d}\r\n" % len(down) + down + b")\r\n")
            if command == b"CAPABILITY":
                secure.write(b"* CAPABILITY " + NAMES + b"\r\n")
            secure.write(tag + b" OK done\r\n")

    async def greets_and_stores(secure: Secure) -> None:
        secure.write(HELLO)
        await stores(secure)

    async def main() -> None:
        talk = at_once(greets_and_stores) if server_form == "session" else by_starttls(stores)
        async with serving(talk, acl_for(server_form), **secured(client_form, server_form, level=6)) as running:
            end = await client(running, starttls=client_form == "command")
            end.write(b"a LOGIN jana x\r\n")
            while not (await end.readline()).startswith(b"a OK"):
                pass
            end.write(b"s SELECT INBOX\r\nb APPEND x {%d+}\r\n" % len(up) + up + b"\r\n")
            while not (await end.readline()).startswith(b"b OK"):
                pass
            assert got == [up + b"\r\n"]
            end.write(b"c FETCH 1 BODY[]\r\n")
            await asyncio.sleep(0.3)
            expected = b"* 1 FETCH (BODY[] {%d}\r\n" % len(down) + down + b")\r\nc OK done\r\n"
            assert await end.exactly(len(expected)) == expected
            end.close()
            no_internal_error(running)

    run(main())


async def a_session(running: Running, starttls: bool = False) -> None:
    end = await client(running, starttls=starttls)
    end.write(LOGIN)
    await end.rest()
    end.close()


async def a_session_by_starttls(running: Running) -> None:
    await a_session(running, True)


async def a_plain_session(running: Running) -> None:
    await running.hears(LOGIN)


async def garbage(running: Running) -> None:
    await running.hears(b"GET / HTTP/1.1\r\n\r\n")


async def a_hello_and_away(running: Running) -> None:
    reader, writer = await running.client()
    writer.write(Secure(reader, writer, client_side()).end.pump(b"")[1])
    await reader.read(100)
    writer.close()


async def away_at_once(running: Running) -> None:
    _, writer = await running.client()
    writer.close()


async def silence(running: Running) -> None:
    reader, writer = await running.client()
    await remains(reader)
    writer.close()


async def an_injection(running: Running) -> None:
    await running.hears(b"a STARTTLS\r\nb NOOP\r\n")


async def starttls_and_away(running: Running) -> None:
    reader, writer = await running.client()
    writer.write(b"a STARTTLS\r\n")
    await reader.readline()
    await reader.readline()
    writer.close()


ALIVE = (*PLAIN_ALIVE, Tls, Handshake, ClientLeg, ServerLeg, StartTls, Farewell)
STRANGER = CertMatch("M", common_name=(WordMember("nobody"),))
Visit = Callable[[Running], Awaitable[None]]
LEFT: dict[str, tuple[Visit, Talk | None, str | None, str | None, dict[str, Any]]] = {
    "session": (a_session, easy, "session", None, {}),
    "starttls": (a_session_by_starttls, easy, "command", None, {}),
    "both": (a_session, at_once(), "session", "session", {}),
    "both by starttls": (a_session_by_starttls, by_starttls(), "command", "command", {}),
    "dumped": (a_session, at_once(), "session", "session", {"level": 9}),
    "server": (a_plain_session, at_once(), None, "session", {}),
    "garbage": (garbage, easy, "session", None, {}),
    "half a handshake": (a_hello_and_away, easy, "session", None, {}),
    "no handshake": (away_at_once, easy, "session", None, {}),
    "no time": (silence, easy, "session", None, {"login_timeout": 0.1}),
    "injected": (an_injection, easy, "command", None, {}),
    "starttls and away": (starttls_and_away, easy, "command", None, {}),
    "no server": (a_session, None, "session", None, {}),
    "server without tls": (a_session, says(HELLO), "session", "session", {}),
    "server with a wrong name": (
        a_session, at_once(context=bad_server(authority().issue("x", ("x.example",)))), "session", "session", {}),
    "server refuses": (a_session, by_starttls(answer=b"%b NO\r\n"), "session", "command", {}),
    "server injects": (a_session, by_starttls(answer=b"%b OK\r\n* OK\r\n"), "session", "command", {}),
    "server silent": (
        a_plain_session, silent, None, "session", {"server_conn": SockOpt(recv_timeout=0.1, close_timeout=0.1)}),
    "server silent by starttls": (
        a_plain_session, silent, None, "command", {"server_conn": SockOpt(recv_timeout=0.1, close_timeout=0.1)}),
    "mismatch": (a_session, easy, "session", None, {"acl": {"client_cert_match": STRANGER}}),
    "too many": (a_session, easy, "session", None, {"tcpserver": TcpServer(max_sessions=1)}),
}  # fmt: skip


def alive() -> list[str]:
    return sorted(type(found).__name__ for found in gc.get_objects() if isinstance(found, ALIVE))


@pytest.mark.parametrize("name", LEFT)
def test_a_session_leaves_nothing_behind(name: str) -> None:
    """architecture.md section 8: the collector is off in workers, so no cycle may be left; Tls objects are freed."""
    visit, talk, client_form, server_form, items = LEFT[name]

    async def main() -> tuple[list[str], list[str]]:
        given = {"level": 6, "client_conn": SockOpt(close_timeout=0.1), **secured(client_form, server_form, **items)}
        async with serving(talk, acl_for(server_form), **given) as running:
            for _ in range(2):
                await visit(running)
            await running.until(lambda: running.service.sessions == running.service.parting == 0)
            await asyncio.sleep(0.1)
            gc.collect()
            gc.disable()
            try:
                before = alive()
                for _ in range(5):
                    await visit(running)
                await running.until(lambda: running.service.sessions == running.service.parting == 0)
                await asyncio.sleep(0.2)
                no_internal_error(running)
                return before, alive()
            finally:
                gc.enable()

    before, after = run(main())
    assert after == before
    assert not {"Tls", "Handshake", "ClientLeg", "ServerLeg"} & set(after)


def test_established_sessions_are_answered_during_handshakes() -> None:
    """200 clients at once: they all come in, and one that was there is answered between them."""

    async def main() -> None:
        async with serving(easy, **secured("session", None, level=6)) as running:
            there = await client(running)
            assert await there.readline() == HELLO
            coming = [asyncio.ensure_future(client(running)) for _ in range(100)]
            before = 0
            while not all(one.done() for one in coming):
                there.write(b"a NOOP\r\n")
                assert await there.readline() == b"a OK done\r\n"
                before += sum(one.done() for one in coming) < len(coming)
            assert before > 5
            for one in coming:
                end = one.result()
                assert await end.readline() == HELLO
                end.close()
            there.close()

    run(main())


def test_plug_to_without_tls_stays_plain() -> None:
    """A leg without ssl-params never speaks TLS, whatever the other does."""

    async def main() -> None:
        async with serving(easy, accepting(), plug_to=None, **secured("session", None)) as running:
            end = await client(running)
            assert await end.readline() == HELLO
            (driver,) = running.service._drivers
            assert driver.relay.ctls is not None
            assert driver.relay.stls is None
            end.close()

    run(main())
