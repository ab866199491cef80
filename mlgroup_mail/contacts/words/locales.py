"""The languages in which lists name countries, cities and languages."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

FIRST_LOCALES = ("en", "fr", "es", "de")
"""The languages whose names come first, the first before the next."""

_UNITED_NATIONS = "ar zh zh_Hant ru"
_EUROPEAN_UNION = "bg cs da el et fi ga hr hu it lt lv mt nl pl pt ro sk sl sv"
_FURTHER = "nb is tr uk sr he fa hi id ja ko vi th"
WIDE_LOCALES = (*_UNITED_NATIONS.split(), *_EUROPEAN_UNION.split(), *_FURTHER.split())
"""The languages in which every country may be named, and not only those where they are spoken."""

_OFFICIAL = frozenset({"official", "de_facto_official"})


@cache
def own_languages() -> dict["Locale", set[str]]:
    """The languages that are official in some country or spoken by most people there, with their countries."""
    from babel import Locale
    from babel.core import get_global
    from babel.localedata import exists

    countries: dict[str, set[str]] = {}
    for country, spoken in get_global("territory_languages").items():
        most = max(spoken, key=lambda language: spoken[language]["population_percent"] or 0, default="")
        for language, facts in spoken.items():
            if (language == most or facts["official_status"] in _OFFICIAL) and exists(language):
                countries.setdefault(language, set()).add(country)
    return {Locale.parse(language): codes for language, codes in countries.items()}
