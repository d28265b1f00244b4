"""Checks that need more than one section of a configuration."""

from __future__ import annotations

from imap4fast.config.diagnostic import Report
from imap4fast.config.mailchecks import check_comm_dirs, check_mail
from imap4fast.config.schema import Bound
from imap4fast.config.tlschecks import check_tls

_OF_SERVERS = ("conn-timeout", "reply-timeout")
"""Items of `sock-opt` that mean nothing on the client's side: nobody connects there, nobody owes an answer."""

_ACLS = ("session-acl", "command-acl", "mail-acl", "doc-acl")


def check_file(bound: Bound, report: Report) -> None:
    """Of a whole file; what single sections can tell was checked with them."""
    for proxy in bound.named("imap4-proxy"):
        _check_acls_exist(proxy, report)
        _check_plug_to(proxy, report)
        _check_client_conn(proxy, report)
        check_tls(proxy, report)
        check_mail(proxy, report)
        if not _has_oob(proxy):
            _check_users(proxy, report)
    check_comm_dirs(bound, report)


def _check_acls_exist(proxy: Bound, report: Report) -> None:
    for kind, what in (("session-acl", "connection"), ("command-acl", "session")):
        if not proxy.named(kind) and not proxy.partial:
            report.warning(proxy.statement.keyword.span, f"there is no {kind}: every {what} is denied")


def _check_plug_to(proxy: Bound, report: Report) -> None:
    if not any("non-transparent" in listen.places for listen in proxy.named("listen-on")):
        return
    for acl in proxy.named("session-acl"):
        if "accept" in acl.places and "plug-to" not in acl.places and not acl.partial:
            text = f"`session-acl {acl.name}` accepts without `plug-to`: non-transparent connections are rejected"
            report.warning(acl.statement.keyword.span, text)


def _check_client_conn(proxy: Bound, report: Report) -> None:
    for bound in proxy.named("client-conn"):
        for item in _OF_SERVERS:
            if item in bound.places:
                report.warning(bound.place(item), f"`{item}` has no effect in `client-conn`: it is for servers")


def _has_oob(proxy: Bound) -> bool:
    settings = [proxy, *proxy.named("session-acl")]
    return any(one.values.get("auth", ("none", None))[0] == "oob" for one in settings)


def _check_users(proxy: Bound, report: Report) -> None:
    for kind in _ACLS:
        for acl in proxy.named(kind):
            if "group" in acl.places:
                report.warning(acl.place("group"), "`group` never matches without `auth oob`")
            if "user" in acl.places and kind == "session-acl":
                report.warning(acl.place("user"), "`user` never matches before login without `auth oob`")
