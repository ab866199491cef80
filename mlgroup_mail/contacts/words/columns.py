"""Which column holds what: by the names that columns usually have, or by a mapping."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import wordlist
from mlgroup_mail.errors import ContactSourceError

_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WHOSE = re.compile(r"^(?:contact|member|participant|attendee|person|your|subscriber|votre|ihre?|su|tu) (?:s )?")

_DATED = re.compile(r"\b(?:on|at|since|date|time|am|le|fecha|data)\b|datum\b")
_YEAR = re.compile(r" ((?:19|20)\d\d)$")


def recognised(header: Sequence[str], mapping: Mapping[Field, str]) -> dict[Field, int]:
    """The position of each field's column in a header row: the mapped ones that are there, then the usual names.

    Where several columns fit a field, the clearest name wins, then the leftmost. A field mapped to "" is not read.
    """
    labels = [_label(cell) for cell in header]
    exact = {cell.strip(): position for position, cell in reversed([*enumerate(header)])}
    loose = {label: position for position, label in reversed([*enumerate(labels)]) if label}
    found: dict[Field, int] = {}
    for field, label in mapping.items():
        position = exact.get(label.strip(), loose.get(_label(label)))
        if label and position is not None:
            found[field] = position
    taken = set(found.values())
    ranked: dict[Field, tuple[int, int]] = {}
    for position, label in enumerate(labels):
        if position in taken or (known := _known(label)) is None:
            continue
        field, rank = known
        meant = _beside(label, field, set(labels))
        if meant and meant not in mapping and (rank, position) < ranked.get(meant, (rank + 1, 0)):
            ranked[meant] = (rank, position)
    return found | {field: position for field, (_, position) in ranked.items()}


def tells_when(header: str) -> bool:
    """Whether a column's name asks for a time ("Unsubscribed on"), not for yes or no."""
    return _DATED.search(_label(header)) is not None


def require(found: Mapping[Field, int], header: Sequence[str], mapping: Mapping[Field, str], *, where: str) -> None:
    """Raise ContactSourceError where a mapped column, or any column of addresses, is missing from the header."""
    present = ", ".join(f"“{cell.strip()}”" for cell in header if cell.strip()) or "none"
    for field, label in mapping.items():
        if label and field not in found:
            raise ContactSourceError(
                f"there is no column “{label}”, which contacts.toml names for {field}",
                where=where,
                mend=f"Columns here: {present}. Correct “columns” of this source, or the file.",
            )
    if Field.EMAIL not in found:
        raise ContactSourceError(
            "no column holds mail addresses",
            where=where,
            mend=f'Columns here: {present}. Name one of them “Email”, or map it: columns = {{ email = "..." }}.',
        )


@cache
def usual_names() -> dict[str, tuple[Field, int]]:
    """Every usual name of a column with its field, and how clear it is: 0 for the clearest of a field."""
    names = wordlist("column_names")
    return {name: (field, rank) for field in Field for rank, name in enumerate(names[field.value])}


def _known(label: str) -> tuple[Field, int] | None:
    """The field of a label, also behind a word that only says whose it is ("Contact's country")."""
    names = usual_names()
    if label in names:
        return names[label]
    if (year := _YEAR.search(label)) and (known := _known(label[: year.start()])) and known[0] is Field.STATUS:
        # Of the statuses of several years, the last is the clearest.
        return Field.STATUS, 10_000 - int(year[1])
    field, rank = names.get(_WHOSE.sub("", label), (None, 0))
    return (field, rank + len(names)) if field else None


def _beside(label: str, field: Field, labels: set[str]) -> Field | None:
    """What a label means beside the others; None where it is nothing that we read."""
    for rule in wordlist("column_names")["beside"]:
        if label in rule["names"] and not labels.isdisjoint(rule["others"]):
            return Field(rule["field"]) if rule["field"] else None
    return field


@cache
def _label(cell: str) -> str:
    """A header for comparing: what stands in brackets ("Email (work)", "Name (required)") says nothing."""
    words = _HUMP.sub(" ", cell)
    return plain(_BRACKETS.sub(" ", words)) or plain(words)
