"""What a rule finds."""

from dataclasses import dataclass
from enum import StrEnum

from mlgroup_mail.errors import CampaignError

NOT_READABLE = "not-readable"
"""The rule of what cannot be read, parsed or compiled."""


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """Blocks approval and sending."""
    WARNING = "warning"
    """Is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is not right: which rule says so, where it stands (file and line), and how to mend it."""

    level: Level
    rule: str
    where: str
    message: str
    mend: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it blocks approval and sending."""
        return self.level is Level.ERROR


def findings_of(error: CampaignError) -> Finding:
    """What cannot be parsed or compiled, as a finding."""
    problem = error.problem
    return Finding(
        level=Level.ERROR, rule=NOT_READABLE, where=problem.where, message=problem.message, mend=problem.mend
    )
