"""Reading what people write in TOML: every error names file, place, key and mend."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mlgroup_mail.errors import ConfigurationError, MailError

M = TypeVar("M", bound=BaseModel)
Refusal = type[ConfigurationError] | type[MailError]


class Document(BaseModel):
    """A table in a file that people write: unknown keys are errors, so that a slip never passes in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def parse_toml(text: str, *, where: str, refusal: Refusal = ConfigurationError, first_line: int = 1) -> dict[str, Any]:
    """Parse TOML; raises `refusal` with file and line. `first_line` is the file's line on which `text` begins."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise refusal("tables stand in tables, hundreds deep", where=where) from None
    except tomllib.TOMLDecodeError as error:
        reason, line = str(error), len(text.splitlines()) or 1
        if "(at line " in reason:
            reason, _, place = reason.partition(" (at line ")
            line = int(place.split(",")[0])
        raise refusal(
            f"this is not valid TOML: {reason[:1].lower()}{reason[1:]}",
            where=f"{where}, line {line + first_line - 1}",
            mend="Texts stand in quotes, keys and values are joined by “=”, tables stand in [brackets].",
        ) from None


def read_toml(path: Path, *, refusal: Refusal = ConfigurationError) -> dict[str, Any]:
    """Read a TOML file as UTF-8; raises `refusal` naming the file and line."""
    return parse_toml(read_text(path, refusal=refusal), where=str(path), refusal=refusal)


def read_text(path: Path, *, refusal: Refusal = ConfigurationError, where: str = "") -> str:
    """Read a text file as UTF-8, with or without a byte order mark; raises `refusal` naming the file.

    `where` is what people are shown of its path.
    """
    where = where or str(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise refusal("this file is missing", where=where) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise refusal(
            "this is not UTF-8", where=f"{where}, line {line}", mend="Save the file as UTF-8 and try again."
        ) from None
    except OSError as error:
        raise refusal(f"this file cannot be read: {error.strerror}", where=where) from None


def validate(
    model: type[M], data: Mapping[str, Any], *, where: str, refusal: Refusal = ConfigurationError, table: str = ""
) -> M:
    """Check one table against its model; raises `refusal` naming the first wrong key and what may stand there."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        keys = [str(part) for part in first["loc"]]
        key = ".".join([*([table] if table else []), *keys])
        raise refusal(_reason(first, key), where=where, mend=_mend(model, first, keys)) from None


def _reason(error: Any, key: str) -> str:
    kind = error["type"]
    if kind == "missing":
        return f"the key “{key}” is missing"
    if kind == "extra_forbidden":
        return f"the key “{key}” is not known here"
    if kind == "string_too_short" and error["ctx"]["min_length"] == 1:
        return f"“{key}” is empty"
    message = error["msg"].removeprefix("Value error, ")
    return f"“{key}”: {message[:1].lower()}{message[1:]}"


def _mend(model: type[BaseModel], error: Any, keys: list[str]) -> str:
    if error["type"] == "missing":
        return f"Add “{keys[-1]} = ...”."
    if error["type"] != "extra_forbidden":
        return ""
    inner = _model_at(model, keys[:-1])
    known = [field.alias or name for name, field in inner.model_fields.items()] if inner else []
    if near := difflib.get_close_matches(keys[-1], known, n=1):
        return f"Did you mean “{near[0]}”?"
    return f"Known keys: {', '.join(known)}." if known else ""


def _model_at(model: type[BaseModel], keys: list[str]) -> type[BaseModel] | None:
    """The model that a path of keys leads to, so that a mend can name that table's keys."""
    for key in keys:
        if key.isdigit() or key not in model.model_fields:
            continue
        inner = _inner_model(model.model_fields[key].annotation)
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
