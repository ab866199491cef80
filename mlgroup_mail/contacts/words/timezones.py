"""Time zones, read from the names that people and programs use for them. An offset is never guessed from."""

import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.locales import FIRST_LOCALES, own_languages
from mlgroup_mail.contacts.words.texts import TextError, plain
from mlgroup_mail.contacts.words.wordlists import wordlist
from mlgroup_mail.zones import (
    iana_zones,
    offsets_through_the_year,
    renamed_zones,
    single_zone,
    zones_by_country,
    zones_of_places,
)

if TYPE_CHECKING:
    from babel import Locale

_WRITE = "write a name such as Europe/Paris, or a city"
_UNKNOWN = f"this is no time zone that we know: {_WRITE}"
_OFFSET_ALONE = f"an offset tells no time zone, as summer time is not in it: {_WRITE}"
_MANY_MEANINGS = f"this abbreviation has several meanings: {_WRITE}"
_SEVERAL = "this country has several time zones: write which, or a city"

_OFFSET = re.compile(
    r"\((?:UTC|GMT)\)|"
    r"\(?\s*(?:\b(?:UTC|GMT)\s*)?(?P<sign>[+\-\u2212\u2013±])\s*(?P<hours>\d{1,2})(?:[:.]?(?P<minutes>\d{2}))?\s*h?\s*\)?",
    re.IGNORECASE,
)
_ABBREVIATED = re.compile(r"(?<=\w) *\([A-Z]{1,4}T(?:/[A-Z]{1,4}T)?\)")
_PLACE = re.compile(r"(?P<city>[^,(]+)[,(](?P<country>[^,()]+)\)?")
_ABBREVIATION = re.compile(r"[A-Za-z]{2,5}")
_SHORT = re.compile(r"[A-Za-z]{1,3}")
"""Codes of countries and abbreviations of zones cannot be told apart: ET, PT, EST."""


def read_timezone(text: str) -> str:
    """The IANA name of a time zone, given as such, by its Windows name, a city or a country that has one only.

    Beside an offset, as Outlook shows it ("(UTC+01:00) Brussels, Madrid"), the first city that has it decides. Raises
    TextError where it would take a guess: an offset alone, an abbreviation that IANA does not have, a country with
    several zones.
    """
    name = " ".join(_ABBREVIATED.sub("", text).split())
    shown = _OFFSET.search(name)
    places = _OFFSET.sub(" ", name, count=1).strip() if shown else name
    zone = _named(name)
    if not zone and shown:
        zones = map(_named, (places, *places.split(",")))
        zone = next((found for found in zones if found and _offset(shown) in offsets_through_the_year(found)), "")
    elif not zone and (place := _PLACE.fullmatch(places)):
        zone = _in_country(place["city"], place["country"])
    if not zone:
        raise TextError(_reason(name, places))
    return zone


def _named(text: str) -> str:
    """A zone by a name that stands alone."""
    words, iana = plain(text), _iana().get("_".join(text.split()).casefold(), "")
    if "/" in iana:
        return iana
    if (found := _names().get(words)) or not words or _SHORT.fullmatch(text.strip()):
        return found or iana
    return single_zone(find_country(text)) or _local_cities().get(words) or iana


def _in_country(city: str, country: str) -> str:
    """A city's zone, where the country written beside it has that zone."""
    zone = _named(city)
    return zone if zone in zones_by_country().get(find_country(country), ()) else ""


def _reason(name: str, places: str) -> str:
    if not plain(places):
        return _OFFSET_ALONE
    if not _SHORT.fullmatch(name) and len(zones_by_country().get(find_country(name), ())) > 1:
        return _SEVERAL
    return _MANY_MEANINGS if _ABBREVIATION.fullmatch(name) else _UNKNOWN


def _offset(shown: re.Match[str]) -> timedelta:
    """What "(UTC-03:30)" says; "(UTC)" alone is none."""
    size = timedelta(hours=int(shown["hours"] or 0), minutes=int(shown["minutes"] or 0))
    return size if shown["sign"] in {None, "+", "±"} else -size


@cache
def _iana() -> dict[str, str]:
    return {name.casefold(): name for name in iana_zones()}


@cache
def _names() -> dict[str, str]:
    """Windows' names, and cities by IANA's names, CLDR's in four languages, and `timezones.toml`."""
    from babel import Locale
    from babel.core import get_global

    words = wordlist("timezones")
    names: dict[str, str] = {}
    for locale in reversed(FIRST_LOCALES):
        names |= _cities(Locale(locale))
    names |= {plain(zone.rpartition("/")[2]): zone for zone in zones_of_places()}
    for city in words["unclear"]["cities"]:
        names.pop(plain(city), None)
    for windows, zone in get_global("windows_zone_mapping").items():
        if not windows.startswith("UTC"):
            named = plain(windows)
            names |= dict.fromkeys((named, named.replace("standard time", "daylight time")), _today(zone))
    listed = (*words["cities"].items(), *words["names"].items())
    return names | {plain(name): zone for zone, each in listed for name in each}


@cache
def _local_cities() -> dict[str, str]:
    """Cities as they are called where they lie."""
    names: dict[str, str] = {}
    for locale, countries in own_languages().items():
        there = {zone for country in countries for zone in zones_by_country().get(country, ())}
        names |= {city: zone for city, zone in _cities(locale).items() if zone in there}
    for city in wordlist("timezones")["unclear"]["cities"]:
        names.pop(plain(city), None)
    return names


def _cities(locale: "Locale") -> dict[str, str]:
    """The cities after which zones are called, as a language has them."""
    named = ((_today(zone), facts.get("city")) for zone, facts in locale.time_zones.items())
    return {plain(str(city)): zone for zone, city in named if city and zone in zones_of_places()}


def _today(zone: str) -> str:
    """The present name of a zone: CLDR and Windows keep the first one for ever."""
    return zone if zone in zones_of_places() else renamed_zones().get(zone, zone)
