"""The command line, called as a person calls it, without the price of a new process each time."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlgroup_mail.cli import main


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a command left: its exit code, and what it printed for programs (`out`) and people (`err` too)."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """Everything printed, with the line breaks of tables and long lines undone."""
        return " ".join(f"{self.out} {self.err}".split())


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("init", "here")` runs `mlgroup-mail init here` in an empty directory, with no MLGROUP_* setting around."""
    for name in [name for name in os.environ if name.startswith(("MLGROUP_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run_it(*arguments: object) -> Result:
        capsys.readouterr()
        code = main._run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(code=code, out=printed.out, err=printed.err)

    return run_it
