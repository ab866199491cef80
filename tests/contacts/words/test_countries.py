"""Countries by every name and code that lists have for them. The table of cells stands in `cells/places.py`."""

import pycountry
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words import countries
from mlgroup_mail.contacts.words.countries import find_country, read_country
from mlgroup_mail.contacts.words.locales import WIDE_LOCALES, own_languages
from mlgroup_mail.contacts.words.texts import TextError, plain
from mlgroup_mail.contacts.words.wordlists import wordlist

COUNTRIES = list(pycountry.countries)


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.alpha_2)
def test_a_country_is_known_by_its_codes_its_names_by_iso_and_its_flag(country: "pycountry.db.Country") -> None:
    names = {getattr(country, key, country.name) for key in ("name", "common_name", "official_name")}
    codes = {country.alpha_2, country.alpha_3, country.numeric, country.flag}
    both = {
        f"{country.name} ({country.alpha_2})",
        f"{country.alpha_3} - {country.name}",
        f"{country.flag} {country.name}",
    }
    for text in (*names, *codes, *both, country.name.upper(), country.alpha_2.lower()):
        assert find_country(text) == country.alpha_2, text


@pytest.mark.parametrize("language", ["en", "fr", "es", "de"])
def test_a_country_is_known_by_its_names_in_four_languages(language: str) -> None:
    names = {name: code for code, name in Locale(language).territories.items() if countries._is_country(code)}
    assert {name: find_country(name) for name in names} == names


def test_a_country_is_known_by_its_names_in_its_own_languages() -> None:
    """Official ones, and the one that most people speak there."""
    wrong = {
        (locale.language, code): locale.territories[code]
        for locale, codes in own_languages().items()
        for code in codes
        if code in locale.territories and find_country(locale.territories[code]) != code and code in ISO
    }
    assert wrong == {}


ISO = {country.alpha_2 for country in COUNTRIES} | {"XK"}


def test_kosovo_has_the_code_that_everybody_uses() -> None:
    assert {find_country(name) for name in ("XK", "XKX", "Kosovo", "Kosovo (UNSCR 1244)", "🇽🇰")} == {"XK"}


def test_no_two_languages_mean_different_countries_by_a_name() -> None:
    """A name that is in the first languages and means another country elsewhere must not be decided by chance."""
    first, local = countries._names(), countries._local_names()
    further = {(name, code) for locale in WIDE_LOCALES for code, name in countries._territories(Locale.parse(locale))}
    differing = {
        name
        for name, code in further
        for words in [countries._words(name)]
        if code not in {first.get(words, code), local.get(words, code)}
    }
    # Some languages lack a country's name and show its code, which is another country's word for "and" or "of".
    assert {name for name in differing if len(plain(name)) > 3} == set()
    own: dict[str, set[str]] = {}
    for locale, codes in own_languages().items():
        for code in codes & set(locale.territories):
            own.setdefault(countries._words(locale.territories[code]), set()).add(code)
    assert {name: codes for name, codes in own.items() if len(codes) > 1} == {}


def test_the_file_of_further_names_contradicts_neither_babel_nor_pycountry() -> None:
    listed = wordlist("countries")["names"]
    assert set(listed) <= ISO
    seen: dict[str, str] = {}
    for code, names in listed.items():
        for name in names:
            words = countries._words(name)
            assert seen.setdefault(words, code) == code, name
            assert find_country(name) == code, name
    for language in ("en", "fr", "es", "de"):
        for code, name in countries._territories(Locale(language)):
            assert seen.get(countries._words(name), code) == code, name
    for country in COUNTRIES:
        for key in ("name", "common_name", "official_name", "alpha_2", "alpha_3"):
            words = countries._words(getattr(country, key, country.name))
            assert seen.get(words, country.alpha_2) == country.alpha_2, words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Absurdistan",
        "Untied Kingdom",
        "Europe",
        "EU",
        "International",
        "?",
        "UN",
        "World",
        "XX",
        "ZZ",
        "001",
        "Kongo",
    ],
)
def test_what_is_no_country_or_not_one_stays_empty(text: str) -> None:
    assert find_country(text) == ""


def test_parts_without_end_are_no_work_without_end() -> None:
    with pytest.raises(TextError):
        read_country("FR, " * 400 + "x")


@given(st.text(max_size=20) | st.sampled_from([country.name for country in COUNTRIES]))
def test_what_is_read_reads_the_same_again(text: str) -> None:
    assert find_country(find_country(text)) == find_country(text)
