"""What must be so before any live mail goes, whatever the mailing: place, clock, roads, ledger, and keys of links."""

from collections.abc import Collection
from pathlib import Path

from mlgroup_mail.clock import Clock
from mlgroup_mail.delivery.ledger_file import require_no_other_ledger
from mlgroup_mail.delivery.ledger_witness import require_no_older_copy
from mlgroup_mail.delivery.roads import require_hearing
from mlgroup_mail.delivery.signing_keys import require_no_missing_key
from mlgroup_mail.delivery.wall_clock import doubts, require_sound_clock
from mlgroup_mail.errors import ConfigurationError, LedgerError
from mlgroup_mail.store import Store
from mlgroup_mail.store.place import why_unfit

PLACE_MEND = (
    "Put it on this machine's own disk, outside of synchronised folders: move the file and set "
    "MLGROUP_DATABASE_URL=sqlite:////that/place/mlgroup.db. For several machines use PostgreSQL."
)


def require_sound(root: Path, store: Store, *, clock: Clock, leaves: bool, keys: Collection[str]) -> None:
    """Raise ConfigurationError (LedgerError, ClockError, DeafRoadError) where live mail must wait.

    `leaves`: it leaves this machine; `keys`: the fingerprints of those that links may be signed with.
    What stays on the machine is a trial, which may have a clock of its own. Where this raises, nothing was written.
    """
    _require_ledger_and_roads(root, store, clock=clock, keys=keys)
    if leaves:
        # Last, because it notes the time.
        require_sound_clock(store, now=clock.now())


def why_not_live(root: Path, store: Store, *, clock: Clock, leaves: bool, keys: Collection[str]) -> str:
    """What `require_sound` would raise, in words; empty where it would not. Writes nothing."""
    try:
        _require_ledger_and_roads(root, store, clock=clock, keys=keys)
    except ConfigurationError as error:
        return error.problem.message
    if not leaves:
        return ""
    with store.reading() as connection:
        return doubts(connection, now=clock.now())


def _require_ledger_and_roads(root: Path, store: Store, *, clock: Clock, keys: Collection[str]) -> None:
    if (file := store.file) and (why := why_unfit(file)):
        raise LedgerError(f"nothing is sent: the database must not lie there: {why}", where=str(file), mend=PLACE_MEND)
    require_no_other_ledger(root, store)
    require_no_older_copy(root, store)
    with store.reading() as connection:
        require_hearing(connection, now=clock.now())
        require_no_missing_key(connection, keys)
