"""Forgetting what `[retention]` says is kept no longer, in small steps between which everybody else has their turn."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.outbox_clearing import messages_before, remove_messages
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model.retention import Retained
from mlgroup_mail.store import Store
from mlgroup_mail.store.erasure import overwrite_freed_pages
from mlgroup_mail.store.mailings import write_journal
from mlgroup_mail.store.tidying import CHORES, Chore, clear_some, count_due, some_due

STEP = 200
"""Rows of one transaction: a claim that comes in between waits some milliseconds."""
_FILES = 500
"""Messages that are deleted before anybody is asked whether to stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tidied:
    """How many records of each kind were forgotten, or would be. `log_busy`: as in `store.erasure.Forgotten`."""

    numbers: Mapping[Retained, int]
    log_busy: bool = False

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.numbers.values())


def count_overdue(store: Store, outbox: Path, limits: Mapping[Retained, datetime]) -> Tidied:
    """What is kept for longer than it may be: a dry run. `limits`: before which moment each kind is kept no longer."""
    numbers = dict.fromkeys(limits, 0)
    with store.reading() as connection:
        for chore in CHORES:
            if chore.kind in limits:
                numbers[chore.kind] += count_due(connection, chore, limits[chore.kind])
    if Retained.OUTBOX in limits:
        numbers[Retained.OUTBOX] = len(messages_before(outbox, limits[Retained.OUTBOX]))
    return Tidied(numbers=numbers)


def tidy(
    store: Store, outbox: Path, limits: Mapping[Retained, datetime], *, by: str, now: datetime, stop: Stop
) -> Tidied:
    """Forget it. Can be stopped or killed anywhere: what was not done yet is done the next time.

    Raises UsageError where a message cannot be deleted, after everything else.
    """
    numbers = dict.fromkeys(limits, 0)
    for chore in CHORES:
        if chore.kind in limits:
            numbers[chore.kind] += _do(store, chore, limits[chore.kind], now=now, stop=stop)
    try:
        if Retained.OUTBOX in limits:
            numbers[Retained.OUTBOX] = _clear_outbox(outbox, limits[Retained.OUTBOX], stop=stop)
    finally:
        done = Tidied(numbers=numbers, log_busy=bool(sum(numbers.values())) and not store.empty_log())
        _note(store, done, by=by, now=now)
    return done


def _do(store: Store, chore: Chore, before: datetime, *, now: datetime, stop: Stop) -> int:
    done, last = 0, None
    while not stop.asked:
        # Looked for outside of the lock: that may take long, the few found ones do not.
        with store.reading() as connection:
            keys = some_due(connection, chore, before, after=last, limit=STEP)
        if not keys:
            break
        begun = time.monotonic()
        with store.deciding() if chore.decides else store.writing() as connection:
            overwrite_freed_pages(connection)
            done += clear_some(connection, chore, before, keys, now=now)
        last = keys[-1]
        # As long as it took: whoever waits for the lock gets it before the next step asks again.
        stop.wait(time.monotonic() - begun)
    return done


def _clear_outbox(outbox: Path, before: datetime, *, stop: Stop) -> int:
    removed = 0
    messages = sorted(messages_before(outbox, before))
    try:
        for first in range(0, len(messages), _FILES):
            if stop.asked:
                break
            removed += remove_messages(outbox, messages[first : first + _FILES])
    except OSError as error:
        raise UsageError(
            f"a message in the outbox cannot be deleted: {error.strerror}",
            where=str(outbox),
            mend="Give this account the right to, and run the same command again.",
        ) from None
    return removed


def _note(store: Store, done: Tidied, *, by: str, now: datetime) -> None:
    """The journal says what was forgotten by the clock; where nothing was, it says nothing."""
    told = ", ".join(f"{number} {kind.value}" for kind, number in done.numbers.items() if number)
    if told:
        with store.deciding() as connection:
            write_journal(connection, None, "tidy", reason=told, actor=by, now=now)
