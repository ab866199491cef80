"""The words of an event in other languages: `title_fr` beside `title` in the calendar."""

import re
from collections.abc import Mapping

from mlgroup_mail.content.language_tags import best_match, known_tag, tag_meant
from mlgroup_mail.documents import one_line

Translations = dict[str, dict[str, str]]
"""Words by their key (title, place, description), by the tag of their language."""

_KEY = re.compile(r"(?P<name>title|place|description)_(?P<tag>.+)")


class TranslatedKeyError(ValueError):
    """A key such as title_fr, or what it holds, cannot be right; says what to write instead."""

    def __init__(self, key: str, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.key, self.mend = key, mend


def parted(written: Mapping[str, str]) -> tuple[dict[str, str], Translations]:
    """An event's keys without those that translate its words, and what those say. Raises TranslatedKeyError."""
    own: dict[str, str] = {}
    translations: Translations = {}
    for key, value in written.items():
        found = _KEY.fullmatch(key)
        if found is None:
            own[key] = value
        elif value.strip():
            words = translations.setdefault(_tag(key, found), {})
            words[found["name"]] = _one_line(key, value) if found["name"] != "description" else value.strip()
    return own, translations


def joined(translations: Translations) -> dict[str, str]:
    """The same as keys of an event."""
    return {f"{name}_{tag}": text for tag, words in translations.items() for name, text in words.items()}


def words_for(language: str, translations: Translations) -> Mapping[str, str]:
    """The words that a text in that language uses, by key; what is not translated is missing."""
    found = best_match(language, translations) if translations else None
    return translations[found] if found else {}


def _tag(key: str, found: re.Match[str]) -> str:
    name, tag = found["name"], found["tag"]
    try:
        known = known_tag(tag)
    except ValueError as error:
        meant = tag_meant(tag)
        mend = (
            f"Did you mean “{name}_{meant}”?" if meant else f"Write “{name}_fr” for French, “{name}_pt-BR” for Brazil."
        )
        raise TranslatedKeyError(key, f"the key “{key}”: {error}", mend) from None
    if known != tag:
        raise TranslatedKeyError(key, f"the key “{key}” names a language in another form", f"Write “{name}_{known}”.")
    return known


def _one_line(key: str, value: str) -> str:
    try:
        return one_line(value.strip())
    except ValueError as error:
        raise TranslatedKeyError(key, f"“{key}” {error}") from None
