"""How fast opt-outs take effect, by the road on which they came."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from mlgroup_mail.model import Road
from mlgroup_mail.store.opt_out_timing import TimedOptOut


@dataclass(frozen=True, kw_only=True, slots=True)
class RoadTiming:
    """How long the opt-outs of one road took: how many there were, the middle one, and the slowest; None for none.

    Not among them are the `moved_in` ones, which were asked for before the ledger began.
    """

    road: Road
    number: int
    median: timedelta | None
    slowest: timedelta | None
    moved_in: int

    def as_json(self) -> dict[str, Any]:
        """For programs; in seconds."""
        return {
            "road": self.road,
            "number": self.number,
            "median_seconds": _seconds(self.median),
            "max_seconds": _seconds(self.slowest),
            "before_the_ledger": self.moved_in,
        }


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def by_road(found: Iterable[TimedOptOut]) -> list[RoadTiming]:
    """The roads by which any came, in the order in which `Road` names them."""
    times: dict[Road, list[float]] = defaultdict(list)
    moved_in: Counter[Road] = Counter()
    for each in found:
        if each.moved_in:
            moved_in[each.road] += 1
        else:
            times[each.road].append(each.took.total_seconds())
    return [
        RoadTiming(
            road=road,
            number=len(times[road]),
            median=timedelta(seconds=median(times[road])) if times[road] else None,
            slowest=timedelta(seconds=max(times[road])) if times[road] else None,
            moved_in=moved_in[road],
        )
        for road in Road
        if times[road] or moved_in[road]
    ]


def timed_json(each: TimedOptOut) -> dict[str, Any]:
    """One opt-out for programs; nobody's address."""
    return {
        "contact_id": each.contact_id,
        "kind": each.kind,
        "topic": each.topic,
        "road": each.road,
        "at": each.at.isoformat(),
        "effective_at": each.effective_at.isoformat(),
        "number": each.number,
        "seconds": each.took.total_seconds(),
        "before_the_ledger": each.moved_in,
    }
