"""Several at once, and others in between: dispatchers, clocks, opt-outs, clones. Each returns how many died."""

import contextlib
import shutil
import time

from tests.chaos.deaths import at_the_gate, kill_after
from tests.chaos.field import Field, LedgerKind
from tests.chaos.points import ANSWERED, IN_THE_MIDDLE, WRITTEN, Orders
from tests.chaos.projects import LETTER, PEOPLE, person
from tests.chaos.scenarios import Scenario

_QUIET_SECONDS = 0.5
"""For so long a server that has something to take takes nothing only where the machine is very busy."""


def two(field: Field, scenario: Scenario) -> int:
    return _at_once(field, scenario, 2)


def four(field: Field, scenario: Scenario) -> int:
    return _at_once(field, scenario, 4)


def _at_once(field: Field, scenario: Scenario, number: int) -> int:
    """Half of them are killed while all of them send."""
    wire = field.wire
    point = scenario.draw.choice((WRITTEN[wire], ANSWERED[wire], "commit.claim.after", IN_THE_MIDDLE[wire]))
    doomed = [field.dispatch(Orders(point=point, count=scenario.draw.randint(1, 3))) for _ in range(number // 2)]
    others = [field.dispatch() for _ in range(number - len(doomed))]
    for victim in (*doomed, *others):
        victim.wait()
    return sum(victim.reached for victim in doomed)


def clock(field: Field, scenario: Scenario) -> int:
    """A machine with a right clock sends and dies; one with a wrong clock must refuse. Or the wrong one comes first:
    then nothing shows it but a database server's own clock.
    """
    wrong = Orders(point=WRITTEN[field.wire], count=3, clock_offset=scenario.case.offset)
    orders = Orders(point=ANSWERED[field.wire], count=3)
    if scenario.draw.random() < 0.5:
        early = field.send(wrong)
        ended = early.wait()
        if field.kind is LedgerKind.POSTGRESQL and (not ended.code or field.truth.arrivals()):
            field.problems.append("a machine whose clock is a day off has not refused")
        right = field.send(orders)
        right.wait()
        if field.kind is LedgerKind.SQLITE and scenario.case.offset > 0 and not early.reached:
            field.problems.append(f"the point was never reached: {wrong.point}")
        return early.reached + right.reached
    right = field.send(orders)
    right.wait()
    if not right.reached:
        field.problems.append(f"the point was never reached: {orders.point}")
    before = _arrived(field)
    if field.send(wrong).wait().code == 0 or len(field.truth.arrivals()) != before:
        field.problems.append("a machine whose clock is a day off has not refused")
    return int(right.reached)


def opt_out(field: Field, scenario: Scenario) -> int:
    """One before anything is sent; more while the sender waits at a point; then it is killed."""
    early, *others = scenario.draw.sample(range(1, PEOPLE + 1), 5)
    field.opt_out(person(early), beforehand=True).wait()
    victim = at_the_gate(field, scenario)
    adding = [field.opt_out(person(number), beforehand=False) for number in others[:3]]
    # At some points the sender holds the database, so that they wait for it.
    with contextlib.suppress(AssertionError):
        adding[-1].wait(0.4)
    victim.open_gate()
    last = field.opt_out(person(others[3]), beforehand=False)
    killed = kill_after(victim, scenario.draw.uniform(0.0, 0.15))
    for each in (*adding, last):
        ended = each.wait()
        if ended.code:
            field.problems.append(f"an opt-out failed: {ended.err}")
    return killed


def clone(field: Field, scenario: Scenario) -> int:
    """The copy must refuse, and send nothing; the first goes on."""
    point = WRITTEN[field.wire]
    first = field.send(Orders(point=point, count=scenario.count(point)))
    first.wait()
    before = _arrived(field)
    clone = field.project.parent / "clone"
    shutil.copytree(field.stranger(), clone)
    shutil.copy(field.project / "ledger.toml", clone / "ledger.toml")
    for arguments in (("send", LETTER, "--live", "--json"), ("dispatch", "--live", "--json")):
        ended = field.start("-v", *arguments, project=clone, own_ledger=True).wait()
        if ended.code == 0 or "another ledger" not in ended.err:
            field.problems.append(f"a second clone has not refused: {ended.err}")
    if len(field.truth.arrivals()) != before:
        field.problems.append("a second clone has sent")
    return int(first.reached)


def _arrived(field: Field) -> int:
    """How many messages there are, once what a dead process had written to its server has been taken."""
    before, now = -1, len(field.truth.arrivals())
    while now != before:
        time.sleep(_QUIET_SECONDS)
        before, now = now, len(field.truth.arrivals())
    return now
