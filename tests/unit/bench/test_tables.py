"""The tables' operations and targets belong together."""

from __future__ import annotations

import pytest

from bench.operations import METRIC, UNIT
from bench.peers import PEERS, PeerError
from bench.tables import EVERY_OPERATION, PLAIN, TABLES, TLS, can, partakers, shown_targets


def test_names_are_unique_over_all_tables() -> None:
    names = [operation.name for operation in EVERY_OPERATION]
    assert len(set(names)) == len(names)
    assert all(METRIC[operation.kind] in UNIT for operation in EVERY_OPERATION)


def test_only_the_table_of_tls_has_tls() -> None:
    assert not any(operation.tls for operation in PLAIN.operations)
    for operation in TLS.operations:
        assert operation.tls
        assert operation.name.endswith(f"-{operation.tls.version}-{operation.tls.legs}")
        assert operation.tls.resumed == ("resumed" in operation.name)
        assert operation.tls.tickets == ("full" not in operation.name)


def test_every_operation_of_tls_has_a_target() -> None:
    assert {target.operation for target in TLS.targets} == {operation.name for operation in TLS.operations}


@pytest.mark.parametrize(
    ("operation", "limits"),
    [
        ("noop-1.2-both", [1.0]),
        ("append1m-1.3-client", [1.1]),
        ("login-full-1.2-both", [1.25]),
        ("login-resumed-1.3-both", [1.1]),
        ("idle-1.3-both", [22.0, 200.0]),
        ("moved-1.3-both", [32.0]),
    ],
)
def test_limits(operation: str, limits: list[float]) -> None:
    assert [target.limit for target in TLS.targets if target.operation == operation] == limits


def test_targets_of_what_is_optional_are_shown_when_it_was_measured() -> None:
    for table in TABLES:
        names = {target.operation for target in shown_targets(table, [])}
        assert names == {known.name for known in table.operations if not known.optional} & {
            target.operation for target in table.targets
        }
    assert len(shown_targets(TLS, ["login-tickets-1.2-both"])) == len(shown_targets(TLS, [])) + 1


def test_who_can_what() -> None:
    on = {operation.name: [peer.name for peer in PEERS if can(peer, operation)] for operation in EVERY_OPERATION}
    assert len(on["noop"]) == len(PEERS)
    assert on["noop-1.3-client"] == ["haproxy", "nginx", "dovecot", "imap4fast"]
    assert on["noop-1.2-both"] == ["haproxy", "dovecot", "imap4fast"]


def test_an_operation_that_nobody_can_is_refused() -> None:
    relays = [peer for peer in PEERS if not peer.legs]
    with pytest.raises(PeerError, match=r"noop-1\.3-client: none of these peers"):
        partakers(relays, TLS.operations[0])
