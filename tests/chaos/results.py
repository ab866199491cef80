"""What came of many scenarios, as a table: a line for each kind of trouble over each transport, on each ledger."""

from collections.abc import Iterable, Sequence

from tests.chaos.cases import Kind
from tests.chaos.field import LedgerKind
from tests.chaos.playing import Played
from tests.chaos.points import Wire

COLUMNS = (
    *("transport", "kind", "ledger", "scenarios", "deaths"),
    *("arrived", "doubled", "lost", "uncertain", "settled", "wrong"),
)


def lines(played: Iterable[Played]) -> list[list[object]]:
    """The table's lines and their sum; `wrong` counts the scenarios that the judge found fault with."""
    groups: dict[tuple[str, str, str], list[Played]] = {}
    for each in sorted(played, key=_place):
        case = each.scenario.case
        groups.setdefault((case.wire.value, case.kind.value, case.ledger.value), []).append(each)
    found: list[list[object]] = [[*key, *_numbers(group)] for key, group in groups.items()]
    every = [each for group in groups.values() for each in group]
    by_wire = [[each for each in every if each.scenario.case.wire is wire] for wire in Wire]
    sums: list[list[object]] = [
        [group[0].scenario.case.wire.value, "all of it", "", *_numbers(group)] for group in by_wire if group
    ]
    return [*found, *sums, ["together", "", "", *_numbers(every)]]


def _place(played: Played) -> tuple[int, int, int]:
    case = played.scenario.case
    return [*Wire].index(case.wire), [*Kind].index(case.kind), [*LedgerKind].index(case.ledger)


def _numbers(group: Sequence[Played]) -> list[int]:
    return [
        len(group),
        sum(each.deaths for each in group),
        sum(each.verdict.arrived for each in group),
        sum(each.verdict.doubled for each in group),
        sum(each.verdict.lost for each in group),
        sum(each.verdict.uncertain for each in group),
        sum(each.verdict.settled for each in group),
        sum(1 for each in group if each.verdict.problems),
    ]
