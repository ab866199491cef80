"""One cell and its reading."""

from dataclasses import dataclass

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.readings import Value, Vocabulary


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell of a field's column, and the value it is read as.

    `reason` is a part of what is noted, "" where nothing is; `dropped` what was left out of the value: where it is
    None, the whole cell of which nothing was kept. `first_name` is what a greeting takes from a full name, None for
    other fields. `opts_out` tells whether the value is an opt-out signal.
    """

    field: Field
    cell: str
    value: Value
    reason: str = ""
    dropped: str | None = None
    first_name: str | None = None
    opts_out: bool = False


WORDS = Vocabulary(
    topics={
        "newsletter": "Monthly newsletter",
        "meetings": "All-group meetings",
        "coffee-coding": "Coffee & Coding sessions",
        "calls": "Calls for proposals",
        "board": "Updates to the Executive Board",
    },
    themes={"mlops": "MLOps", "web-data": "Web data", "imagery": "Images and maps"},
    default_topics=frozenset({"newsletter", "meetings", "coffee-coding", "calls"}),
)
"""The topics and themes of the project whose cells these are."""
