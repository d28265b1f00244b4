"""What TLS needs in every process of the service: the files of ssl-params as they were read, and the ticket keys.

The master (in `singleproc` the one process) has one for its life. It reads the files before there are workers, with
the rights and from the directory of the start, and again when it is told to; a fork hands the whole to a worker.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator

from msgspec.structs import replace

from imap4fast.config.settings import Settings, SslParams, SslUse
from imap4fast.errors import ConfigError, SetupError
from imap4fast.log import cfgp, ssle, tcps
from imap4fast.log.setup import Logs
from imap4fast.net.tlsmaterial import Material, read_materials
from imap4fast.proc import tickets
from imap4fast.proc.tickets import TicketKeys


class Keyring:
    """`materials` are those in force; with none of them there is no TLS, and there are no ticket keys either.

    Raises SetupError when a file cannot be read or used. `now` is monotonic everywhere.
    """

    def __init__(self, settings: Settings, logs: Logs, now: float) -> None:
        self._settings = _absolute(settings)
        self._logs = logs
        try:
            self.materials = self._read()
        except ConfigError as error:
            raise SetupError("ssl-params", error) from error
        self._tickets = TicketKeys(now, tickets.CHANGE_S) if self.materials else None

    def _read(self) -> tuple[Material, ...]:
        materials = read_materials(self._settings)
        for material in materials:
            for warning in material.warnings:
                self._logs.write(cfgp.CONFIG_WARNING, warning)
        return materials

    @property
    def ticket_keys(self) -> tuple[bytes, ...]:
        """Newest first."""
        return self._tickets.reveal() if self._tickets is not None else ()

    def change_keys(self, now: float) -> bool:
        """Changes the ticket keys if that is due; True: there are new ones to give to workers."""
        if self._tickets is None or not self._tickets.change(now):
            return False
        self._logs.write(ssle.TICKET_KEYS_CHANGED)
        return True

    def reload(self) -> bool:
        """What SIGRTMIN asks for, as far as there is such a thing. True: there are new `materials` to give to workers.

        Whatever cannot be read or used leaves all as it was, and is in the log.
        """
        if not self.materials:
            self._logs.write(tcps.RELOAD_FAILED, "reload is not supported yet")
            return False
        self._logs.write(tcps.RELOAD_FAILED, "not supported yet but for the files of ssl-params", severity="N")
        try:
            self.materials = self._read()
        except (ConfigError, SetupError) as error:
            self._logs.write(ssle.NOT_READ_AGAIN, str(error))
            return False
        except Exception as error:  # whatever a file holds, it must not end a service that runs
            self._logs.write(tcps.INTERNAL_ERROR, "keyring.reload", f"{type(error).__name__}: {error}")
            return False
        self._logs.write(ssle.READ_AGAIN, len(self.materials))
        return True

    def wipe(self) -> None:
        """In a process that must not have them: cleans this process's copies of the keys."""
        for material in self.materials:
            for secret in _secrets(material):
                _clean(secret)
        self.forget()

    def forget(self) -> None:
        """In a worker that has taken everything: it must not keep for good what the master changes later."""
        self.materials = ()
        if self._tickets is not None:
            self._tickets.wipe()


def _secrets(material: Material) -> Iterator[bytes]:
    yield material.private_key or b""
    yield material.passphrase or b""
    for _, _, key in material.sni:
        yield key


def _clean(secret: bytes) -> None:
    """Python has no way to overwrite bytes: these are nobody else's, and are not looked at again in this process."""
    if len(secret) > 1:  # shorter ones are shared by the interpreter
        ctypes.memset(id(secret) + bytes.__basicsize__ - 1, 0, len(secret))


def _absolute(settings: Settings) -> Settings:
    """With paths that still hold when a daemon has left the directory of its start."""
    proxy = settings.proxy
    sessions = tuple(replace(acl, client_ssl=_rooted_use(acl.client_ssl)) for acl in proxy.session_acls)
    commands = tuple(replace(acl, server_ssl=_rooted_use(acl.server_ssl)) for acl in proxy.command_acls)
    return replace(settings, proxy=replace(proxy, session_acls=sessions, command_acls=commands))


def _rooted_use(use: SslUse | None) -> SslUse | None:
    return None if use is None else replace(use, params=_rooted(use.params))


def _rooted(params: SslParams) -> SslParams:
    return replace(
        params,
        certificate=_path(params.certificate),
        private_key=_path(params.private_key),
        key_passphrase=_path(params.key_passphrase),
        sni=tuple((name, os.path.abspath(chain), os.path.abspath(key)) for name, chain, key in params.sni),
        ca_file=_path(params.ca_file),
        ca_dir=_path(params.ca_dir),
        crl=tuple(map(os.path.abspath, params.crl)),
    )


def _path(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)
