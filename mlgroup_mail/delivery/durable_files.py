"""Files that are there whole or not at all, and that stay, whatever happens to the machine."""

import errno
import os
import uuid
from pathlib import Path
from typing import BinaryIO

_NO_WAY = {errno.EINVAL, errno.ENOTSUP}
"""What fsync(2) says of a folder where the file system cannot do that."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a file, in the place of one that is there; `sync_folder` afterwards keeps its name too. Raises OSError."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            _fill(file, content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def create_durably(path: Path, content: bytes) -> None:
    """Write a file that is not there yet; raises FileExistsError where another was faster, else OSError.

    Where the file system has no hard links (exFAT, some network mounts) a reader may meet the file empty for a moment.
    """
    draft = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        with draft.open("xb") as file:
            _fill(file, content)
        try:
            # Unlike a rename, a link never replaces a file that is there.
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:
            _create_in_place(path, content)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files; does nothing where there is no way. Raises OSError."""
    if os.name != "posix" or not folder.exists():
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_WAY:
            raise
    finally:
        os.close(descriptor)


def _create_in_place(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        try:
            _fill(file, content)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _fill(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
