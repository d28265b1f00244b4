"""ICAP: what is sent, and what each answer comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap4fast.mail.work import ERROR, FOUND, FREE, SKIPPED, Scan
from imap4fast.scan.icap import MOST_PREVIEW, Offer, Options, Respmod, Service, threat_of
from tests.unit.scan.feeding import EICAR, answered, flooded, give_all, same_at_every_split, survives

SERVICE = Service("127.0.0.1:1344", "/avscan")
MAIL = b"Subject: x\r\n\r\n" + EICAR
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: message/rfc822\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n"
CLEAN = b'ICAP/1.0 204 No Content\r\nISTag: "tag-1"\r\n\r\n'
GO_ON = b"ICAP/1.0 100 Continue\r\n\r\n"


def modified(body: bytes, http: bytes = HTTP, fields: bytes = b"", chunk: int = 1000) -> bytes:
    """An answer of 200 with an encapsulated answer by HTTP."""
    head = b"ICAP/1.0 200 OK\r\n%sEncapsulated: res-hdr=0, res-body=%d\r\n\r\n" % (fields, len(http))
    pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    return head + http + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def unchunked(sent: bytes) -> tuple[bytes, bytes]:
    """The octets in chunks, and what the last line says behind its number."""
    octets = b""
    while True:
        line, _, sent = sent.partition(b"\r\n")
        digits, _, extension = line.partition(b";")
        if not (size := int(digits, 16)):
            assert sent == b"\r\n"
            return octets, extension.strip()
        octets += sent[:size]
        assert sent[size : size + 2] == b"\r\n"
        sent = sent[size + 2 :]


@pytest.mark.parametrize("piece", [1, 9, 1 << 20])
def test_the_request(piece: int) -> None:
    talk = Respmod(SERVICE, len(MAIL))
    (head,) = talk.begin()
    icap, request, answer, nothing = head.split(b"\r\n\r\n")
    assert nothing == b""
    lines = icap.split(b"\r\n")
    assert lines[0] == b"RESPMOD icap://127.0.0.1:1344/avscan ICAP/1.0"
    assert b"Allow: 204" in lines
    assert not icap.count(b"Preview")
    start, end = len(request) + 4, len(request) + len(answer) + 8
    assert b"Encapsulated: req-hdr=0, res-hdr=%d, res-body=%d" % (start, end) in lines
    assert answer.endswith(b"Content-Type: message/rfc822\r\nContent-Length: %d" % len(MAIL))
    assert unchunked(give_all(talk, MAIL, piece)) == (MAIL, b"")


def test_t_a06_nothing_of_the_mail_is_in_a_head() -> None:
    heads = {Respmod(SERVICE, 5).begin()[0] for _ in range(2)}
    assert len(heads) == 1


def test_an_empty_mail() -> None:
    talk = Respmod(SERVICE, 0, preview=1024)
    (head,) = talk.begin()
    assert head.endswith(b"\r\n\r\n0\r\n\r\n")
    talk.receive(CLEAN)
    assert talk.result == Scan(FREE)


@pytest.mark.parametrize("piece", [1, 4, 1 << 20])
def test_a_preview_then_the_rest(piece: int) -> None:
    talk = Respmod(SERVICE, len(MAIL), preview=10)
    assert b"\r\nPreview: 10\r\n" in talk.begin()[0]
    assert unchunked(give_all(talk, MAIL, piece)) == (MAIL[:10], b"")
    assert (talk.wants, talk.done) == (0, False)
    talk.receive(GO_ON)
    assert unchunked(give_all(talk, MAIL[10:], piece)) == (MAIL[10:], b"")
    talk.receive(CLEAN)
    assert (talk.result, talk.reusable, talk.version) == (Scan(FREE), True, "tag-1")


def test_a_mail_that_fits_into_the_preview_says_so() -> None:
    talk = Respmod(SERVICE, len(MAIL), preview=len(MAIL))
    talk.begin()
    assert unchunked(give_all(talk, MAIL)) == (MAIL, b"ieof")
    talk.receive(CLEAN)
    assert talk.result == Scan(FREE)


@pytest.mark.parametrize(("answer", "status"), [(CLEAN, SKIPPED), (GO_ON, None)])
def test_a_preview_of_nothing_asks_whether_the_service_wants_the_mail(answer: bytes, status: str | None) -> None:
    talk = Respmod(SERVICE, len(MAIL), preview=0)
    (head,) = talk.begin()
    assert b"\r\nPreview: 0\r\n" in head
    assert head.endswith(b"\r\n\r\n0\r\n\r\n")
    assert talk.wants == 0
    talk.receive(answer)
    assert (talk.result and talk.result.status) == status
    if status is None:
        assert unchunked(give_all(talk, MAIL)) == (MAIL, b"")
        talk.receive(CLEAN)
        assert talk.result == Scan(FREE)


def test_no_preview_is_larger_than_is_good_for_it() -> None:
    assert Respmod(SERVICE, 10**9, preview=10**8).wants == MOST_PREVIEW


def test_t_a04_204_to_a_preview_is_not_free() -> None:
    talk = answered(Respmod(SERVICE, len(MAIL), preview=10), MAIL, [CLEAN])
    assert (talk.result, talk.reusable) == (Scan(SKIPPED, "the preview was enough for it"), True)


FOUND_REPLIES = [
    (b"X-Infection-Found: Type=0; Resolution=2; Threat=Eicar;\r\n", "Eicar"),
    (b"x-infection-found: type=0; threat=Two Words\r\n", "Two Words"),
    (b"X-Infection-Found: Type=0;\r\nX-Virus-ID: Eicar\r\n", "Eicar"),
    (b"X-Infection-Found: Type=0;\r\n", "unnamed"),
    (b"X-Virus-ID: Eicar\r\n", "Eicar"),
    (b"X-Violations-Found: 1\r\n\t-\r\n\tEicar\r\n\t0\r\n\t2\r\n", "Eicar"),
    (b"X-Violations-Found: 1\r\n", "unnamed"),
    (b"X-Infection-Found: Type=0; Threat=<b>\x00\r\n", "_b__"),
]


@pytest.mark.parametrize(("fields", "name"), FOUND_REPLIES)
@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content", b"403 Forbidden"])
def test_headers_that_tell_of_a_find(fields: bytes, name: str, status: bytes) -> None:
    reply = b"ICAP/1.0 %s\r\n%s\r\n" % (status, fields)
    talk = same_at_every_split(lambda: Respmod(SERVICE, len(MAIL)), MAIL, reply)
    assert talk.result == Scan(FOUND, name)


REPLIES = [
    (CLEAN, Scan(FREE), True),
    (modified(MAIL), Scan(FREE), True),
    (modified(MAIL, chunk=3), Scan(FREE), True),
    (modified(MAIL, fields=b"X-Violations-Found: 0\r\n"), Scan(FREE), True),
    (modified(MAIL[:-1]), Scan(FOUND, "replaced"), False),
    (modified(MAIL[:-1] + b"!"), Scan(FOUND, "replaced"), False),
    (modified(MAIL + b"!"), Scan(FOUND, "replaced"), False),
    (modified(b"a virus was here"), Scan(FOUND, "replaced"), False),
    (modified(b"x", FORBIDDEN), Scan(FOUND, "replaced"), False),
    (modified(MAIL, FORBIDDEN), Scan(FOUND, "replaced"), False),
    (b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, null-body=5\r\n\r\n", Scan(FOUND, "replaced"), False),
    (b"ICAP/1.0 404 Service not found\r\n\r\n", Scan(ERROR, "ICAP/1.0 404 Service not found"), False),
    (b"ICAP/1.0 500 Server error\r\n\r\n", Scan(ERROR, "ICAP/1.0 500 Server error"), False),
    (b"ICAP/1.0 503 Overloaded\r\n\r\n", Scan(ERROR, "ICAP/1.0 503 Overloaded"), False),
]


@pytest.mark.parametrize(("reply", "scan", "reusable"), REPLIES)
def test_replies(reply: bytes, scan: Scan, reusable: bool) -> None:
    talk = same_at_every_split(lambda: Respmod(SERVICE, len(MAIL)), MAIL, reply)
    assert (talk.result, talk.nonsense, talk.reusable) == (scan, None, reusable)


@pytest.mark.parametrize(
    "reply",
    [
        GO_ON,
        b"ICAP/1.0 201 Created\r\n\r\n",
        b"ICAP/1.0 206 Partial Content\r\n\r\n",
        b"ICAP/1.0 302 Found\r\n\r\n",
        b"ICAP/1.0 999 Odd\r\n\r\n",
        b"ICAP/1.0 204No\r\n\r\n",
        b"ICAP/1.0 20\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"1: stream: OK\r\n\r\n",
        b"\r\n\r\n",
        b"ICAP/1.0 200 OK\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: opt-body=0\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=9, res-body=5\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=999999\r\n\r\n",
        b"ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\nzz\r\n",
        b"x" * 20000,
    ],
)
def test_t_a04_nonsense_is_never_free(reply: bytes) -> None:
    talk = answered(Respmod(SERVICE, len(MAIL)), MAIL, [reply])
    assert (talk.result, talk.cut, talk.reusable) == (None, None, False)
    assert talk.nonsense is not None


@pytest.mark.parametrize("reply", [CLEAN, CLEAN.replace(b"204", b"100")])
def test_t_a04_an_answer_before_the_end_is_nonsense(reply: bytes) -> None:
    talk = Respmod(SERVICE, len(MAIL))
    talk.begin()
    talk.give(MAIL[:-1])
    talk.receive(reply)
    assert talk.result is None
    assert talk.nonsense is not None


def test_t_a04_the_same_octets_as_far_as_they_were_given_are_not_free() -> None:
    talk = Respmod(SERVICE, len(MAIL))
    talk.begin()
    talk.give(MAIL[:-1])
    talk.receive(modified(MAIL[:-1]))
    assert talk.result == Scan(FOUND, "replaced")


def test_a_body_that_comes_while_the_mail_is_given() -> None:
    talk = Respmod(SERVICE, len(MAIL))
    talk.begin()
    reply = modified(MAIL, chunk=len(MAIL))
    start = reply.index(MAIL)
    talk.receive(reply[:start])
    for at in range(len(MAIL)):
        talk.give(MAIL[at : at + 1])
        talk.receive(MAIL[at : at + 1])
    talk.receive(reply[start + len(MAIL) :])
    assert (talk.result, talk.reusable) == (Scan(FREE), True)


def test_a_second_100_is_nonsense() -> None:
    talk = answered(Respmod(SERVICE, len(MAIL), preview=10), MAIL, [GO_ON])
    give_all(talk, MAIL[10:])
    talk.receive(GO_ON)
    assert talk.nonsense is not None


def test_a_body_longer_than_the_mail_is_not_read_to_its_end() -> None:
    talk = answered(Respmod(SERVICE, len(MAIL)), MAIL, [modified(MAIL)[: -len(b"0\r\n\r\n")]])
    assert not talk.done
    talk.receive(b"fffffffff\r\n" + bytes(len(MAIL)))
    assert talk.result == Scan(FOUND, "replaced")


@pytest.mark.parametrize("end", [10, len(CLEAN) - 1])
def test_t_a04_a_connection_that_closes_gave_no_answer(end: int) -> None:
    talk = answered(Respmod(SERVICE, len(MAIL)), MAIL, [CLEAN[:end]])
    talk.end()
    assert talk.result is None
    assert talk.cut


def test_octets_behind_the_answer_spoil_the_connection() -> None:
    for reply in (CLEAN, modified(MAIL)):
        talk = answered(Respmod(SERVICE, len(MAIL)), MAIL, [reply + b"ICAP"])
        assert (talk.result, talk.reusable) == (Scan(FREE), False)


def test_options() -> None:
    reply = b'ICAP/1.0 200 OK\r\nISTag: "CI0001-x y"\r\nPreview: 1024\r\nOptions-TTL: 60\r\nAllow: 204\r\n\r\n'
    talk = same_at_every_split(lambda: Options(SERVICE), b"", reply)
    assert talk.result == Offer("CI0001-x y", 1024)
    assert b"OPTIONS icap://127.0.0.1:1344/avscan ICAP/1.0\r\n" in Options(SERVICE).begin()[0]


@pytest.mark.parametrize(
    ("fields", "offer"),
    [
        (b"", Offer("", None)),
        (b"Preview: 0\r\n", Offer("", 0)),
        (b"Preview: lots\r\n", Offer("", None)),
        (b"Preview: 999999999\r\n", Offer("", 999999999)),
        (b"ISTag: bare\r\n", Offer("bare", None)),
    ],
)
def test_what_a_service_offers(fields: bytes, offer: Offer) -> None:
    assert answered(Options(SERVICE), b"", [b"ICAP/1.0 200 OK\r\n" + fields + b"\r\n"]).result == offer


def test_a_service_that_is_not_there() -> None:
    talk = same_at_every_split(lambda: Options(SERVICE), b"", b"ICAP/1.0 404 <No>\r\nPreview: 5\r\n\r\n")
    assert talk.result == Offer("", None, "ICAP/1.0 404 _No_")


@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 20000])
def test_no_options(reply: bytes) -> None:
    talk = answered(Options(SERVICE), b"", [reply])
    assert talk.result is None
    assert talk.nonsense is not None


def test_fields_that_tell_of_nothing() -> None:
    assert threat_of({}) is None
    assert threat_of({b"x-violations-found": b"0", b"x-virus-id": b""}) is None


@pytest.mark.parametrize(
    ("start", "block"),
    [(b"", b"x" * 65536), (b"ICAP/1.0 200 OK\r\n", b"a: b\r\n" * 9000), (modified(b"")[:-5], b"1\r\nx\r\n" * 9000)],
)
def test_an_endless_answer_is_not_kept(start: bytes, block: bytes) -> None:
    assert flooded(Respmod(SERVICE, 0), start, block).done


WORDS = [
    GO_ON,
    CLEAN,
    modified(b"x"),
    HTTP,
    b"ICAP/1.0 200 OK\r\n",
    b"Encapsulated: res-hdr=0, res-body=3\r\n",
    b"\r\n",
]


@given(
    st.lists(st.binary(max_size=30) | st.sampled_from(WORDS), max_size=20),
    st.integers(0, 5),
    st.none() | st.integers(0, 50),
)
def test_any_answer(pieces: list[bytes], give_after: int, preview: int | None) -> None:
    talk = survives(lambda: Respmod(SERVICE, 40, preview), bytes(40), pieces, give_after)
    if talk.result is not None and talk.result.status == FREE:
        said = b"".join(pieces)
        assert said.startswith(CLEAN) or said.startswith(GO_ON + CLEAN) or b" 204" in said[:20]
        assert preview is None or preview >= 40 or said.startswith(GO_ON)
    survives(lambda: Options(SERVICE), b"", pieces, 0)
