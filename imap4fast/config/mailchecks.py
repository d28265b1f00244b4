"""Checks of mail processing that need the ACLs: mails that none lets through, and mails let through unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from imap4fast.config.diagnostic import Report
from imap4fast.config.mailsettings import MailAcl, Processing
from imap4fast.config.schema import Bound
from imap4fast.config.settings import CommandAcl
from imap4fast.config.wordlist import first_fit

_HEADERS_CHANGED = ("subject-prefix", "modify-header")
_DIRECTIONS = ("download", "upload")


def check_mail(proxy: Bound, report: Report) -> None:
    """Of one `imap4-proxy`."""
    scanning = [acl for acl in proxy.named("command-acl") if _scans(acl)]
    for kind in ("mail-acl", "doc-acl"):
        if scanning and not proxy.named(kind) and not proxy.partial:
            text = f"there is no {kind}: every mail is denied where `no-mail-scanning` is not said"
            report.warning(proxy.statement.keyword.span, text)
    for acl in proxy.named("mail-acl"):
        _check_headers_first(acl, scanning, report)
        _check_unscanned(acl, scanning, report)


def check_comm_dirs(file: Bound, report: Report) -> None:
    """With `chroot-dir` the workers find `comm-dir` only inside."""
    for proxy in file.named("imap4-proxy"):
        root = proxy.values.get("chroot_dir")
        for engine in file.named("antivirus"):
            place = engine.struct.comm_dir
            if root is not None and place is not None and not PurePath(place).is_relative_to(root):
                report.error(engine.place("comm-dir"), f"with `chroot-dir` it must lie inside `{root}`")


def _scans(acl: Bound) -> bool:
    struct: CommandAcl = acl.struct
    return struct.accept and not struct.no_mail_scanning


def _sees(acl: MailAcl, parent: CommandAcl) -> bool:
    """Whether mails of a command-acl come to a mail-acl, as far as names tell."""
    names = acl.conditions.parent_acl
    return names is None or bool(first_fit(names, parent.name))


def _check_headers_first(acl: Bound, scanning: list[Bound], report: Report) -> None:
    struct: MailAcl = acl.struct
    if not struct.accept or struct.mail.direction == "upload":
        return
    early = [one for one in scanning if one.struct.mail_view == "headers-first" and _sees(struct, one.struct)]
    for keyword in _HEADERS_CHANGED:
        if keyword in acl.places and early:
            text = (
                f"`{keyword}` would come too late for lists of mails: `command-acl {early[0].name}` says "
                "`mail-view headers-first`"
            )
            report.error(acl.place(keyword), text)


def _check_unscanned(acl: Bound, scanning: list[Bound], report: Report) -> None:
    struct: MailAcl = acl.struct
    if not struct.accept or acl.partial:
        return
    for parent in scanning:
        if not _sees(struct, parent.struct):
            continue
        for direction, status, why in _unscanned(parent.struct):
            fits = struct.mail.virus is None or first_fit(struct.mail.virus, status)
            if fits and struct.mail.direction in (None, direction):
                text = (
                    f"`mail-acl {struct.name}` can accept mails that no virus scanner has seen: "
                    f"`command-acl {parent.name}`, {direction}: {why}"
                )
                report.warning(acl.place("virus") if "virus" in acl.places else acl.statement.keyword.span, text)
                return


def _unscanned(parent: CommandAcl) -> Iterator[tuple[str, str, str]]:
    """(direction, status, why) of mails without a verdict that ACLs get to see."""
    for direction in _DIRECTIONS:
        processing: Processing = getattr(parent, direction)
        if not any(use.enable for use in processing.use_antivirus):
            yield direction, "skipped", "no `use-antivirus enable`"
            continue
        if processing.on_skipped == "pass":
            yield direction, "skipped", "`on-skipped pass`"
        if processing.on_unavailable == "pass":
            yield direction, "unknown", "`on-unavailable pass`"
            yield direction, "error", "`on-unavailable pass`"
