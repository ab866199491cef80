"""Files as texts, TOML, and checked tables."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from mlgroup_mail.documents.toml_lines import line_of
from mlgroup_mail.documents.toml_slips import toml_slip
from mlgroup_mail.documents.validating import Refusal, validate
from mlgroup_mail.errors import ConfigurationError

M = TypeVar("M", bound=BaseModel)


def parse_toml(text: str, *, where: str, refusal: Refusal = ConfigurationError, first_line: int = 1) -> dict[str, Any]:
    """Parse TOML; raises `refusal` with file and line. `first_line` is the file's line on which `text` begins."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise refusal("tables stand in tables, hundreds deep", where=where) from None
    except tomllib.TOMLDecodeError as error:
        slip = toml_slip(str(error), text)
        raise refusal(
            f"this is not valid TOML: {slip.message}",
            where=f"{where}, line {slip.line + first_line - 1}",
            mend=slip.mend,
        ) from None


def read_document(model: type[M], path: Path, *, refusal: Refusal = ConfigurationError) -> M:
    """Read a TOML file and check it against its model; raises `refusal` naming file, line, keys and mends."""
    text = read_text(path, refusal=refusal)
    data = parse_toml(text, where=str(path), refusal=refusal)
    return validate(model, data, where=lambda keys: f"{path}, line {line_of(text, keys)}", refusal=refusal)


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
