"""Markdown as plain text: what reads no HTML gets a letter, not a page without its tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.writing.markdown import parser
from mlgroup_mail.content.writing.plain_text import WIDTH, to_text, wrap_lines


def plain(markdown: str) -> str:
    return to_text(parser().parse(markdown))


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
    assert plain(markdown) == text


def test_the_last_column_of_a_table_is_wrapped() -> None:
    text = plain(f"| When | What |\n|---|---|\n| May | {'word ' * 20}|\n| June | Talk |")
    lines = text.splitlines()
    assert lines[2].startswith("May   word word")
    assert lines[3].startswith("      word")
    assert lines[-1] == "June  Talk"
    assert max(map(len, lines)) <= WIDTH


def test_a_table_too_wide_for_columns_becomes_a_list_of_its_rows() -> None:
    text = plain(f"| When | What |\n|---|---|\n| {'long ' * 13} | {'word ' * 20}|\n| June | Talk |")
    assert "When: long" in text
    assert "\nWhat: word" in text
    assert "When: June\nWhat: Talk" in text
    assert max(map(len, text.splitlines())) <= WIDTH


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=90), min_size=1, max_size=40))
def test_lines_have_72_columns_unless_one_word_is_longer(words: list[str]) -> None:
    for line in plain(" ".join(words)).splitlines():
        assert len(line) <= WIDTH or " " not in line.strip()


def test_columns_stand_as_their_marks_say() -> None:
    text = plain("| Office | Members | Share |\n|:--|--:|:-:|\n| INE | 5 | 12 % |\n| Statistics | 120 | 1 % |")
    assert text.splitlines() == [
        "Office      Members  Share",
        "----------  -------  -----",
        "INE               5   12 %",
        "Statistics      120   1 %",
    ]


def test_a_line_that_is_too_long_is_broken_under_its_own_beginning() -> None:
    text = wrap_lines(f"short\n  {'word ' * 20}\nhttps://a.example/{'x' * 80}")
    assert text.splitlines()[1:3] == [f"  {'word ' * 14}".rstrip(), f"  {'word ' * 6}".rstrip()]
    assert text.endswith("x" * 80)


@pytest.mark.parametrize(
    ("line", "second"),
    [
        ("- ", "  "),
        ("  - ", "    "),
        ("12. ", "    "),
        ("> ", "> "),
        ("> - ", ">   "),
        ("13:00–14:30  ", " " * 13),
        ("2:00 PM–3:30 PM  ", " " * 17),
        ("오후 2:00–오후 3:30  ", " " * 17),
        ("Times: ", ""),
        ("At 13:00 we begin. ", ""),
    ],
)
def test_what_is_broken_off_stands_under_the_words_it_belongs_to(line: str, second: str) -> None:
    first, *rest = wrap_lines(line + "word " * 30).splitlines()
    assert first.startswith(f"{line}word word")
    assert rest
    for each in rest:
        assert each.startswith(f"{second}word")
        assert len(each) <= WIDTH
