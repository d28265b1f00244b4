"""What all sessions of a worker go by: the proxy's settings, the compiled policy, the logs."""

from __future__ import annotations

from imap4fast._wire import Limits
from imap4fast.config.settings import CommandAcl, SessionAcl, Settings
from imap4fast.imap.replies import Reply, text
from imap4fast.log.setup import Logs
from imap4fast.policy.gate import Powers, powers_before_server
from imap4fast.policy.limits import limits_of
from imap4fast.policy.search import Policy


class Charter:
    """Made once for each load of the configuration; sessions keep the one under which they began."""

    __slots__ = ("_limits", "_said", "before_server", "before_tls", "logs", "policy", "powers", "proxy")

    def __init__(self, settings: Settings, policy: Policy, logs: Logs) -> None:
        self.proxy = settings.proxy
        self.policy = policy
        self.logs = logs
        self.powers = {acl.name: Powers(acl) for acl in settings.proxy.command_acls if acl.accept}
        self.before_server = powers_before_server(login=True)
        self.before_tls = powers_before_server(login=False)
        self._limits: dict[tuple[str, str], Limits] = {}
        self._said: dict[tuple[str, Reply, bytes], bytes] = {}

    def limits(self, session_acl: SessionAcl, command_acl: CommandAcl) -> Limits:
        """The limits under two ACLs of this configuration."""
        key = (session_acl.name, command_acl.name)
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = limits_of(self.proxy, session_acl, command_acl)
        return found

    def say(self, language: str, condition: bytes, reply: Reply) -> bytes:
        """`OK|NO|BAD|BYE [CODE] text` CRLF of the proxy's own, without a tag."""
        key = (language, reply, condition)
        line = self._said.get(key)
        if line is None:
            code = b"[" + reply.code + b"] " if reply.code else b""
            line = self._said[key] = condition + b" " + code + text(language, reply) + b"\r\n"
        return line
