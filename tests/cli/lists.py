"""A small stored list of people, for commands that look at it."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

from mlgroup_mail.shipped import shipped

HEADER = ("Id", "Email", "Name", "Organisation", "Country", "Status", "Topics", "Themes")
PEOPLE = (
    ("1", "anna@stats.example.org", "Anna Novak", "Office of Statistics", "CZ", "lead", "", "MLOps; Web data"),
    ("2", "ben@stats.example.org", "Ben Okoro", "Office of Statistics", "FR", "member", "newsletter", "Imagery"),
    ("3", "cleo@other.example", "Cleo Petit", "Institute", "FR", "member", "", ""),
    ("4", "dora@other.example", "Dora Lind", "Institute", "", "board", "", "MLOps"),
)
CONTACTS_TOML = """\
[[source]]
name = "members"
path = "members.csv"

[segment.members]
status = ["member", "lead"]

[segment.french]
segment = "members"
country = "France"

[segment.got-it]
accepted = "letter/issue"
"""


def listed_project(root: Path) -> Path:
    """A project with a list of four people, not yet pulled."""
    shutil.copy(shipped("mlgroup.toml"), root / "mlgroup.toml")
    (root / "contacts").mkdir()
    (root / "contacts" / "contacts.toml").write_text(CONTACTS_TOML, encoding="utf-8")
    write_people(root, PEOPLE)
    return root


def write_people(root: Path, people: Sequence[Sequence[str]]) -> None:
    """Replace the list."""
    with (root / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *people])
