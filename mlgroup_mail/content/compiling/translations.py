"""Which of a mailing's translations a reader gets."""

import functools

from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.language_tags import best_match


def translation_for(source: FrozenSource, language: str) -> str:
    """The tag of the translation for a reader's language; "" for the original, to which everybody falls back.

    The original is one of the texts to choose from: a reader in the United States gets the British original, and no
    translation. Never raises: what is written in a list may be no tag at all.
    """
    return text_for(source.language, tuple(source.translations), language)


@functools.lru_cache(maxsize=10_000)
def text_for(original: str, translations: tuple[str, ...], language: str) -> str:
    """The same, where the original is in the language `original`."""
    found = best_match(language, (original, *translations))
    return "" if found is None or found == original else found
