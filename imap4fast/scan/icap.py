"""ICAP (RFC 3507) as a client: OPTIONS, and RESPMOD of a mail as if it were the answer to a request by HTTP.

What the server says becomes a result so:

- any of the headers that tell of a find, in whatever answer: FOUND;
- 204 when all octets were given: FREE. 204 after the preview alone: SKIPPED, since it has not seen the rest;
- 200 with the same octets: FREE; with others, none, or under an HTTP status other than 200: FOUND, since it replaced
  them;
- 4xx and 5xx: ERROR. Anything else, and an answer of "free" before all was given: nonsense.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import msgspec

from imap4fast.mail.work import Scan
from imap4fast.scan.chunked import Chunked
from imap4fast.scan.head import Head, number
from imap4fast.scan.talk import Talk, failed, found, free, plain, skipped

MAIL = b"message/rfc822"
DOCUMENT = b"application/octet-stream"
MOST_PREVIEW = 1 << 20
MOST_HTTP_HEAD = 65536
_STATUS = re.compile(rb"ICAP/1\.\d (\d{3})(?: |$)")
_HTTP_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})[ \r]")
_PARTS = re.compile(rb"(res-hdr|res-body|null-body)=(\d{1,6})")
_THREAT = re.compile(rb"Threat=([^;]*)", re.IGNORECASE)
_REQUEST = b"GET http://imap4fast.invalid/mail HTTP/1.1\r\nHost: imap4fast.invalid\r\n\r\n"
"""What the mail is the answer to. Constant: nothing of a mail is named to a scanner but its octets (T-A06)."""


class Service(msgspec.Struct, frozen=True):
    """Where to ask: `host` as it stands in a URI, with its port; `path` begins with a slash."""

    host: str
    path: str

    def request(self, method: bytes, fields: bytes) -> bytes:
        """The request's head."""
        host, path = self.host.encode(), self.path.encode()
        return b"%s icap://%s%s ICAP/1.0\r\nHost: %s\r\nUser-Agent: imap4fast\r\nConnection: keep-alive\r\n%s\r\n" % (
            method,
            host,
            path,
            host,
            fields,
        )


class Offer(msgspec.Struct, frozen=True):
    """What OPTIONS said. `preview` is how many octets the service wants to see before it may ask for more, if it may.

    `refused` is the answer where there is no such service.
    """

    istag: str
    preview: int | None
    refused: str = ""


class _Answered(Talk[Scan]):
    """The part that reads: heads, then an encapsulated HTTP head and body."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._head = Head()
        self._sent = hashlib.sha256()
        self._came = hashlib.sha256()
        self._came_size = 0
        self._http = bytearray()
        self._http_size = 0
        self._body: Chunked | None = None

    def receive(self, octets: bytes) -> None:
        while octets and not self.done:
            if self._body is None:
                octets = self._head.feed(octets)
                self._read_head()
            else:
                octets = self._read_body(octets)
        if octets:
            self.reusable = False

    def _read_head(self) -> None:
        if self._head.fault:
            self._reject(self._head.said)
        elif self._head.done:
            status = _STATUS.match(self._head.status)
            self.version = plain(self._head.fields.get(b"istag", b"").strip(b'"'))
            self._judge(int(status[1]) if status else 0)

    def _judge(self, status: int) -> None:
        raise NotImplementedError

    def _expect_body(self) -> None:
        """Behind an ICAP head of 200: what `Encapsulated` announces, else it is nonsense."""
        said = self._head.fields.get(b"encapsulated", b"")
        parts = {name: int(offset) for name, offset in _PARTS.findall(said)}
        start, end = parts.get(b"res-hdr", 0), parts.get(b"res-body", parts.get(b"null-body", -1))
        if not 0 <= start <= end <= MOST_HTTP_HEAD:
            self._reject(self._head.said)
        elif b"res-body" not in parts:
            self._answer(found(b"replaced"))
        else:
            self._http_size = end
            self._body = Chunked(self._take)

    def _read_body(self, octets: bytes) -> bytes:
        missing = self._http_size - len(self._http)
        if missing:
            self._http += octets[:missing]
            if len(octets) < missing:
                return b""
            if self._replaced():
                self._answer(found(b"replaced"))
            return octets[missing:]
        return self._compare(octets)

    def _replaced(self) -> bool:
        """Whether the HTTP head is of another answer than ours was."""
        status = _HTTP_STATUS.match(self._http)
        return status is not None and status[1] != b"200"

    def _compare(self, octets: bytes) -> bytes:
        body = self._body
        if body is None:
            return b""
        body.feed(octets)
        if self._came_size > self._size:
            self._answer(found(b"replaced"))
        elif body.fault:
            self._reject(b"broken body after " + self._head.said)
        elif body.done and (self._left or self._sent.digest() != self._came.digest()):
            self._answer(found(b"replaced"))
        elif body.done:
            self._answer(free(), reusable=not body.rest)
        return b""

    def _take(self, octets: bytes) -> None:
        self._came_size += len(octets)
        if self._came_size <= self._size:
            self._came.update(octets)


class Respmod(_Answered):
    """RESPMOD of `size` octets of the type `media`. With `preview` only so many are given at first.

    A service that offers previews is to be given one: it tells by its answer to the preview alone that it will not look
    at the mail.
    """

    def __init__(self, service: Service, size: int, preview: int | None = None, media: bytes = MAIL) -> None:
        super().__init__(size)
        self._service = service
        self._media = media
        self._previewing = preview is not None and size > 0
        self.wants = size if preview is None else min(preview, size, MOST_PREVIEW)

    def begin(self) -> list[bytes]:
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (self._media, self._size)
        fields = b"Allow: 204\r\n"
        if self._previewing:
            fields += b"Preview: %d\r\n" % self.wants
        body = len(_REQUEST) + len(answer)
        fields += b"Encapsulated: req-hdr=0, res-hdr=%d, res-body=%d\r\n" % (len(_REQUEST), body)
        head = self._service.request(b"RESPMOD", fields) + _REQUEST + answer
        return [head if self.wants else head + b"0\r\n\r\n"]

    def give(self, octets: bytes) -> list[bytes]:
        self._left -= len(octets)
        self.wants -= len(octets)
        self._sent.update(octets)
        chunk = [b"%x\r\n" % len(octets), octets, b"\r\n"] if octets else []
        if self.wants:
            return chunk
        ieof = self._previewing and not self._left
        return [*chunk, b"0; ieof\r\n\r\n" if ieof else b"0\r\n\r\n"]

    def _judge(self, status: int) -> None:
        threat = threat_of(self._head.fields)
        if threat is not None:
            self._answer(found(threat))
        elif status == 100 and self._previewing and self._left and not self.wants:
            self._previewing = False
            self.wants = self._left
            self._head = Head()
        elif status == 204 and not self.wants:
            self._unmodified()
        elif status == 200:
            self._expect_body()
        elif 400 <= status < 600:
            self._answer(failed(plain(self._head.status)))
        else:
            self._reject(self._head.said)

    def _unmodified(self) -> None:
        self._answer(skipped("the preview was enough for it") if self._left else free(), reusable=True)


class Options(Talk[Offer]):
    """OPTIONS: what the service offers, and its ISTag, which stands for engine and signatures."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._head = Head()

    def begin(self) -> list[bytes]:
        return [self._service.request(b"OPTIONS", b"Encapsulated: null-body=0\r\n")]

    def receive(self, octets: bytes) -> None:
        if self.done:
            return
        self._head.feed(octets)
        status = _STATUS.match(self._head.status)
        if self._head.fault or (self._head.done and status is None):
            self._reject(self._head.said)
        elif self._head.done and status is not None:
            refused = "" if status[1] == b"200" else plain(self._head.status)
            self._answer(Offer("", None, refused) if refused else self._offer(self._head.fields))

    def _offer(self, fields: Mapping[bytes, bytes]) -> Offer:
        istag = plain(fields.get(b"istag", b"").strip(b'"'))
        return Offer(istag, number(fields.get(b"preview", b"")))


def threat_of(fields: Mapping[bytes, bytes]) -> bytes | None:
    """The name of what was found, as the customary headers tell it; None: they tell of nothing."""
    infection = fields.get(b"x-infection-found")
    if infection:
        threat = _THREAT.search(infection)
        return (threat and threat[1].strip()) or fields.get(b"x-virus-id") or b"unnamed"
    violations = fields.get(b"x-violations-found", b"").split()
    if violations and violations[0] != b"0":
        # Number, then for each: file name, name of the threat, its number, what was done.
        return fields.get(b"x-virus-id") or (violations[2] if len(violations) > 2 else b"unnamed")
    return fields.get(b"x-virus-id") or None
