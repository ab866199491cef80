"""What pydantic found wrong in a table, in our words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlgroup_mail.documents.toml_lines import KeyPath

_WANTED: dict[str, str] = {
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "date_type": "a date",
    "date_parsing": "a date",
    "date_from_datetime_parsing": "a date",
    "date_from_datetime_inexact": "a date",
    "datetime_type": "a date and time",
    "datetime_parsing": "a date and time",
    "datetime_from_date_parsing": "a date and time",
    "timezone_aware": "a date and time with its zone, such as 2021-11-02T09:00:00Z",
    "list_type": "a list",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a table",
    "mapping_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": "a path in quotes",
    "none_required": "left out",
}
"""By pydantic's names of errors: what should stand there."""

_BOUNDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_too_short": lambda ctx: _at_least(ctx["min_length"], "character"),
    "string_too_long": lambda ctx: f"has more than {_counted(ctx['max_length'], 'character')}",
    "string_pattern_mismatch": lambda _: "has a form that is not known here",
    "too_short": lambda ctx: f"needs {_counted(ctx['min_length'], 'entry')} at least",
    "too_long": lambda ctx: f"has more than {_counted(ctx['max_length'], 'entry')}",
    "greater_than": lambda ctx: f"must be more than {ctx['gt']}",
    "greater_than_equal": lambda ctx: f"must be {ctx['ge']} or more",
    "less_than": lambda ctx: f"must be less than {ctx['lt']}",
    "less_than_equal": lambda ctx: f"must be {ctx['le']} or less",
    "enum": lambda ctx: f"must be one of {_listed(ctx['expected'])}",
    "literal_error": lambda ctx: f"must be one of {_listed(ctx['expected'])}",
}
"""By pydantic's names of errors: what is wrong with a value of the right kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slip:
    """One thing that is wrong with one key: it is `missing`, or `unknown`, or its value is not what may stand there."""

    path: KeyPath
    message: str = ""
    mend: str = ""
    missing: bool = False
    unknown: bool = False

    @property
    def key(self) -> str:
        """The key as written, without the tables around it; "" for a table as a whole."""
        return str(self.path[-1]) if self.path and isinstance(self.path[-1], str) else ""

    def name(self, table: str) -> str:
        """The key with the tables around it, `table` around them all; within one of a list, those in that one."""
        names = [table, *map(str, self.path)] if table else list(map(str, self.path))
        last = max((index for index, part in enumerate(self.path) if isinstance(part, int)), default=-1)
        return ".".join(names if last < 0 else names[last - len(self.path) + 1 :] if last + 1 < len(self.path) else [])


def slips_of(errors: Iterable[Any], data: Mapping[str, Any]) -> list[Slip]:
    """Each thing that is wrong, once; `errors` are those of a pydantic ValidationError about `data`."""
    by_path: dict[KeyPath, list[Any]] = {}
    for error in errors:
        by_path.setdefault(_path(error, data), []).append(error)
    # Of a value that may be this or that, pydantic tells for each why it is not: what lies deepest is meant.
    inner = [path for path in by_path if not any(_within(other, path) for other in by_path)]
    return [_slip(path, by_path[path], _value_at(data, path)) for path in inner]


def _path(error: Any, data: Any) -> KeyPath:
    """The keys and indexes that lead to an error, without pydantic's own names for the kinds it tried."""
    path: list[str | int] = []
    for index, part in enumerate(error["loc"]):
        if (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        ):
            path.append(part)
            data = data[part]
        elif error["type"] == "missing" and index == len(error["loc"]) - 1:
            path.append(part)
    # Of an entry in a list that is no table, people know the list's name.
    while path and isinstance(path[-1], int) and not isinstance(data, Mapping):
        path.pop()
    return tuple(path)


def _within(inner: KeyPath, outer: KeyPath) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer and outer != ()


def _value_at(data: Any, path: KeyPath) -> Any:
    for part in path:
        if not isinstance(data, Mapping | list) or (isinstance(data, Mapping) and part not in data):
            return None
        data = data[part]  # type: ignore[index]
    return data


def reason_of(error: Any) -> str:
    """What one of pydantic's errors says of a value, without naming it."""
    wanted = _WANTED.get(error["type"])
    return f"must be {wanted}" if wanted else _reason(error)


def _slip(path: KeyPath, errors: list[Any], value: Any) -> Slip:
    kinds = [error["type"] for error in errors]
    if "missing" in kinds:
        return Slip(path=path, missing=True)
    if "extra_forbidden" in kinds:
        return Slip(path=path, unknown=True)
    told = next((error for error in errors if error["type"] not in _WANTED), None)
    if told is None:
        return _wrong_kind(path, list(dict.fromkeys(_WANTED[kind] for kind in kinds)), value)
    return Slip(path=path, message=_reason(told))


def _reason(error: Any) -> str:
    if error["type"] in _BOUNDS:
        return _BOUNDS[error["type"]](error.get("ctx", {}))
    if error["type"] in ("value_error", "assertion_error"):
        message = str(error["ctx"]["error"])
        return f"{message[:1].lower()}{message[1:]}"
    return "this cannot stand here"


def _wrong_kind(path: KeyPath, wanted: list[str], value: Any) -> Slip:
    name = path[-1] if path else ""
    if wanted == ["a list"] and isinstance(value, Mapping):
        return Slip(path=path, message="stands in single brackets", mend=f"Write [[{name}]]: there may be several.")
    if wanted == ["a table"] and isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
        return Slip(path=path, message="stands in double brackets", mend=f"Write [{name}]: there is one of it.")
    if wanted == ["a list"] and isinstance(value, str):
        return Slip(path=path, message="must be a list", mend=f'Write it in brackets: {name} = ["..."].')
    *first, last = wanted
    return Slip(path=path, message=f"must be {', '.join(first)} or {last}" if first else f"must be {last}")


def _at_least(number: int, noun: str) -> str:
    return "is empty" if number == 1 else f"needs {_counted(number, noun)} at least"


def _counted(number: int, noun: str) -> str:
    plural = noun.removesuffix("y") + "ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _listed(expected: str) -> str:
    """'a', 'b' or 'c' as pydantic lists them, without its quotes."""
    return expected.replace("'", "")
