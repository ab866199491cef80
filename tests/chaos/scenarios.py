"""Scenarios, each made from (seed, number): who dies where, on which ledger."""

from dataclasses import dataclass
from random import Random

from tests.chaos.cases import CASES, Case
from tests.chaos.points import Wire
from tests.chaos.sink import Fault

_WINDOWS = (3, 5, 8)
"""Recipients of a request; each batch makes one request, two or three."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A case, and what was drawn for it; equal for equal seed and number."""

    seed: int
    number: int
    case: Case
    planned: bool
    connections: int
    pipelining: bool
    rounds: int
    """How often it dies before it is left in peace."""
    window: int
    """Recipients of a request."""
    draw: Random

    def __str__(self) -> str:
        return f"--seed {self.seed} --only {self.number} ({self.case})"

    def count(self, point: str) -> int:
        """At which passing of the point; small enough to be reached in every round."""
        if point.startswith(("commit.plan", "commit.other", "commit.record")):
            return 1
        few = point.startswith("commit") or self.case.wire is Wire.SENDGRID
        return self.draw.randint(1, 3 if few else 5)

    def fault(self) -> Fault:
        """The mail server's trouble, at a message of its own."""
        assert self.case.trouble
        verb, trouble, answer = self.case.trouble
        return Fault(verb=verb, trouble=trouble, answer=answer, count=self.draw.randint(1, 6))


def scenario(seed: int, number: int) -> Scenario:
    """The scenario of that number."""
    case = CASES[number % len(CASES)]
    draw = Random(f"{seed}:{number}")
    planning = case.point.startswith("commit.plan")
    return Scenario(
        seed=seed,
        number=number,
        case=case,
        # Planning can be killed only where it is still to be done.
        planned=not planning and draw.random() < 0.7,
        connections=draw.choice((1, 1, 2, 3)),
        pipelining=draw.random() < 0.5,
        rounds=draw.randint(1, 3),
        # Drawn by itself: what is drawn for SMTP stays what it was.
        window=Random(f"window {seed}:{number}").choice(_WINDOWS),
        draw=draw,
    )
