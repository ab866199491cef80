"""Texts in cells: one line, one spelling, nothing that a mail header or a spreadsheet could be fooled with."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.texts import TextError, guarded, one_line, plain, split_values, unguarded

LINES = {
    "Anna Novak": "Anna Novak",
    "  Anna   Novak \t": "Anna Novak",
    "Anna\u00a0Novak": "Anna Novak",
    "Anna\nNovak": "Anna Novak",
    "Office of\r\nStatistics": "Office of Statistics",
    "Zoe\u0308": "Zoë",
    "\ufeffAnna": "Anna",
    "An\u00adna": "Anna",
    "\u202eAnna\u202c": "Anna",
    "\u2066Anna\u2069": "Anna",
    "Ann\u200ba": "Anna",
    "Anna\u2028Novak": "Anna Novak",
    "می\u200cخواهم": "می\u200cخواهم",
    "क्\u200dष": "क्\u200dष",
    "O’Rourke, Seán “Jack”": "O’Rourke, Seán “Jack”",
    "ANNA novak": "ANNA novak",
    "'=1+1": "=1+1",
    "'-": "-",
    "'t Hof": "'t Hof",
    "": "",
    " \u200b ": "",
}


@pytest.mark.parametrize(("cell", "line"), LINES.items())
def test_a_text_is_kept_as_written_but_for_blanks_and_what_nobody_sees(cell: str, line: str) -> None:
    assert one_line(cell) == line


@pytest.mark.parametrize(
    "cell", ["Anna\r\nBcc: x@example.net", "Anna\nSubject : hi", "a\u2028X-Header:1", "a\x0bTo: y", "a\r\n\tFrom: z"]
)
def test_a_line_that_looks_like_a_mail_header_is_refused(cell: str) -> None:
    with pytest.raises(TextError, match="mail header"):
        one_line(cell)


@pytest.mark.parametrize("cell", ["Anna\x00", "\x1b[31mAnna", "Anna\x7f", "Anna\x9bNovak"])
def test_control_characters_are_refused(cell: str) -> None:
    with pytest.raises(TextError, match="control"):
        one_line(cell)


@given(st.text(max_size=60))
def test_a_line_is_one_line_and_reads_the_same_again(cell: str) -> None:
    try:
        line = one_line(cell)
    except TextError:
        return
    assert line == line.strip()
    assert len(line.splitlines()) <= 1
    assert unicodedata.is_normalized("NFC", line)
    if not line.startswith("'"):
        assert one_line(line) == line


@given(st.text(max_size=30))
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("", ()),
        (" ; ;", ()),
        ("MLOps", ("MLOps",)),
        ("MLOps; Imagery", ("MLOps", "Imagery")),
        ("MLOps;MLOps ; Web  data", ("MLOps", "Web data")),
        ("Editing, imputation; Imagery", ("Editing, imputation", "Imagery")),
    ],
)
def test_several_values_in_a_cell_stand_apart_by_semicolons(cell: str, values: tuple[str, ...]) -> None:
    assert split_values(cell) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("E-Mail", "e mail"),
        ("Prénom", "prenom"),
        ("Länder/Staat", "lander staat"),
        ("Coffee & Coding", "coffee coding"),
    ],
)
def test_comparing_looks_at_words_only(text: str, words: str) -> None:
    assert plain(text) == words
