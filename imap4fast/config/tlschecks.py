"""Checks of TLS that need the ACLs: what `ssl-params` must have on a leg, and certificates that nobody can present."""

from __future__ import annotations

from imap4fast.config.diagnostic import Report
from imap4fast.config.schema import Bound
from imap4fast.config.settings import CertMatch, CommandAcl, SessionAcl, SslParams, SslUse
from imap4fast.config.wordlist import first_fit

_TRUST = ("ca-file", "ca-dir", "crl")


def check_tls(proxy: Bound, report: Report) -> None:
    """Of one `imap4-proxy`."""
    for acl in proxy.named("session-acl"):
        _check_client_leg(acl, report)
        _check_requirement(acl, report)
    clients = [bound.struct for bound in proxy.named("session-acl") if not bound.partial]
    for acl in proxy.named("command-acl"):
        _check_condition(acl, clients, report)
        _check_server_leg(acl, report)


def _params(use: SslUse | None) -> SslParams | None:
    """The section that is meant; None too where it does not exist, which was complained of already."""
    return use.params if use is not None else None


def _check_client_leg(acl: Bound, report: Report) -> None:
    params = _params(acl.struct.client_ssl)
    if params is None:
        return
    place = acl.place("client-ssl-params")
    if params.certificate is None and params.private_key is None:
        text = f"`ssl-params {params.name}` has no `certificate` and `private-key`: clients must be shown one"
        report.error(place, text)
    trusted = params.ca_file is not None or params.ca_dir is not None
    if params.verify == "require" and not trusted:
        text = (
            f"`ssl-params {params.name}` requires a certificate of clients, and no `ca-file` or `ca-dir` says of whom"
        )
        report.error(place, text)
    elif params.verify == "request" and not trusted:
        report.warning(
            place, f"`ssl-params {params.name}` has no `ca-file` or `ca-dir`: no client's certificate verifies"
        )
    elif not _asks(params) and (trusted or params.crl):
        given = " and ".join(f"`{item}`" for item in _TRUST if getattr(params, item.replace("-", "_")))
        text = f"`ssl-params {params.name}` does not ask clients for certificates: {given} without effect, see `verify`"
        report.warning(place, text)


def _asks(params: SslParams | None) -> bool:
    """Whether clients of that leg can present a certificate."""
    return params is not None and params.verify in ("request", "require")


def _requires(params: SslParams | None) -> bool:
    return params is not None and params.verify == "require"


def _positive(match: CertMatch | None) -> bool:
    return match is not None and not match.none


def _check_requirement(acl: Bound, report: Report) -> None:
    struct: SessionAcl = acl.struct
    match = struct.client_cert_match
    if match is None or acl.partial:
        return
    if _positive(match) and not _asks(_params(struct.client_ssl)):
        text = f"no client can present a certificate here ({_why(struct)}): `{match.name}` never holds"
        report.warning(acl.place("client-cert-match"), text)
    elif _positive(match) and _may_log_in_plainly(struct.client_ssl):
        text = f"`{match.name}` is required, and `require-tls no` lets clients log in before they present a certificate"
        report.error(acl.place("client-cert-match"), text)
    elif match.none and _requires(_params(struct.client_ssl)):
        text = f"every client must present a certificate here: `{match.name}` never holds"
        report.warning(acl.place("client-cert-match"), text)


def _may_log_in_plainly(use: SslUse | None) -> bool:
    params = _params(use)
    return use is not None and use.starttls and params is not None and not params.require_tls


def _why(struct: SessionAcl) -> str:
    return "no `client-ssl-params`" if struct.client_ssl is None else "`verify none`, which is the default"


def _check_condition(acl: Bound, clients: list[SessionAcl], report: Report) -> None:
    struct: CommandAcl = acl.struct
    match = struct.client_cert_match
    if not _positive(match) or acl.partial:
        return
    parents = struct.conditions.parent_acl
    possible = [one for one in clients if one.accept and (parents is None or first_fit(parents, one.name))]
    if possible and not any(_asks(_params(one.client_ssl)) for one in possible):
        text = "no session-acl before this asks clients for certificates (`verify`): the condition never fits"
        report.warning(acl.place("client-cert-match"), text)


def _check_server_leg(acl: Bound, report: Report) -> None:
    struct: CommandAcl = acl.struct
    match = struct.server_cert_match
    if match is None or acl.partial:
        return
    use = struct.server_ssl
    params = _params(use)
    place = acl.place("server-cert-match")
    if use is None and _positive(match):
        report.warning(place, f"no `server-ssl-params`: servers present no certificate, and `{match.name}` never holds")
    elif params is not None and params.verify == "none" and _positive(match):
        text = f"`ssl-params {params.name}` does not verify servers (`verify none`): `{match.name}` never holds"
        report.warning(place, text)
    elif params is not None and match.none:
        report.warning(place, f"servers of TLS present a certificate: `{match.name}` hardly ever holds")
