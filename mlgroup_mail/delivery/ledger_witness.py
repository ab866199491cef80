"""`.ledger-seen.toml`: how far the ledger had come when this copy of the project last sent live mail.

`ledger.toml` tells one ledger from another, but a backup of the right one has the right id. Whoever restores
yesterday's database would send today's mail again, to people who opted out since. So each live command leaves the
ledger's age beside `ledger.toml`, outside of the database and its folder, and the next one compares. The file is not
committed: it changes with every send, and a second laptop leaves its own.
"""

import logging
import os
import uuid
from pathlib import Path

from mlgroup_mail.documents import Document, read_document
from mlgroup_mail.errors import ConfigurationError, LedgerError
from mlgroup_mail.store import Store
from mlgroup_mail.store.deliveries import ledger_id
from mlgroup_mail.store.ledger_age import LedgerAge, ledger_age

log = logging.getLogger(__name__)

FILE = ".ledger-seen.toml"


class SeenLedger(Document):
    """What the file says."""

    ledger: str
    attempts: int
    signals: int
    orders: int


def older_than_seen(root: Path, store: Store) -> str:
    """Why this ledger seems to be an older copy of itself; empty where it does not, or nobody knows."""
    seen = _read(root)
    with store.reading() as connection:
        if seen is None or seen.ledger != ledger_id(connection):
            return ""
        lacking = ledger_age(connection).lacks(
            LedgerAge(attempts=seen.attempts, signals=seen.signals, orders=seen.orders)
        )
    return f"this is an older copy of the ledger: it lacks the last {', '.join(lacking)}" if lacking else ""


def require_no_older_copy(root: Path, store: Store) -> None:
    """Raise LedgerError where this project has seen more of this ledger than there is now."""
    if why := older_than_seen(root, store):
        raise LedgerError(
            f"nothing is sent: {why} that were made here. Was a backup restored?",
            where=str(root / FILE),
            mend="Bring back the newer database. If it is lost for good, enter the opt-outs since then, cancel or "
            "resolve what has gone out, and go on with: mlgroup-mail db adopt --reason WHY",
        )


def note_age(root: Path, store: Store) -> None:
    """Leave what the next live command compares with. Where that cannot be written, mail goes all the same."""
    with store.reading() as connection:
        ledger, age = ledger_id(connection), ledger_age(connection)
    draft = root / f"{FILE}-{uuid.uuid4().hex}"
    try:
        with draft.open("x", encoding="utf-8") as file:
            file.write(
                "# How far the ledger had come when live mail last went from here: tells a restored, older copy.\n"
                "# Not for git.\n"
                f'ledger = "{ledger}"\nattempts = {age.attempts}\nsignals = {age.signals}\norders = {age.orders}\n'
            )
            file.flush()
            os.fsync(file.fileno())
        draft.replace(root / FILE)
    except OSError as error:
        log.warning("%s could not be written: %s", FILE, error.strerror)
        draft.unlink(missing_ok=True)


def _read(root: Path) -> SeenLedger | None:
    """A file that cannot be read is no witness, and the next live command writes it anew."""
    path = root / FILE
    if not path.exists():
        return None
    try:
        return read_document(SeenLedger, path)
    except ConfigurationError as error:
        log.warning("%s", error.problem.message)
        return None
