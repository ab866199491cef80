"""The page about testing: its examples run, and its tables name what there is."""

import pytest

from mlgroup_mail.testing.sendgrid import Trouble
from mlgroup_mail.testing.sendgrid.control import PREFIX, orders
from tests.docs.pages import ROOT, blocks

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
EXAMPLES = [block.text for block in blocks(PAGE) if block.language == "python"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs(example: str) -> None:
    exec(compile(example, "docs/testing.md", "exec"), {})


def test_every_trouble_and_every_order_has_its_row() -> None:
    for trouble in Trouble:
        assert f"| `{trouble}` |" in PAGE
    for method, name in orders():
        assert f"`{method} {PREFIX}{name}`" in PAGE
