"""Statuses that say that a person is gone: in every language of the file, in every spelling, with dates and doubts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words.leaving import Leaving, leaving
from mlgroup_mail.contacts.words.statuses import answer, opts_out, status_word
from mlgroup_mail.contacts.words.wordlists import wordlist

WORDS = wordlist("statuses")
PHRASES = sorted({phrase.rstrip("*") for phrases in WORDS["leaving"].values() for phrase in phrases})


def test_the_words_are_there_in_twenty_languages() -> None:
    languages = "en, fr, de, es, it, pt, nl, pl, cs, sv, fi, da, no, el, ru, uk, tr, ar, zh, ja, ko"
    assert set(languages.split(", ")) <= set(WORDS["leaving"])


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_word_of_the_file_is_an_opt_out_plain_loud_dated_and_once_stored(phrase: str) -> None:
    for text in (
        phrase,
        phrase.upper(),
        f" {phrase}. ",
        f"{phrase} (2020)",
        f"{phrase} 12.03.2020",
        f"2020-03: {phrase}",
    ):
        assert leaving(text) is Leaving.SAID, text
        assert opts_out(status_word(text)), text


@pytest.mark.parametrize("word", WORDS["leaving_alone"]["words"])
def test_a_word_that_means_other_things_beside_others_is_an_opt_out_alone(word: str) -> None:
    assert opts_out(word)
    assert opts_out(f"{word} (2020)")


@pytest.mark.parametrize("word", WORDS["leaving_alone"]["doubtful"])
def test_a_word_that_some_use_who_are_still_there_is_an_opt_out_to_look_at(word: str) -> None:
    assert leaving(word) is leaving(f"{word} (2020)") is Leaving.DOUBTFUL


@pytest.mark.parametrize(
    "word", [*WORDS["staying"]["words"], *(word for words in WORDS["model"].values() for word in words)]
)
def test_a_word_for_somebody_who_stays_is_none(word: str) -> None:
    assert leaving(word) is Leaving.UNSAID
    assert leaving(f"{word} since 2020") is Leaving.UNSAID


@given(st.sampled_from(PHRASES), st.text(max_size=20))
@example("left", "?")
@example("unsubscribed", "yes")
def test_whatever_stands_behind_a_word_only_a_no_makes_it_none(phrase: str, further: str) -> None:
    """A missed opt-out breaks a promise."""
    found = leaving(f"{phrase}; {further}")
    assert found.opts_out or answer(further) is False or found is Leaving.DENIED


@pytest.mark.parametrize("times", [1, 2, 3, 4, 80, 1_500])
def test_any_number_of_answers_behind_a_word_leaves_it_an_opt_out(times: int) -> None:
    assert leaving("left" + " - yes" * times).opts_out


def test_an_answer_counts_for_what_stands_before_it() -> None:
    assert leaving("left: yes") is Leaving.SAID
    assert leaving("left: no") is Leaving.DENIED
    assert leaving("left - yes - no") is Leaving.DENIED


@given(st.text(max_size=60))
def test_any_text_can_be_looked_at_and_storing_it_changes_nothing(text: str) -> None:
    assert opts_out(text) == opts_out(status_word(text))
