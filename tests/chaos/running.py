"""Playing many scenarios: until so many processes have died, or every case was played."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from tests.chaos.field import Fields, LedgerKind, fields
from tests.chaos.playing import Played, play
from tests.chaos.processes import launcher
from tests.chaos.scenarios import CASES, scenario
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


def numbers(first: int) -> Iterator[int]:
    """Every case once, one ledger in turn with the other; then all of them again with other draws, the last first."""
    of_each = [[index for index, case in enumerate(CASES) if case.ledger is ledger] for ledger in LedgerKind]
    longest = max(len(indices) for indices in of_each)
    for turn in range(first, first + MOST):
        places = range(longest)
        for place in places if turn == first else reversed(places):
            yield from (indices[place] + turn * len(CASES) for indices in of_each if place < len(indices))


def play_until(ground: Fields, *, seed: int, kills: int, told: Told) -> list[Played]:
    """Play until `kills` processes have died and every case has been played."""
    played: list[Played] = []
    deaths = 0
    usable = [case.ledger is LedgerKind.SQLITE or ground.postgres is not None for case in CASES]
    for done, number in enumerate(numbers(0)):
        if done >= MOST or (deaths >= kills and done >= len(CASES)):
            break
        if usable[number % len(CASES)]:
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
