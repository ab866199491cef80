"""When files were written last: by git where it knows, else by the file system."""

import os
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

_SECONDS = 5
"""What an answer of git is waited for."""


def last_changes(root: Path, files: Iterable[str]) -> dict[str, datetime]:
    """When each file (a path below `root`) was changed last, UTC.

    A checkout writes all files at once, so git is asked: a file that is committed and unmodified is as old as the last
    commit that touched it. Any other is as old as the file system says; so is every one where git is missing, slow or
    does not answer. A file that is gone is left out.
    """
    names = list(dict.fromkeys(files))
    committed = _committed(root, names)
    found = {name: committed.get(name) or _written(root / name) for name in names}
    return {name: moment for name, moment in found.items() if moment is not None}


def _committed(root: Path, names: list[str]) -> dict[str, datetime]:
    """The last commit of each file that is committed and unmodified."""
    if not names or (changed := _git(root, "status", "--porcelain", "--ignored", "-z", "--", *names)) is None:
        return {}
    if changed:
        # Of renamed files status tells two paths: asking for each file alone is simpler than reading that.
        names = [name for name in names if _git(root, "status", "--porcelain", "--ignored", "--", name) == ""]
    found = {}
    for name in names:
        if seconds := _git(root, "log", "-1", "--format=%ct", "--", name):
            found[name] = datetime.fromtimestamp(int(seconds), UTC)
    return found


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers; None where it does not."""
    # Names of files are names, not patterns; nothing that a repository configures is run, and nothing written.
    command = ["git", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, check=True, timeout=_SECONDS, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()


def _written(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None
