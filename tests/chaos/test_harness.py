"""The harness is checked itself: a fault is planted in the product, and the judge has to find what it does."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.cases import CASES, Case, Kind
from tests.chaos.field import Fields, LedgerKind
from tests.chaos.http_troubles import HTTP_TROUBLES
from tests.chaos.judge import judge
from tests.chaos.plants import FAULTS
from tests.chaos.playing import play
from tests.chaos.points import POINTS, VARIABLE, WRITTEN, Orders, Wire
from tests.chaos.processes import ROOT
from tests.chaos.projects import LETTER
from tests.chaos.scenarios import scenario
from tests.chaos.sink import Trouble

_SEED = 11


def _case(kind: Kind, wire: Wire = Wire.SMTP, **about: Any) -> Case:
    return Case(kind=kind, ledger=LedgerKind.SQLITE, wire=wire, **about)


_NO_MAILBOX = ("rcpt", Trouble.SAYS, "550 5.1.1 No such mailbox")
_CUT = ("mail", Trouble.CUTS, "")
_FOUND = [
    ("doubt is retried", _case(Kind.SERVER, trouble=("dot", Trouble.CUTS_AFTER, "")), "got it twice"),
    ("doubt is retried", _case(Kind.SERVER, Wire.SENDGRID, http="reset, accepted"), "got it twice"),
    ("doubt is retried", _case(Kind.SERVER, Wire.SENDGRID, http="500 after acceptance"), "got it twice"),
    ("claims are not durable", _case(Kind.SERVER, trouble=_CUT), "got it twice"),
    ("claims are not durable", _case(Kind.SERVER, Wire.SENDGRID, http="202, slowly"), "got it twice"),
    ("the dead have not tried", _case(Kind.KILLED, point="read.dot.after"), "got it twice"),
    ("the dead have not tried", _case(Kind.KILLED, point="read.dot.before"), "got it twice"),
    ("the dead have not tried", _case(Kind.KILLED, Wire.SENDGRID, point="read.answer.after"), "got it twice"),
    ("refused is accepted", _case(Kind.SERVER, trouble=_NO_MAILBOX), "never arrived"),
    ("refused is accepted", _case(Kind.HALVED, Wire.SENDGRID, point="commit.claim.before"), "never arrived"),
    ("nothing is known", _case(Kind.SERVER, trouble=_CUT), "windows were open"),
    ("nothing is known", _case(Kind.SERVER, Wire.SENDGRID, http="202, slowly"), "windows were open"),
    ("opt-outs are not read again", _case(Kind.OPT_OUT, point="commit.claim.after"), "began after an opt-out"),
    ("addresses are logged", _case(Kind.KILLED, point="write.dot.after"), "shows a canary"),
    ("addresses are logged", _case(Kind.KILLED, Wire.SENDGRID, point="write.content.after"), "shows a canary"),
    ("the key is logged", _case(Kind.KILLED, Wire.SENDGRID, point="write.content.after"), "shows a canary"),
]


@pytest.mark.parametrize(("plant", "case", "found"), _FOUND, ids=str)
def test_a_planted_fault_is_found(on_sqlite: Fields, plant: str, case: Case, found: str) -> None:
    played = play(on_sqlite, scenario(_SEED, CASES.index(case)), plant=plant)
    assert any(found in problem for problem in played.verdict.problems), played.verdict


@pytest.mark.parametrize("wire", Wire)
def test_a_point_that_nobody_comes_to_is_no_success(on_sqlite: Fields, wire: Wire) -> None:
    drawn = scenario(_SEED, CASES.index(_case(Kind.KILLED, wire, point=WRITTEN[wire])))
    played = play(on_sqlite, replace(drawn, case=replace(drawn.case, point="write.nothing.before")))
    assert any("nobody has come to the point" in problem for problem in played.verdict.problems)


@pytest.mark.parametrize("case", [_case(Kind.LOCKED, point="write.nothing"), _case(Kind.OPT_OUT, point="read.nothing")])
def test_nobody_who_stands_at_no_gate_is_no_success(on_sqlite: Fields, case: Case) -> None:
    played = play(on_sqlite, replace(scenario(_SEED, 0), case=case))
    assert any("never reached" in problem for problem in played.verdict.problems)


def test_a_trouble_that_never_comes_is_no_success(on_sqlite: Fields) -> None:
    trouble = ("vrfy", Trouble.CUTS, "")
    played = play(on_sqlite, replace(scenario(_SEED, 0), case=_case(Kind.SERVER, trouble=trouble)))
    assert any("the trouble has never come" in problem for problem in played.verdict.problems)
    with on_sqlite.field(LedgerKind.SQLITE, planned=True, wire=Wire.SENDGRID) as field:
        field.provider.trouble("too far off", HTTP_TROUBLES["401"].at(99))
        field.send().wait()
        assert field.truth.untouched == ["too far off"]


@pytest.mark.parametrize(("wire", "pipelining"), [(Wire.SMTP, False), (Wire.SMTP, True), (Wire.SENDGRID, False)])
def test_an_undisturbed_send_passes_every_labelled_point(on_sqlite: Fields, wire: Wire, pipelining: bool) -> None:
    """So that each label still names a moment of the software as it is: its engines are written anew at times."""
    with on_sqlite.field(LedgerKind.SQLITE, planned=False, wire=wire, connections=2, pipelining=pipelining) as field:
        victim = field.send(Orders(census=True))
        assert victim.wait().code == 0
        assert set(POINTS[wire]) - victim.passed == set()


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
