"""What `doctor` looks at, and what it says of each thing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlgroup_mail.errors import Problem
from mlgroup_mail.settings.environment import Settings
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store


class Result(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 (it says that a check did)
    """It is as it should be."""
    WARN = "warn"
    """It works as it is; before real mail goes out somebody should look at it."""
    FAIL = "fail"
    """Something will not work until it is mended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    result: Result
    detail: str
    mend: str = ""

    @classmethod
    def of(cls, problem: Problem) -> "Finding":
        """An error as a failed check."""
        return cls(
            result=Result.FAIL, detail=str(Problem(message=problem.message, where=problem.where)), mend=problem.mend
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A finding under its name."""

    name: str
    finding: Finding

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        found = self.finding
        return {"name": self.name, "result": found.result, "detail": found.detail, "mend": found.mend}


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """A project whose `mlgroup.toml` and settings can be read."""

    project: Project
    settings: Settings
    store: Store
    now: datetime

    @property
    def database_file(self) -> Path | None:
        """The embedded database's file; None for a server."""
        return self.store.file

    @property
    def database_is_new(self) -> bool:
        """Whether the embedded database does not exist yet."""
        return self.database_file is not None and not self.database_file.exists()


def passed(detail: str) -> Finding:
    """It is as it should be."""
    return Finding(result=Result.PASS, detail=detail)


def warned(detail: str, mend: str) -> Finding:
    """It works; somebody should look at it."""
    return Finding(result=Result.WARN, detail=detail, mend=mend)


def failed(detail: str, mend: str) -> Finding:
    """It will not work until it is mended."""
    return Finding(result=Result.FAIL, detail=detail, mend=mend)
