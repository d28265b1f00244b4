"""Settings as a configuration can give them, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from imap4fast.config.address import masked
from imap4fast.config.basesettings import Conditions, SockOpt
from imap4fast.config.ciphers import VERSIONS
from imap4fast.config.settings import (
    CertMatch,
    CommandAcl,
    Listen,
    LogSink,
    Monitoring,
    Proxy,
    SessionAcl,
    SslParams,
    SslSessionCache,
    SslUse,
    TcpServer,
)
from imap4fast.config.values import (
    Address,
    AnyHost,
    DateRange,
    HostMask,
    HostMember,
    HostName,
    HostRange,
    HostRegex,
    HostSublist,
    PeriodSpec,
    Sock,
    TimePeriodSet,
    TimeSpec,
    WordMember,
)
from imap4fast.config.words import COMMAND_WORDS

_MAPPED_LOW, _MAPPED_HIGH = 0xFFFF << 32, (0xFFFF << 32) | 0xFFFFFFFF
_BITS = {4: 32, 6: 128}


def _not_mapped(value: int) -> bool:
    return not _MAPPED_LOW <= value <= _MAPPED_HIGH


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9._-]{0,6}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
paths = texts.filter(lambda text: text != "" and "\0" not in text)
ports = st.integers(1, 65535)
numbers = st.integers(0, 2**31 - 1)
in_memory = st.integers(0, 2**30)
durations = st.integers(0, 86400 * 400)
positive = st.integers(1, 86400)
addresses = st.one_of(
    st.builds(Address, st.just(4), st.integers(0, 2**32 - 1)),
    st.builds(Address, st.just(6), st.integers(0, 2**128 - 1).filter(_not_mapped)),
)
hosts = st.one_of(addresses, names.filter(lambda name: not name.endswith(".")).filter(lambda n: ".." not in n))
socks = st.builds(Sock, hosts, ports)


@st.composite
def ranges(draw: Any) -> HostRange:
    version = draw(st.sampled_from([4, 6]))
    ends = st.integers(0, 2 ** _BITS[version] - 1)
    low, high = sorted((draw(ends), draw(ends)))
    if version == 6 and not (_not_mapped(low) and _not_mapped(high)):
        low = high = 1
    return HostRange(version, low, high)


@st.composite
def networks(draw: Any) -> HostRange | HostMask:
    version = draw(st.sampled_from([4, 6]))
    bits = st.integers(0, 2 ** _BITS[version] - 1)
    mask, value = draw(bits), draw(bits)
    if version == 6 and not (_not_mapped(value) and _not_mapped(value & mask)):
        value = 0
    return masked(version, value & mask, mask)


def _list_of(members: Any) -> Any:
    """Lists that the language allows: not empty, and not of exclusions alone."""
    return st.lists(members, min_size=1, max_size=4).map(tuple).filter(lambda found: any(not m.negate for m in found))


def _is_host_name(name: str) -> bool:
    """No label is empty or begins with a hyphen."""
    return not any(label == "" or label[0] == "-" for label in name.removesuffix(".").split("."))


host_names = names.filter(_is_host_name).map(HostName)
regexes = st.sampled_from(["^a", r"\.example$", "a/b", "x|y", "[0-9]+"])
ranges_of_ports = st.one_of(st.none(), st.tuples(ports, ports).map(lambda pair: (min(pair), max(pair))))
plain_hosts = st.one_of(st.just(AnyHost()), ranges(), networks(), host_names)


def _host_lists(hosts: Any) -> Any:
    plain = st.builds(HostMember, hosts, st.booleans(), ranges_of_ports)
    return _list_of(st.one_of(plain, st.builds(HostMember, _list_of(plain).map(HostSublist), st.booleans())))


host_lists = _host_lists(plain_hosts | regexes.map(HostRegex))
lists_without_regex = _host_lists(plain_hosts)


def word_lists(words: Any, regex: bool = False) -> Any:
    plain = st.builds(WordMember, st.none() | words, st.booleans())
    if regex:
        plain = plain | st.builds(WordMember, regexes, st.booleans(), st.just(True))
    nested = st.builds(lambda inner, no: WordMember(None, no, sublist=inner), _list_of(plain), st.booleans())
    return _list_of(plain | nested)


def _subset(low: int, high: int) -> Any:
    whole = frozenset(range(low, high + 1))
    return st.none() | st.frozensets(st.sampled_from(sorted(whole)), min_size=1).filter(lambda found: found != whole)


minute_pairs = st.tuples(st.integers(0, 1439), st.integers(0, 1440)).filter(lambda pair: pair[0] != pair[1])
times = st.builds(
    TimeSpec,
    _subset(1, 31),
    _subset(1, 12),
    _subset(0, 6),
    st.none() | st.lists(minute_pairs, min_size=1, max_size=3).map(tuple),
)
days = st.integers(1, 28)
months = st.integers(1, 12)
weekdays = st.tuples(st.integers(0, 6), st.integers(0, 6))


def several(one: Any, most: int = 3, **more: Any) -> Any:
    return st.lists(one, max_size=most, **more).map(tuple)


specs = st.builds(
    PeriodSpec,
    names,
    several(st.builds(DateRange, days, months, days, months)),
    several(weekdays),
    several(minute_pairs),
)
periods = st.builds(TimePeriodSet, names, several(specs, unique_by=lambda spec: spec.name), st.booleans())


@st.composite
def conditions(draw: Any, period: Any, parents: tuple[str, ...]) -> Conditions:
    timed = draw(st.booleans())
    return Conditions(
        from_=draw(st.none() | host_lists),
        to=draw(st.none() | lists_without_regex),
        server=draw(st.none() | host_lists),
        time=draw(several(times, 2)) if timed else (),
        time_period_set=None if timed else draw(st.none() | period),
        user=draw(st.none() | word_lists(texts, regex=True)),
        group=draw(st.none() | word_lists(texts, regex=True)),
        parent_acl=draw(st.none() | word_lists(st.sampled_from(parents))) if parents else None,
    )


languages = st.sampled_from(["EN", "CZ", "CZ-ASCII", "CZ-ISO-8859-2", "CZ-WINDOWS-1250"])
none_auth = st.just(("none", None))
capabilities = st.sampled_from(["IMAP4rev1", "AUTH=*", "AUTH=PLAIN", "RIGHTS=", "APPENDLIMIT", "LITERAL+", "UNKNOWN"])
log_sinks = st.builds(
    LogSink,
    level=st.integers(3, 9),
    facility=st.none() | st.sampled_from(["LOCAL0", "MAIL"]),
    format=st.sampled_from(["text", "json"]),
    syslog_failure=st.sampled_from(["ignore", "file", "stop"]),
    data_limit=numbers,
) | st.builds(
    LogSink,
    file=paths,
    rotate=st.none() | st.tuples(st.integers(1, 2**40), st.integers(0, 99)),
    mem_file=st.tuples(paths, st.integers(1, 2**30)),
    mem_level=st.none() | st.integers(3, 9),
)
sock_opts = st.builds(
    SockOpt,
    *[positive, positive, durations, positive, durations, in_memory, in_memory, st.integers(0, 32767)],
    st.booleans(),
    st.none() | st.integers(0, 255),
    st.none() | numbers,
)
servers = st.builds(
    TcpServer,
    *[st.integers(0, 1024), st.integers(1, 65535), st.just(0), numbers, st.just(0), numbers, durations],
    st.booleans(),
)


certificate_names = st.sampled_from(["a.example", "*.b.example", "x", "xn--bcher-kva.example"])
openssl_words = st.sampled_from(["HIGH", "ECDHE+AESGCM:!SHA1", "X25519:P-256"])


@st.composite
def ssl_params(draw: Any, name: str) -> SslParams:
    """For any leg, so with a certificate."""
    weak = draw(st.booleans())
    versions = draw(
        st.lists(st.sampled_from(list(VERSIONS) if weak else ["TLSv1-2", "TLSv1-3"]), min_size=2, max_size=2)
    )
    low, high = sorted(versions, key=lambda version: VERSIONS[version])
    ca_file = draw(st.none() | paths)
    return SslParams(
        name,
        certificate=draw(paths),
        private_key=draw(paths),
        key_passphrase=draw(st.none() | paths),
        sni=draw(several(st.tuples(certificate_names, paths, paths), unique_by=lambda entry: entry[0])),
        ca_file=ca_file,
        ca_dir=draw(st.none() | paths),
        crl=draw(several(paths)),
        verify=draw(st.sampled_from([None, "none", "request", *(["require"] if ca_file else [])])),
        min_version=low,
        max_version=high,
        ciphers=draw(st.none() | openssl_words),
        ciphersuites=draw(st.none() | texts),
        curves=draw(st.none() | openssl_words),
        weak_tls=weak,
        session_tickets=draw(st.booleans()),
        require_tls=draw(st.booleans()),
        server_name=draw(st.none() | st.sampled_from(["a.example", "192.0.2.1", "2001:db8::1"])),
    )


@st.composite
def cert_matches(draw: Any, name: str) -> CertMatch:
    kind = draw(st.sampled_from(["any", "none", "conditions"]))
    if kind != "conditions":
        return CertMatch(name, any=kind == "any", none=kind == "none")
    given = st.none() | word_lists(texts, regex=True)
    return CertMatch(
        name,
        *(draw(given) for _ in range(7)),
        serial=draw(st.none() | word_lists(st.sampled_from(["0A:1b", "0x12"]))),
        fingerprint=draw(st.none() | word_lists(st.just("sha256:" + "0A" * 32))),
        valid_days=draw(numbers),
        key_usage=draw(st.none() | word_lists(st.sampled_from(["keyCertSign", "crlsign"]))),
        ext_key_usage=draw(st.none() | word_lists(st.sampled_from(["clientAuth", "1.2.3"]))),
    )


def named(kind: Any) -> Any:
    """One or two sections of different names."""
    return st.lists(names, min_size=1, max_size=2, unique=True).flatmap(lambda found: st.tuples(*map(kind, found)))


@st.composite
def listens(draw: Any, number: int) -> Listen:
    low, high = sorted((number * 1000 + draw(st.integers(1, 999)), number * 1000 + draw(st.integers(1, 999))))
    if draw(st.booleans()):
        return Listen(False, Sock(draw(addresses), low), None, None, low, high)
    return Listen(False, None, draw(paths), draw(st.sampled_from([None, 4, 6])), low, high)


@st.composite
def proxies(draw: Any) -> Proxy:
    """Whole proxies, without what the language refuses."""
    sets = draw(st.lists(periods, min_size=1, max_size=2, unique_by=lambda period: period.name))
    period = st.sampled_from(sets)
    uses = st.none() | st.builds(SslUse, st.sampled_from(draw(named(ssl_params))), st.booleans())
    matches = st.none() | st.sampled_from(draw(named(cert_matches)))
    session_names = tuple(draw(st.lists(names, max_size=2, unique=True)))
    command_names = draw(st.lists(names, max_size=2, unique=True))
    optional = st.none() | paths
    return Proxy(
        draw(names),
        phase=draw(st.integers(0, 255)),
        tag=draw(several(texts)),
        nodaemon=draw(st.booleans()),
        singleproc=draw(st.booleans()),
        app_user=draw(st.none() | texts),
        app_group=draw(st.none() | texts),
        chroot_dir=draw(optional),
        pid_file=draw(optional),
        log_debug=draw(log_sinks),
        log_stats=draw(st.none() | log_sinks),
        idle_timeout=draw(durations),
        login_timeout=draw(durations),
        cfg_resolution=draw(st.none() | positive),
        monitoring=draw(st.none() | st.just(Monitoring(True))),
        listen_on=tuple(draw(listens(number)) for number in range(draw(st.integers(1, 3)))),
        tcpserver=draw(servers),
        client_conn=draw(sock_opts),
        server_conn=draw(sock_opts),
        ssl_session_cache=draw(st.builds(SslSessionCache, numbers, st.integers(1, 604800))),
        max_line=draw(in_memory),
        max_pending=draw(st.integers(0, 250)),
        session_acls=tuple(draw(session_acls(name, period, uses, matches)) for name in session_names),
        command_acls=tuple(draw(command_acls(name, period, session_names, uses, matches)) for name in command_names),
    )


@st.composite
def session_acls(draw: Any, name: str, period: Any, uses: Any, matches: Any) -> SessionAcl:
    client_ssl = draw(uses)
    lax = client_ssl is not None and client_ssl.starttls and not client_ssl.params.require_tls
    return SessionAcl(
        name,
        draw(st.booleans()),
        draw(conditions(period, ())),
        draw(languages),
        draw(st.none() | durations),
        draw(st.none() | none_auth),
        draw(several(socks)),
        client_ssl=client_ssl,
        client_cert_match=None if lax else draw(matches),
    )


@st.composite
def command_acls(draw: Any, name: str, period: Any, parents: tuple[str, ...], uses: Any, matches: Any) -> CommandAcl:
    return CommandAcl(
        name,
        draw(st.booleans()),
        draw(conditions(period, parents)),
        draw(st.none() | languages),
        draw(st.none() | durations),
        draw(st.none() | word_lists(st.sampled_from(sorted(COMMAND_WORDS)))),
        draw(st.none() | word_lists(capabilities)),
        draw(st.booleans()),
        max_bytes_in=draw(numbers),
        max_bytes_out=draw(numbers),
        max_mail_in=draw(numbers),
        max_mail_out=draw(numbers),
        max_time=draw(durations),
        sasl_external=draw(st.booleans()),
        no_mail_scanning=True,
        client_cert_match=draw(matches),
        server_ssl=draw(uses),
        server_cert_match=draw(matches),
    )
