"""What counts as growth of a churn, and the table of latencies beside handshakes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest

from bench import tls_churn, tls_handshakes
from bench.operations import Tls
from bench.tls_churn import MOST_GROWTH_BYTES, Churn
from bench.tls_handshakes import FIGURES, Looks, table

GOOD = Churn("imap4fast", Tls("both", "1.3"), 100_000, 90.0, 30_000_000, 31_000_000, 14, 14)


def test_growth_is_of_the_last_over_the_first() -> None:
    assert GOOD.growth_bytes == 1_000_000
    assert GOOD.passed


def test_each_fault_alone_fails() -> None:
    most = GOOD.bytes_first + MOST_GROWTH_BYTES
    assert dataclasses.replace(GOOD, bytes_last=most).passed
    assert not dataclasses.replace(GOOD, bytes_last=most + 1).passed
    assert not dataclasses.replace(GOOD, descriptors_last=15).passed


def looks() -> Looks:
    alone = dict.fromkeys(FIGURES, 100.0)
    beside = {**dict.fromkeys(FIGURES, 300.0), "handshakes_s": 199.0, "login_p50_us": 2500.0}
    noisy = {**beside, "p99_us": 9000.0}
    return {"haproxy": [{"alone": alone, "beside": seen} for seen in (beside, noisy, beside)]}


def test_a_line_alone_and_one_beside() -> None:
    lines = [line.split() for line in table(looks()).splitlines()]
    assert lines[1] == ["haproxy,", "alone", "100", "100", "100", "100", "-", "-"]
    assert lines[2] == ["haproxy,", "beside", "300", "300", "300", "300", "199", "2.50"]


@pytest.mark.parametrize("main", [tls_churn.main, tls_handshakes.main])
def test_a_peer_that_cannot_is_refused(
    main: Callable[[Sequence[str]], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (tls_churn, tls_handshakes):
        monkeypatch.setattr(module, "install_missing", lambda _: pytest.fail("refused before"))
    asked = ["--peer", "nginx"] if main is tls_churn.main else ["--peers", "nginx"]
    assert main([*asked, "--legs", "both"]) == 2
    assert "nginx cannot end TLS" in capsys.readouterr().err
