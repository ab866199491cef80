"""A real Postfix on loopback that takes everything and throws it away, with a configuration and a queue of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import HOST, free_port
from tests.servers.programs import find_program

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {commands}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = discarding.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
local_transport = discard:
default_transport = discard:
relay_transport = discard:
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = {certificate}
tls_random_source = dev:/dev/urandom
alias_maps =
alias_database =
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
"""
_MASTER = """\
{host}:{port} inet n - n - 50 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
discard unix - - n - 50 discard
error unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


class NoPostfix(Exception):
    """It cannot be started here."""


@contextmanager
def running_postfix(certificate: Path) -> Iterator[int]:
    """The port of a Postfix that offers STARTTLS with this certificate and key. Raises NoPostfix, ServerMissing."""
    program = find_program("postfix", "postfix")
    if os.geteuid() != 0:
        raise NoPostfix("it wants to be started by root")
    try:
        owner = pwd.getpwnam("postfix")
    except KeyError:
        raise NoPostfix("there is no account called postfix") from None
    folder = Path(tempfile.mkdtemp(prefix="mlgroup-postfix-"))
    try:
        port = free_port()
        for name in ("etc", "queue", "data"):
            (folder / name).mkdir()
        os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)
        daemons = subprocess.run(
            ["postconf", "-h", "-d", "daemon_directory"], check=True, capture_output=True, text=True
        ).stdout.strip()
        main = _MAIN.format(folder=folder, commands=program.parent, daemons=daemons, certificate=certificate)
        (folder / "etc" / "main.cf").write_text(main, encoding="utf-8")
        (folder / "etc" / "master.cf").write_text(_MASTER.format(host=HOST, port=port), encoding="utf-8")
        started = subprocess.run([program, "-c", folder / "etc", "start"], check=False, capture_output=True, text=True)
        if started.returncode:
            raise NoPostfix(f"it did not start: {started.stderr.strip()[-300:]}")
        time.sleep(1)
        try:
            yield port
        finally:
            subprocess.run([program, "-c", folder / "etc", "stop"], check=False, capture_output=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
