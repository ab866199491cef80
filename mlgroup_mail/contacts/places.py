"""Countries, time zones and languages, read from the words people use for them."""

import re
from functools import lru_cache

from mlgroup_mail.contacts.texts import plain
from mlgroup_mail.zones import iana_zones

_LOCALES = ("en", "fr", "de", "es")
_NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
"""What Babel lists beside the countries of ISO 3166 (and Kosovo's XK): unions, islands, test codes."""

_NO_LANGUAGES = frozenset({"mis", "mul", "und", "zxx"})

_TAG = re.compile(
    r"(?P<language>[A-Za-z]{2,3})(?:-(?P<script>[A-Za-z]{4}))?(?:-(?P<region>[A-Za-z]{2}|\d{3}))?", re.ASCII
)

_FURTHER_NAMES = {
    "AE": "uae, emirates",
    "BA": "bosnia, bosnia and herzegovina, bosnia herzegovina",
    "BO": "bolivia plurinational state of, plurinational state of bolivia",
    "CD": "democratic republic of the congo, congo kinshasa, drc, dr congo",
    "CG": "republic of the congo, congo brazzaville",
    "CI": "ivory coast",
    "CN": "people s republic of china, pr china, prc",
    "CV": "cabo verde",
    "CZ": "czech republic, republique tcheque, tschechische republik, republica checa",
    "GB": "great britain, britain, england, scotland, wales, northern ireland, u k, "
    "united kingdom of great britain and northern ireland, grande bretagne, grossbritannien, gran bretana, angleterre",
    "HK": "hong kong, hongkong",
    "IE": "republic of ireland, eire",
    "IR": "islamic republic of iran, iran islamic republic of",
    "KP": "democratic people s republic of korea, dprk",
    "KR": "republic of korea, korea republic of, korea south, south korea, korea",
    "LA": "lao people s democratic republic, lao pdr",
    "MD": "republic of moldova, moldova republic of",
    "MK": "republic of north macedonia, macedonia",
    "MM": "burma, myanmar",
    "MO": "macao, macau",
    "NL": "holland, the netherlands",
    "PS": "palestine, state of palestine",
    "RU": "russian federation, federation de russie, russische foderation, federacion de rusia",
    "SY": "syrian arab republic",
    "SZ": "swaziland",
    "TL": "east timor",
    "TR": "turkey, turquie, turkei",
    "TW": "taiwan province of china, chinese taipei",
    "TZ": "united republic of tanzania, tanzania united republic of",
    "US": "usa, u s a, u s, united states of america, etats unis d amerique, vereinigte staaten von amerika, "
    "estados unidos de america, eeuu, ee uu",
    "VA": "holy see",
    "VE": "bolivarian republic of venezuela, venezuela bolivarian republic of",
    "VN": "viet nam, socialist republic of viet nam",
}
"""Names in use that CLDR does not have in English, French, German or Spanish, without accents."""


def find_country(text: str) -> str:
    """The ISO 3166 alpha-2 code of a country's name or code; empty where it is not known."""
    return _countries().get(_country_words(text), "")


def find_timezone(text: str) -> str:
    """The IANA name of a time zone, whatever its case and blanks; empty where it is not known."""
    return _timezones().get("_".join(text.split()).casefold(), "")


def find_language(text: str) -> str:
    """The BCP 47 tag (language, script, region) of a tag or a language's name; empty where it is not known."""
    known = _languages()
    tag = _TAG.fullmatch(text.strip().replace("_", "-"))
    if tag is None or tag["language"].casefold() not in known.values():
        return known.get(plain(text), "")
    parts = (tag["language"].casefold(), (tag["script"] or "").title(), (tag["region"] or "").upper())
    return "-".join(part for part in parts if part)


def _country_words(text: str) -> str:
    """A country's name for comparing: "The", "and" and "&" make no difference."""
    words = [word for word in plain(text).split() if word not in {"the", "and", "et", "und", "y"}]
    return " ".join(words)


def _is_country(code: str) -> bool:
    return len(code) == len("GB") and code not in _NO_COUNTRIES


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    from babel import Locale
    from babel.core import get_global

    names: dict[str, str] = {}
    for locale in reversed(_LOCALES):
        territories = {code: str(name) for code, name in Locale(locale).territories.items() if _is_country(str(code))}
        names |= {_country_words(name): code for code, name in territories.items()}
        names |= {code.casefold(): code for code in territories}
    names |= {
        alias.casefold(): targets[0]
        for alias, targets in get_global("territory_aliases").items()
        if len(targets) == 1 and targets[0] in names.values()
    }
    names |= {_country_words(name): code for code, listed in _FURTHER_NAMES.items() for name in listed.split(",")}
    return names


@lru_cache(maxsize=1)
def _timezones() -> dict[str, str]:
    return {name.casefold(): name for name in iana_zones()}


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    from babel import Locale

    names: dict[str, str] = {}
    for locale in reversed(_LOCALES):
        languages = Locale(locale).languages
        names |= {plain(name): tag for tag, name in languages.items() if tag.isalpha() and tag not in _NO_LANGUAGES}
    return names
