"""What a person sees of a run in Prefect: tables of counts and reasons, never an address or a name."""

import re
from collections.abc import Iterable, Mapping, Sequence

from prefect.artifacts import acreate_markdown_artifact

from mlgroup_mail.addresses import mask_text


async def show(what: str, *parts: str, about: str = "", description: str = "") -> None:
    """Keep a page of this run. All runs' pages about the same thing stand under one key, `<what>-<about>`."""
    text = "\n\n".join(part for part in parts if part)
    await acreate_markdown_artifact(mask_text(text), key=key(what, about), description=mask_text(description) or None)


def key(what: str, about: str = "") -> str:
    """Prefect's keys are lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{what}-{about}".lower()).strip("-")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; empty where there are no rows. Numbers stand to the right."""
    lines = [[_cell(value) for value in row] for row in rows]
    if not lines:
        return ""
    right = [all(re.fullmatch(r"[\d,]+", line[index]) for line in lines) for index in range(len(columns))]
    rule = ["---:" if number else "---" for number in right]
    return "\n".join(f"| {' | '.join(line)} |" for line in [list(columns), rule, *lines])


def counts(reasons: Mapping[str, int], *, reason: str = "reason", number: str = "people") -> str:
    """A table of reasons, the most frequent first."""
    return table([reason, number], [[name, reasons[name]] for name in sorted(reasons, key=lambda name: -reasons[name])])


def bullets(lines: Iterable[str]) -> str:
    """A list of remarks."""
    return "\n".join(f"- {line}" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
