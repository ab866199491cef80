"""Whatever dies when, nobody gets a mail twice, nobody is lost, and doubt is shown and small.

Fixed seeds: each test is one scenario, played by real processes over real SMTP. `make chaos` plays hundreds.
"""

import pytest

from tests.chaos.field import Fields, LedgerKind
from tests.chaos.playing import Played, play
from tests.chaos.points import POINTS
from tests.chaos.scenarios import CASES, Kind, scenario

SEED = 4

# Of several at once, those that are to die may find nothing left to do.
_DIE_FOR_SURE = {Kind.KILLED, Kind.TERMINATED, Kind.ELSEWHERE, Kind.ASLEEP}
_MAIN_POINTS = ("write.body.middle", "write.dot.after", "read.dot.after", "commit.claim.before", "commit.claim.after")


def _numbers(ledger: LedgerKind) -> list[int]:
    return [number for number, case in enumerate(CASES) if case.ledger is ledger]


def _main_ones() -> list[int]:
    """The points that matter most, and the first of each other kind."""
    found: dict[tuple[str, str], int] = {}
    for number in _numbers(LedgerKind.POSTGRESQL):
        case = CASES[number]
        if case.kind is not Kind.KILLED:
            found.setdefault((case.kind, ""), number)
        elif case.point in _MAIN_POINTS:
            found[case.kind, case.point] = number
    return sorted(found.values())


def _is_right(played: Played) -> None:
    assert not played.verdict.problems, f"python -m tests.chaos {played}"
    if played.scenario.case.kind in _DIE_FOR_SURE:
        assert played.deaths, f"nobody died: python -m tests.chaos {played.scenario}"


@pytest.mark.parametrize("number", _numbers(LedgerKind.SQLITE), ids=lambda number: str(CASES[number]))
def test_nobody_is_written_to_twice_or_lost_with_a_ledger_in_a_file(on_sqlite: Fields, number: int) -> None:
    _is_right(play(on_sqlite, scenario(SEED, number)))


@pytest.mark.parametrize("number", _main_ones(), ids=lambda number: str(CASES[number]))
def test_nobody_is_written_to_twice_or_lost_with_a_ledger_on_a_server(on_postgresql: Fields, number: int) -> None:
    _is_right(play(on_postgresql, scenario(SEED, number)))


@pytest.mark.parametrize("ledger", LedgerKind)
def test_every_point_and_every_kind_has_its_case(ledger: LedgerKind) -> None:
    cases = [case for case in CASES if case.ledger is ledger]
    assert {case.point for case in cases if case.kind is Kind.KILLED} == set(POINTS)
    only_on_a_server = {Kind.GONE, Kind.ELSEWHERE} if ledger is LedgerKind.SQLITE else set()
    assert {case.kind for case in cases} == set(Kind) - only_on_a_server
