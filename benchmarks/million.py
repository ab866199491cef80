"""How planning and sending grow with the list, and how long an opt-out waits meanwhile.

`make bench` takes 100,000 people and windows of 20. A million, of whom the documentation speaks, in windows of 20 and
of 2 take about an hour: `.venv/bin/python -m benchmarks.million 1000000 20 2`.
"""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ledgers
from benchmarks.measuring import Figure
from mlgroup_mail.cli.output import show_table
from mlgroup_mail.cli.progress_bar import progress_bar
from mlgroup_mail.model import Contact, MailingRef

PEOPLE, WINDOW = 100_000, 20
ALONE_SECONDS = 5
_STEPS = Path(__file__).parent / "million_steps"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """A step of a mailing: how many people it was, and when each tenth was done, with the peak memory by then."""

    name: str
    people: int
    seconds: list[float]
    megabytes: list[float]

    @property
    def figure(self) -> Figure:
        """The rate of all; the ratio is the last tenth's rate to the first one's, 1 where time is linear."""
        return Figure(
            name=self.name,
            rate=self.people / self.seconds[-1],
            against="last tenth to first",
            ratio=self.seconds[0] / (self.seconds[-1] - self.seconds[-2]),
            megabytes=self.megabytes[-1],
        )


def run(people: int = PEOPLE, *windows: int) -> list[Figure]:
    """Plan and send a mailing to so many people for each size of window, and opt others out while planning."""
    windows = windows or (WINDOW,)
    with tempfile.TemporaryDirectory() as name, progress_bar(f"{people:,} people", total=2 + 2 * len(windows)) as tell:
        folder = Path(name)
        source = ledgers.make_ledger(folder, map(_person, range(people)))
        refs = [MailingRef("newsletter", f"windows-of-{window}") for window in windows]
        for ref in refs:
            ledgers.approve(ledgers.open_ledger(folder), folder, source, ref)
        tell(advance=1)
        with _opting_out(folder, first=1) as alone:
            time.sleep(ALONE_SECONDS)
        tell(advance=1)
        ways: list[_Way] = []
        meanwhile: list[float] = []
        for ref in refs:
            with _opting_out(folder, first=people // 2) as waits:
                ways.append(_run(f"planned, {people:,}", people, folder, ref, 0))
            meanwhile += waits
            tell(advance=1)
        for ref, window in zip(refs, windows, strict=True):
            ways.append(_run(f"sent, {people:,} in windows of {window}", people, folder, ref, window))
            tell(advance=1)
    _show(ways, alone=alone, meanwhile=meanwhile)
    return [way.figure for way in ways]


def _person(number: int) -> Contact:
    """Somebody whose address has nothing to do with their place on the list: the hard case for an index."""
    local = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()[:10]
    return Contact(
        address=f"{local}@stat{number % 5000}.example",
        name=f"Person {number}",
        first_name="Person",
        organisation=f"Statistics Office {number % 3000}",
        country="FR",
        language="en",
        source="all",
    )


def _run(name: str, people: int, folder: Path, ref: MailingRef, window: int) -> _Way:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.million_steps.mailing", folder, str(ref), str(window)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    return _Way(name=name, people=people, **json.loads(done.stdout))


@contextmanager
def _opting_out(folder: Path, *, first: int) -> Iterator[list[float]]:
    """Opt people out from another process, one after the other; the list holds their waits afterwards."""
    end, waits = folder / "end", list[float]()
    end.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.million_steps.opt_out", folder, end, str(first)]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as process:
        yield waits
        end.touch()
        assert process.stdout is not None
        waits += json.loads(process.stdout.read())["waits"]


def _show(ways: list[_Way], *, alone: list[float], meanwhile: list[float]) -> None:
    show_table(
        ["what", *(f"{tenth * 10} %" for tenth in range(1, 11)), "MB at 10, 50, 100 %"],
        [
            [
                way.name,
                *(f"{till - since:.1f}" for since, till in zip([0.0, *way.seconds], way.seconds, strict=False)),
                ", ".join(f"{way.megabytes[tenth]:,.0f}" for tenth in (0, 4, 9)),
            ]
            for way in ways
        ],
        title="Seconds for each tenth of the people",
    )
    show_table(
        ["one opt-out after the other", "number", "median ms", "99 of 100 ms", "longest ms"],
        [
            [
                name,
                f"{len(waits):,}",
                f"{statistics.median(waits):.0f}",
                f"{statistics.quantiles(waits, n=100)[-1]:.0f}",
                f"{max(waits):.0f}",
            ]
            for name, waits in (("nothing else goes on", alone), ("while a mailing is planned", meanwhile))
        ],
        title="How long an opt-out takes until it is durable",
    )


if __name__ == "__main__":
    for figure in run(*map(int, sys.argv[1:])):
        print(f"{figure.name}: {figure.rate:,.0f} a second, {figure.against} {figure.ratio:.2f}")
