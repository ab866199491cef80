"""What a person sees of a run in Prefect: tables of counts and reasons, never an address or a name."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from prefect.artifacts import acreate_markdown_artifact

from mlgroup_mail.addresses import mask_text

_MOST = 200
"""Lines of one table: whoever has more to mend does not mend them from here."""


async def show(what: str, *parts: str, about: str = "", description: str = "") -> None:
    """Keep a page of this run. All runs' pages about the same thing stand under one key, `<what>-<about>`."""
    text = "\n\n".join(part for part in parts if part)
    await acreate_markdown_artifact(mask_text(text), key=key(what, about), description=mask_text(description) or None)


def key(what: str, about: str = "") -> str:
    """Prefect's keys are lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{what}-{about}".lower()).strip("-")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; empty where there are no rows. Numbers stand to the right; long tables are cut."""
    lines = [[_cell(value) for value in row] for row in rows]
    if not lines:
        return ""
    right = [all(re.fullmatch(r"[\d,]+", line[index]) for line in lines) for index in range(len(columns))]
    rule = ["---:" if number else "---" for number in right]
    shown = [f"| {' | '.join(line)} |" for line in [list(columns), rule, *lines[:_MOST]]]
    return "\n".join([*shown, *_more(lines)])


def bullets(lines: Iterable[str]) -> str:
    """A list of remarks; a long one is cut."""
    found = list(lines)
    return "\n".join([*(f"- {_cell(line)}" for line in found[:_MOST]), *_more(found)])


def counted(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _more(lines: Sequence[object]) -> list[str]:
    return ["", f"… and {len(lines) - _MOST:,} more."] if len(lines) > _MOST else []


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else escape(" ".join(str(value).split()), quote=False)
    return text.replace("\\", "\\\\").replace("|", "\\|")
