"""Whatever dies when, nobody gets a mail twice, nobody is lost, and doubt is shown and small.

Fixed seeds: each test is one scenario, played by real processes over real SMTP or HTTP. `make chaos` plays hundreds.
"""

from collections.abc import Collection, Iterable

import pytest

from tests.chaos.cases import CASES, Kind
from tests.chaos.field import Fields, LedgerKind
from tests.chaos.playing import Played, play
from tests.chaos.points import ANSWERED, IN_THE_MIDDLE, POINTS, WRITTEN, Wire
from tests.chaos.scenarios import scenario

SEED = 4

_MAIN_POINTS = {wire: (IN_THE_MIDDLE[wire], WRITTEN[wire], ANSWERED[wire], "commit.claim.after") for wire in Wire}
_IN_A_FILE = {
    Wire.SMTP: POINTS[Wire.SMTP],
    # Planning, and what has to do with no mail, is the same over each transport.
    Wire.SENDGRID: [point for point in POINTS[Wire.SENDGRID] if not point.startswith(("commit.plan", "commit.other"))],
}
_ON_A_SERVER = {Wire.SMTP: set(Kind), Wire.SENDGRID: {Kind.ELSEWHERE, Kind.ASLEEP, Kind.HALVED}}
"""What is played with PostgreSQL: every kind over one transport, over the other what it has to do with."""


def _chosen(wire: Wire, ledger: LedgerKind, points: Collection[str], kinds: Iterable[Kind]) -> list[int]:
    """Deaths at these points, and of the other kinds the first; in a file also every third trouble of the server."""
    numbers = [number for number, case in enumerate(CASES) if (case.wire, case.ledger) == (wire, ledger)]
    first: dict[Kind, int] = {}
    for number in reversed(numbers):
        first[CASES[number].kind] = number
    troubles = [number for number in numbers if CASES[number].kind is Kind.SERVER]
    killed = [number for number in numbers if CASES[number].kind is Kind.KILLED and CASES[number].point in points]
    others = [first[kind] for kind in kinds if kind in first and kind not in (Kind.KILLED, Kind.SERVER)]
    return sorted([*killed, *others, *(troubles[::3] if ledger is LedgerKind.SQLITE else troubles[:1])])


def _is_right(played: Played) -> None:
    assert not played.verdict.problems, f"python -m tests.chaos {played}"


@pytest.mark.parametrize(
    "number",
    [number for wire in Wire for number in _chosen(wire, LedgerKind.SQLITE, _IN_A_FILE[wire], Kind)],
    ids=lambda number: str(CASES[number]),
)
def test_nobody_is_written_to_twice_or_lost_with_a_ledger_in_a_file(on_sqlite: Fields, number: int) -> None:
    _is_right(play(on_sqlite, scenario(SEED, number)))


@pytest.mark.parametrize(
    "number",
    [
        number
        for wire in Wire
        for number in _chosen(wire, LedgerKind.POSTGRESQL, _MAIN_POINTS[wire], _ON_A_SERVER[wire])
    ],
    ids=lambda number: str(CASES[number]),
)
def test_nobody_is_written_to_twice_or_lost_with_a_ledger_on_a_server(on_postgresql: Fields, number: int) -> None:
    _is_right(play(on_postgresql, scenario(SEED, number)))


@pytest.mark.parametrize("ledger", LedgerKind)
@pytest.mark.parametrize("wire", Wire)
def test_every_point_and_every_kind_has_its_case(wire: Wire, ledger: LedgerKind) -> None:
    cases = [case for case in CASES if (case.wire, case.ledger) == (wire, ledger)]
    assert {case.point for case in cases if case.kind is Kind.KILLED} == set(POINTS[wire])
    elsewhere = {Kind.GONE, Kind.ELSEWHERE} if ledger is LedgerKind.SQLITE else set()
    elsewhere |= {Kind.HALVED} if wire is Wire.SMTP else set()
    assert {case.kind for case in cases} == set(Kind) - elsewhere
