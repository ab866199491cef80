"""Which project directory a flow works in, and how its blocking work leaves the event loop."""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.errors import ConfigurationError, MailError, OwnerLostError, UnexpectedError
from mlgroup_mail.settings.app import App, open_app
from mlgroup_mail.settings.project import read_project

T = TypeVar("T")

_VARIABLE = "MLGROUP_PROJECT"


def note_directory() -> dict[str, str]:
    """Build step of prefect.yaml: note which project `prefect deploy` is run for, for workers on the same machine."""
    return {"directory": str(read_project(_root(Path.cwd())).root)}


def enter_directory(directory: str) -> dict[str, str]:
    """Pull step of prefect.yaml: go to the project before a flow begins.

    `MLGROUP_PROJECT` in the worker's own environment wins over the noted `directory`: on another machine the project
    lies elsewhere. Raises UsageError where there is no project.
    """
    root = read_project(_root(Path(directory))).root
    os.chdir(root)
    return {"directory": str(root)}


async def in_project(work: Callable[[App], T], *, now: datetime | None, stop: Stop | None = None) -> T:
    """Do blocking work with the project of this process, in a thread; `now` stands in for the clock.

    Where the run is cancelled, or its worker ends, `stop` is asked: a thread cannot be interrupted, and would go on
    until its process is killed. The process waits for it when it ends (`asyncio.run`).
    """
    try:
        return await asyncio.to_thread(_work_in_project, work, now)
    except asyncio.CancelledError:
        if stop:
            stop.ask()
        raise


def _work_in_project(work: Callable[[App], T], now: datetime | None) -> T:
    try:
        with open_app(_root(Path.cwd()), clock=FixedClock(now) if now else None) as app:
            return work(app)
    except (MailError, ConfigurationError, OwnerLostError):
        raise
    except Exception as error:
        raise UnexpectedError(error) from None


def _root(default: Path) -> Path:
    return Path(os.environ.get(_VARIABLE) or default).resolve()
