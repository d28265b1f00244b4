"""rspamd's protocol: a mail by HTTP POST to /checkv2, the score in JSON. HTTP is h11's work."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TypeVar

import h11
import msgspec

from imap4fast.scan.talk import Score, Talk, plain

MOST_REPLY = 1 << 20
"""Octets of the JSON: symbols with their options are in it, which we do not read."""


class _Reply(msgspec.Struct):
    score: float | None = None
    error: str | None = None


T = TypeVar("T")
_reply = msgspec.json.Decoder(_Reply)


class _Request(Talk[T]):
    """A request by HTTP with `size` octets of body, and its answer, kept whole up to MOST_REPLY."""

    _method: str
    _target: str

    def __init__(self, host: str, size: int = 0) -> None:
        self._host = host
        self._size = size
        self._http = h11.Connection(h11.CLIENT)
        self._status = 0
        self._body = bytearray()
        self.wants = size

    def begin(self) -> list[bytes]:
        fields = [("Host", self._host), ("User-Agent", "imap4fast"), ("Content-Length", str(self._size))]
        head = self._http.send(h11.Request(method=self._method, target=self._target, headers=fields)) or b""
        return [head] if self._size else [head, self._whole()]

    def _whole(self) -> bytes:
        return self._http.send(h11.EndOfMessage()) or b""

    def give(self, octets: bytes) -> list[bytes]:
        self.wants -= len(octets)
        pieces = self._http.send_with_data_passthrough(h11.Data(data=octets)) or []
        return pieces if self.wants else [*pieces, self._whole()]

    def receive(self, octets: bytes) -> None:
        if octets:
            self._read(octets)

    def end(self) -> None:
        # A body without a length ends with the connection.
        self._read(b"")
        super().end()

    def _read(self, octets: bytes) -> None:
        if self.done:
            self.reusable = False
            return
        try:
            self._http.receive_data(octets)
            while not self.done and self._take(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            if octets:
                self._reject(str(error).encode())

    def _take(self, event: object) -> bool:
        """One event of h11; False: there is no more for now."""
        if isinstance(event, h11.Response):
            self._status = event.status_code
            self.version = plain(dict(event.headers).get(b"server", b""))
        elif isinstance(event, h11.Data):
            self._body += event.data[: MOST_REPLY + 1]
            if len(self._body) > MOST_REPLY:
                self._reject(b"endless answer")
        elif isinstance(event, h11.EndOfMessage):
            self._judge()
        return isinstance(event, (h11.InformationalResponse, h11.Response, h11.Data))

    @abstractmethod
    def _judge(self) -> None:
        """The answer is whole."""

    def _may_go_on(self) -> bool:
        states = (self._http.our_state, self._http.their_state)
        return states == (h11.DONE, h11.DONE) and self._http.trailing_data == (b"", False)


class Ping(_Request[str]):
    """GET /ping: the answer's Server field is all that rspamd tells of itself. Of its rules it tells nothing."""

    _method = "GET"
    _target = "/ping"

    def _judge(self) -> None:
        if self._status == 200 and self.version:
            self._answer(self.version)
        else:
            self._reject(b"%d" % self._status)


class Check(_Request[Score]):
    """POST /checkv2 of a mail. A score before its last octet was given is nonsense."""

    _method = "POST"
    _target = "/checkv2"

    def _judge(self) -> None:
        reply = self._decoded()
        if self._status != 200 or (reply is not None and reply.error):
            why = f"{self._status} {(reply and reply.error) or ''}"
            self._answer(Score(None, plain(why.encode())))
        elif reply is None or self.wants or reply.score is None or not math.isfinite(reply.score):
            self._reject(bytes(self._body[:200]))
        else:
            self._answer(Score(reply.score), reusable=self._may_go_on())

    def _decoded(self) -> _Reply | None:
        try:
            return _reply.decode(self._body)
        except (msgspec.DecodeError, UnicodeError):
            return None
