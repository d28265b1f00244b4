"""TLS of the C programs: each script, both versions, full and resumed; what must be noticed is."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.build import build, program
from bench.certificates import HOST, Certificates, make_certificates
from bench.load import LoadError, Result, load_command, started_load, tls_words
from bench.measure import Stand, Timing, check_handshakes, measure
from bench.operations import Operation, Tls
from bench.peers import PEERS, Peer, PeerError
from bench.processes import CannedServer, Cores, connection, greets, started, started_server
from bench.tls_words import Ending

RELAY = next(peer for peer in PEERS if peer.name == "c-relay")
SCRIPTS = (
    "noop",
    "list100",
    "fetch64k",
    "fetch1m",
    "append1m",
    "append1m-sync",
    "login-cycle",
    "idle",
    "moved",
    "churn",
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    build()
    return make_certificates(tmp_path_factory.mktemp("certificates"))


Servers = dict[tuple[str, bool], CannedServer]


@pytest.fixture(scope="module")
def servers(certificates: Certificates) -> Iterator[Servers]:
    with (
        started_server(None, certificates, "1.2", False) as first,
        started_server(None, certificates, "1.2", True) as second,
        started_server(None, certificates, "1.3", False) as third,
        started_server(None, certificates, "1.3", True) as fourth,
    ):
        yield {("1.2", False): first, ("1.2", True): second, ("1.3", False): third, ("1.3", True): fourth}


def run_load(port: int, script: str, words: list[str], sessions: int = 3, **more: float) -> Result:
    command = load_command(port, script, sessions, **{"seconds": 0.1, "warm": 0.1, **more})
    with started_load(command + words, None) as load:
        load.ready()
        return load.run()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_by_tls(servers: Servers, certificates: Certificates, script: str, version: str) -> None:
    with started(RELAY, servers[version, True].port, None, Ending("client", True, certificates)) as running:
        result = run_load(running.port, script, tls_words(Tls("client", version), certificates))
    assert result.errors == 0
    assert result.opened == 3
    assert (result.operations > 0) == (script not in ("idle", "moved"))
    assert result.unclean == 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_full_and_resumed_handshakes_are_counted_at_both_ends(
    servers: Servers, certificates: Certificates, version: str
) -> None:
    server = servers[version, True]
    before = server.handshakes()
    full = run_load(server.port, "login-cycle", tls_words(Tls("client", version), certificates), warm=0)
    between = server.handshakes()
    resumed = run_load(server.port, "login-cycle", tls_words(Tls("client", version, resumed=True), certificates))
    after = server.handshakes()
    # The question before, and the one between, are handshakes too.
    assert (full.full, full.resumed) == (full.operations, 0)
    assert full.tickets >= full.operations
    assert between == (before[0] + full.operations + 1, before[1])
    assert (resumed.full, resumed.resumed) == (0, resumed.operations)
    assert after[1] >= between[1] + resumed.operations
    assert after[0] == between[0] + 1 + 3


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_that_is_not_resumed_is_an_error(servers: Servers, certificates: Certificates, version: str) -> None:
    words = tls_words(Tls("client", version, resumed=True), certificates)
    with pytest.raises(LoadError, match="the session was not resumed"):
        run_load(servers[version, False].port, "login-cycle", words)


def test_a_server_without_tickets_gives_none(servers: Servers, certificates: Certificates) -> None:
    for version in ("1.2", "1.3"):
        words = tls_words(Tls("client", version), certificates)
        assert run_load(servers[version, False].port, "login-cycle", words).tickets == 0


def test_another_authority_is_an_error(servers: Servers, tmp_path: Path) -> None:
    words = tls_words(Tls("client", "1.3"), make_certificates(tmp_path))
    with pytest.raises(LoadError, match="certificate verify failed"):
        run_load(servers["1.3", True].port, "noop", words)


def test_another_version_is_an_error(servers: Servers, certificates: Certificates) -> None:
    with pytest.raises(LoadError, match="version"):
        run_load(servers["1.2", True].port, "noop", tls_words(Tls("client", "1.3"), certificates))


def test_a_plain_peer_is_an_error(servers: Servers, certificates: Certificates) -> None:
    with started_server(None) as plain:
        with pytest.raises(PeerError, match="no TLS handshake"):
            greets(plain.port, certificates)
        with pytest.raises(LoadError, match="wrong version number"):
            run_load(plain.port, "noop", tls_words(Tls("client", "1.3"), certificates))


def test_a_peer_that_speaks_no_tls_is_named(certificates: Certificates) -> None:
    with (
        started_server(None) as plain,
        pytest.raises(PeerError, match="c-relay can't start: no TLS handshake"),
        started(RELAY, plain.port, None, Ending("client", True, certificates)),
    ):
        pytest.fail("it is a plain relay")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_one_cipher_and_the_certificate(servers: Servers, certificates: Certificates, version: str) -> None:
    with connection(servers[version, True].port, certificates) as opened:
        assert isinstance(opened, ssl.SSLSocket)
        cipher, _, _ = opened.cipher() or ("", "", 0)
        assert cipher == {"1.2": "ECDHE-ECDSA-AES128-GCM-SHA256", "1.3": "TLS_AES_128_GCM_SHA256"}[version]
        assert (opened.getpeercert() or {})["subjectAltName"] == (("DNS", HOST), ("IP Address", "127.0.0.1"))


def test_a_certificate_has_a_closed_key(certificates: Certificates) -> None:
    assert certificates.key.stat().st_mode & 0o077 == 0
    assert certificates.both.stat().st_mode & 0o077 == 0


def test_an_end_that_tls_does_not_announce_is_counted(certificates: Certificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    command = load_command(0, "login-cycle", 1, seconds=5, passes=1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command[2] = str(listener.getsockname()[1])
        with started_load(command + tls_words(Tls("client", "1.3"), certificates), None) as load:
            load.ready()
            load.go()
            with listener.accept()[0] as plain:
                wrapped = context.wrap_socket(plain, server_side=True)
                wrapped.sendall(b"* OK hello\r\n")
                for answer in (b" OK in", b"* BYE\r\n%s OK out"):
                    tag = wrapped.recv(100).split()[0]
                    wrapped.sendall((answer % tag if b"%" in answer else tag + answer) + b"\r\n")
                wrapped.close()
            result = load.result()
    assert (result.operations, result.errors, result.unclean) == (1, 0, 1)


@pytest.mark.parametrize(
    "more", [["--tls", "1.3"], ["--tls", "1.1", "--authority", "x", "--name", "y"], ["--resume", "1"]]
)
def test_half_of_the_options_is_not_enough(more: list[str]) -> None:
    build()
    command = [*load_command(1, "noop", 1), *more]
    ended = subprocess.run(command, capture_output=True, timeout=10, check=False)
    assert ended.returncode == 2
    assert b"usage" in ended.stderr


@pytest.mark.parametrize(
    "words", [["1", "/nowhere", "/nowhere", "1.3", "1"], ["1", "/nowhere", "/nowhere", "1.1", "1"]]
)
def test_a_server_without_a_certificate_ends(words: list[str]) -> None:
    build()
    ended = subprocess.run([str(program("server")), *words], capture_output=True, timeout=10, check=False)
    assert ended.returncode == 2


def result_of(**counts: int) -> Result:
    counted = {"full": 0, "resumed": 0, "tickets": 0, "unclean": 0, **counts}
    return Result(1, 1, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0, "", **counted)


def test_the_kind_of_handshakes_is_checked() -> None:
    check_handshakes(Tls("client", "1.3"), result_of(full=5, tickets=10))
    check_handshakes(Tls("client", "1.2", resumed=True), result_of(resumed=5))
    with pytest.raises(LoadError, match="1 handshakes were full"):
        check_handshakes(Tls("client", "1.3", resumed=True), result_of(full=1, resumed=5))
    with pytest.raises(LoadError, match="1 handshakes were resumed"):
        check_handshakes(Tls("client", "1.3"), result_of(full=5, resumed=1, tickets=10))
    with pytest.raises(LoadError, match="no tickets came"):
        check_handshakes(Tls("client", "1.3"), result_of(full=5))


def through_relay(servers: Servers, certificates: Certificates, operation: Operation) -> dict[str, float]:
    """The relay passes TLS on, so one handshake joins client and server."""
    relay = Peer(RELAY.name, "", RELAY.command, legs=("both",))
    timing = Timing(seconds=0.1, warm_s=0.1, latency_s=1)
    stand = Stand(servers["1.3", True], Cores(None, None), timing, certificates, servers)
    return measure(stand, relay, operation)


def test_a_sample_says_what_was_resumed_to_the_server(servers: Servers, certificates: Certificates) -> None:
    full = Operation("f", "login-cycle", 3, tls=Tls("both", "1.3", tickets=False))
    resumed = Operation("r", "login-cycle", 3, tls=Tls("both", "1.2", resumed=True))
    assert through_relay(servers, certificates, full)["server_resumed"] == 0
    sample = through_relay(servers, certificates, resumed)
    assert sample["server_resumed"] > 0.5
    assert sample["unclean"] == 0


def test_memory_is_also_per_leg(servers: Servers, certificates: Certificates) -> None:
    sample = through_relay(servers, certificates, Operation("m", "moved", 20, kind="legs", tls=Tls("both", "1.3")))
    assert sample["kib_per_leg"] == pytest.approx(sample["kib_per_session"] / 2)
    assert sample["pss_mb"] > 0
