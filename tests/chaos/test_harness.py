"""The harness is checked itself: a fault is planted in the product, and the judge has to find what it does."""

import os
import signal
import subprocess
import sys

import pytest

from tests.chaos.field import Fields, LedgerKind
from tests.chaos.judge import judge
from tests.chaos.plants import FAULTS
from tests.chaos.playing import play
from tests.chaos.points import VARIABLE, Orders
from tests.chaos.processes import ROOT
from tests.chaos.projects import LETTER
from tests.chaos.scenarios import CASES, Case, Kind, scenario
from tests.chaos.sink import Trouble

_SEED = 11

_FOUND = [
    ("doubt is retried", Kind.SERVER, ("dot", Trouble.CUTS_AFTER, ""), "", "got it twice"),
    ("claims are not durable", Kind.SERVER, ("mail", Trouble.CUTS, ""), "", "got it twice"),
    ("the dead have not tried", Kind.KILLED, None, "read.dot.after", "got it twice"),
    ("the dead have not tried", Kind.KILLED, None, "read.dot.before", "got it twice"),
    ("refused is accepted", Kind.SERVER, ("rcpt", Trouble.SAYS, "550 5.1.1 No such mailbox"), "", "never arrived"),
    ("nothing is known", Kind.SERVER, ("mail", Trouble.CUTS, ""), "", "windows were open"),
    ("opt-outs are not read again", Kind.OPT_OUT, None, "commit.claim.after", "began after an opt-out"),
    ("addresses are logged", Kind.KILLED, None, "write.dot.after", "shows a canary"),
]


def _number(kind: Kind, trouble: tuple[str, Trouble, str] | None, point: str) -> int:
    return CASES.index(Case(kind=kind, ledger=LedgerKind.SQLITE, trouble=trouble, point=point))


@pytest.mark.parametrize(("plant", "kind", "trouble", "point", "found"), _FOUND)
def test_a_planted_fault_is_found(
    on_sqlite: Fields, plant: str, kind: Kind, trouble: tuple[str, Trouble, str] | None, point: str, found: str
) -> None:
    played = play(on_sqlite, scenario(_SEED, _number(kind, trouble, point)), plant=plant)
    assert any(found in problem for problem in played.verdict.problems), played.verdict


def test_every_fault_that_can_be_planted_is_looked_for() -> None:
    assert {plant for plant, *_ in _FOUND} == set(FAULTS)


def test_a_started_process_dies_at_its_point_as_a_forked_one_does(on_sqlite: Fields) -> None:
    with on_sqlite.field(LedgerKind.SQLITE, planned=True, connections=1, pipelining=False) as field:
        orders = Orders(point="write.dot.before", count=2, port=field.sink.port, marks=str(field.project.parent))
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.chaos.victim",
                "run",
                "--project",
                str(field.project),
                "send",
                LETTER,
                "--live",
            ],
            check=False,
            cwd=ROOT,
            env={**os.environ, **field.settings(), VARIABLE: orders.as_text()},
            capture_output=True,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert len(field.sink.arrivals()) == 1
        assert not judge(field, deaths=1).problems


def test_the_same_seed_and_number_make_the_same_scenario() -> None:
    for number in range(0, 3 * len(CASES), 7):
        one, other = scenario(_SEED, number), scenario(_SEED, number)
        assert str(one) == str(other)
        assert [one.draw.random() for _ in range(5)] == [other.draw.random() for _ in range(5)]
        assert (one.planned, one.connections, one.rounds) == (other.planned, other.connections, other.rounds)
