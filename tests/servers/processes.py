"""Starting a server as a child process, waiting until it answers, and ending it with the test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Whom a server runs as: PostgreSQL and smtp-sink refuse to run as root."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, object]:
        """What subprocess needs to start a program as this account."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account:
    """The account of whoever runs the tests, or `nobody` where that is root."""
    uid = os.geteuid()
    entry = pwd.getpwnam("nobody") if uid == 0 else pwd.getpwuid(uid)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


@contextlib.contextmanager
def temporary_folder(server: str, account: Account) -> Iterator[Path]:
    """A folder that the server's account owns; pytest's own are closed to every other account."""
    folder = Path(tempfile.mkdtemp(prefix=f"mlgroup-{server}-"))
    try:
        if os.geteuid() != account.uid:
            os.chown(folder, account.uid, account.gid)
        yield folder
    finally:
        # A server's last child may still be writing while the folder goes.
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Callable[[int], list[str]],
    *,
    folder: Path,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    patience: float = 30.0,
) -> Iterator[int]:
    """Run `command(port)` while the context lasts; yields the port once the server accepts connections.

    Another process may take a free port before the server does, so a server that dies at its start is tried
    again on another one.
    """
    log = folder / "server.log"
    for last_try in (False, False, True):
        port = free_port()
        with log.open("ab") as output:
            process = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                **(account.popen_arguments() if account else {}),
            )
        try:
            if _answers(process, port, patience):
                yield port
                return
        finally:
            end_process(process, stop_signal)
        if last_try:
            raise RuntimeError(f"{command(port)[0]} did not start:\n{log.read_text(errors='replace')[-4000:]}")


def _answers(process: subprocess.Popen[bytes], port: int, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return True
        time.sleep(0.02)
    return False


def end_process(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """End a child process: with its own signal for that first, after ten seconds by force."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=0.05)
        return
    process.send_signal(stop_signal)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
