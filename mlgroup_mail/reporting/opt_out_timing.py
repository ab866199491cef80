"""How fast opt-outs take effect, by the road on which they came."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from mlgroup_mail.model import Road
from mlgroup_mail.store.opt_out_timing import TimedOptOut


@dataclass(frozen=True, kw_only=True, slots=True)
class RoadTiming:
    """How long the opt-outs of one road took: how many there were, the middle one, and the slowest."""

    road: Road
    number: int
    median: timedelta
    slowest: timedelta

    def as_json(self) -> dict[str, Any]:
        """For programs; in seconds."""
        return {
            "road": self.road,
            "number": self.number,
            "median_seconds": self.median.total_seconds(),
            "max_seconds": self.slowest.total_seconds(),
        }


def by_road(found: Iterable[TimedOptOut]) -> list[RoadTiming]:
    """The roads by which any came, in the order in which `Road` names them."""
    times: dict[Road, list[float]] = defaultdict(list)
    for each in found:
        times[each.road].append(each.took.total_seconds())
    return [
        RoadTiming(
            road=road,
            number=len(times[road]),
            median=timedelta(seconds=median(times[road])),
            slowest=timedelta(seconds=max(times[road])),
        )
        for road in Road
        if times[road]
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
    }
