"""Dovecot: a real IMAP server with one mailbox, for the tests that read mail."""

from __future__ import annotations

import contextlib
import grp
import imaplib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import HOST, Account, running, server_account, temporary_folder
from tests.servers.programs import find_program

NAME = "Dovecot"
USER = "group@example.org"
PASSWORD = "correct-horse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dovecot:
    """A running IMAP server and the login of its one mailbox."""

    host: str
    port: int
    user: str
    password: str

    def connect(self) -> imaplib.IMAP4:
        """A connection before its login; as a context manager it logs out at the end."""
        return imaplib.IMAP4(self.host, self.port, timeout=10)

    def login(self) -> imaplib.IMAP4:
        """A logged-in connection, likewise."""
        connection = self.connect()
        connection.login(self.user, self.password)
        return connection

    def empty(self) -> None:
        """Delete every message and every folder but the inbox, so that the next test finds a new mailbox."""
        with self.login() as connection:
            for line in connection.list()[1]:
                folder = line.decode().rpartition(" ")[2] if isinstance(line, bytes) else "INBOX"
                if folder.strip('"').upper() != "INBOX":
                    connection.delete(folder)
            _, (count,) = connection.select("INBOX")
            if count != b"0":
                connection.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
                connection.expunge()


@contextlib.contextmanager
def run_dovecot() -> Iterator[Dovecot]:
    """A running Dovecot on the loopback, without TLS, with everything it keeps in a temporary folder."""
    program = find_program(NAME, "dovecot")
    version = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("2.3."):
        raise RuntimeError(f"The tests' configuration is written for Dovecot 2.3; this is {version.strip()}.")
    account = server_account()
    with temporary_folder("dovecot", account) as folder:
        configuration = folder / "dovecot.conf"
        (folder / "logins").write_text(f"{USER}:{PASSWORD}\n")

        def command(port: int) -> list[str]:
            configuration.write_text(_configuration(folder, account, port))
            return [str(program), "-F", "-c", str(configuration)]

        with running(command, folder=folder, account=account) as port:
            yield Dovecot(host=HOST, port=port, user=USER, password=PASSWORD)


def _configuration(folder: Path, account: Account, port: int) -> str:
    """Every service as one ordinary account, which can neither change its root directory nor become another.

    Dovecot's manual calls it a rootless installation.
    """
    return f"""
protocols = imap
listen = {HOST}
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
default_internal_user = {account.name}
default_internal_group = {grp.getgrgid(account.gid).gr_name}
default_login_user = {account.name}
first_valid_uid = {account.uid}
first_valid_gid = {account.gid}
mail_location = maildir:{folder}/mail/%u
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/logins
}}
userdb {{
  driver = static
  args = uid={account.uid} gid={account.gid} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""
