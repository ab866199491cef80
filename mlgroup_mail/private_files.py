"""Folders and files that only their owner may read: wherever people's addresses stand."""

import contextlib
import os
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing; what is there stays as it is. Raises OSError."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=_FOLDER, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file where there is none. Raises OSError."""
    # The mode is given while the file is made: a moment of being readable by others would be enough.
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE))


def write_private(path: Path, content: bytes) -> None:
    """Write a file in place of what stood there: whoever has the old one open sees the old or the new one.

    Makes its folder where that is missing. Raises OSError.
    """
    make_private_folder(path.parent)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE), "wb") as file:
        file.write(content)
    part.replace(path)
