"""The server in trouble. Each returns how many processes it has disturbed."""

from tests.chaos.cases import DIES, SLEEPS
from tests.chaos.deaths import at_the_gate, kill_after, killed
from tests.chaos.field import USUAL_PATIENCE, Field
from tests.chaos.http_troubles import HTTP_TROUBLES, PATIENCE
from tests.chaos.points import ANSWERED, WRITTEN, Orders, Wire
from tests.chaos.projects import PEOPLE, person
from tests.chaos.scenarios import Scenario
from tests.chaos.sink import Trouble


def server(field: Field, scenario: Scenario) -> int:
    if field.wire is Wire.SMTP:
        return _mail_server(field, scenario)
    if scenario.case.http in (DIES, SLEEPS):
        return _provider_down(field, scenario)
    return _provider(field, scenario)


def _mail_server(field: Field, scenario: Scenario) -> int:
    fault = scenario.fault()
    field.sink.faults.append(fault)
    if fault.trouble in (Trouble.STALLS, Trouble.STALLS_AFTER):
        field.answer_timeout = PATIENCE
    field.send().wait()
    field.answer_timeout = USUAL_PATIENCE
    _has_come(field)
    return 0


def _provider(field: Field, scenario: Scenario) -> int:
    """Every second time whoever has met the trouble is killed in the next request."""
    trouble, request = HTTP_TROUBLES[scenario.case.http], scenario.draw.randint(1, 2)
    field.provider.trouble(scenario.case.http, trouble.at(request))
    if trouble.late:
        field.answer_timeout = PATIENCE
    point = scenario.draw.choice(("commit.claim.after", WRITTEN[field.wire], ANSWERED[field.wire]))
    doomed = scenario.draw.random() < 0.5
    # After the last time that the trouble comes.
    victim = field.send(Orders(point=point, count=request + trouble.fault.times) if doomed else None)
    victim.wait()
    field.answer_timeout = USUAL_PATIENCE
    _has_come(field)
    return int(victim.reached)


def _provider_down(field: Field, scenario: Scenario) -> int:
    """While a sender stands at a point. Where the provider is asleep, the sender is killed before it gives up twice."""
    field.answer_timeout = PATIENCE
    victim = at_the_gate(field, scenario)
    asleep = scenario.case.http == SLEEPS
    if asleep:
        field.provider.sleep()
    else:
        field.provider.die()
    victim.open_gate()
    deaths = kill_after(victim, 1.3 * PATIENCE)
    field.answer_timeout = USUAL_PATIENCE
    return deaths


def _has_come(field: Field) -> None:
    field.problems += [f"the trouble has never come: {name}" for name in field.truth.untouched]


def halved(field: Field, scenario: Scenario) -> int:
    """One or two recipients get every request refused that has them; who looks for them is killed several times."""
    bad = scenario.draw.sample(range(1, PEOPLE + 1), scenario.draw.randint(1, 2))
    field.provider.refuse(*[person(number) for number in bad])
    return killed(field, scenario)
