"""Timing two ways of doing the same thing, turn by turn, so that a drifting machine slows both."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ROUNDS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A rate, and its ratio to that of another way in the same run; peak memory where it was looked at."""

    name: str
    rate: float
    against: str = ""
    ratio: float = 0.0
    megabytes: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One way of doing `count` things."""

    name: str
    count: int
    work: Callable[[], object]


def compare(ways: Sequence[Way]) -> list[Figure]:
    """Run all ways in turn, three times; the ratios are to the last one."""
    rates: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(ROUNDS):
        for way in ways:
            start = time.perf_counter()
            way.work()
            rates[way.name].append(way.count / (time.perf_counter() - start))
    base = ways[-1].name
    ratios = {
        name: statistics.median(mine / theirs for mine, theirs in zip(found, rates[base], strict=True))
        for name, found in rates.items()
    }
    return [
        Figure(
            name=name,
            rate=statistics.median(found),
            against="" if name == base else base,
            ratio=0.0 if name == base else ratios[name],
        )
        for name, found in rates.items()
    ]
