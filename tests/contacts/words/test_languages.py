"""Languages by tag, code and name. The cells themselves stand in `cells/places.py`."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words.languages import find_language
from mlgroup_mail.contacts.words.locales import own_languages
from mlgroup_mail.contacts.words.wordlists import wordlist

SHARED = {"Kom", "Ga", "Yi", "Makua", "Twi"}
"""Names that are also codes or tags of other languages, or two languages' in one language."""


@pytest.mark.parametrize("language", ["en", "fr", "es", "de"])
def test_a_language_is_known_by_its_names_in_four_languages(language: str) -> None:
    for tag, name in Locale(language).languages.items():
        if tag in {"mul", "und", "zxx"} or name.title() in SHARED:
            continue
        assert find_language(name) == tag.replace("_", "-"), name


def test_a_language_is_known_by_what_it_calls_itself() -> None:
    for locale in own_languages():
        if name := locale.languages.get(locale.language):
            assert find_language(name) == locale.language, name


def test_the_names_of_our_file_are_read() -> None:
    for tag, names in wordlist("languages")["names"].items():
        for name in names:
            assert find_language(name) == tag, name


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("zh-hans-cn", "zh-Hans-CN"),
        ("sr_latn_rs", "sr-Latn-RS"),
        ("fil", "fil"),
        ("no", "no"),
        ("Oji-Cree", "ojs"),
        ("en-Abcd", ""),
        ("i-klingon", ""),
        ("en; fr", ""),
        ("English (Elvish)", ""),
        ("Elvish (UK)", ""),
        ("", ""),
    ],
)
def test_a_tag_is_written_as_bcp_47_has_it(text: str, tag: str) -> None:
    assert find_language(text) == tag


@given(st.text(max_size=20) | st.sampled_from(["English (UK)", "pt_BR", "Deutsch - Schweiz"]))
def test_what_is_read_reads_the_same_again(text: str) -> None:
    assert find_language(find_language(text)) == find_language(text)
