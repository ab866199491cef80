"""Topics and themes by their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words.choices import Choices, refused

CHOICES = Choices({"coffee-coding": "Coffee & Coding sessions", "calls": "Calls for proposals", "call-board": "Board"})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("coffee-coding", "coffee-coding"),
        ("Coffee & Coding", "coffee-coding"),
        ("COFFEE AND CODING SESSION", "coffee-coding"),
        ("Café coding", ""),
        ("call", "calls"),
        ("Call for proposals", "calls"),
        ("coffee", ""),
        ("", ""),
    ],
)
def test_a_choice_is_known_by_the_words_of_its_key_or_title(text: str, key: str) -> None:
    assert CHOICES.find(text) == key


def test_the_beginning_of_a_key_is_enough_where_only_one_begins_so() -> None:
    """Titles do not count: "Updates" might be anybody's."""
    assert (CHOICES.begun("Coffee"), CHOICES.begun("Call"), CHOICES.begun("c"), CHOICES.begun("Sessions")) == (
        "coffee-coding",
        "call-board",
        "",
        "",
    )


def test_two_choices_with_one_title_are_known_by_their_keys_only() -> None:
    choices = Choices({"web": "Data", "geo": "Data"})
    assert (choices.find("Data"), choices.find("geo")) == ("", "geo")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no calls", "calls"),
        ("tout sauf Newsletter", "newsletter"),
        ("all but  the calls", "the calls"),
        ("nocalls", ""),
        ("no", ""),
    ],
)
def test_what_is_not_wanted_is_told_apart(text: str, words: str) -> None:
    assert refused(text) == words


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=4), st.text(max_size=8))
def test_only_what_may_be_chosen_is_found(titles: dict[str, str], text: str) -> None:
    choices = Choices(titles)
    assert {choices.find(text), choices.begun(text)} <= {"", *titles}
    assert choices.named_in(text) <= set(titles)
