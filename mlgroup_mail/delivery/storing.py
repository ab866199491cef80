"""Storing a pulled list: what it says about opt-outs and the people, in one transaction, or nothing of it.

No claim is made while that transaction is open: whoever the list says wants no mail is not written to in between, and
a new person whose opt-out is known already never stands on the list without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mlgroup_mail.consent.applying import apply_within
from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.contacts.config import PullLimits
from mlgroup_mail.model import Signal
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.contact_changes import (
    Example,
    SyncResult,
    changed_fields,
    compare,
    examples,
    find_orphans,
    opt_outs_told_before,
    people_of,
    people_opted_out,
)
from mlgroup_mail.store.contact_identity import identify
from mlgroup_mail.store.contact_sync import write
from mlgroup_mail.store.staging import make_tables, stage, stage_opt_outs
from mlgroup_mail.store.suspected_moves import SuspectedMove, find_suspects, hold_suspects, suspected_moves

if TYPE_CHECKING:
    from mlgroup_mail.contacts.cleaning.cleaned import Cleaned

_PASSES = 3
"""Progress is told in passes over the list: taking it in, finding out who is who, writing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why a pull was not written: too much of the stored list would leave it or change.

    `fields` are the numbers of people by the field that would change, `people` how many there are of these sources.
    """

    people: int
    fields: dict[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PullResult:
    """What a pull brought: the cleaned list, what changed in the stored one, how many new opt-outs.

    With a `stop` nothing was written, and `stored` and `suspected` say what would have been. `moves` are those
    `suspected` ones that people should look at first. `orphaned` people came from a source that is configured no
    longer: they stay until changes are accepted, and are `orphans_left` then. `erased` counts rows of people who want
    to be forgotten: they were not stored, and `erased_masked` shows some of them.
    """

    cleaned: "Cleaned"
    stored: SyncResult
    opted_out: int
    suspected: int
    moves: tuple[SuspectedMove, ...]
    orphaned: int
    orphans_left: int
    erased: int
    erased_masked: tuple[str, ...]
    stop: Stop | None = None

    @property
    def stopped(self) -> bool:
        """Whether nothing was written, because too much would change."""
        return self.stop is not None


def store_list(
    store: Store,
    cleaned: "Cleaned",
    *,
    sources: Sequence[str],
    now: datetime,
    limits: PullLimits,
    accept_changes: bool = False,
    erasure_key: str | None = None,
    progress: Progress = silent,
) -> PullResult:
    """Store the whole list of `sources`, which are all there are.

    A status such as "left" opts out when it is new for that person. When it is not new, the rule was written before;
    if a person of the team has lifted it since, it stays lifted. Where more would change than `limits` allow, nothing
    is written unless `accept_changes`. Raises ConfigurationError where people were erased and their key is not there.
    """
    names, people = frozenset(sources), len(cleaned.contacts)
    with store.preparing() as connection:
        with connection.begin():
            make_tables(connection)
            erased = ErasedPeople(connection, erasure_key)
            stage(
                connection,
                erased.without(cleaned.contacts),
                progress=lambda done: progress(done, _PASSES * people),
            )
            signals = [signal for signal in cleaned.opt_outs if not erased.know(signal.address)]
            stage_opt_outs(connection, (signal.address for signal in signals))
        with store.deciding(on=connection):
            erased.require_unchanged(connection)
            identify(connection)
            told_before = opt_outs_told_before(connection)
            stored = compare(connection, sources=names)
            orphans = find_orphans(connection, sources=names, leave=accept_changes)
            suspected = find_suspects(connection)
            progress(2 * people, _PASSES * people)
            stop = None if accept_changes else _stop(connection, stored, names, limits)
            opted_out = 0
            if stop is None:
                news = {place: signal for place, signal in enumerate(signals) if place not in told_before}
                opted_out = _write(connection, news, now=now)
                progress(_PASSES * people, _PASSES * people)
            moves = suspected_moves(connection)
    return PullResult(
        cleaned=cleaned,
        stored=stored,
        opted_out=opted_out,
        suspected=suspected,
        moves=tuple(moves),
        orphaned=0 if accept_changes else orphans,
        orphans_left=orphans if accept_changes else 0,
        erased=erased.met,
        erased_masked=tuple(erased.met_masked),
        stop=stop,
    )


def _write(connection: Connection, news: Mapping[int, Signal], *, now: datetime) -> int:
    write(connection, now=now)
    people = people_opted_out(connection) if news else {}
    named = (replace(signal, contact_id=people.get(place)) for place, signal in news.items())
    opted_out = apply_within(connection, named, now=now)
    hold_suspects(connection, now=now)
    return opted_out


def _stop(connection: Connection, stored: SyncResult, sources: frozenset[str], limits: PullLimits) -> Stop | None:
    """A truncated export, a wrong column: somebody should look before the list follows it."""
    people = people_of(connection, sources)
    affected = stored.left + stored.changed
    if affected < limits.smallest_number or affected <= limits.largest_share * people:
        return None
    return Stop(people=people, fields=changed_fields(connection), examples=tuple(examples(connection)))
