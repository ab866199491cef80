"""Checking tables that people wrote against what may stand there."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mlgroup_mail.documents.slips import Slip, slips_of
from mlgroup_mail.documents.toml_lines import KeyPath
from mlgroup_mail.errors import ConfigurationError, MailError, Problem

M = TypeVar("M", bound=BaseModel)
Refusal = type[ConfigurationError] | type[MailError]


_VERBS = ("is ", "has ", "must ", "needs ", "stands ", "begins ")
"""With these a message goes on behind the key that it is about."""


class Document(BaseModel):
    """A table in a file that people write: unknown keys are errors, so that a slip never passes in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def validate(
    model: type[M],
    data: Mapping[str, Any],
    *,
    where: str | Callable[[KeyPath], str],
    refusal: Refusal = ConfigurationError,
    table: str = "",
) -> M:
    """Check one table against its model; raises `refusal` naming every wrong key and what may stand there.

    `where` names the file, or gives file and line for the path of a key. `table` is what the table is called where
    it stands in another.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = slips_of(error.errors(include_url=False, include_input=False), data)
    unknown = {slip.path for slip in found if slip.unknown}
    problems = []
    for slip in found:
        if slip.missing and _misspelt(slip, unknown):
            continue
        problems.append(_problem(model, slip, found, where, table))
    raise refusal.of(problems)


def _misspelt(missing: Slip, unknown: set[KeyPath]) -> bool:
    """Whether a key that is missing stands there after all, with a slip in its name."""
    beside = [str(path[-1]) for path in unknown if path[:-1] == missing.path[:-1]]
    return any(_near(key, [missing.key]) for key in beside)


def _problem(
    model: type[BaseModel], slip: Slip, found: list[Slip], where: str | Callable[[KeyPath], str], table: str
) -> Problem:
    place, key = where if isinstance(where, str) else where(slip.path), slip.name(table)
    if slip.missing:
        return Problem(message=f"the key “{key}” is missing", where=place, mend=f"Add a line: {slip.key} = ...")
    if slip.unknown:
        missing = [other.key for other in found if other.missing and other.path[:-1] == slip.path[:-1]]
        mend = _known_keys(model, slip, missing)
        return Problem(message=f"the key “{key}” is not known here", where=place, mend=mend)
    colon = "" if slip.message.startswith(_VERBS) else ":"
    message = f"“{key}”{colon} {slip.message}" if key else slip.message
    return Problem(message=message, where=place, mend=slip.mend)


def _known_keys(model: type[BaseModel], slip: Slip, missing: list[str]) -> str:
    inner = _model_at(model, slip.path[:-1])
    known = [field.alias or name for name, field in inner.model_fields.items()] if inner else []
    # A key that is missing is more likely to be meant than one that stands there.
    if near := _near(slip.key, missing) or _near(slip.key, known):
        return f"Did you mean “{near}”?"
    return f"Known keys: {', '.join(known)}." if known else ""


def _near(key: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(key, known, n=1)), "")


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model that a path of keys leads to, so that a mend can name that table's keys."""
    for key in path:
        if key not in model.model_fields:
            continue
        inner = _inner_model(model.model_fields[str(key)].annotation)
        if inner is None:
            return None
        model = inner
    return model


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if found := _inner_model(part):
            return found
    return None
