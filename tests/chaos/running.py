"""Playing many scenarios: until so many processes have died, or every case was played."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from tests.chaos.cases import CASES
from tests.chaos.field import Fields, LedgerKind, fields
from tests.chaos.playing import Played, play
from tests.chaos.points import Wire
from tests.chaos.processes import launcher
from tests.chaos.scenarios import scenario
from tests.servers.postgres import run_postgres
from tests.servers.programs import ServerMissing

MOST = 3_000
"""Scenarios in one run, whatever comes: every run is bounded."""

Told = Callable[[Played, int], None]
"""(what was played, how many have died so far), after each scenario."""


@contextmanager
def grounds() -> Iterator[tuple[Fields, str]]:
    """Where scenarios are played, and what could not be had for it (empty: everything could)."""
    with ExitStack() as stack:
        missing = ""
        try:
            postgres = stack.enter_context(run_postgres())
        except ServerMissing as error:
            postgres, missing = None, f"{error}: only SQLite was played; `make servers` installs it"
        yield stack.enter_context(fields(stack.enter_context(launcher()), postgres)), missing


def numbers(usable: Iterable[int]) -> Iterator[int]:
    """Every usable case once, transports and ledgers in turn; then all again with other draws, the last first."""
    groups: dict[tuple[Wire, LedgerKind], list[int]] = {}
    for index in usable:
        groups.setdefault((CASES[index].wire, CASES[index].ledger), []).append(index)
    longest = max(len(indices) for indices in groups.values())
    for turn in range(MOST):
        places = range(longest)
        for place in places if turn == 0 else reversed(places):
            yield from (indices[place] + turn * len(CASES) for indices in groups.values() if place < len(indices))


def play_until(
    ground: Fields, *, seed: int, kills: int, told: Told, wires: Collection[Wire] = tuple(Wire)
) -> list[Played]:
    """Play until `kills` processes have died and every case of these transports has been played."""
    played: list[Played] = []
    deaths = 0
    usable = [
        index
        for index, case in enumerate(CASES)
        if case.wire in wires and (case.ledger is LedgerKind.SQLITE or ground.postgres is not None)
    ]
    for number in numbers(usable):
        if len(played) >= MOST or (deaths >= kills and len(played) >= len(usable)):
            break
        found = play(ground, scenario(seed, number))
        played.append(found)
        deaths += found.deaths
        told(found, deaths)
    return played


def play_only(ground: Fields, *, seed: int, chosen: Iterable[int], told: Told) -> list[Played]:
    """Play these scenarios alone."""
    played: list[Played] = []
    for number in chosen:
        played.append(play(ground, scenario(seed, number)))
        told(played[-1], sum(each.deaths for each in played))
    return played
