"""What the peers' configurations have to say of TLS; nothing where all legs are plain. The same ciphers for all.

Load client and canned server pin the version, since Dovecot can name only the lowest: every peer permits 1.2 and 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.certificates import HOST, Certificates
from bench.operations import Legs

CIPHERSUITE = "TLS_AES_128_GCM_SHA256"
CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"
Words = dict[str, str]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a peer is to end: TLS on the client's leg alone or on both, and whether it gives tickets."""

    legs: Legs
    tickets: bool
    certificates: Certificates


def yes_no(flag: bool) -> str:
    return "yes" if flag else "no"


def haproxy_words(ending: Ending | None) -> Words:
    """Without tickets it would keep sessions in its cache."""
    if ending is None:
        return {"tls": "", "bind": "", "server": ""}
    lines = [f"ssl-default-{side}-ciphersuites {CIPHERSUITE}" for side in ("bind", "server")]
    lines += [f"ssl-default-{side}-ciphers {CIPHER}" for side in ("bind", "server")]
    bind = f" ssl crt {ending.certificates.both}"
    if not ending.tickets:
        lines.append("tune.ssl.cachesize 0")
        bind += " no-tls-tickets"
    server = f" ssl verify required ca-file {ending.certificates.authority} sni str({HOST}) verifyhost {HOST}"
    return {"tls": "\n  ".join(lines), "bind": bind, "server": server if ending.legs == "both" else ""}


def nginx_words(ending: Ending | None) -> Words:
    """TLS to the client only: its mail proxy speaks none to servers."""
    if ending is None:
        return {"tls": "", "listen": ""}
    lines = (
        f"ssl_certificate {ending.certificates.certificate};",
        f"ssl_certificate_key {ending.certificates.key};",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        f"ssl_ciphers {CIPHER};",
        f"ssl_conf_command Ciphersuites {CIPHERSUITE};",
        "ssl_session_cache off;",
        f"ssl_session_tickets {'on' if ending.tickets else 'off'};",
    )
    return {"tls": "\n  ".join(lines), "listen": " ssl"}


def dovecot_words(ending: Ending | None, port: int) -> Words:
    """`ssl=yes` towards the server verifies its certificate against `host`, by ssl_ca: a login process, which has no
    files, passes over ssl_client_ca_file.
    """
    if ending is None:
        return {"tls": "ssl = no", "imap_port": str(port), "imaps_port": "0", "proxy": "host=127.0.0.1"}
    files = ending.certificates
    lines = (
        "ssl = yes",
        f"ssl_cert = <{files.certificate}",
        f"ssl_key = <{files.key}",
        f"ssl_ca = <{files.authority}",
        "ssl_require_crl = no",
        "ssl_min_protocol = TLSv1.2",
        f"ssl_cipher_list = {CIPHER}",
        f"ssl_cipher_suites = {CIPHERSUITE}",
        "" if ending.tickets else "ssl_options = no_ticket",
    )
    proxy = f"host={HOST} hostip=127.0.0.1 ssl=yes" if ending.legs == "both" else "host=127.0.0.1"
    return {"tls": "\n".join(lines), "imap_port": "0", "imaps_port": str(port), "proxy": proxy}


def imap4fast_words(ending: Ending | None) -> Words:
    """Implicit TLS on each leg."""
    if ending is None:
        return {"tls": "", "session": "", "command": ""}
    files = ending.certificates
    strength = f'ciphers "{CIPHER}"; ciphersuites "{CIPHERSUITE}"; session-tickets {yes_no(ending.tickets)};'
    client = f'ssl-params CLIENT {{ certificate "{files.certificate}"; private-key "{files.key}"; {strength} }}'
    server = f'ssl-params SERVER {{ ca-file "{files.authority}"; server-name "{HOST}"; verify require; {strength} }}'
    both = ending.legs == "both"
    return {
        "tls": f"{client}\n{server}" if both else client,
        "session": "client-ssl-params CLIENT session;",
        "command": "server-ssl-params SERVER session;" if both else "",
    }
