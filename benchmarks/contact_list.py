"""A list of a million people: cleaned and selected, and stored, each in a process of its own.

Beside it runs the shortest script that does something like it: it reads, trims, lowers, matches one pattern, drops
duplicates and those who opted out.
"""

import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import ROUNDS, Figure
from mlgroup_mail.cli.progress_bar import progress_bar

PEOPLE = 1_000_000
FEW = 10_000
OPT_OUTS = 100_000
_FIRST = ("Ana", "Boris", "Chloé", "Dmitri", "Elena", "François", "Grete", "Hiro", "João", "Søren", "Tomáš", "Zoë")
_LAST = ("Costa", "Novák", "Müller", "Smith", "Garcia", "Rossi", "Jensen", "Kowalski", "Tanaka", "Okafor", "Haddad")
_COUNTRIES = ("France", "Germany", "Polska", "Italy", "España", "PT", "Netherlands", "Deutschland", "Suisse", "Canada")
_HEADER = ("Email", "Name", "Organisation", "Country", "Time zone", "Language", "Status", "Topics")
_STEPS = Path(__file__).parent / "contact_list_steps"


def run() -> list[Figure]:
    """People a second through each step, as ratios to the shortest script."""
    with tempfile.TemporaryDirectory() as name, progress_bar("a million contacts", total=3 * ROUNDS) as tell:
        folder = Path(name)
        rounds: dict[str, list[dict[str, float]]] = {"shortest": [], "ours": [], "few": []}
        many, few = _write_list(folder / "many.csv", PEOPLE), _write_list(folder / "few.csv", FEW)
        opted_out = _write_opt_outs(folder / "opted-out.csv")
        for _ in range(ROUNDS):
            for way, step, people in (
                ("shortest", "shortest.py", many),
                ("ours", "ours.py", many),
                ("few", "ours.py", few),
            ):
                rounds[way].append(_run(step, people, opted_out))
                tell(advance=1)
    shortest, ours, few_people = rounds["shortest"], rounds["ours"], rounds["few"]
    base = "the shortest script"
    return [
        _figure("people cleaned and selected", ours, "selected", PEOPLE, base, shortest, PEOPLE),
        _figure("the same, of 10,000", few_people, "selected", FEW, "a million", ours, PEOPLE),
        _figure("people stored", ours, "stored", PEOPLE, base, shortest, PEOPLE),
        _figure("opt-outs imported", ours, "imported", OPT_OUTS, base, shortest, PEOPLE),
        _figure(base, shortest, "selected", PEOPLE, "", shortest, PEOPLE),
    ]


def _figure(
    name: str,
    mine: list[dict[str, float]],
    step: str,
    count: int,
    against: str,
    theirs: list[dict[str, float]],
    their_count: int,
) -> Figure:
    rates = [count / each[step] for each in mine]
    others = [their_count / each["selected"] for each in theirs]
    ratio = statistics.median(rate / other for rate, other in zip(rates, others, strict=True))
    return Figure(
        name=name,
        rate=statistics.median(rates),
        against=against,
        ratio=ratio if against else 0.0,
        megabytes=max(each["megabytes"] for each in mine),
    )


def _run(step: str, people: Path, opted_out: Path) -> dict[str, float]:
    """One process; it tells its seconds for each step and its peak memory."""
    done = subprocess.run(
        [sys.executable, _STEPS / step, people, opted_out], check=True, capture_output=True, text=True, timeout=600
    )
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def _write_list(path: Path, count: int) -> Path:
    """A list as offices keep it: one row in ten is untidy, one in a hundred is there twice or has no address."""
    choose = random.Random(7)  # The same list each time.
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_HEADER)
        for number in range(count):
            person = number - (number % 100 == 99)
            first, last, address = _person(person)
            untidy = (f" {address} ", address.upper(), f"mailto:{address}", f"{first} <{address}>", address)
            cell = "no address" if number % 100 == 54 else untidy[min(number % 50, 4)]
            office, country = f"Statistics Office {choose.randrange(3000)}", choose.choice(_COUNTRIES)
            language, status = choose.choice(("en", "fr", "de")), choose.choice(("member", "member", "lead"))
            rows.writerow([cell, f"{first} {last}", office, country, "Europe/Paris", language, status, ""])
    return path


def _write_opt_outs(path: Path) -> Path:
    """Every tenth of them."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Email"])
        rows.writerows([_person(number)[2].lower()] for number in range(0, PEOPLE, PEOPLE // OPT_OUTS))
    return path


def _person(number: int) -> tuple[str, str, str]:
    """First name, family name and address."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
    plain = last.encode("ascii", "ignore").decode()
    return first, last, f"{first[:1]}.{plain}{number}@stat{number % 5000}.example"
