"""Deaths of one process at a time: killed, ended, asleep. Each returns how many processes it has disturbed."""

import contextlib
import signal
import time

from tests.chaos.field import Field
from tests.chaos.judge import deliveries
from tests.chaos.points import Act, Orders, Wire
from tests.chaos.processes import Victim
from tests.chaos.scenarios import Scenario

LEASE = {"LEASE_SECONDS": 1.5, "RENEW_SECONDS": 0.4}
_WHILE_IT_SENDS = {Wire.SMTP: 0.1, Wire.SENDGRID: 0.02}
"""Seconds in which it is killed once the first messages have arrived."""
_SOON = 45.0
"""Seconds after which a lease that was made short has surely run out: half of what one is in life."""


def killed(field: Field, scenario: Scenario) -> int:
    deaths = 0
    for _ in range(scenario.rounds):
        point = scenario.case.point
        victim = field.send(Orders(point=point, count=scenario.count(point)))
        victim.wait()
        deaths += victim.reached
    return deaths


def terminated(field: Field, scenario: Scenario) -> int:
    """It may finish the window that is open; then nothing is in doubt."""
    deaths = 0
    for _ in range(scenario.rounds):
        point = scenario.case.point
        victim = field.send(Orders(point=point, count=scenario.count(point), act=Act.TERM))
        field.in_order += victim.wait().code != -signal.SIGTERM and victim.reached
        deaths += victim.reached
    return deaths


def killed_anywhere(field: Field, scenario: Scenario) -> int:
    deaths = 0
    for number in range(scenario.rounds + 1):
        before = len(field.truth.arrivals())
        victim = field.send()
        # Every second one while it is sending, the others whenever: while it starts, reads or plans.
        while number % 2 == 0 and not victim.over and len(field.truth.arrivals()) == before:
            time.sleep(0.002)
        deaths += kill_after(
            victim, scenario.draw.uniform(0.0, _WHILE_IT_SENDS[field.wire] if number % 2 == 0 else 0.4)
        )
    return deaths


def kill_after(victim: Victim, seconds: float) -> int:
    """1 where it was still there to be killed."""
    with contextlib.suppress(AssertionError):
        victim.wait(seconds)
    victim.signal(signal.SIGKILL)
    return int(victim.wait().code == -signal.SIGKILL)


def elsewhere(field: Field, scenario: Scenario) -> int:
    """Each host has its own name; neither can ask the other's kernel who lives."""
    point = scenario.case.point
    orders = Orders(point=point, count=scenario.count(point), constants=LEASE, host="one.example")
    victim = field.send(orders)
    victim.wait()
    field.send(Orders(constants=LEASE, host="two.example")).wait(_SOON)
    if left := [row.delivery_id for row in deliveries(field) if row.state == "attempting"]:
        field.problems.append(f"the other host has left open what the first had begun: {left}")
    return int(victim.reached)


def asleep(field: Field, scenario: Scenario) -> int:
    """While it sleeps another waits for the end of its lease and sends on; then it wakes."""
    point = scenario.case.point
    sleeper = field.send(Orders(point=point, count=scenario.count(point), act=Act.STOP, constants=LEASE))
    if not sleeper.wait_until_reached():
        return 0
    other = field.send(Orders(constants=LEASE))
    other.wait(_SOON)
    sleeper.signal(signal.SIGCONT)
    sleeper.wait()
    return 1


def at_the_gate(field: Field, scenario: Scenario, constants: dict[str, float] | None = None) -> Victim:
    point = scenario.case.point
    orders = Orders(point=point, count=scenario.count(point), act=Act.GATE, constants=constants or {})
    victim = field.send(orders)
    if not victim.wait_until_reached():
        field.problems.append(f"the point was never reached: {point}")
    return victim
