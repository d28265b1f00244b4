"""What an idle leg with TLS costs in memory: many pairs of legs in one process, after a transfer each way.

`python -m bench.tls_memory --pairs 2000 --transfer 200000`. A pair is a leg towards a client and one towards a server
that speak to each other; no socket is in it. `heap` is what malloc has given out (mallinfo2), `resident` is what the
kernel counts (PSS), both divided by the number of legs; at each step the difference to before the first leg.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from typing import Any

from imap4fast._wire import Tls, keep_memory
from tests.unit.tls.ends import NAME, TLS12, TLS13, client_context, join, server_context

MALLINFO = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class MallInfo2(ctypes.Structure):
    """`struct mallinfo2` of glibc."""

    _fields_ = [(name, ctypes.c_size_t) for name in MALLINFO]


def heap_bytes() -> int:
    """What malloc has given out and not got back."""
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = MallInfo2
    info = ask()
    return int(info.uordblks + info.hblkhd)


def resident_bytes() -> int:
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024


Pair = tuple[Tls, Tls]


def pair(contexts: tuple[object, object]) -> Pair:
    client, server = Tls(contexts[0]), Tls(contexts[1])  # type: ignore[arg-type]
    client.set_server_name(NAME.encode())
    join(client, server)
    if not (client.handshake_done and server.handshake_done):
        raise SystemExit(f"no handshake: {client.fault_reason}, {server.fault_reason}")
    return client, server


def transfer(legs: Pair, size: int) -> None:
    """`size` bytes each way, in pieces as a socket gives them: records are cut anywhere."""
    data = b"x" * size
    for source, to in (legs, legs[::-1]):
        said = source.seal(data)
        got = sum(len(to.pump(said[at : at + 65536])[0]) for at in range(0, len(said), 65536))
        if got != size:
            raise SystemExit(f"{got} bytes of {size} came through: {to.fault_reason}")


def measure(version: int, pairs: int, size: int, resumed: bool) -> list[tuple[str, int, int]]:
    """(step, heap bytes a leg, resident bytes a leg)."""
    items: dict[str, Any] = {"min_version": version, "max_version": version}
    contexts = client_context(**items, tickets=int(resumed)), server_context(**items, tickets=int(resumed))
    transfer(pair(contexts), size)
    heap, resident = heap_bytes(), resident_bytes()
    rows, legs = [], []

    def row(step: str) -> None:
        rows.append((step, (heap_bytes() - heap) // (2 * pairs), (resident_bytes() - resident) // (2 * pairs)))

    for _ in range(pairs):
        legs.append(pair(contexts))
    row("open")
    for each in legs:
        transfer(each, size)
    row("after transfer")
    legs.clear()
    row("freed")
    return rows


def report(version: int, name: str, resumed: bool, args: argparse.Namespace) -> None:
    """In a process of its own: what an earlier case has freed would be the memory of the next."""
    child = os.fork()
    if child == 0:
        for step, heap, resident in measure(version, args.pairs, args.transfer, resumed):
            kind = "resumed" if resumed else "full"
            sys.stdout.write(f"{name}  {kind:8} {step:15} heap {heap:7}  resident {resident:7}\n")
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"{name} was not measured")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--transfer", type=int, default=200_000)
    args = parser.parse_args()
    keep_memory()
    sys.stdout.write(f"bytes a leg, {args.pairs} pairs, {args.transfer} bytes each way\n")
    sys.stdout.flush()
    for version, name in ((TLS12, "TLSv1.2"), (TLS13, "TLSv1.3")):
        for resumed in (False, True):
            report(version, name, resumed, args)


if __name__ == "__main__":
    main()
