"""Texts in cells: one line, one spelling, nothing that a mail header or a spreadsheet could be fooled with."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words.texts import TextError, guarded, one_line, plain, split_values, unguarded

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


@pytest.mark.parametrize("cell", ["=1+1", " =A1", "\u200b=1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-HYPERLINK(A1)"])
def test_a_formula_is_refused(cell: str) -> None:
    with pytest.raises(TextError, match="a formula stands"):
        one_line(cell)


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "#VALUE!", "#NOM ?", "#¡REF!"])
def test_the_error_of_a_formula_is_refused(cell: str) -> None:
    with pytest.raises(TextError, match="gave an error"):
        one_line(cell)


@pytest.mark.parametrize("cell", ["-", "+32 2 555 01 23", "@Home", "-5", "'=1+1", "#1"])
def test_a_sign_alone_makes_no_formula(cell: str) -> None:
    assert one_line(cell) == cell.removeprefix("'")


def test_a_cell_without_end_is_not_looked_at() -> None:
    with pytest.raises(TextError, match="longer than"):
        one_line("x" * 10_001)


@given(st.text(max_size=60))
def test_a_line_is_one_line_and_reads_the_same_again(cell: str) -> None:
    try:
        line = one_line(cell)
    except TextError:
        return
    assert line == line.strip()
    assert len(line.splitlines()) <= 1
    assert unicodedata.is_normalized("NFC", line)
    assert one_line(guarded(line)) == line


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
        ("Łódź, Tromsø, Çeşme", "lodz tromso cesme"),
        ("AYRILDI ayrıldı İstanbul", "ayrildi ayrildi istanbul"),
        ("Straße œuvre Ærø", "strasse oeuvre aero"),
        ("Άνω Τελεία", "ανω τελεια"),
        ("Ёлка", "елка"),
        ("مِصْر", "مصر"),
        ("ایران", "ايران"),
        ("भारत गणराज्य", "भारत गणराज्य"),
        ("ไทย (สยาม)", "ไทย สยาม"),
        ("Ｆｕｌｌ ２０", "full 20"),
        ("が が", "が が"),
    ],
)
def test_comparing_looks_at_words_only(text: str, words: str) -> None:
    assert plain(text) == words


@given(st.text(max_size=20))
def test_comparing_what_was_compared_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)
