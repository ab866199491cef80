"""`demo`: the whole job on a sample, through the flows, into `var/demo/`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlgroup_mail.cli.context import Json, project_root
from mlgroup_mail.cli.output import console, print_json
from mlgroup_mail.errors import ConfigurationError, UsageError

_LINES_TOLD = 15
"""Of what the flows said, shown when they fail."""


def demo(as_json: Json = False) -> None:
    """Run the whole job on a sample list: nothing leaves this machine. Everything lands in var/demo/."""
    from mlgroup_mail.cli.demo_summary import show_summary
    from mlgroup_mail.scaffold.demo import prepare_demo

    root = project_root().resolve()
    if not root.is_dir():
        raise UsageError("this directory does not exist", where=str(root))
    begun = time.perf_counter()
    project = prepare_demo(root / "var" / "demo")
    with _spinner() as tell:
        summary = _run_flows(project.root, tell)
    summary["seconds"]["in all"] = round(time.perf_counter() - begun, 2)
    if as_json:
        print_json(summary)
    else:
        show_summary(summary, project)


def _run_flows(root: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run the demonstration in a process of its own; returns its summary. Raises ConfigurationError where it fails."""
    # -P: a folder “flows” in the current directory is not the one that is meant.
    command = [sys.executable, "-P", "-m", "flows.demo", str(root)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        process = subprocess.Popen(  # noqa: S603
            command,
            stdout=answer,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_own_environment(),
        )
        last = deque[str](maxlen=_LINES_TOLD)
        assert process.stderr is not None, "it is a pipe"
        with process, process.stderr as said:
            for line in said:
                last.append(line.rstrip())
                tell(line)
        answer.seek(0)
        printed = answer.read()
    if process.returncode:
        raise ConfigurationError(
            f"the demonstration failed (exit code {process.returncode}):\n  "
            + "\n  ".join(last or ["it said nothing"]),
            where=str(root),
        )
    found: dict[str, Any] = json.loads(printed)
    return found


def _own_environment() -> dict[str, str]:
    """The caller's without anything that could make a demonstration send for real, or report to a real server."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MLGROUP_", "PREFECT_"))}
    return ours | {"MLGROUP_TRANSPORT": "outbox"}


@contextmanager
def _spinner() -> Iterator[Callable[[str], None]]:
    """What is going on now, on a terminal; nothing elsewhere. Yields what takes a line of the flows."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.markup import escape

    with console(stderr=True).status("Prefect starts; the first time it takes longer") as status:

        def tell(line: str) -> None:
            step = line.rstrip()
            if step.endswith(" ...") and not step.startswith("Prefect starts"):
                status.update(escape(step.removesuffix(" ...")))

        yield tell
