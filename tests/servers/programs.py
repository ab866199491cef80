"""Finding the programs of the servers on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class ServerMissing(Exception):
    """A server's program is not on this machine: `make servers` installs it."""

    def __init__(self, server: str, programs: tuple[str, ...]) -> None:
        super().__init__(f"{server} needs {' or '.join(programs)}")
        self.server = server


def find_program(server: str, *names: str) -> Path:
    """The first of these programs that this machine has; raises ServerMissing for `server` otherwise.

    MLGROUP_SERVERS_PATH replaces the folders that are searched.
    """
    for name in names:
        if found := shutil.which(name, path=_search_path()):
            return Path(found)
    raise ServerMissing(server, names)


def _search_path() -> str:
    if (given := os.environ.get("MLGROUP_SERVERS_PATH")) is not None:
        return given or os.devnull
    # Debian keeps several PostgreSQL versions side by side outside the PATH, and Postfix's tools in
    # /usr/sbin, which an ordinary account does not search.
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return os.pathsep.join([*map(str, versions), os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0
