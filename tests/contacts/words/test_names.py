"""The name of a greeting: a right first name or the whole name, never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words.names import greeting_name, joined

GREETINGS = {
    "Novak, Anna": "Anna",
    "Novák, Anna Marie": "Anna Marie",
    "NOVAK, Anna": "Anna",
    "Novak, Dr. Anna": "Anna",
    "van der Berg, Jan-Willem": "Jan-Willem",
    "Παπαδάκης, Ελένη": "Ελένη",
    "Иванова, Мария": "Мария",
    "NOVAK Anna": "Anna",
    "Anna NOVAK": "Anna",
    "Anna Marie DE LA CRUZ": "Anna Marie",
    "Dr. Anna NOVAK": "Anna",
    "ИВАНОВА Мария": "Мария",
    "ΠΑΠΑΔΑΚΗ Ελένη": "Ελένη",
}

WHOLE = [
    "Anna Novak",
    "Nagy Zsófia",
    "Wang Xiaoming",
    "王小明",
    "山田 太郎",
    "김지민",
    "فاطمة المنصوري",
    "नायर अनन्या",
    "ნინო ბერიძე",
    "Dr. Anna Novak",
    "ANNA NOVAK",
    "Novak",
    "Sukarno",
    "A. NOVAK",
    "NOVAK A.",
    "Anna Novak, PhD",
    "Anna van der Berg",
    "Novak,",
    ", Anna",
    "Novak, 3rd floor",
    "Novak, (maternity leave)",
    "Novak, A@B",
    "Mr NOVAK",
    "",
]


@pytest.mark.parametrize(("name", "first"), GREETINGS.items())
def test_an_unmistakable_form_gives_the_first_name(name: str, first: str) -> None:
    assert greeting_name(name) == first


@pytest.mark.parametrize("name", WHOLE)
def test_any_other_name_stays_whole(name: str) -> None:
    """In Hungary, China, Japan and Korea the family name comes first: the first word proves nothing."""
    assert greeting_name(name) == name


def test_two_columns_make_one_name() -> None:
    assert joined("Anna", "Novak") == "Anna Novak"
    assert joined("", "Novak") == "Novak"
    assert joined("Anna Novak", "NOVAK") == "Anna Novak"
    assert joined("", "") == ""


@given(st.text(max_size=40) | st.sampled_from(["NOVAK Anna, PhD", "Dr. NOVAK", "van der BERG", ", ,", "(NOVAK) Anna"]))
def test_a_greeting_says_nothing_that_is_not_in_the_name(name: str) -> None:
    greeting = greeting_name(name)
    assert greeting == name or all(word in name for word in greeting.split())
    assert bool(greeting) == bool(name)
