"""`ledger.toml`: which ledger this project's live mail is recorded in.

A second laptop with a clone of the project and an empty database of its own would send everything again. So the first
live send writes the ledger's id into a file that is committed, and live commands on another ledger refuse.
"""

import contextlib
import time
from datetime import datetime
from pathlib import Path

from mlgroup_mail.delivery.durable_files import create_durably, sync_folder, write_durably
from mlgroup_mail.documents import Document, read_document
from mlgroup_mail.errors import ConfigurationError, LedgerError
from mlgroup_mail.store import Store
from mlgroup_mail.store.deliveries import ledger_id
from mlgroup_mail.store.mailings import write_journal

FILE = "ledger.toml"

_BEING_WRITTEN_SECONDS = 1.0
"""How long an empty file may be another's first live send at its work: there is no other way without hard links."""

_LOOK_AGAIN_SECONDS = 0.02


class LedgerFile(Document):
    """The file's one key."""

    ledger: str


def named_ledger(root: Path) -> str | None:
    """The id that the project's `ledger.toml` names; None where there is no such file."""
    path = root / FILE
    if not path.exists():
        return None
    deadline = time.monotonic() + _BEING_WRITTEN_SECONDS
    while path.stat().st_size == 0 and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_SECONDS)
    return read_document(LedgerFile, path).ledger


def warning(root: Path, store: Store) -> str:
    """What to say where `ledger.toml` names another ledger, or cannot be read; empty where it does not."""
    try:
        named = named_ledger(root)
    except ConfigurationError as error:
        return str(error.problem)
    with store.reading() as connection:
        other = named not in (None, ledger_id(connection))
    return (
        f"{FILE} names another ledger; this one does not know what was sent, nor who opted out there" if other else ""
    )


def require_this_ledger(root: Path, store: Store) -> None:
    """Let live mail go on from this ledger only; the first time, write the file. Raises LedgerError."""
    with store.reading() as connection:
        ours = ledger_id(connection)
    _require_same(root, named_ledger(root) or _name_first(root, ours), ours)


def require_no_other_ledger(root: Path, store: Store) -> None:
    """Raise LedgerError where the file names another ledger; writes nothing."""
    with store.reading() as connection:
        ours = ledger_id(connection)
    _require_same(root, named_ledger(root) or ours, ours)


def _require_same(root: Path, theirs: str, ours: str) -> None:
    if theirs != ours:
        raise LedgerError(
            f"this project's live mail is recorded in another ledger ({theirs}), not in this one ({ours})",
            where=str(root / FILE),
            mend="Point MLGROUP_DATABASE_URL to the shared database. If the other ledger is lost for good, "
            "take over with: mlgroup-mail db adopt --reason WHY",
        )


def _name_first(root: Path, ours: str) -> str:
    """Write the file, whole or not at all; returns the id in it, which is another's where that was faster."""
    try:
        with contextlib.suppress(FileExistsError):
            create_durably(root / FILE, _content(ours))
    except OSError as error:
        raise _not_written(root, error) from None
    return named_ledger(root) or ours


def adopt_ledger(root: Path, store: Store, *, reason: str, by: str, now: datetime) -> str:
    """Make this ledger the project's, by a person's order; returns its id. A broken file is replaced as well."""
    try:
        former = named_ledger(root)
    except ConfigurationError:
        former = "a file that could not be read"
    with store.writing() as connection:
        ours = ledger_id(connection)
        write_journal(connection, None, "adopt", reason=f"{reason} (instead of {former})", actor=by, now=now)
    try:
        write_durably(root / FILE, _content(ours))
        sync_folder(root)
    except OSError as error:
        raise _not_written(root, error) from None
    return ours


def _not_written(root: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"this file cannot be written: {error.strerror}",
        where=str(root / FILE),
        mend="Nothing is sent before it names the ledger: let this account write here.",
    )


def _content(ledger: str) -> bytes:
    text = (
        "# Which ledger the live mail of this project is recorded in. Commit this file: it keeps a second copy of the\n"
        "# project from sending everything again. Taking over: mlgroup-mail db adopt --reason WHY\n"
        f'ledger = "{ledger}"\n'
    )
    return text.encode()
