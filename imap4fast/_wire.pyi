# The typed surface of the extension; _ext/ has the code and the contracts.

from collections.abc import Callable, Iterable, Mapping
from mmap import mmap
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias, final

# codes.pxi

COMMANDS: Final[tuple[bytes, ...]]
NOT_AUTHENTICATED: Final[int]
AUTHENTICATED: Final[int]
SELECTED: Final[int]
PASS: Final[int]
ASK: Final[int]
DROP: Final[int]
DENY: Final[int]
ANSWERS: Final[tuple[str, ...]]
QUESTIONS: Final[tuple[str, ...]]
FAULTS: Final[tuple[str, ...]]
FIRST_FRAMING: Final[int]
LIMITS: Final[tuple[str, ...]]
TIMEOUTS: Final[tuple[str, ...]]
STATUSES: Final[tuple[bytes, ...]]

# chars.pxi

@final
class Words:
    def __init__(self, words: Mapping[bytes, int]) -> None: ...
    def get(self, word: bytes) -> int: ...

# lexer.pxi and tokens.pxi

# An argument: an atom, a string (a tuple of one), or a list.
Token: TypeAlias = bytes | tuple[bytes] | list[Token]

def lex(
    line: bytes, *, utf8: bool = False, searchres: bool = False
) -> tuple[str, bytes, bytes, bool, int | None, bool]: ...
def tokens(unit: bytes) -> list[Token]: ...

# gate.pxi

@final
class Said:
    @property
    def line(self) -> bytes: ...
    @property
    def ok(self) -> bool: ...
    @property
    def sasl_ir(self) -> bool: ...
    @property
    def searchres(self) -> bool: ...

@final
class Gate:
    def __init__(
        self,
        actions: bytes,
        codes: Iterable[bytes],
        untagged: Iterable[bytes],
        unknown: bool = False,
        items: Iterable[bytes] = (),
    ) -> None: ...
    def action(self, code: int) -> int: ...
    def keep(self, rest: bytes, authenticated: bool, line: bytes, sasl_ir: bool, searchres: bool) -> None: ...
    def said(self, rest: bytes, authenticated: bool) -> Said | None: ...

# limits.pxi to relay.pxi

class Asked(Protocol):
    """What the relay asks: `ask` answers with an index of ANSWERS."""

    def ask(self, question: int, /) -> int: ...
    def broken(self, exc: Exception, /) -> object: ...

class Transport(Protocol):
    def write(self, data: bytes, /) -> object: ...
    def pause_reading(self) -> object: ...
    def resume_reading(self) -> object: ...
    def get_write_buffer_size(self) -> int: ...

@final
class Limits:
    max_bytes_in: int
    max_bytes_out: int
    max_mail_in: int
    max_mail_out: int
    max_line: int
    max_server_line: int
    max_literal: int
    max_pending: int
    idle_s: float
    login_s: float
    time_s: float
    client_recv_s: float
    server_recv_s: float
    reply_s: float
    client_send_s: float
    server_send_s: float

class Relay:
    bye: bool
    max_bytes_in: int
    max_bytes_out: int
    max_mail_in: int
    max_mail_out: int
    max_line: int
    max_server_line: int
    max_literal: int
    max_pending: int
    utf8: bool
    searchres: bool
    sasl_ir: bool
    brief: bool
    user: bytes | None
    replacement: bytes | None
    idle_s: float
    login_until: float
    end_at: float
    client_recv_s: float
    server_recv_s: float
    reply_s: float
    client_send_s: float
    server_send_s: float
    greeting_until: float
    state: int
    gate: Gate

    def __init__(self, session: Asked | None = None, gate: Gate | None = None) -> None: ...
    def begin(self, session: Asked, gate: Gate) -> None: ...
    @property
    def stopped(self) -> bool: ...
    @property
    def cin(self) -> int: ...
    @property
    def cout(self) -> int: ...
    @property
    def sin(self) -> int: ...
    @property
    def sout(self) -> int: ...
    @property
    def commands(self) -> int: ...
    @property
    def fault(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def left(self) -> bool: ...
    @property
    def s_ended(self) -> bool: ...
    @property
    def leaving(self) -> bool: ...
    @property
    def limit(self) -> int: ...
    @property
    def wrong_state(self) -> bool: ...
    @property
    def plain(self) -> bool: ...
    @property
    def code(self) -> int: ...
    @property
    def status(self) -> int: ...
    @property
    def unit(self) -> bytes: ...
    @property
    def tag(self) -> bytes: ...
    @property
    def command(self) -> bytes: ...
    @property
    def literal(self) -> int | None: ...
    @property
    def sync(self) -> bool: ...
    @property
    def idling(self) -> bool: ...
    @property
    def pending_count(self) -> int: ...
    @property
    def between_units(self) -> bool: ...
    @property
    def in_literal(self) -> bool: ...
    @property
    def unread(self) -> int: ...
    @property
    def at_command(self) -> bool: ...
    @property
    def midway(self) -> bool: ...
    @property
    def quiet(self) -> bool: ...
    def take_limits(self, given: Limits, began: float) -> None: ...
    def astrings(self) -> list[bytes] | None: ...
    def challenge(self) -> None: ...
    def set_code(self, code: int) -> None: ...
    def tokens(self) -> list[Token]: ...
    def attach_client(self, transport: Transport | None, fd: int, now: float) -> None: ...
    def attach_server(self, transport: Transport | None, fd: int, now: float) -> None: ...
    client_tap: Callable[[Relay, bytes], None] | None
    server_tap: Callable[[Relay, bytes], None] | None
    alone: bool
    @property
    def ctls(self) -> Tls | None: ...
    @property
    def stls(self) -> Tls | None: ...
    def count_talk(self, received: int, sent: int) -> None: ...
    def secure_client(self, tls: Tls) -> None: ...
    def shake_client(self, handshake: Handshake) -> None: ...
    def secure_server(self, tls: Tls) -> None: ...
    def detach_client(self) -> None: ...
    def detach_server(self) -> None: ...
    def stop(self) -> None: ...
    def reply(self, data: bytes) -> bool: ...
    def send_server(self, data: bytes) -> None: ...
    def client_paused(self) -> None: ...
    def client_resumed(self) -> None: ...
    def server_paused(self) -> None: ...
    def server_resumed(self) -> None: ...
    def client_eof(self) -> None: ...
    def server_eof(self) -> None: ...
    def client_data(self, data: bytes) -> None: ...
    def server_data(self, data: bytes) -> None: ...
    def server_said(self, line: bytes) -> None: ...
    def await_server(self) -> None: ...
    def resume(self) -> None: ...
    def greeted(self) -> None: ...
    def tick(self, now: float) -> int: ...

    # flow.pxi, fetching.pxi: where mails are processed
    watching: bool
    asking: bool
    sending: bool
    @property
    def scanning(self) -> bool: ...
    @property
    def answered(self) -> int: ...
    @property
    def number(self) -> int: ...
    @property
    def saying(self) -> bool: ...
    @property
    def held(self) -> bool: ...
    @property
    def c_full(self) -> bool: ...
    @property
    def s_full(self) -> bool: ...
    @property
    def literal8(self) -> bool: ...
    @property
    def literal_in(self) -> int: ...
    def process_mails(self, prefix: bytes) -> None: ...
    def pass_mails(self) -> None: ...
    def ask_server(self, line: bytes, *, goes: bool = False) -> int: ...
    def await_go(self) -> None: ...
    def hold_client(self) -> None: ...
    def free_client(self) -> None: ...
    def choke(self, on: bool) -> None: ...
    def begin_saying(self) -> None: ...
    def say(self, data: bytes) -> None: ...
    def end_saying(self) -> None: ...

# text.pxi

@final
class Template:
    def __init__(self, id: bytes, text: bytes) -> None: ...
    @property
    def id(self) -> bytes: ...
    @property
    def text(self) -> bytes: ...

@final
class Waiting:
    gate: int
    def __init__(self, clock: Callable[[], float], made: Callable[[bool], object], most: int) -> None: ...
    @property
    def entries(self) -> list[Any]: ...
    def write(self, entry: Any, *args: object, track: int = 0, severity: str | None = None) -> None: ...
    def take(self) -> list[Any]: ...

def fill(template: Template, args: tuple[object, ...], limit: int) -> str | None: ...
def text_lines(
    kept: list[Any], head: Callable[[float], str], limit: int, careful: Callable[[Any, tuple[object, ...]], str]
) -> bytes: ...

# sockets.pxi

def end_of(fd: int, peer: bool) -> tuple[bytes, int] | None: ...
def set_options(fd: int, rows: tuple[tuple[int, int, int], ...]) -> int: ...

# memory.pxi

def keep_memory() -> None: ...

# counts.pxi and shared.pxi

OK: int
OVER_SESSIONS: int
OVER_SESSIONS_IP: int
OVER_RATE: int
OVER_RATE_IP: int

class CountTable:
    def __init__(self, workers: int, slots: int = 65536) -> None: ...
    def set_limits(
        self, max_sessions: int, max_sessions_per_ip: int, conn_rate: int, conn_rate_per_ip: int
    ) -> None: ...
    def admit(self, column: int, packed: bytes, now_ms: int) -> int: ...
    def leave(self, column: int, packed: bytes) -> bool: ...
    def settle(self) -> bool: ...
    def clear(self, column: int) -> None: ...
    def sessions(self) -> int: ...
    def sessions_of(self, packed: bytes) -> int: ...
    def column_sessions(self, column: int) -> int: ...
    def admitted(self) -> int: ...
    def repairs(self) -> int: ...
    def slots(self) -> int: ...
    def full(self) -> bool: ...

# tlspem.pxi, tlscontext.pxi and tls.pxi

class TlsError(Exception):
    what: str
    why: str
    def __init__(self, what: str, why: str) -> None: ...

def tls_folder(folder: str) -> list[bytes]: ...
def tls_system() -> list[bytes]: ...

@final
class TlsContext:
    def __init__(
        self,
        *,
        server: bool,
        certificate: bytes | None = None,
        private_key: bytes | None = None,
        passphrase: bytes | None = None,
        sni: Iterable[tuple[bytes, bytes, bytes]] = (),
        ca: Iterable[bytes] = (),
        ca_dir: str | None = None,
        ca_default: bool = False,
        crl: Iterable[bytes] = (),
        verify: int = 0,
        depth: int = 10,
        min_version: int = 0x0303,
        max_version: int = 0x0304,
        ciphers: bytes | None = None,
        ciphersuites: bytes | None = None,
        groups: bytes | None = None,
        security_level: int = 2,
        tickets: int = 2,
        lifetime_s: int = 7200,
        session_context: bytes = b"",
        alpn: Iterable[bytes] = (b"imap",),
    ) -> None: ...
    @property
    def server(self) -> bool: ...
    @property
    def verify(self) -> int: ...
    def set_ticket_keys(self, keys: tuple[bytes, ...]) -> None: ...

@final
class Tls:
    def __init__(self, context: TlsContext) -> None: ...
    @property
    def context(self) -> TlsContext: ...
    @property
    def handshake_done(self) -> bool: ...
    @property
    def faulted(self) -> bool: ...
    @property
    def closed(self) -> bool: ...
    @property
    def closing(self) -> bool: ...
    @property
    def ended(self) -> bool: ...
    @property
    def truncated(self) -> bool: ...
    @property
    def fault_reason(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...
    @property
    def cipher(self) -> str | None: ...
    @property
    def resumed(self) -> bool: ...
    @property
    def asked(self) -> bool: ...
    @property
    def sni(self) -> bytes | None: ...
    @property
    def alpn(self) -> bytes | None: ...
    @property
    def verify_error(self) -> str | None: ...
    @property
    def peer_certificate(self) -> bytes | None: ...
    @property
    def peer_chain(self) -> tuple[bytes, ...]: ...
    def set_server_name(self, name: bytes, verify: bool = True) -> None: ...
    def shake(self, data: bytes) -> bytes: ...
    def pump(self, data: bytes, most: int = -1) -> tuple[bytes, bytes]: ...
    def seal(self, plain: bytes) -> bytes: ...
    def close(self) -> bytes: ...
    def lose(self) -> None: ...

# handshake.pxi

STEPS_A_TURN: Final[int]
MOST_WAITING: Final[int]

@final
class Queue:
    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None: ...
    def take(self, handshake: Handshake) -> None: ...

@final
class Handshake:
    def __init__(
        self,
        queue: Queue,
        tls: Tls,
        transport: Transport,
        done: Callable[[str | None], None],
        broken: Callable[[Exception], None],
        fd: int = -1,
    ) -> None: ...
    @property
    def tls(self) -> Tls: ...
    @property
    def heard(self) -> bool: ...
    def data(self, chunk: bytes) -> None: ...
    def late_step(self) -> None: ...
    def step(self) -> None: ...
    def drop(self) -> None: ...

# header*.pxi: the fields of a header

Octets: TypeAlias = bytes | bytearray | memoryview | mmap

def header_list(header: bytes) -> list[tuple[bytes, int, int]]:
    """(name as written, start and end of the whole field in header) of each field up to the empty line; a line that is
    no field has the name b"".
    """

def header_fields(header: bytes, names: tuple[bytes, ...], negate: bool) -> bytes:
    """The fields with one of the names, or with none of them (`negate`), as written, and the empty line
    (RFC 3501 HEADER.FIELDS and HEADER.FIELDS.NOT). Where the header has no empty line, as in a mail without a body,
    HEADER.FIELDS gets one and HEADER.FIELDS.NOT gets none.
    """

def unfolded(value: bytes) -> bytes:
    """A field's value on one line: newlines go, a space stands for one that no white space follows, and white space at
    both ends goes.
    """

def decode_text(octets: bytes, charset: bytes) -> str:
    """As text, whatever the octets are. A charset that is not known is taken for UTF-8, and where the octets are not
    that, for Latin-1.
    """

def decode_words(value: bytes) -> str:
    """The text of a field's value, unfolded, with its encoded words decoded, also where they stand inside of a word.
    Never raises: what is no encoded word stays, charsets that are not known are guessed (`decode_text`).
    """

def parameters(value: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The main value of a Content-Type or Content-Disposition, comments aside, and (name, value) of its parameters as
    BODYSTRUCTURE has them: pieces (RFC 2231 section 3) are joined; where one of them is percent-encoded the name ends
    in an asterisk, and charset, language and percent signs stay. At most 128. Of a type that cannot be read the main
    value is b"", and its parameters begin at the first semicolon.
    """

def decode_transfer(data: Octets, encoding: bytes) -> bytes | None:
    """The octets without their transfer encoding, as BINARY has them: 7bit, 8bit, binary, base64 or quoted-printable in
    any case; None for another. Never fails for the data: octets that base64 does not have are passed over and an "="
    ends a group there; in quoted-printable an "=" without two digits stands for itself, but at the end of a line or of
    all, where it goes.
    """

def clean_quoted(data: Octets) -> bytes | None:
    """Quoted-printable decoded where all who read it read the same: each "=" stands before two digits in upper case, or
    before a line end. Else None.
    """

def has_odd_quoted(data: Octets, start: int, stop: int) -> bool:
    """Whether an "=" in data[start:stop] is neither before two hexadecimal digits nor before a CRLF."""

MARK_BEGIN: Final = 1
MARK_BINHEX: Final = 2
MARK_DATA: Final = 4
MARK_ENCODING: Final = 8

def text_marks(data: Octets, documents: bool) -> int:
    """What may stand in text as a file of its own, the sum of: MARK_BEGIN for `begin`, MARK_BINHEX for how BinHex
    begins, and with `documents` MARK_DATA for `data:` and MARK_ENCODING for `content-transfer-encoding` in either case.
    """

# mime*.pxi: the index of a mail

MIME_FAULTS: Final[tuple[str, ...]]

class MimePart(NamedTuple):
    """A part of a mail. `header` and `body` are offsets in the mail; a header's size includes its empty line. `type`,
    `subtype` and `encoding` are in lower case, as BODYSTRUCTURE has them, the first 80 octets of each; b"" for a type
    that cannot be read. `transfer` is the encoding that BINARY goes by, b"" for one that is not known: another than
    `encoding` where the header names several or writes one oddly. `lines` are those of the body. `faults` are names
    of MIME_FAULTS.
    """

    parent: int
    depth: int
    kind: Literal["leaf", "multipart", "message"]
    header: int
    header_size: int
    body: int
    body_size: int
    lines: int
    type: bytes
    subtype: bytes
    encoding: bytes
    children: tuple[int, ...]
    transfer: bytes
    faults: frozenset[str]

@final
class MailIndex:
    """Where everything is in a mail, and what IMAP says of it. Part 0 is the whole mail; parts are in the order in
    which they stand. Made by `scan` and `unpack` alone.
    """

    @staticmethod
    def scan(
        data: Octets,
        max_header: int = 262144,
        max_parts: int = 1000,
        max_depth: int = 30,
    ) -> MailIndex:
        """The index of a mail in any C-contiguous buffer, of which nothing is kept. Never raises for what the octets
        are: see `faults`. Caps: octets of one header that are looked into, parts, and parts around the innermost one
        with it (at most 256).
        """
    @staticmethod
    def unpack(blob: bytes) -> MailIndex:
        """The index from what `pack` made; ValueError for anything else."""
    def pack(self) -> bytes:
        """All of it as octets, for `unpack` on this host."""
    def __len__(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def lines(self) -> int: ...
    @property
    def faults(self) -> frozenset[str]:
        """Names of MIME_FAULTS: what was found anywhere in the mail."""
    @property
    def leaves(self) -> tuple[int, ...]:
        """The parts that have no parts in them, a multipart among them whose boundary does not occur."""
    @property
    def envelope(self) -> bytes:
        """ENVELOPE with its parentheses, as Dovecot prints it: quoted strings, or literals where they are needed. One
        of over 2 MiB has nothing but NIL in it.
        """
    @property
    def body(self) -> bytes:
        """BODY with its parentheses."""
    @property
    def bodystructure(self) -> bytes:
        """BODYSTRUCTURE with its parentheses. One of over 4 MiB shows the mail as one leaf."""
    @property
    def preview(self) -> bytes:
        """PREVIEW (RFC 8970) in UTF-8: up to 200 characters of the first text, b"" where there is none."""
    def decoded_size(self, i: int) -> int | None:
        """Octets of a leaf's body without its transfer encoding (`decode_transfer`); None where that is not known, or
        where parts are in it.
        """
    def part(self, i: int) -> MimePart:
        """What is known of part `i`; IndexError for a number that none has."""
    def find(self, path: tuple[int, ...]) -> int:
        """The part of a section number, as (2, 1) for 2.1; () is the mail. -1: none. As in Dovecot part 1 of a leaf is
        the leaf.
        """
    def section(self, spec: bytes) -> tuple[int, int] | None:
        """Offset and size of a section as in BODY[spec], in any case; None for what is no section, or of no part.
        HEADER.FIELDS is made from HEADER by `header_fields`.
        """
