"""Each line of a rendered text knows its line in the author's file, and no mark of that is left in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.templates.rendering import Renderer
from mlgroup_mail.content.writing.markdown import value_in_markdown
from mlgroup_mail.content.writing.text_lines import LineMarks, TextLines, unmarked

PLACE = "campaigns/letter/campaign.md"


def lines_of(text: str, **values: object) -> TextLines:
    renderer = Renderer({PLACE: text}, language="en", finalize=value_in_markdown, extensions=[LineMarks])
    return unmarked(renderer.render(PLACE, values), place=PLACE)


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="{}#%")), min_size=1))
def test_a_text_without_jinja_stays_as_it_is(lines: list[str]) -> None:
    found = lines_of("\n".join(["first", *lines, "last"]))
    assert found.lines == ("first", *lines, "last")
    assert found.numbers == tuple(range(1, len(lines) + 3))


@pytest.mark.parametrize(
    ("text", "lines", "numbers"),
    [
        ("{% if true %}\nyes\n{% else %}\nno\n{% endif %}\nend", ("yes", "end"), (2, 6)),
        ("{% for x in [1, 2] %}\na{{ x }}\nb\n{% endfor %}\nend", ("a1", "b", "a2", "b", "end"), (2, 3, 2, 3, 5)),
        ("\n\n{# a\nremark #}\nend\n\n", ("end",), (5,)),
        ("a\n{{ v }}\nb", ("a", "x&#32;y", "b"), (1, 2, 3)),
        ("{{ v }} and\n{{ v }}", ("x&#32;y and", "x&#32;y"), (1, 2)),
        ("{% set s %}\none\ntwo\n{% endset %}\n{{ s }}\nend", ("one&#32;two&#32;", "end"), (5, 6)),
        ("a {%- if true %}\n\nb{% endif %}", ("a", "b"), (1, 3)),
    ],
)
def test_a_line_has_the_number_it_was_written_on(text: str, lines: tuple[str, ...], numbers: tuple[int, ...]) -> None:
    found = lines_of(text, v="x\ny")
    assert found.lines == lines
    assert found.numbers == numbers


def test_a_value_cannot_pretend_to_stand_elsewhere() -> None:
    found = lines_of("one\n{{ v }} two", v="\x0299\x03")
    assert found.numbers == (1, 2)
    assert "\x02" not in found.text
    assert found.where(1) == f"{PLACE}, line 2"


@pytest.mark.parametrize(
    "text",
    [
        '{% set region %}north{% endset %}{% if region == "north" %}yes{% endif %}',
        '{% set one = 1 %}{% set region %}north{% endset %}{{ "yes" if region == "north" }}',
        '{% macro hello() %}hello{% endmacro %}{{ "yes" if hello() == "hello" }}',
    ],
)
def test_what_a_text_captures_is_what_it_compares(text: str) -> None:
    assert lines_of(text).lines == ("yes",)
