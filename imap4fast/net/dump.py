"""Level full: what the ends say goes to the log, chunk by chunk, each before the relay gets it.

Owns the rule for what is shown; all else is logged by its size. The rule looks at lines and at the relay's state, never
at what a line means, since a client that breaks the protocol has credentials, too:

1. Nothing of either end is shown until a login has succeeded: servers repeat what they did not understand.
2. After that a client's chunk is shown once every line in it has a blank: an answer to a SASL challenge that comes late
   has none.
3. A client that says LOGIN or AUTHENTICATE again is shown no more. "Says" is: as one of the first three words of a
   line, in whatever chunks they come. "Again" is: after a login, or while one is or may be under way. Literals, SASL
   lines and the rest of the line that may follow are thereby hidden without being understood.
4. A chunk with octets of ID's arguments or of a line with a URLAUTH token (RFC 4467) is not shown.
"""

from __future__ import annotations

import re

from imap4fast._wire import NOT_AUTHENTICATED, Relay
from imap4fast.config.settings import Proxy
from imap4fast.log import netc as entries
from imap4fast.log.escape import Block
from imap4fast.log.setup import Logs

MOST_WAITING = 262144
"""Octets shown that may wait in memory for lines to be made of them."""

_BEFORE_LOGIN = "BEFORE-LOGIN"
_UNCLEAR = "LOGIN-UNCLEAR"
_AGAIN = "LOGIN-AGAIN"
_PRIVATE = "PRIVATE"

_PUNCTUATION = rb"!-/:-@\[-`{-~"


def _command(names: bytes, before: bytes) -> re.Pattern[bytes]:
    """Lines with a command behind so many words; octets that are no printable ASCII part words."""
    words = rb"(?:\A|[\r\n])[^!-~\r\n]*(?:[!-~]+[^!-~\r\n]+){" + before + rb"}"
    return re.compile(words + rb"[" + _PUNCTUATION + rb"]*(?:" + names + rb")(?![A-Za-z0-9])", re.IGNORECASE)


_LOGIN = _command(b"LOGIN|AUTHENTICATE", b"0,2")
_ID = _command(b"ID", b"0,1")
_TOKEN = re.compile(rb"urlauth", re.IGNORECASE)
_WORD = re.compile(rb"[!-~]+")
_LEADING = re.compile(rb"\A[" + _PUNCTUATION + rb"]+")
_LONGEST = len(b"AUTHENTICATE") + 1
_WORDS = 4
"""Words of a line that are kept; behind three whole ones no command to log in begins any more."""


class Dump:
    """Taps connections. One for each worker, since what waits in memory is limited for all of them."""

    __slots__ = ("_client_limit", "_logs", "_server_limit", "_waiting")

    def __init__(self, proxy: Proxy, logs: Logs) -> None:
        default = proxy.log_debug.data_limit
        client, server = proxy.client_conn.log_limit, proxy.server_conn.log_limit
        self._client_limit = default if client is None else client
        self._server_limit = default if server is None else server
        self._logs = logs
        self._waiting = 0

    def tap_client(self, relay: Relay, number: int) -> None:
        """Dump what the client of session `number` says; to be called before anything of it was received."""
        relay.client_tap = FromClient(self, number)

    def tap_server(self, relay: Relay, number: int) -> None:
        """The same for the server."""
        relay.server_tap = FromServer(self, number)

    def client_chunk(self, number: int, offset: int, data: bytes, withheld: str) -> None:
        """One line for a chunk; `withheld` is why it is not shown, "" to show it."""
        self._line("CLIENT", number, offset, data, withheld, self._client_limit)

    def server_chunk(self, number: int, offset: int, data: bytes, withheld: str) -> None:
        """One line for a chunk of the server."""
        self._line("SERVER", number, offset, data, withheld, self._server_limit)

    def _line(self, side: str, number: int, offset: int, data: bytes, withheld: str, limit: int) -> None:
        logs = self._logs
        if not logs.full:
            return
        if withheld:
            logs.write(entries.DATA_WITHHELD, side, offset, len(data), withheld, track=number)
            return
        block = Block(data, limit)
        logs.write(entries.DATA, side, offset, len(data), block, track=number)
        self._waiting += len(block.data)
        if self._waiting > MOST_WAITING:
            self._waiting = 0
            logs.flush()


class FromClient:
    """Hears the client's chunks, plain ones where there is TLS, before the relay looks at them."""

    __slots__ = ("_again", "_clear", "_dump", "_line", "_number", "_private", "_tokens")

    def __init__(self, dump: Dump, number: int) -> None:
        self._dump = dump
        self._number = number
        self._line = b""
        self._tokens = Tokens()
        self._clear = False
        self._again = False
        self._private = False

    def __call__(self, relay: Relay, data: bytes) -> None:
        """A chunk from the client."""
        self._dump.client_chunk(self._number, relay.cout, data, self._withheld(relay, data))

    def _withheld(self, relay: Relay, data: bytes) -> str:
        logged_in = relay.state != NOT_AUTHENTICATED
        text = self._line + data
        logins = len(_LOGIN.findall(text))
        if logins > 1 or (logins and (logged_in or not relay.at_command)):
            self._again = True
        self._private = _ID.search(text) is not None or (self._private and not relay.at_command)
        token = self._tokens.seen(data)
        self._line = _kept(text)
        if not logged_in:
            return _BEFORE_LOGIN
        if self._again:
            return _AGAIN
        if self._private or token:
            return _PRIVATE
        if not self._clear and not all(b" " in line for line in data.split(b"\n") if line):
            return _UNCLEAR
        self._clear = True
        return ""


class FromServer:
    """Hears the server's chunks."""

    __slots__ = ("_dump", "_number", "_tokens")

    def __init__(self, dump: Dump, number: int) -> None:
        self._dump = dump
        self._number = number
        self._tokens = Tokens()

    def __call__(self, relay: Relay, data: bytes) -> None:
        """A chunk from the server."""
        withheld = _PRIVATE if self._tokens.seen(data) else ""
        if relay.state == NOT_AUTHENTICATED:
            withheld = _BEFORE_LOGIN
        self._dump.server_chunk(self._number, relay.sin, data, withheld)


class Tokens:
    """Finds lines with URLAUTH tokens in one side's chunks."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def seen(self, data: bytes) -> bool:
        """Whether octets of such a line are in this chunk."""
        text = self._rest + data
        line = _last_line(text)
        open_token = _TOKEN.search(line)
        self._rest = line[1 - len(b"urlauth") :] if open_token is None else open_token[0]
        return open_token is not None or _TOKEN.search(text) is not None


def _last_line(text: bytes) -> bytes:
    """The line at the end that has no end yet."""
    return text[max(text.rfind(b"\r"), text.rfind(b"\n")) + 1 :]


def _kept(text: bytes) -> bytes:
    """The line at the end of `text` as far as it matters for finding a command to log in: few and short words."""
    bare = text.rstrip(b"\r")
    if len(bare) < len(text):  # the line is not over before LF
        return _kept(bare) + b"\r"
    line = _last_line(text)
    words = _WORD.findall(line)
    kept = b" ".join(_short(word) for word in words[:_WORDS])
    parted = words and len(words) < _WORDS and not 0x21 <= line[-1] <= 0x7E
    return kept + b" " if parted else kept


def _short(word: bytes) -> bytes:
    return (_LEADING.sub(b"", word) or word)[:_LONGEST]
