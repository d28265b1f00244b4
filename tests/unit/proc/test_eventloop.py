"""uvloop without its register: nothing else gets the dictionary that keeps nothing, and workers do import it so."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import sys, weakref
real = weakref.WeakValueDictionary
given = []
from imap4fast.proc import eventloop
class Seen(eventloop._NoRegister):
    def __new__(cls, *args):
        given.append(sys._getframe(1).f_globals.get("__name__"))
        return super().__new__(cls)
assert weakref.WeakValueDictionary is real
for name in [name for name in sys.modules if name.partition(".")[0] == "uvloop"]:
    del sys.modules[name]
before = set(sys.modules)
eventloop._NoRegister = Seen
with eventloop._no_register():
    import uvloop
print(sorted({name.partition(".")[0] for name in set(sys.modules) - before}), given)
"""

REGISTERED = """
import asyncio, sys
%s
async def main():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    made = await asyncio.get_running_loop().create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
    fd = made[0].get_extra_info("socket").fileno()
    try:
        asyncio.get_running_loop().add_reader(fd, print)
    except RuntimeError:
        print("registered")
    except FileExistsError:
        print("refused by libuv")
uvloop.run(main())
"""


def printed(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


def test_only_uvloop_is_imported_meanwhile() -> None:
    """And at its import it makes no such dictionary for others."""
    assert printed(LOOK) == "['uvloop'] []"


def test_the_register_is_gone() -> None:
    assert printed(REGISTERED % "import uvloop") == "registered"
    assert printed(REGISTERED % "from imap4fast.proc.worker import uvloop") == "refused by libuv"
