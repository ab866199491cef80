"""Slips in settings that stop nothing: names that nothing reads, and secrets where a commit takes them along."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlgroup_mail.errors import Problem
from mlgroup_mail.settings.environment import PREFIX, Settings, is_secret

_ELSEWHERE = ("MLGROUP_PROJECT",)
"""Read by the command line, and no setting of a project."""
_WITH_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")


def slips(root: Path, table: Mapping[str, Any]) -> list[Problem]:
    """What to tell of the project at `root`; `table` is `[settings]` of its `mlgroup.toml`. Shows no value."""
    return [
        *_unknown(os.environ, "environment"),
        *_unknown(_written(root / ".env"), str(root / ".env")),
        *_open(root, table),
    ]


def _unknown(names: Mapping[str, Any], where: str) -> Iterator[Problem]:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    known += [f"{name}_FILE" for name in known] + [*_ELSEWHERE]
    for name in sorted(names):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            yield Problem(
                message=f"{name} is not known, and nothing reads it",
                where=where,
                mend=f"Did you mean {near[0]}?" if near else "See docs/settings.md for all of them.",
            )


def _written(path: Path) -> Mapping[str, Any]:
    from dotenv import dotenv_values

    return dotenv_values(path) if path.is_file() else {}


def _open(root: Path, table: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in table.items():
        name = key.removeprefix(PREFIX).lower()
        password = name == "database_url" and _WITH_PASSWORD.search(str(value))
        if password or (is_secret(name) and name != "database_url"):
            yield Problem(
                message=f"“{key}” is a secret, and stands where a commit takes it along",
                where=f"{root / 'mlgroup.toml'}, [settings]",
                mend=f"Write it into .env as {PREFIX}{name.upper()}. If it was committed, make a new one.",
            )
