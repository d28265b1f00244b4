"""The server's leg on its way to TLS, with real sockets: both forms, what fails, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from imap4fast.config.basesettings import SockOpt
from imap4fast.config.settings import CertMatch
from imap4fast.config.values import Sock, WordMember
from imap4fast.log import netc, ssle
from tests.play.stage import accepting
from tests.unit.net.running import PATIENCE_S, closing, run, serving, silent
from tests.unit.net.secure import (
    ANSWERED,
    FILTERED,
    FORMS,
    HELLO,
    LOGIN,
    NAMES,
    UNSAFE,
    Secure,
    acl_for,
    answers,
    at_once,
    bad_server,
    behind,
    by_starttls,
    client,
    event,
    material,
    no_internal_error,
    reason,
    says,
    secured,
    server_side,
    tls_client,
    use,
)
from tests.unit.tls.certificates import Authority, Pair
from tests.unit.tls.ends import NAME, TLS12, TLS13, authority

pytestmark = pytest.mark.usefixtures("quick")


class TestServersHandshake:
    @pytest.mark.parametrize("server_form", ["session", "command"])
    @pytest.mark.parametrize("client_form", [None, "session"])
    @pytest.mark.parametrize(
        ("pair", "why"),
        [
            (lambda: authority().issue("x", ("other.example.org",)), "IP address mismatch"),
            (lambda: authority().issue("x", ("127.0.0.1",), ends=0, starts=-1), "certificate has expired"),
            (lambda: Authority("Other").issue("x", ("127.0.0.1",)), "unable to get local issuer certificate"),
            (lambda: authority().issue("127.0.0.1"), "IP address mismatch"),
        ],
        ids=["name", "expired", "authority", "no alternative name"],
    )
    def test_a_certificate_that_does_not_fit(
        self, server_form: str, client_form: str | None, pair: Callable[[], Pair], why: str
    ) -> None:
        """A clear BYE for the client; the log says which check failed and what was presented."""

        async def main() -> None:
            talk = behind(server_form, context=bad_server(pair()))
            async with serving(talk, acl_for(server_form), **secured(client_form, server_form)) as running:
                if client_form:
                    end = await client(running)
                    assert await end.rest() == UNSAFE
                    end.close()
                else:
                    assert await running.hears(LOGIN) == UNSAFE
                ((leg, _, subject, wrong),) = await running.logged(ssle.HANDSHAKE_FAILED)
                assert (leg, wrong) == ("SERVER", why)
                assert str(subject).startswith("CN=")
                assert await reason(running) == "TLS of the server"
                no_internal_error(running)

        run(main())

    @pytest.mark.parametrize(
        ("name", "works"), [(NAME, True), ("other.example.org", False), (NAME.upper() + ".", True)]
    )
    def test_server_name(self, name: str, works: bool) -> None:
        async def main() -> None:
            acl = accepting(server_ssl=use(server_name=name))
            async with serving(at_once(), acl, **secured(None, "session")) as running:
                assert await running.hears(LOGIN) == (HELLO + ANSWERED if works else UNSAFE)
                if works:
                    ((*_, asked, _),) = await running.logged(ssle.ESTABLISHED)
                    assert isinstance(asked, bytes)
                    assert asked.decode().lower() == NAME

        run(main())

    def test_plug_to_by_name(self) -> None:
        """The name as written is sent and verified."""

        async def main() -> None:
            pair = authority().issue("localhost", ("localhost",))
            server = await asyncio.start_server(closing(at_once(context=bad_server(pair))), "127.0.0.1", 0)
            plug_to = (Sock("localhost", server.sockets[0].getsockname()[1]),)
            async with serving(None, acl_for("session"), plug_to=plug_to, **secured(None, "session")) as running:
                assert await running.hears(LOGIN) == HELLO + ANSWERED
                ((*_, asked, _),) = await running.logged(ssle.ESTABLISHED)
                assert asked == b"localhost"
                await running.until(lambda: running.service.parting == 0)
                await asyncio.sleep(0.02)
            server.close()

        run(main())

    @pytest.mark.parametrize("said", [HELLO, b"", b"\x15\x03\x03\x00\x02\x02\x28", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    def test_a_server_that_speaks_no_tls(self, said: bytes) -> None:
        async def main() -> None:
            async with serving(says(said), acl_for("session"), **secured(None, "session")) as running:
                assert await running.hears(LOGIN) == UNSAFE
                ((_, reason, *_),) = await running.logged(ssle.HANDSHAKE_FAILED)
                assert said or reason == "the connection was closed by the server"
                no_internal_error(running)

        run(main())

    @pytest.mark.parametrize("server_form", ["session", "command"])
    def test_a_server_that_never_answers(self, server_form: str) -> None:
        async def main() -> None:
            opt = SockOpt(recv_timeout=0.2)
            async with serving(silent, acl_for(server_form), **secured(None, server_form), server_conn=opt) as running:
                assert await running.hears(LOGIN) == b"* BYE [UNAVAILABLE] mail server did not greet in time\r\n"
                assert (await event(running))["RESULT"] == "FAILED"

        run(main())

    @pytest.mark.parametrize("server_form", ["session", "command"])
    def test_the_client_leaves_in_the_midst_of_it(self, server_form: str) -> None:
        async def main() -> None:
            opt = SockOpt(close_timeout=0.2)
            items = secured(None, server_form, server_conn=opt, client_conn=opt)
            async with serving(silent, acl_for(server_form), **items) as running:
                _, writer = await running.client()
                await running.logged(netc.CONNECTED)
                writer.close()
                assert (await event(running))["RESULT"] == "ABORTED"
                await running.until(lambda: running.service.sessions == running.service.parting == 0)
                no_internal_error(running)

        run(main())

    @pytest.mark.parametrize("server_form", ["session", "command"])
    def test_the_greeting_in_the_segment_of_the_last_flight(self, server_form: str) -> None:
        """In TLS 1.2 the server's is the last one, in a resumed handshake too."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if server_form == "command":
                writer.write(HELLO)
                tag = (await reader.readline()).split()[0]
                writer.write(tag + b" OK go\r\n")
            secure = Secure(reader, writer, server_side(TLS12), server=True)
            if await secure.shake(behind=HELLO):
                await answers(secure)

        async def main() -> None:
            async with serving(talk, acl_for(server_form), **secured(None, server_form)) as running:
                greeting = HELLO if server_form == "session" else FILTERED
                assert await running.hears(LOGIN) == greeting + ANSWERED
                no_internal_error(running)

        run(main())

    def test_sessions_to_the_server_are_resumed(self) -> None:
        async def main() -> None:
            context = server_side(TLS13)
            async with serving(at_once(context=context), acl_for("session"), **secured(None, "session")) as running:
                for _ in range(2):
                    assert await running.hears(LOGIN) == HELLO + ANSWERED
                lines = await running.logged(ssle.ESTABLISHED, 2)
                assert [args[3] for args in lines] == ["NO", "YES"]

        run(main())

    @pytest.mark.parametrize(("match", "fits"), [(NAME, True), ("other.example.org", False)])
    @pytest.mark.parametrize("server_form", ["session", "command"])
    def test_server_cert_match(self, server_form: str, match: str, fits: bool) -> None:
        async def main() -> None:
            acl = acl_for(server_form, server_cert_match=CertMatch("M", dns_name=(WordMember(match),)))
            async with serving(behind(server_form), acl, **secured(None, server_form)) as running:
                heard = await running.hears(LOGIN)
                if fits:
                    assert heard.endswith(ANSWERED)
                else:
                    assert heard == UNSAFE
                    assert await reason(running) == "server-cert-match"
                    assert [args[:2] for args in await running.logged(ssle.MISMATCH)] == [("SERVER", "M")]

        run(main())

    def test_a_server_that_asks_for_a_certificate(self) -> None:
        """Ours is shown; where there is none, the refusal comes after our handshake is done (TLS 1.3)."""

        async def main() -> None:
            context = server_side(asks=True)
            async with serving(at_once(context=context), acl_for("session"), **secured(None, "session")) as running:
                assert await running.hears(LOGIN) == HELLO + ANSWERED
            items = secured(None, "session")
            items["materials"] = (material(certificate=None, private_key=None),)
            async with serving(at_once(context=context), acl_for("session"), **items) as running:
                assert await running.hears(LOGIN) == UNSAFE
                ((leg, why),) = await running.logged(ssle.BROKEN)
                assert leg == "SERVER"
                assert "certificate required" in str(why)

        run(main())


class TestServersStartTls:
    """T-S03 to T-S07 with real sockets; tests/unit/session/test_starttls.py has the table."""

    @pytest.mark.parametrize(
        ("talk", "why"),
        [
            ({"greeting": b"* PREAUTH hi\r\n"}, "PREAUTH instead of STARTTLS"),
            ({"greeting": b"* BYE full\r\n"}, "the server refused the session"),
            ({"answer": b"%b NO [ALERT] no key\r\n"}, "the server refused STARTTLS"),
            ({"answer": b"%b BAD what\r\n"}, "the server refused STARTTLS"),
            ({"answer": b"%b OK go\r\n* CAPABILITY IMAP4rev1 XEVIL\r\n"}, "octets behind the answer to STARTTLS"),
            ({"answer": b"a1 OK go\r\n"}, "an answer to nothing that was asked"),
        ],
    )
    @pytest.mark.parametrize("client_form", [None, "command"])
    def test_it_is_not_had(self, talk: dict[str, bytes], why: str, client_form: str | None) -> None:
        async def main() -> None:
            server = by_starttls(**talk)
            async with serving(server, acl_for("command"), **secured(client_form, "command")) as running:
                if client_form is None:
                    heard = await running.hears(LOGIN)
                else:
                    end = await client(running, starttls=True)
                    end.write(LOGIN)
                    heard = await end.rest()
                    end.close()
                assert heard == UNSAFE
                assert await running.logged(ssle.STARTTLS_FAILED) == [("SERVER", why)]
                injected = await running.logged(ssle.INJECTED, 0)
                assert bool(injected) == ("behind" in why)
                assert (await event(running))["RESULT"] == "FAILED"
                no_internal_error(running)

        run(main())

    @pytest.mark.parametrize("client_form", FORMS)
    def test_where_it_is_not_required(self, client_form: str | None) -> None:
        """`require-tls no`: NO to STARTTLS, and the session goes on in plain text."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] plain\r\n")
            tag = (await reader.readline()).split()[0]
            writer.write(tag + b" BAD what\r\n")
            while line := await reader.readline():
                tag, command = line.split()[:2]
                if command == b"LOGOUT":
                    writer.write(b"* BYE bye\r\n" + tag + b" OK done\r\n")
                    return
                writer.write(tag + b" OK done\r\n")

        async def main() -> None:
            acl = accepting(server_ssl=use(starttls=True, require_tls=False))
            async with serving(talk, acl, **secured(client_form, "command")) as running:
                if client_form is None:
                    heard = await running.hears(LOGIN)
                else:
                    heard, _ = await tls_client(running, client_form == "command")
                greeting = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+] plain\r\n"
                assert heard == (b"" if client_form == "command" else greeting) + ANSWERED
                assert await running.logged(ssle.STARTTLS_FAILED, 0) == []
                no_internal_error(running)

        run(main())

    def test_nothing_of_before_tls_reaches_the_client(self) -> None:
        """T-S04, T-S09"""
        greeting = b"* OK [ALERT] call +1-900\r\n* 3 EXISTS\r\n* LIST () NIL evil\r\n* CAPABILITY XEVIL\r\n"

        async def main() -> None:
            async with serving(
                by_starttls(greeting=greeting), acl_for("command"), **secured(None, "command")
            ) as running:
                assert await running.hears(LOGIN) == FILTERED + ANSWERED

        run(main())

    def test_close_notify_in_the_midst_of_the_talk(self) -> None:
        async def leaves(secure: Secure) -> None:
            await secure.readline()
            secure.leave()
            await secure.rest()

        async def main() -> None:
            async with serving(by_starttls(leaves), acl_for("command"), **secured(None, "command")) as running:
                assert await running.hears(LOGIN) == UNSAFE
                no_internal_error(running)

        run(main())

    def test_close_notify_in_the_segment_of_the_last_answer(self) -> None:
        """The session must not wait for a server that has said its end."""

        async def leaves(secure: Secure) -> None:
            tag = (await secure.readline()).split()[0]
            said = secure.end.seal(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n") + secure.end.close()
            secure.streams[1].write(said)
            await secure.rest()

        async def main() -> None:
            async with serving(by_starttls(leaves), acl_for("command"), **secured(None, "command")) as running:
                heard = await asyncio.wait_for(running.hears(), PATIENCE_S)
                assert heard.endswith((UNSAFE, b"* BYE [UNAVAILABLE] mail server closed the connection\r\n"))

        run(main())

    def test_octets_behind_the_list(self) -> None:
        async def more(secure: Secure) -> None:
            tag = (await secure.readline()).split()[0]
            secure.write(b"* CAPABILITY " + NAMES + b"\r\n" + tag + b" OK done\r\n* OK [UNAVAILABLE] slow\r\n* OK")
            secure.write(b" half\r\n")
            await answers(secure)

        async def main() -> None:
            async with serving(by_starttls(more), acl_for("command"), **secured(None, "command")) as running:
                heard = await running.hears(LOGIN)
                assert heard == FILTERED + b"* OK [UNAVAILABLE] slow\r\n* OK half\r\n" + ANSWERED

        run(main())


class TestServersEnd:
    @pytest.mark.parametrize("server_form", ["session", "command"])
    @pytest.mark.parametrize("clean", [True, False])
    def test_it_ends(self, server_form: str, clean: bool) -> None:
        """close_notify or the bare end of the connection: the client hears the same, the log tells them apart."""

        async def leaves(secure: Secure) -> None:
            if server_form == "session":
                secure.write(HELLO)
            while line := await secure.readline():
                tag, command = line.split()[:2]
                secure.write(b"* CAPABILITY " + NAMES + b"\r\n" + tag + b" OK done\r\n")
                if command == b"LOGIN":
                    break
            if clean:
                secure.leave()
            else:
                secure.streams[1].write_eof()
            await secure.rest()

        async def main() -> None:
            opt = SockOpt(close_timeout=0.3)
            items = secured(None, server_form, server_conn=opt)
            async with serving(behind(server_form, inside=leaves), acl_for(server_form), **items) as running:
                heard = await running.hears(b"a LOGIN jana x\r\n")
                assert heard.endswith(b"a OK done\r\n* BYE [UNAVAILABLE] mail server closed the connection\r\n")
                await event(running)
                cut = await running.logged(ssle.TRUNCATED, 0 if clean else 1)
                assert cut == ([] if clean else [("SERVER",)])
                no_internal_error(running)

        run(main())

    def test_a_broken_record(self) -> None:
        async def breaks(secure: Secure) -> None:
            secure.write(HELLO)
            await secure.readline()
            secure.streams[1].write(b"\x17\x03\x03\x00\x20" + bytes(32))
            await secure.rest()

        async def main() -> None:
            async with serving(at_once(breaks), acl_for("session"), **secured("session", "session")) as running:
                end = await client(running)
                end.write(b"a NOOP\r\n")
                assert await end.rest() == HELLO + UNSAFE
                assert await running.logged(ssle.BROKEN) == [("SERVER", "decryption failed or bad record mac")]
                end.close()

        run(main())
