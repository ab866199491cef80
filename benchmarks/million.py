"""How planning and sending grow with the list, and how long an opt-out waits meanwhile.

`make bench` takes 100,000 people and windows of 20. A million, of whom the documentation speaks, take some ten minutes:
`.venv/bin/python -m benchmarks.million 1000000`. More numbers are sizes of windows; each has a mailing of its own.
"""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
PLANNING_SECONDS = 60.0
"""How long a million may take to be planned."""
OPT_OUT_MILLISECONDS = 50.0
LINEAR, FLAT = 1.5, 1.25
"""How much more processor time the last tenth may take than the first, and memory at the end than half-way."""
_ALONE, _PLANNING, _SENDING = range(3)
"""Whose turn it is to click (`million_steps.opt_out`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """A step of a mailing: how many people it was, and the seconds from its very begin to its end (`whole`).

    For each tenth the seconds till then, those of the processor (`busy`, which others on the machine do not lengthen),
    and the memory.
    """

    name: str
    people: int
    whole: float
    seconds: list[float]
    busy: list[float]
    megabytes: list[float]

    @property
    def growth(self) -> float:
        """The last tenth's processor time to the first one's: 1 where time is linear."""
        return (self.busy[-1] - self.busy[-2]) / self.busy[0]

    @property
    def seconds_for_a_million(self) -> float:
        """What it takes to begin, which does not grow, and the rest, which does."""
        return self.whole - self.seconds[-1] + self.seconds[-1] / self.people * 1_000_000

    @property
    def swelling(self) -> float:
        """Memory at the end to that half-way, when SQLite's cache of 64 MB is full: 1 where it is flat."""
        return self.megabytes[-1] / self.megabytes[4]

    @property
    def figure(self) -> Figure:
        """The rate of all."""
        return Figure(
            name=self.name,
            rate=self.people / self.seconds[-1],
            against="its last tenth, to the first",
            ratio=self.growth,
            megabytes=max(self.megabytes),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Check:
    """What was promised, and what was found."""

    what: str
    found: float
    most: float

    @property
    def kept(self) -> bool:
        """Whether it was."""
        return self.found <= self.most


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waits:
    """How long opt-outs took until they were durable while something else went on, in milliseconds."""

    meanwhile: str
    milliseconds: list[float]

    @property
    def cells(self) -> list[str]:
        """For a table."""
        found = self.milliseconds
        percentile = statistics.quantiles(found, n=100, method="inclusive")[-1]
        return [
            self.meanwhile,
            f"{len(found):,}",
            *(f"{each:.0f}" for each in (statistics.median(found), percentile, max(found))),
        ]


def run(people: int = PEOPLE, *windows: int) -> list[Figure]:
    """Plan and send a mailing to so many people for each size of window, and opt others out meanwhile."""
    ways, waits = _measure(people, windows or (WINDOW,))
    _show(ways, waits)
    _show_checks(_checks(ways, waits))
    return [way.figure for way in ways]


def main(people: int = PEOPLE, *windows: int) -> int:
    """The same, by itself; returns 1 where a promise was not kept, which on a busy machine need not mean much."""
    ways, waits = _measure(people, windows or (WINDOW,))
    checks = _checks(ways, waits)
    _show(ways, waits)
    _show_checks(checks)
    return int(not all(check.kept for check in checks))


def _measure(people: int, windows: Sequence[int]) -> tuple[list[_Way], list[_Waits]]:
    with tempfile.TemporaryDirectory() as name, progress_bar(f"{people:,} people", total=2 + 2 * len(windows)) as tell:
        folder = Path(name)
        source = ledgers.make_ledger(folder, map(_person, range(people)))
        refs = [MailingRef("newsletter", f"windows-of-{window}") for window in windows]
        for ref in refs:
            ledgers.approve(ledgers.open_ledger(folder), folder, source, ref)
        tell(advance=1)
        with _opting_out(folder, _ALONE) as alone:
            time.sleep(ALONE_SECONDS)
        tell(advance=1)
        ways: list[_Way] = []
        with _opting_out(folder, _PLANNING) as while_planning:
            for ref in refs:
                ways.append(_run(f"planned, {people:,}", people, folder, ref, 0))
                tell(advance=1)
        with _opting_out(folder, _SENDING) as while_sending:
            for ref, window in zip(refs, windows, strict=True):
                ways.append(_run(f"sent, {people:,} in windows of {window}", people, folder, ref, window))
                tell(advance=1)
    waits = [
        _Waits(meanwhile="nothing else goes on", milliseconds=alone),
        _Waits(meanwhile="while a mailing is planned", milliseconds=while_planning),
        _Waits(meanwhile="while a mailing is sent", milliseconds=while_sending),
    ]
    return ways, waits


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
def _opting_out(folder: Path, turn: int) -> Iterator[list[float]]:
    """Opt people out from another process, one after the other; the list holds their waits afterwards."""
    end, waits = folder / "end", list[float]()
    end.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.million_steps.opt_out", folder, end, str(turn)]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as process:
        try:
            yield waits
        finally:
            end.touch()
        assert process.stdout is not None
        waits += json.loads(process.stdout.read())["waits"]


def _checks(ways: Sequence[_Way], waits: Sequence[_Waits]) -> list[_Check]:
    planning = [way for way in ways if way.name.startswith("planned")]
    sending = [way for way in ways if way not in planning]
    return [
        *(
            _Check(
                what=f"{way.name}: seconds for a million",
                found=way.seconds_for_a_million,
                most=PLANNING_SECONDS,
            )
            for way in planning
        ),
        *(
            _Check(
                what=f"an opt-out {each.meanwhile}: longest ms", found=max(each.milliseconds), most=OPT_OUT_MILLISECONDS
            )
            for each in waits[1:]
        ),
        *(
            _Check(what=f"{way.name}: its last tenth's processor time, to the first", found=way.growth, most=LINEAR)
            for way in sending
        ),
        *(_Check(what=f"{way.name}: memory at the end, to half-way", found=way.swelling, most=FLAT) for way in ways),
    ]


def _show(ways: Sequence[_Way], waits: Sequence[_Waits]) -> None:
    show_table(
        ["what", *(f"{tenth * 10} %" for tenth in range(1, 11)), "whole"],
        [
            [
                way.name,
                *(f"{till - since:.1f}" for since, till in zip([0.0, *way.seconds], way.seconds, strict=False)),
                f"{way.whole:.1f}",
            ]
            for way in ways
        ],
        title="Seconds for each tenth of the people",
    )
    show_table(
        ["what", *(f"{tenth * 10} %" for tenth in range(1, 11))],
        [[way.name, *(f"{each:,.0f}" for each in way.megabytes)] for way in ways],
        title="Memory at each tenth, in MB",
    )
    show_table(
        ["one opt-out after the other", "number", "median ms", "99 of 100 ms", "longest ms"],
        [each.cells for each in waits],
        title="How long an opt-out takes until it is durable",
    )


def _show_checks(checks: Sequence[_Check]) -> None:
    show_table(
        ["", "what was promised", "found", "at most"],
        [["pass" if check.kept else "FAIL", check.what, f"{check.found:.2f}", f"{check.most:g}"] for check in checks],
        title="What a million must show",
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
