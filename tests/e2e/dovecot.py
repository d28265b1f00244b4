"""A real Dovecot in a temporary folder: loopback, any user name, fresh Maildir for each; TLS where asked for.

The password of every user is `PASSWORDS[0]`, that of `quoted` is `PASSWORDS[1]`.
Rawlogs of each user (what Dovecot read after login) are in `rawlog/USER`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.e2e.parts import need
from tests.e2e.wire import Address, Wire
from tests.secrets import PASSWORDS

QUOTED_USER = "quoted"

_CONFIG = """
base_dir = {run}
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1, ::1
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login scram-sha-1 scram-sha-256 cram-md5
auth_failure_delay = 0
auth_verbose = no
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 1000
first_valid_uid = 1
default_vsz_limit = 1G
{owners}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {secure_port}
  }}
}}
service imap {{
  process_limit = 400
}}
protocol imap {{
  rawlog_dir = {folder}/rawlog/%u
  mail_max_userip_connections = 1000
}}
"""


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        port: int = listener.getsockname()[1]
        return port


class Dovecot:
    """Starts with the object, ends with `close`. `secure` is where TLS begins at once, for what `tls` says of it."""

    def __init__(self, tls: str = "") -> None:
        program = need("dovecot")
        self.folder = Path(tempfile.mkdtemp(prefix="imap4fast-dovecot."))
        self.folder.chmod(0o755)
        self.address: Address = ("127.0.0.1", free_port())
        self.address6: Address = ("::1", self.address[1])
        self.secure: Address = ("127.0.0.1", free_port() if tls else 0)
        self._tls = tls
        self._config = self.folder / "dovecot.conf"
        self._write()
        self._process = subprocess.Popen([program, "-F", "-c", str(self._config)])
        self._wait()

    @property
    def pid(self) -> int:
        """Of its master."""
        return self._process.pid

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wire(self) -> Wire:
        """A connection that goes to Dovecot directly, greeting taken."""
        return Wire(self.address).greet()

    def login(self, user: str) -> Wire:
        wire = self.wire()
        wire.ok(b"LOGIN %s %s" % (user.encode(), PASSWORDS[0].encode()))
        return wire

    def rawlog(self, user: str) -> bytes:
        """What Dovecot read from `user` after login, in all his sessions, with Dovecot's time stamps."""
        return b"".join(path.read_bytes() for path in sorted((self.folder / "rawlog" / user).glob("*.in")))

    def listen_for(self, user: str) -> None:
        """Have rawlogs written for `user` (Dovecot writes them where the folder exists)."""
        folder = self.folder / "rawlog" / user
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)

    def _write(self) -> None:
        for name in ("mail", "home", "rawlog"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o777)
        (self.folder / "users").write_text(f"{QUOTED_USER}:{{PLAIN}}{PASSWORDS[1]}\n")
        user = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        me = user.pw_name
        owners = "" if os.geteuid() == 0 else f"default_internal_user = {me}\ndefault_login_user = {me}"
        self._config.write_text(
            _CONFIG.format(
                folder=self.folder,
                run=self.folder / "run",
                owners=owners,
                password=PASSWORDS[0],
                uid=user.pw_uid,
                gid=user.pw_gid,
                port=self.address[1],
                secure_port=self.secure[1],
                tls=self._tls or "ssl = no",
            )
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self.wire().close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = self.folder / "dovecot.log"
                    raise AssertionError(f"Dovecot did not start: {log.read_text() if log.exists() else ''}") from None
                time.sleep(0.05)
            else:
                return
