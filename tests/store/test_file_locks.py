"""Locks on files: one at a time, given back when the file is closed, or when its process dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlgroup_mail.store.file_locks import lock, try_lock

_HOLDER = """
import sys
from mlgroup_mail.store.file_locks import lock
with open(sys.argv[1], "ab") as file:
    lock(file)
    print("held", flush=True)
    sys.stdin.read()
"""


def test_what_one_has_another_does_not_get_until_it_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("ab") as first, path.open("ab") as second:
        lock(first)
        assert not try_lock(second)
        first.close()
        assert try_lock(second)


def test_a_killed_process_has_given_its_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with path.open("ab") as file:
        assert not try_lock(file)
        holder.kill()
        holder.communicate()
        assert try_lock(file)
