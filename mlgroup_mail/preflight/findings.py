"""What a rule finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mlgroup_mail.errors import Problem

NOT_READABLE = "not-readable"
"""The rule of what cannot be read, parsed or compiled."""
DOUBTFUL = "doubtful-template"
"""The rule of a template file that changes nothing, or only half of a mail."""


class Level(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """Blocks approval and sending."""
    WARNING = "warning"
    """Is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is not right: which rule says so, where it stands (file and line), and how to mend it.

    `details` are what the message is about, where that is a list.
    """

    level: Level
    rule: str
    where: str
    message: str
    mend: str = ""
    details: tuple[str, ...] = ()

    def told(self, limit: int | None = None) -> str:
        """The message with its details, the first few of them or all."""
        more = len(self.details[limit:]) if limit is not None else 0
        listed = ", ".join(self.details[:limit]) + (f" and {more} more" if more else "")
        return f"{self.message}: {listed}" if self.details else self.message

    @property
    def blocks(self) -> bool:
        """Whether it blocks approval and sending."""
        return self.level is Level.ERROR


def errors_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What blocks before what does not, otherwise in the order given."""
    return tuple(sorted(findings, key=lambda finding: not finding.blocks))


def finding_of(problem: Problem) -> Finding:
    """What cannot be parsed or compiled, as a finding."""
    return Finding(
        level=Level.ERROR, rule=NOT_READABLE, where=problem.where, message=problem.message, mend=problem.mend
    )
