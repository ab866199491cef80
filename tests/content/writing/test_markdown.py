"""A value put into a text is never read as Markdown."""

import html

from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.writing.markdown import escape_markdown, parser, value_back, value_in_markdown
from mlgroup_mail.content.writing.plain_text import to_text


def page(markdown: str) -> str:
    return str(parser().render(markdown))


# Blanks at the ends, control characters and entities belong to CommonMark's own rules, not to marks.
_VALUES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1).filter(
    lambda value: value == " ".join(value.split())
)


@given(_VALUES)
def test_a_value_in_a_text_comes_out_as_it_went_in(value: str) -> None:
    escaped = value_in_markdown(value)
    assert page(f"x {escaped} y") == f"<p>x {html.escape(value, quote=False).replace(chr(34), '&quot;')} y</p>\n"
    assert to_text(parser().parse(escaped)).split() == value.split()


@given(_VALUES.filter(lambda value: " " not in value))
def test_a_value_cannot_break_out_of_a_link(value: str) -> None:
    link = page(f"[words](https://a.example/?q={value_in_markdown(value)})")
    assert link.count("<a ") == link.count("href=") <= 1


@given(_VALUES)
def test_a_value_in_a_table_stays_in_its_cell(value: str) -> None:
    table = page(f"| a | b |\n|---|---|\n|{value_in_markdown(value)}|second|")
    assert "<td>second</td>" in table
    assert table.count("<td>") == 2


@given(st.text())
def test_a_value_opens_nothing_that_spans_lines(value: str) -> None:
    escaped = value_in_markdown(f"{value}x")
    assert len(escaped.splitlines()) == 1
    assert [token.type for token in parser().parse(escaped)] == ["paragraph_open", "inline", "paragraph_close"]


@given(st.text().filter(lambda value: value == " ".join(value.split()) and value.isprintable()))
def test_a_value_that_is_no_markdown_can_be_had_back(value: str) -> None:
    assert value_back(value_in_markdown(value)) == value


def test_whatever_is_no_text_is_escaped_as_what_it_prints() -> None:
    assert value_in_markdown(33) == "33"
    assert page(value_in_markdown(("*a*", "b"))) == "<p>('*a*', 'b')</p>\n"


@given(_VALUES)
def test_words_written_into_a_file_come_out_as_they_went_in(value: str) -> None:
    assert to_text(parser().parse(escape_markdown(f"x{value}"))).split() == f"x{value}".split()
