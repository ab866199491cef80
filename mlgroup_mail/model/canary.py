"""Canaries: addresses of the team that ride along with each mailing."""

from dataclasses import dataclass
from enum import StrEnum


class CanaryPlace(StrEnum):
    """When a canary's turn is."""

    FIRST = "first"
    """In a batch of their own before everybody else's: the team sees it before the others do."""
    LAST = "last"
    """In a batch of their own after everybody else's: the team sees when it is through."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """One of them as `mlgroup.toml` has it: the address as written, and what the mail says of its reader."""

    place: CanaryPlace
    address: str
    name: str = ""
    first_name: str = ""
    organisation: str = ""
    country: str = ""
    timezone: str = ""
    language: str = ""
