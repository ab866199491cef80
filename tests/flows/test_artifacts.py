"""What people see in Prefect: readable tables, whatever stands in the cells."""

import re
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt


@pytest.fixture(scope="module")
def artifacts() -> ModuleType:
    """The module, imported once Prefect's settings are a test's own."""
    from flows import artifacts

    return artifacts


cells = st.lists(st.text(max_size=12) | st.integers(min_value=0), min_size=2, max_size=2)


@given(st.lists(cells, min_size=1, max_size=8))
def test_every_row_of_a_table_is_one_row_on_the_page(artifacts: ModuleType, rows: list[list[object]]) -> None:
    html = MarkdownIt("commonmark").enable("table").render(artifacts.table(["left", "right"], rows))

    assert html.count("<tr>") == len(rows) + 1
    assert html.count("<td") == 2 * len(rows)


def test_a_cell_shows_what_it_holds(artifacts: ModuleType) -> None:
    html = MarkdownIt("commonmark").enable("table").render(artifacts.table(["a"], [["<b>1 | 2\\3</b>"]]))

    assert "<td>&lt;b&gt;1 | 2\\3&lt;/b&gt;</td>" in html


def test_a_long_table_is_cut_and_says_how_much_is_missing(artifacts: ModuleType) -> None:
    text = artifacts.table(["number"], [[number] for number in range(1203)])

    assert "| 199 |" in text
    assert "| 200 |" not in text
    assert text.endswith("… and 1,003 more.")


@given(st.text(max_size=30), st.text(max_size=30))
def test_keys_are_such_as_prefect_takes(artifacts: ModuleType, what: str, about: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", artifacts.key(f"x{what}", about))
