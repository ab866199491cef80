"""The tables and diagrams that `docs/architecture.md` shows of the states, written from the code.

`python -m tests.docs.tables` brings the page up to date.
"""

import ast
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlgroup_mail.model import DeliveryState, DeliveryStep, MailingState, MailingStep, delivery, mailing
from tests.docs.pages import ROOT, generated, marks

PAGE = ROOT / "docs" / "architecture.md"

Transitions = Mapping[Any, StrEnum]


def deliveries() -> str:
    """States and steps of a delivery."""
    return _part(Path(delivery.__file__), DeliveryState, DeliveryStep, delivery.TRANSITIONS)


def mailings() -> str:
    """States and steps of a mailing."""
    return _part(Path(mailing.__file__), MailingState, MailingStep, mailing.TRANSITIONS)


PARTS: dict[str, Callable[[], str]] = {"deliveries": deliveries, "mailings": mailings}


def with_parts(markdown: str) -> str:
    """The page with every generated part as the code has it now."""
    for name, part in PARTS.items():
        begin, end = marks(name)
        markdown = markdown.replace(f"{begin}{generated(markdown, name)}{end}", f"{begin}{part()}{end}")
    return markdown


def _part(file: Path, states: type[StrEnum], steps: type[StrEnum], transitions: Transitions) -> str:
    meanings = _meanings(file)
    state_rows = [f"| `{state}` | {meanings[states.__name__, state.name]} |" for state in states]
    step_rows = [
        f"| `{before}` | `{step}` | `{after}` | {meanings[steps.__name__, step.name]} |"
        for (before, step), after in transitions.items()
    ]
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, step), after in transitions.items():
        arrows.setdefault((before, after), []).append(step)
    diagram = [f"    {before} --> {after}: {', '.join(named)}" for (before, after), named in arrows.items()]
    return "\n".join(
        [
            "",
            "```mermaid",
            "stateDiagram-v2",
            *diagram,
            "```",
            "",
            "| state | meaning |",
            "|---|---|",
            *state_rows,
            "",
            "| in | step | becomes | when |",
            "|---|---|---|---|",
            *step_rows,
            "",
            "",
        ]
    )


def _meanings(file: Path) -> dict[tuple[str, str], str]:
    """(class, member) -> the line of meaning that stands below the member."""
    found = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            for member, meaning in zip(node.body, node.body[1:], strict=False):
                if isinstance(member, ast.Assign) and isinstance(meaning, ast.Expr):
                    (name,) = member.targets
                    assert isinstance(name, ast.Name)
                    found[node.name, name.id] = " ".join(ast.literal_eval(meaning.value).split())
    return found


if __name__ == "__main__":
    PAGE.write_text(with_parts(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
