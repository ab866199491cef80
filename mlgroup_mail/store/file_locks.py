"""Exclusive locks on open files. The system gives such a lock back when its process dies, however it dies."""

import sys
from typing import IO, Any

# portalocker is the same flock(2) where there is one. It imports redis's client where that is installed, which Prefect
# sees to: 80 ms of every command.
if sys.platform == "win32":
    import portalocker

    def lock(file: IO[Any]) -> None:
        """Wait for the lock, which `file.close()` gives back. Raises OSError where the file system has no locks."""
        portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE)

    def try_lock(file: IO[Any]) -> bool:
        """Take the lock unless somebody has it; returns whether this process has it now."""
        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.LockException:
            return False
        return True

else:
    import fcntl

    def lock(file: IO[Any]) -> None:
        """Wait for the lock, which `file.close()` gives back. Raises OSError where the file system has no locks."""
        fcntl.flock(file, fcntl.LOCK_EX)

    def try_lock(file: IO[Any]) -> bool:
        """Take the lock unless somebody has it; returns whether this process has it now."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
