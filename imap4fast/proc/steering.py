"""Which sockets of a SO_REUSEPORT group get new connections, and how those that wait at the others are not lost.

Theory. Each listening address has one socket a worker, all in one group, opened and kept by the master. A socket that
stays open keeps its queue, so a restarted worker finds there what came meanwhile. A worker that is dead or silent must
get nothing new, and two means were looked at:

- closing or shutting down its socket with `net.ipv4.tcp_migrate_req`: the kernel moves the queue to the others; but
  this is a switch of the whole network name space, off by default, and without it the queue is reset;
- a classic BPF program at the group (SO_ATTACH_REUSEPORT_CBPF, Linux 4.6, no privilege needed), which names the socket
  for each SYN by its index, the order of `listen()`. Used here: it says `live[random % n]`. Random, since not every
  network card or loopback path gives a hash; a connection under way stays with its socket, and SYN cookies are
  valid for the whole group. All live: the program is taken off and the kernel's own spreading is back.

What stands in the queue of a socket taken out, or completes its handshake there later, the master accepts and passes
to a live worker as a descriptor (queues.py). Should the kernel know no such program, that alone does the work.

Measured (Linux 6.18, 2 cores, loopback, 2 workers). One stopped by SIGSTOP, then 400 connects at 200 a second: none
lost or reset; the some 100 that were in its queue or came before it was missed waited up to 1.24 s (OUT_AFTER_S and a
turn of the master's loop), all others 0.4 ms. For comparison two plain sockets with 200 connections waiting, one
closed: without tcp_migrate_req the 100 in its queue are reset, with it none.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Sequence

SO_ATTACH_REUSEPORT_CBPF = 51
SO_DETACH_REUSEPORT_BPF = 68

_LOAD_ABSOLUTE, _MODULO, _JUMP_EQUAL, _RETURN = 0x20, 0x94, 0x15, 0x06
_RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM


def program(live: Sequence[int]) -> bytes:
    """The filter that returns a random member of `live`, as an array of struct sock_filter."""
    steps = [(_LOAD_ABSOLUTE, 0, 0, _RANDOM), (_MODULO, 0, 0, len(live))]
    for place, index in enumerate(live[:-1]):
        steps += [(_JUMP_EQUAL, 0, 1, place), (_RETURN, 0, 0, index)]
    steps.append((_RETURN, 0, 0, live[-1]))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def attach(sock: socket.socket, live: Sequence[int]) -> bool:
    """Lets the group of `sock` choose among the sockets with the indices `live` only. False: the kernel cannot."""
    code = program(live)
    memory = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(code) // 8, ctypes.addressof(memory))
    return _set(sock, SO_ATTACH_REUSEPORT_CBPF, head)


def detach(sock: socket.socket) -> bool:
    """Lets the group of `sock` choose among all its sockets again."""
    return _set(sock, SO_DETACH_REUSEPORT_BPF, struct.pack("i", 0))


def _set(sock: socket.socket, option: int, value: bytes) -> bool:
    try:
        sock.setsockopt(socket.SOL_SOCKET, option, value)
    except OSError as error:
        if error.errno in (errno.ENOPROTOOPT, errno.EINVAL, errno.ENOENT, errno.EOPNOTSUPP, errno.EPERM):
            return False
        raise
    return True
