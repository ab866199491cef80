"""What came of many scenarios, as a table: a line for each kind of trouble on each ledger."""

from collections.abc import Iterable, Sequence

from tests.chaos.playing import Played

COLUMNS = ("kind", "ledger", "scenarios", "deaths", "arrived", "doubled", "lost", "uncertain", "settled", "wrong")


def lines(played: Iterable[Played]) -> list[list[object]]:
    """The table's lines and their sum; `wrong` counts the scenarios that the judge found fault with."""
    groups: dict[tuple[str, str], list[Played]] = {}
    for each in played:
        groups.setdefault((each.scenario.case.kind.value, each.scenario.case.ledger.value), []).append(each)
    found: list[list[object]] = [[*key, *_numbers(group)] for key, group in groups.items()]
    every = [each for group in groups.values() for each in group]
    return [*found, ["together", "", *_numbers(every)]]


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
