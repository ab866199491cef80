"""Languages, read from tags, codes and names."""

import re
from functools import cache

from mlgroup_mail.contacts.words.countries import find_country
from mlgroup_mail.contacts.words.locales import FIRST_LOCALES, WIDE_LOCALES, own_languages
from mlgroup_mail.contacts.words.texts import plain
from mlgroup_mail.contacts.words.wordlists import unmistakable, wordlist

_NO_LANGUAGES = frozenset({"mis", "mul", "und", "zxx", "root"})

_TAG = re.compile(
    r"(?P<language>[A-Za-z]{2,3})(?:[-_](?P<script>[A-Za-z]{4}))?(?:[-_](?P<region>[A-Za-z]{2}|\d{3}))?(?:[.@][\w.@-]+)?",
    re.ASCII,
)
"""A BCP 47 tag of three parts at most, or a POSIX locale such as en_US.UTF-8."""

_WITH_REGION = re.compile(r"(?P<language>[^()]+?)(?: *\((?P<inside>[^()]+)\)| +[-–—] +(?P<behind>.+))")


def find_language(text: str) -> str:
    """The BCP 47 tag (language, script, region) of a tag, an ISO 639 code or a language's name; empty where unknown.

    Names are looked for in the same languages as countries' names, and in the language itself; a country may stand
    behind: "English (UK)".
    """
    return _language(text) or _with_region(text)


def _language(text: str) -> str:
    tag = _TAG.fullmatch(text.strip())
    language = _codes().get(tag["language"].casefold(), "") if tag else ""
    if tag is None or not language:
        words = plain(text)
        return _names().get(words) or _wide_names().get(words) or _own_names().get(words, "")
    script = (tag["script"] or "").title()
    region = (tag["region"] or "").upper()
    if (script and script not in _scripts()) or (region.isalpha() and not (region := find_country(region))):
        return _names().get(plain(text), "")
    return "-".join(part for part in (language, script, region) if part)


def _with_region(text: str) -> str:
    """ "English (UK)", "French - Canada", "German (de)", "en - English"."""
    parts = _WITH_REGION.fullmatch(text.strip())
    if parts is None:
        return ""
    language, other = _language(parts["language"]), parts["inside"] or parts["behind"]
    further = _language(other)
    if language and further.partition("-")[0] == language.partition("-")[0]:
        return max(language, further, key=len)
    country = find_country(other)
    return f"{language}-{country}" if language.isalpha() and country else ""


@cache
def _codes() -> dict[str, str]:
    """ISO 639 codes, of two letters and three; the shortest is the tag (BCP 47)."""
    from babel.core import get_global

    known = {tag for tag in _named("en").values() if tag.isalpha()}
    renamed = {old: new for old, new in get_global("language_aliases").items() if new in known}
    return renamed | {tag: tag for tag in known}


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for locale in reversed(FIRST_LOCALES):
        names |= _named(locale)
    return names | {plain(name): tag for tag, listed in wordlist("languages")["names"].items() for name in listed}


@cache
def _wide_names() -> dict[str, str]:
    """Names in many languages that mean one language only."""
    return unmistakable(pair for locale in WIDE_LOCALES for pair in _named(locale).items())


@cache
def _own_names() -> dict[str, str]:
    """What languages call themselves, where they are spoken by most people of a country or official."""
    named = ((locale.languages.get(locale.language), locale.language) for locale in own_languages())
    return unmistakable((plain(str(name)), tag) for name, tag in named if name)


@cache
def _scripts() -> frozenset[str]:
    from babel import Locale

    return frozenset(Locale("en").scripts)


def _named(locale: str) -> dict[str, str]:
    """Tags by the names that one language has for them."""
    from babel import Locale

    languages = Locale.parse(locale).languages.items()
    return {plain(str(name)): str(tag).replace("_", "-") for tag, name in languages if tag not in _NO_LANGUAGES}
