"""Time zones by every name that has one meaning. The cells themselves stand in `cells/places.py`."""

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.words import timezones
from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.texts import TextError, plain
from mlgroup_mail.contacts.words.timezones import read_timezone
from mlgroup_mail.contacts.words.wordlists import wordlist
from mlgroup_mail.zones import iana_zones, single_zone, zones_of_places


def find_timezone(text: str) -> str:
    """The zone that is read; empty where a text is refused."""
    try:
        return read_timezone(text)
    except TextError:
        return ""


def test_every_iana_zone_is_known_by_its_name_in_any_case() -> None:
    """But for old names such as "Turkey", which are read as the country's zone or the city's."""
    names = {name for name in iana_zones() if "/" in name or len(name) <= 3 or not find_country(name)}
    names.remove("Kwajalein")
    for name in names:
        assert find_timezone(name) == find_timezone(name.lower().replace("_", " ")) == name
    assert {find_timezone(name) for name in ("Turkey", "Poland", "Japan")} == {
        "Europe/Istanbul",
        "Europe/Warsaw",
        "Asia/Tokyo",
    }


def test_every_windows_zone_is_known_by_its_name_and_in_summer() -> None:
    """Those that are bare offsets are no zones for us."""
    zones = iana_zones()
    for name in get_global("windows_zone_mapping"):
        offset = name.startswith("UTC") and name != "UTC"
        assert (find_timezone(name) in zones) is not offset, name
        if not offset:
            assert find_timezone(name.replace("Standard", "Daylight")) == find_timezone(name)


def test_every_zone_is_known_by_its_city_unless_a_larger_one_has_its_name() -> None:
    unclear = {plain(city) for city in wordlist("timezones")["unclear"]["cities"]}
    for zone in zones_of_places():
        city = zone.rpartition("/")[2].replace("_", " ")
        assert find_timezone(city) == ("" if plain(city) in unclear else zone), city


def test_every_name_in_our_file_is_of_a_zone_that_exists_and_of_one_only() -> None:
    words = wordlist("timezones")
    listed = [(zone, name) for table in ("cities", "names") for zone, names in words[table].items() for name in names]
    for zone, name in listed:
        assert find_timezone(name) == zone, name
    assert {*words["cities"], *words["names"]} <= iana_zones()


def test_a_city_whose_name_is_a_country_with_other_zones_is_not_guessed() -> None:
    """The only one: Brasília is also what Finns call Brazil."""
    differing = {
        name
        for name, zone in (timezones._names() | timezones._local_cities()).items()
        if len(name) > 3 and (country := find_country(name)) and single_zone(country) != zone
    }
    assert differing == {"brasilia"}


@pytest.mark.parametrize(
    ("country", "zone"), [("Germany", "Europe/Berlin"), ("Cyprus", "Asia/Nicosia"), ("Malaysia", "Asia/Kuala_Lumpur")]
)
def test_a_country_whose_clocks_agree_all_year_has_one_zone(country: str, zone: str) -> None:
    assert find_timezone(country) == zone


@given(st.text(max_size=20) | st.sampled_from(["(UTC+01:00) ", "Paris", "UTC+1, ", "Oslo, Norway"]))
def test_what_is_read_is_a_zone_and_reads_the_same_again(text: str) -> None:
    zone = find_timezone(text)
    assert not zone or zone in iana_zones()
    assert find_timezone(zone) == zone
