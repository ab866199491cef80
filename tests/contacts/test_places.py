"""Countries, time zones and languages by the words that people use."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts import places
from mlgroup_mail.contacts.places import find_country, find_language, find_timezone

COUNTRIES = {
    "Germany": "DE",
    "GERMANY": "DE",
    "germany ": "DE",
    "Allemagne": "DE",
    "Deutschland": "DE",
    "Alemania": "DE",
    "DE": "DE",
    "de": "DE",
    "DEU": "DE",
    "276": "DE",
    "UK": "GB",
    "U.K.": "GB",
    "United Kingdom": "GB",
    "Great Britain": "GB",
    "Royaume-Uni": "GB",
    "England": "GB",
    "GBR": "GB",
    "USA": "US",
    "U.S.A.": "US",
    "United States of America": "US",
    "États-Unis": "US",
    "Vereinigte Staaten": "US",
    "EE. UU.": "US",
    "The Netherlands": "NL",
    "Netherlands (the)": "NL",
    "Holland": "NL",
    "Pays-Bas": "NL",
    "Czech Republic": "CZ",
    "Czechia": "CZ",
    "Tschechien": "CZ",
    "Korea, Republic of": "KR",
    "South Korea": "KR",
    "Republic of Korea": "KR",
    "Corée du Sud": "KR",
    "Russian Federation": "RU",
    "Türkiye": "TR",
    "Turkey": "TR",
    "Viet Nam": "VN",
    "Vietnam": "VN",
    "Côte d’Ivoire": "CI",
    "Cote d'Ivoire": "CI",
    "Ivory Coast": "CI",
    "Bosnia and Herzegovina": "BA",
    "Bosnia & Herzegovina": "BA",
    "Trinidad and Tobago": "TT",
    "Moldova, Republic of": "MD",
    "Iran (Islamic Republic of)": "IR",
    "Bolivia (Plurinational State of)": "BO",
    "UAE": "AE",
    "Suisse": "CH",
    "Schweiz": "CH",
    "España": "ES",
    "México": "MX",
    "Österreich": "AT",
    "Brasil": "BR",
    "New Zealand": "NZ",
    "North Macedonia": "MK",
    "Eswatini": "SZ",
    "Cabo Verde": "CV",
    "Ireland": "IE",
    "Georgia": "GE",
    "Hong Kong": "HK",
}


@pytest.mark.parametrize(("text", "code"), COUNTRIES.items())
def test_a_country_is_known_by_its_names_and_codes(text: str, code: str) -> None:
    assert find_country(text) == code


@pytest.mark.parametrize(
    "text", ["", "Absurdistan", "Untied Kingdom", "Europe", "EU", "International", "n/a", "?", "UN", "World", "XX"]
)
def test_what_is_no_country_stays_empty(text: str) -> None:
    assert find_country(text) == ""


def test_no_name_belongs_to_two_countries() -> None:
    """A name that one language uses for one country and another for another must not be decided by chance."""
    meanings: dict[str, set[str]] = {}
    for locale in ("en", "fr", "de", "es"):
        for code, name in Locale(locale).territories.items():
            if places._is_country(str(code)):
                meanings.setdefault(places._country_words(str(name)), set()).add(str(code))
    assert {name: codes for name, codes in meanings.items() if len(codes) > 1} == {}
    for name, code in ((n, c) for c, names in places._FURTHER_NAMES.items() for n in names.split(",")):
        assert meanings.get(places._country_words(name), {code}) == {code}, name


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/London", "Europe/London"),
        ("europe/london", "Europe/London"),
        ("America/New York", "America/New_York"),
        (" Asia/Tokyo ", "Asia/Tokyo"),
        ("UTC", "UTC"),
        ("GMT+1", ""),
        ("London", ""),
        ("CEST", ""),
        ("", ""),
    ],
)
def test_a_time_zone_is_known_by_its_iana_name(text: str, zone: str) -> None:
    assert find_timezone(text) == zone


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-gb", "en-GB"),
        ("pt_BR", "pt-BR"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("sr-Latn", "sr-Latn"),
        ("es-419", "es-419"),
        ("fil", "fil"),
        ("English", "en"),
        ("français", "fr"),
        ("Anglais", "en"),
        ("Deutsch", "de"),
        ("Dutch", "nl"),
        ("Español", "es"),
        ("xx", ""),
        ("und", ""),
        ("i-klingon", ""),
        ("en; fr", ""),
        ("English please", ""),
        ("", ""),
    ],
)
def test_a_language_is_known_by_its_tag_and_name(text: str, tag: str) -> None:
    assert find_language(text) == tag


@given(st.text(max_size=20))
def test_what_is_read_reads_the_same_again(text: str) -> None:
    for find in (find_country, find_timezone, find_language):
        assert find(find(text)) == find(text)
