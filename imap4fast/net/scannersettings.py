"""The engines that a configuration uses, as `net/scanners.py` takes them."""

from __future__ import annotations

from collections.abc import Iterator

from imap4fast.config.mailsettings import Antispam, Antivirus, Connection, Processing
from imap4fast.config.settings import Proxy
from imap4fast.config.values import Sock
from imap4fast.scan.engines import AntispamEngine, AntivirusEngine


def engines_of(proxy: Proxy) -> tuple[list[AntivirusEngine], list[AntispamEngine]]:
    """Each engine once that some command-acl uses."""
    antivirus: dict[str, AntivirusEngine] = {}
    antispam: dict[str, AntispamEngine] = {}
    for processing in _all(proxy):
        for use in processing.use_antivirus:
            antivirus[use.engine.name] = _antivirus(use.engine)
        if processing.use_antispam is not None:
            engine = processing.use_antispam.engine
            antispam[engine.name] = _antispam(engine)
    return list(antivirus.values()), list(antispam.values())


def _all(proxy: Proxy) -> Iterator[Processing]:
    for acl in proxy.command_acls:
        if acl.accept and not acl.no_mail_scanning:
            yield acl.download
            yield acl.upload


def _address(connection: Connection) -> Sock | str | None:
    return connection.sock if connection.sock is not None else connection.path


def _antivirus(engine: Antivirus) -> AntivirusEngine:
    connection = engine.connection
    return AntivirusEngine(
        name=engine.name,
        kind=connection.kind,
        address=_address(connection),
        service=connection.service or "",
        digests=engine.digests,
        sock_opt=engine.sock_opt,
        timeout=engine.timeout,
        max_checked_size=engine.max_checked_size,
        comm_dir=engine.comm_dir,
        pool=engine.pool,
        breaker=engine.breaker,
    )


def _antispam(engine: Antispam) -> AntispamEngine:
    return AntispamEngine(
        name=engine.name,
        kind=engine.connection.kind,
        address=_address(engine.connection),
        sock_opt=engine.sock_opt,
        timeout=engine.timeout,
        pool=engine.pool,
        breaker=engine.breaker,
    )
