"""A private Postfix: it relays to one server, and keeps what comes back in a Maildir."""

import os
import smtplib
import subprocess
from pathlib import Path

from tests.service import Service

COMES_BACK_TO = "bounces.example"
"""The domain whose mails are kept."""

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.net
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_transport = error:none
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:bounces/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
default_transport = smtp:[127.0.0.1]:{relay_to}
smtp_host_lookup = native
maximal_queue_lifetime = 0
bounce_queue_lifetime = 0
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Service):
    """Relays everything to a server on a port of 127.0.0.1, and gives up at the first failure.

    Postfix needs root, to become its own users: without it sudo is asked.
    """

    def __init__(self, *, relay_to: int) -> None:
        super().__init__()
        self._relay_to = relay_to

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def maildir(self) -> Path:
        """What came back, once something did."""
        return self.folder / "mail" / "bounces"

    def stop(self) -> None:
        _as_root("/usr/sbin/postfix", "-c", f"{self.folder}/etc", "stop")
        super().stop()

    def close(self) -> None:
        self.stop()
        _as_root("rm", "--recursive", str(self.folder))

    def returned(self) -> list[Path]:
        """The mails that came back and were not dealt with."""
        _as_root("chmod", "--recursive", "a+rwX", f"{self.folder}/mail")
        return sorted(self.maildir.glob("new/*"))

    def _launch(self) -> None:
        self._configure()
        self._run(*_root("/usr/sbin/postfix", "-c", f"{self.folder}/etc", "start-fg"))

    def _configure(self) -> None:
        self.folder.chmod(0o755)
        for name in ("etc", "queue", "data", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
        main = _MAIN.format(folder=self.folder, domain=COMES_BACK_TO, relay_to=self._relay_to)
        (self.folder / "etc" / "main.cf").write_text(main)
        (self.folder / "etc" / "master.cf").write_text(_MASTER.format(port=self.port))
        for owner, name in (("postfix", "data"), ("nobody", "mail")):
            _as_root("chown", owner, f"{self.folder}/{name}")

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=30):
                return True
        except (OSError, smtplib.SMTPException):
            return False


def _root(*command: str) -> tuple[str, ...]:
    return command if os.geteuid() == 0 else ("sudo", "--non-interactive", *command)


def _as_root(*command: str) -> None:
    subprocess.run(_root(*command), check=False, capture_output=True, timeout=600)
