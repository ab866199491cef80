"""Which of a mailing's translations a reader gets."""

from mlgroup_mail.content.frozen import FrozenSource


def translation_for(source: FrozenSource, language: str) -> str:
    """The tag of the translation for a reader's language; "" for the original, to which everybody falls back."""
    return language if language in source.translations else ""
