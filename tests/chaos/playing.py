"""Playing a scenario: it happens, and is judged."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import databases, deaths, together, troubles
from tests.chaos.cases import Kind
from tests.chaos.field import Field, Fields
from tests.chaos.judge import Verdict, judge
from tests.chaos.scenarios import Scenario


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A scenario that was played: how many processes died or were disturbed, and what the judge says."""

    scenario: Scenario
    deaths: int
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.scenario}\n" + "\n".join(f"  {problem}" for problem in self.verdict.problems)


def play(fields: Fields, scenario: Scenario, *, plant: str = "") -> Played:
    """Let it happen, then judge. `plant` is a fault of the product, for the harness's own tests."""
    case = scenario.case
    try:
        with fields.field(
            case.ledger,
            planned=scenario.planned,
            wire=case.wire,
            connections=scenario.connections,
            pipelining=scenario.pipelining,
            window=scenario.window,
        ) as field:
            field.plant = plant
            died = _PLAYS[case.kind](field, scenario)
            if case.kind in _SURELY and not died:
                # A kill that does not happen proves nothing, and must not look as if it did.
                field.problems.append(f"nobody has come to the point where it was to die: {case.point or case.kind}")
            return Played(scenario=scenario, deaths=died, verdict=judge(field, deaths=died - field.in_order))
    except Exception as error:
        error.add_note(f"in: python -m tests.chaos {scenario}")
        raise


_SURELY = {
    *(Kind.KILLED, Kind.TERMINATED, Kind.ELSEWHERE, Kind.ASLEEP, Kind.HALVED, Kind.FULL, Kind.CLONE),
}
"""In which somebody dies for sure. Of several at once, or at random times, those that are to die may have nothing left
to do; a machine whose clock is a day behind, and comes first, finds nothing due."""

_PLAYS: dict[Kind, Callable[[Field, Scenario], int]] = {
    Kind.KILLED: deaths.killed,
    Kind.KILLED_ANYWHERE: deaths.killed_anywhere,
    Kind.TERMINATED: deaths.terminated,
    Kind.ELSEWHERE: deaths.elsewhere,
    Kind.ASLEEP: deaths.asleep,
    Kind.SERVER: troubles.server,
    Kind.HALVED: troubles.halved,
    Kind.LOCKED: databases.locked,
    Kind.FULL: databases.full,
    Kind.GONE: databases.gone,
    Kind.TWO: together.two,
    Kind.FOUR: together.four,
    Kind.CLOCK: together.clock,
    Kind.OPT_OUT: together.opt_out,
    Kind.CLONE: together.clone,
}
