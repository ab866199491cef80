"""One Markdown, two forms; a value put into a text is never read as Markdown."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.markdown import Markdown, escape_markdown, to_html
from mlgroup_mail.content.plain_text import WIDTH, to_text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("## Dates\n\nSoon.", "Dates\n-----\n\nSoon."),
        ("# News", "News\n===="),
        ("### Small", "Small"),
        ("See [the page](https://a.example/x).", "See the page (https://a.example/x)."),
        ("<https://a.example/x>", "https://a.example/x"),
        ("[Write](mailto:a@example.org)", "Write (a@example.org)"),
        ("- one\n- two\n  - three", "- one\n- two\n  - three"),
        ("3. one\n4. two", "3. one\n4. two"),
        ("- one\n\n  more\n\n- two", "- one\n\n  more\n\n- two"),
        ("*a* **b** `c`", "a b c"),
        ("one\\\ntwo", "one\ntwo"),
        ("one\ntwo", "one two"),
        ("> quoted", "> quoted"),
        ("![A map](map.png)", "[A map]"),
        ("a\n\n---\n\nb", f"a\n\n{'-' * 24}\n\nb"),
        ("    code  x", "    code  x"),
        ("| When | What |\n|---|---|\n| May | Talk |", "When  What\n----  ----\nMay   Talk"),
    ],
)
def test_plain_text_reads_like_a_letter(markdown: str, text: str) -> None:
    assert to_text(markdown) == text + "\n"


def test_the_last_column_of_a_table_is_wrapped() -> None:
    text = to_text(f"| When | What |\n|---|---|\n| May | {'word ' * 20}|\n| June | Talk |")
    lines = text.splitlines()
    assert lines[2].startswith("May   word word")
    assert lines[3].startswith("      word")
    assert lines[-1] == "June  Talk"
    assert max(map(len, lines)) <= WIDTH


def test_a_table_too_wide_for_columns_becomes_a_list_of_its_rows() -> None:
    text = to_text(f"| When | What |\n|---|---|\n| {'long ' * 13} | {'word ' * 20}|\n| June | Talk |")
    assert "When: long" in text
    assert "\nWhat: word" in text
    assert "When: June\nWhat: Talk" in text
    assert max(map(len, text.splitlines())) <= WIDTH


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=90), min_size=1, max_size=40))
def test_lines_have_72_columns_unless_one_word_is_longer(words: list[str]) -> None:
    for line in to_text(" ".join(words)).splitlines():
        assert len(line) <= WIDTH or " " not in line.strip()


def test_html_in_a_text_is_shown_not_passed_on() -> None:
    assert "<script>" not in to_html("<script>alert(1)</script> <b onclick=x>y</b>")
    assert "href" not in to_html("[x](javascript:alert(1))")


# Blanks at the ends, control characters and entities belong to CommonMark's own rules, not to marks.
_VALUES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1).filter(
    lambda value: value == " ".join(value.split())
)


@given(_VALUES)
def test_a_value_in_a_text_comes_out_as_it_went_in(value: str) -> None:
    escaped = str(escape_markdown(value))
    assert to_html(f"x {escaped} y") == f"<p>x {html.escape(value, quote=False).replace(chr(34), '&quot;')} y</p>\n"
    assert to_text(f"{escaped}").split() == value.split()


@given(_VALUES.filter(lambda value: " " not in value))
def test_a_value_cannot_break_out_of_a_link(value: str) -> None:
    page = to_html(f"[words](https://a.example/?q={escape_markdown(value)})")
    assert page.count("<a ") == page.count("href=") <= 1


def test_text_that_is_markdown_already_stays() -> None:
    assert escape_markdown(Markdown("**a**")) == "**a**"
    assert escape_markdown(33) == 33
