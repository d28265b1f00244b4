"""The client's leg on its way to TLS, with real sockets: what breaks a handshake, certificates, and how a leg ends."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import CertMatch, CommandAcl, TcpServer
from imap4fast.config.values import WordMember
from imap4fast.log import imap as entries
from imap4fast.log import netc, ssle
from imap4fast.net.endpoint import ClientEnd
from tests.play.stage import accepting, words
from tests.unit.net.running import easy, run, serving
from tests.unit.net.secure import (
    ANSWERED,
    HELLO,
    LOGIN,
    Secure,
    begin_tls,
    client,
    client_side,
    event,
    material,
    no_internal_error,
    reason,
    remains,
    reset,
    secured,
)
from tests.unit.tls.certificates import Authority, Pair
from tests.unit.tls.ends import NAME, TLS12, TLS13, python_context

pytestmark = pytest.mark.usefixtures("quick")


class TestClientsHandshake:
    @pytest.mark.parametrize(
        "said", [b"a LOGIN jana x\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x03\x01" + bytes(45), bytes(99)]
    )
    @pytest.mark.parametrize("starttls", [False, True])
    def test_garbage(self, said: bytes, starttls: bool) -> None:
        """T-S02, T-S14: closed without a word of IMAP; the server is never asked."""

        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                reader, writer = await running.client()
                if starttls:
                    await begin_tls(reader, writer)
                writer.write(said)
                heard = await remains(reader)
                writer.close()
                assert heard == b"(reset)" or heard == b"" or heard[0] == 0x15, heard
                ((leg, why, subject, _),) = await running.logged(ssle.HANDSHAKE_FAILED)
                assert (leg, subject) == ("CLIENT", None)
                assert why
                assert await reason(running) == "TLS of the client"
                assert await running.logged(netc.CONNECTING, 0) == []
                no_internal_error(running)

        run(main())

    def test_a_command_between_starttls_and_the_handshake(self) -> None:
        """T-S02: `b NOOP` and a ClientHello behind it are no handshake."""

        async def main() -> None:
            async with serving(easy, **secured("command", None)) as running:
                reader, writer = await running.client()
                await reader.readline()
                writer.write(b"a STARTTLS\r\n")
                assert await reader.readline() == b"a OK begin TLS\r\n"
                hello = Secure(reader, writer, client_side()).end.pump(b"")[1]
                writer.write(b"b NOOP\r\n" + hello)
                heard = await remains(reader)
                writer.close()
                assert b"b OK" not in heard
                assert len(await running.logged(ssle.HANDSHAKE_FAILED)) == 1
                no_internal_error(running)

        run(main())

    def test_a_command_behind_starttls(self) -> None:
        """T-S01, and a ClientHello in the same segment: octets behind STARTTLS all the same."""

        async def main() -> None:
            for behind_it in (b"b LOGIN evil evil\r\n", b"\x16\x03\x01"):
                async with serving(easy, **secured("command", None)) as running:
                    reader, writer = await running.client()
                    await reader.readline()
                    writer.write(b"a STARTTLS\r\n" + behind_it)
                    assert await remains(reader) == b"* BYE malformed data, end of command unknown\r\n"
                    writer.close()
                    assert await running.logged(ssle.INJECTED) == [("CLIENT", len(behind_it))]

        run(main())

    def test_starttls_in_two_segments(self) -> None:
        async def main() -> None:
            async with serving(easy, **secured("command", None)) as running:
                reader, writer = await running.client()
                await reader.readline()
                writer.write(b"a START")
                await asyncio.sleep(0.05)
                writer.write(b"TLS\r\n")
                assert await reader.readline() == b"a OK begin TLS\r\n"
                end = Secure(reader, writer, client_side())
                assert await end.shake()
                end.write(LOGIN)
                assert await end.rest() == ANSWERED
                end.close()

        run(main())

    @pytest.mark.parametrize("starttls", [False, True])
    @pytest.mark.parametrize("version", [TLS12, TLS13])
    def test_commands_in_the_segment_of_the_last_flight(self, starttls: bool, version: int) -> None:
        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                end = await client(running, starttls=starttls, context=client_side(version), behind=LOGIN)
                assert await end.rest() == (b"" if starttls else HELLO) + ANSWERED
                end.close()
                no_internal_error(running)

        run(main())

    def test_a_handshake_octet_by_octet(self) -> None:
        async def main() -> None:
            async with serving(easy, **secured("session", None)) as running:
                reader, writer = await running.client()
                end = Secure(reader, writer, client_side())
                said = end.end.pump(b"")[1]
                while said:
                    for at in range(len(said)):
                        writer.write(said[at : at + 1])
                        await asyncio.sleep(0)
                    said = b"" if end.end.handshake_done else end.end.pump(await reader.read(65536))[1]
                end.write(LOGIN)
                assert (await end.rest()).endswith(ANSWERED)
                end.close()

        run(main())

    @pytest.mark.parametrize("starttls", [False, True])
    @pytest.mark.parametrize("how", ["closes", "resets", "half a hello, closes", "a hello, closes", "a hello, resets"])
    def test_a_client_that_vanishes(self, starttls: bool, how: str) -> None:
        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                reader, writer = await running.client()
                if starttls:
                    await begin_tls(reader, writer)
                hello = Secure(reader, writer, client_side()).end.pump(b"")[1]
                if "hello" in how:
                    writer.write(hello[: len(hello) // 2 if "half" in how else None])
                    await asyncio.sleep(0.05)
                if "resets" in how:
                    reset(writer)
                else:
                    writer.close()
                told = await event(running)
                assert told["RESULT"] == "ABORTED"
                await running.until(lambda: running.service.sessions == 0)
                no_internal_error(running)

        run(main())

    @pytest.mark.parametrize("starttls", [False, True])
    @pytest.mark.parametrize("limit", [{"login_timeout": 0.3}, {"idle_timeout": 0.3}])
    @pytest.mark.parametrize("hello", [False, True])
    def test_no_handshake_in_time(self, starttls: bool, limit: dict[str, float], hello: bool) -> None:
        """Not one octet in clear goes to a client that waits for TLS."""

        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None), **limit) as running:
                reader, writer = await running.client()
                if starttls:
                    await reader.readline()
                    await asyncio.sleep(0.15)
                    writer.write(b"x STARTTLS\r\n")
                    assert await reader.readline() == b"x OK begin TLS\r\n"
                if hello:
                    writer.write(Secure(reader, writer, client_side()).end.pump(b"")[1])
                    assert (await reader.read(65536))[:1] == b"\x16"
                heard = await remains(reader)
                assert heard[:1] in (b"", b"\x14", b"\x15", b"\x16", b"\x17"), heard
                assert b"* BYE" not in heard
                writer.close()
                assert (await event(running))["RESULT"] == "FAILED"
                no_internal_error(running)

        run(main())

    def test_a_slow_handshake(self) -> None:
        """An octet now and then does not make the time longer."""

        async def main() -> None:
            async with serving(easy, **secured("session", None), login_timeout=0.4) as running:
                reader, writer = await running.client()
                hello = Secure(reader, writer, client_side()).end.pump(b"")[1]
                for at in range(60):
                    if writer.is_closing() or reader.at_eof():
                        break
                    writer.write(hello[at : at + 1])
                    await asyncio.sleep(0.02)
                ((leg, why, _, _),) = await running.logged(ssle.HANDSHAKE_FAILED)
                assert (leg, why) == ("CLIENT", "no handshake in time")
                writer.close()

        run(main())

    @pytest.mark.parametrize("starttls", [False, True])
    @pytest.mark.parametrize("hello", [False, True])
    def test_the_worker_ends(self, starttls: bool, hello: bool) -> None:
        """A drain in the midst of a handshake: nothing in clear, nothing hangs."""

        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                reader, writer = await running.client()
                if starttls:
                    await begin_tls(reader, writer)
                if hello:
                    writer.write(Secure(reader, writer, client_side()).end.pump(b"")[1])
                    assert (await reader.read(65536))[:1] == b"\x16"
                await running.logged(entries.SESSION_ACL)
                ending = asyncio.ensure_future(running.service.drain(0))
                heard = await remains(reader)
                assert b"* BYE" not in heard
                writer.close()
                await ending
                assert (await event(running))["RESULT"] == "FAILED"
                no_internal_error(running)

        run(main())

    @pytest.mark.parametrize("starttls", [False, True])
    def test_the_kernel_gives_the_connection_up(self, starttls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """TCP_USER_TIMEOUT while a flight of ours is on its way."""
        lost = ClientEnd.connection_lost
        monkeypatch.setattr(ClientEnd, "connection_lost", lambda end, _: lost(end, TimeoutError()))

        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                reader, writer = await running.client()
                if starttls:
                    await begin_tls(reader, writer)
                await running.logged(entries.SESSION_ACL)
                reset(writer)
                await event(running)
                no_internal_error(running)
                assert [args[0] for args in await running.logged(entries.LIMIT)] == ["send-timeout"]

        run(main())

    def test_a_foreign_alpn_is_refused(self) -> None:
        """T-S14"""

        async def main() -> None:
            async with serving(easy, **secured("session", None)) as running:
                for name, works in (("imap", True), ("h2", False)):
                    context = python_context(False, TLS13, alpn=(name,))
                    end = await client(running, context=context)
                    heard = await end.rest() if not works else await end.readline()
                    assert heard == (HELLO if works else b"")
                    assert end.end.tls.selected_alpn_protocol() == ("imap" if works else None)
                    end.close()

        run(main())

    def test_sessions_are_resumed(self) -> None:
        async def main() -> None:
            async with serving(easy, **secured("session", None)) as running:
                context = python_context(False, TLS13)
                first = await client(running, context=context)
                await first.readline()
                reader, writer = await running.client()
                again = Secure(reader, writer, context)
                again.end = type(first.end)(context, False, first.end.tls.session)
                assert await again.shake()
                assert await again.readline() == HELLO
                lines = await running.logged(ssle.ESTABLISHED, 2)
                assert [args[3] for args in lines] == ["NO", "YES"]
                assert lines[1][4] == NAME.encode()
                first.close()
                again.close()

        run(main())


class TestClientsEnd:
    @pytest.mark.parametrize("starttls", [False, True])
    def test_close_notify(self, starttls: bool) -> None:
        """Without an end of the connection below it: the session is over, and TLS is answered."""

        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                end = await client(running, starttls=starttls)
                end.write(b"a LOGIN jana x\r\n")
                while not (await end.readline()).startswith(b"a OK"):
                    pass
                end.leave()
                assert await end.rest() == b""
                assert end.end.closed
                assert (await event(running))["RESULT"] == "ABORTED"
                assert await running.logged(ssle.TRUNCATED, 0) == []
                end.close()

        run(main())

    def test_close_notify_behind_commands(self) -> None:
        """Half close: what was asked before it is still answered."""

        async def main() -> None:
            async with serving(easy, **secured("session", None)) as running:
                end = await client(running)
                end.write(LOGIN)
                end.leave()
                heard = b""
                while line := await end.readline():
                    heard += line
                assert heard == HELLO + ANSWERED
                end.close()

        run(main())

    @pytest.mark.parametrize("asked", [b"", b"a LOGIN jana x\r\n"])
    def test_truncation_is_told_apart(self, asked: bytes) -> None:
        """Also where an answer is still awaited."""

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(HELLO)
            await reader.readline()
            await asyncio.sleep(0.2)
            writer.write(b"a OK done\r\n")
            await reader.read()

        async def main() -> None:
            opt = SockOpt(close_timeout=0.5)
            async with serving(slow, **secured("session", None), client_conn=opt, server_conn=opt) as running:
                end = await client(running)
                assert await end.readline() == HELLO
                if asked:
                    end.write(asked)
                    await asyncio.sleep(0.05)
                end.streams[1].write_eof()
                await end.rest()
                await event(running)
                assert await running.logged(ssle.TRUNCATED) == [("CLIENT",)]
                end.close()
                await asyncio.sleep(0.3)

        run(main())

    def test_a_broken_record(self) -> None:
        async def main() -> None:
            async with serving(easy, **secured("session", None)) as running:
                end = await client(running)
                assert await end.readline() == HELLO
                end.streams[1].write(b"\x17\x03\x03\x00\x20" + bytes(32))
                assert await end.rest() == b""
                ((leg, why),) = await running.logged(ssle.BROKEN)
                assert (leg, why) == ("CLIENT", "decryption failed or bad record mac")
                assert end.end.error is not None, "an alert"
                assert await reason(running) == "TLS of the client"
                end.close()

        run(main())

    @pytest.mark.parametrize("starttls", [False, True])
    def test_starttls_inside_of_tls(self, starttls: bool) -> None:
        """T-S11"""

        async def main() -> None:
            async with serving(easy, **secured("command" if starttls else "session", None)) as running:
                end = await client(running, starttls=starttls)
                end.write(b"a STARTTLS\r\nb LOGOUT\r\n")
                heard = await end.rest()
                assert heard.removeprefix(HELLO) == b"a BAD TLS is active already\r\n* BYE bye\r\nb OK done\r\n"
                end.close()

        run(main())

    def test_a_login_before_starttls_is_forgotten(self) -> None:
        """Nothing of before TLS is kept but the counts: bad commands among them (T-S14)."""

        async def main() -> None:
            async with serving(easy, **secured("command", None)) as running:
                reader, writer = await running.client()
                greeting = await reader.readline()
                assert b"STARTTLS LOGINDISABLED] " in greeting
                writer.write(b"a LOGIN evil evil\r\nb XFOO\r\nc XFOO\r\n")
                for answer in (b"a NO [PRIVACYREQUIRED]", b"b BAD", b"c BAD"):
                    assert (await reader.readline()).startswith(answer)
                writer.write(b"d STARTTLS\r\n")
                await reader.readline()
                end = Secure(reader, writer, client_side())
                assert await end.shake()
                end.write(b"a XFOO\r\n")
                assert await end.rest() == b"a BAD unknown command\r\n* BYE too many bad commands\r\n"
                assert (await event(running))["USER"] is None
                end.close()

        run(main())

    def test_a_denial_is_said_inside_of_tls(self) -> None:
        """configuration.md section 5"""

        async def main() -> None:
            denied = CommandAcl(name="NO", accept=False)
            for starttls in (False, True):
                async with serving(easy, denied, **secured("command" if starttls else "session", None)) as running:
                    end = await client(running, starttls=starttls)
                    assert await end.rest() == b"* BYE [NOPERM] access denied by policy\r\n"
                    assert end.end.closed
                    assert (await event(running))["STATUS"] == "REJECTED"
                    end.close()

        run(main())

    def test_too_many_sessions_is_said_inside_of_tls(self) -> None:
        async def main() -> None:
            async with serving(easy, **secured("session", None), tcpserver=TcpServer(max_sessions=1)) as running:
                kept = await client(running)
                assert await kept.readline() == HELLO
                end = await client(running)
                assert await end.rest() == b"* BYE [LIMIT] too many sessions, try again later\r\n"
                assert end.end.closed
                end.close()
                kept.close()

        run(main())


class TestCertificates:
    @staticmethod
    def staff(**conditions: Any) -> CertMatch:
        return CertMatch("STAFF", **(conditions or {"common_name": (WordMember("jana"),)}))

    @pytest.mark.parametrize("starttls", [False, True])
    @pytest.mark.parametrize(("shows", "match", "fits"), [
        (True, "jana", True), (True, "petr", False), (False, "jana", False),
    ])  # fmt: skip
    def test_a_requirement_of_the_session_acl(self, starttls: bool, shows: bool, match: str, fits: bool) -> None:
        """The handshake completes, a mismatch closes before any byte of IMAP."""

        async def main() -> None:
            acl = {"client_cert_match": self.staff(common_name=(WordMember(match),))}
            items = secured("command" if starttls else "session", None, acl=acl)
            items["materials"] = (material(verify="request"),)
            async with serving(easy, **items) as running:
                end = await client(running, starttls=starttls, context=client_side(shows=shows))
                assert end.end.handshake_done
                if fits:
                    end.write(LOGIN)
                    assert (await end.rest()).endswith(ANSWERED)
                    assert await running.logged(ssle.MISMATCH, 0) == []
                else:
                    before = end.heard
                    assert await end.rest() == b""
                    assert end.heard == before
                    assert end.end.closed
                    told = await event(running)
                    assert (told["STATUS"], await reason(running)) == ("REJECTED", "client-cert-match")
                    assert [args[:2] for args in await running.logged(ssle.MISMATCH)] == [("CLIENT", "STAFF")]
                    assert await running.logged(netc.CONNECTING, 0) == []
                if shows:
                    ((leg, subject, issuer, _, verified, wrong),) = await running.logged(ssle.CERTIFICATE)
                    assert (leg, subject, issuer) == ("CLIENT", "CN=jana", "CN=Test CA")
                    assert (verified, wrong) == ("YES", None)
                no_internal_error(running)
                end.close()

        run(main())

    def test_a_condition_of_a_command_acl(self) -> None:
        async def main() -> None:
            with_it = accepting("STAFF", client_cert_match=self.staff(), commands=words("*"))
            without = accepting("OTHERS", commands=words("!LOGIN", "*"))
            items = secured("session", None)
            items["materials"] = (material(verify="request"),)
            async with serving(easy, with_it, without, **items) as running:
                for shows, answer in (
                    (True, b"a OK done\r\n"),
                    (False, b"a NO [NOPERM] command is not permitted here\r\n"),
                ):
                    end = await client(running, context=client_side(shows=shows))
                    assert await end.readline() == HELLO
                    end.write(b"a LOGIN jana x\r\n")
                    assert await end.readline() == answer
                    end.close()
                found = [args[1] for args in await running.logged(entries.COMMAND_ACL, 2)]
                assert found == ["STAFF", "OTHERS"]

        run(main())

    def test_a_required_certificate(self) -> None:
        """Without one, or with one of another authority, there is no TLS; the log says why and what was shown."""
        stranger = Authority("Other CA").issue("mallory")

        async def main() -> None:
            items = secured("session", None)
            items["materials"] = (material(verify="require"),)
            async with serving(easy, **items) as running:
                good = await client(running, context=client_side(shows=True))
                assert await good.readline() == HELLO
                good.close()
                for pair in (None, stranger):
                    end = await client(running, context=_shows(pair))
                    assert await end.rest() == b""
                    end.close()
                first, second = await running.logged(ssle.HANDSHAKE_FAILED, 2)
                assert first == ("CLIENT", "peer did not return a certificate", None, None)
                assert (second[0], second[2]) == ("CLIENT", "CN=mallory")
                assert "issuer certificate" in str(second[3])

        run(main())


def _shows(pair: Pair | None) -> ssl.SSLContext:
    return python_context(False, TLS13, pair)
