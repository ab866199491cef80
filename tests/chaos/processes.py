"""The harness's side of the launcher: starting victims, waiting for them, sending them signals."""

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue
from typing import Any

from tests.chaos.points import VARIABLE, Orders

ROOT = Path(__file__).parents[2]
_PATIENCE = 120.0
_NOBODY = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What a process left: its exit code, negative for the signal that ended it; what it printed; its log."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object on stdout; empty where there is none."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Victim:
    """A started command."""

    def __init__(self, launcher: "Launcher", pid: int, folder: Path) -> None:
        self.pid = pid
        self.folder = folder
        """For what it prints (`out`, `err`), and its marks."""
        self._launcher = launcher

    def wait(self, seconds: float = _PATIENCE) -> Ended:
        """Wait until it has ended."""
        code = self._launcher.wait_for(self.pid, seconds)
        assert code is not None, f"it did not end within {seconds:g} s; its log:\n{self._text('err')[-2000:]}"
        return Ended(code=code, out=self._text("out"), err=self._text("err"))

    @property
    def over(self) -> bool:
        return self._launcher.wait_for(self.pid, 0) is not None

    @property
    def reached(self) -> bool:
        """Whether it has come to the point that it was to come to."""
        return (self.folder / "reached").exists()

    @property
    def passed(self) -> set[str]:
        """The points that it has passed, where it was to mark them."""
        return {mark.name.removeprefix("passed-") for mark in self.folder.glob("passed-*")}

    def wait_until_reached(self, seconds: float = _PATIENCE) -> bool:
        """Wait until it is at its point; False where it ended without having been there."""
        until = time.monotonic() + seconds
        while not self.reached and not self.over and time.monotonic() < until:
            time.sleep(0.005)
        return self.reached

    def open_gate(self) -> None:
        """Let it go on from the point where it waits."""
        (self.folder / "go").touch()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens where it has ended."""
        self._launcher.signal(self.pid, number)

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")


class Launcher:
    """The process that forks victims."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._started: Queue[int] = Queue()
        self._ended: dict[int, int] = {}
        self._change = threading.Condition()
        self._numbers = itertools.count(1)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        traces: Path,
        settings: dict[str, str],
        orders: Orders,
        rehearsal: bool = False,
    ) -> Victim:
        """Start `mlgroup-mail` with these arguments in `folder`; what it prints goes into a folder in `traces`.

        A rehearsal runs in the launcher itself, so that whoever is started later need not load anything.
        """
        own = traces / f"{next(self._numbers):04}-{next(word for word in arguments if not word.startswith('-'))}"
        own.mkdir(parents=True)
        for name in ("out", "err"):
            # It may die before it can make them.
            (own / name).touch()
        marked = replace(orders, marks=str(own))
        self._ask(
            {
                "arguments": list(arguments),
                "folder": str(folder),
                "environment": {**settings, VARIABLE: marked.as_text()},
                "out": str(own / "out"),
                "err": str(own / "err"),
                "rehearsal": rehearsal,
            }
        )
        return Victim(self, self._started_pid(), own)

    def wait_for(self, pid: int, seconds: float) -> int | None:
        with self._change:
            self._change.wait_for(lambda: pid in self._ended, timeout=seconds)
            return self._ended.get(pid)

    def signal(self, pid: int, number: signal.Signals) -> None:
        self._ask({"pid": pid, "signal": int(number)})

    def _started_pid(self) -> int:
        pid = self._started.get(timeout=_PATIENCE)
        if pid == _NOBODY:
            raise RuntimeError("the launcher has ended; what it has printed says why")
        return pid

    def _ask(self, request: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            answer = json.loads(line)
            if "pid" in answer:
                # A number may come again: what the former process left is no longer asked for.
                with self._change:
                    self._ended.pop(answer["pid"], None)
                self._started.put(answer["pid"])
            else:
                with self._change:
                    self._ended[answer["ended"]] = answer["status"]
                    self._change.notify_all()
        self._started.put(_NOBODY)

    def close(self) -> None:
        """End it, and whatever it has started."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._reader.join(timeout=30)
        self._process.stdout.close()


@contextmanager
def launcher() -> Iterator[Launcher]:
    """A running launcher."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.victim", "serve"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    running = Launcher(process)
    try:
        yield running
    finally:
        running.close()
