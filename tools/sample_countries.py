"""The countries of the sample list, and the names that are usual there: data of `make_sample_list`."""

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Country:
    """How people of one country appear on the list.

    Names are written "own script=latin" where the two differ; `family_first` is the order of names in the own script.
    """

    code: str
    shown: tuple[str, ...]
    people: int
    zones: tuple[str, ...]
    languages: tuple[str, ...]
    given: str
    family: str
    offices: tuple[str, ...]
    family_first: bool = False


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";"))


def _read() -> tuple[Country, ...]:
    """Those of the file beside this one; several values of a cell stand apart by ";"."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Country(
                code=row["code"],
                shown=_several(row["shown"]),
                people=int(row["people"]),
                zones=_several(row["zones"]),
                languages=_several(row["languages"]),
                given=row["given"],
                family=row["family"],
                offices=_several(row["offices"]),
                family_first=row["family_first"] == "yes",
            )
            for row in csv.DictReader(file)
        )


COUNTRIES = _read()
