"""Which of a mailing's translations a reader gets."""

import functools

from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.language.language_tags import best_match


def translation_for(source: FrozenSource, language: str) -> str:
    """The tag of the translation for a reader's language; "" for the original, to which everybody falls back.

    The original is one of the texts to choose from: a reader in the United States gets the British original, and no
    translation. Never raises: what is written in a list may be no tag at all.
    """
    return _choice(source.language, tuple(source.translations), language)


@functools.lru_cache(maxsize=10_000)
def _choice(original: str, translations: tuple[str, ...], language: str) -> str:
    found = best_match(language, (original, *translations))
    return "" if found is None or found == original else found
