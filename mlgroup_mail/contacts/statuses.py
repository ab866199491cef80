"""The words a status column uses, and those among them that are an opt-out."""

from functools import lru_cache

from mlgroup_mail.contacts.texts import plain
from mlgroup_mail.model import ContactStatus

NO_MAIL = "no mail"
"""The status of whoever chose no topic at all: an opt-out, because empty topics mean the defaults."""

_OPT_OUT_WORDS = """
    left, has left, left the group, unsubscribed, unsubscribe, inactive, not active, opted out, opt out, optout,
    no mail, no emails, no mailing, do not contact, do not mail, do not email, removed, withdrawn, resigned, deceased,
    parti, partie, a quitte, quitte, desabonne, desabonnee, desinscrit, desinscrite, inactif, retire, retiree,
    ausgetreten, abgemeldet, inaktiv, abbestellt, ausgeschieden, keine mails, nicht kontaktieren, nicht aktiv,
    baja, de baja, dado de baja, dada de baja, inactivo, inactiva, no contactar, se fue
"""
_OPT_OUTS = frozenset(word.strip() for word in _OPT_OUT_WORDS.split(","))
"""English, French, German and Spanish, without accents."""

_TRANSLATED = {
    "membre": ContactStatus.MEMBER,
    "mitglied": ContactStatus.MEMBER,
    "miembro": ContactStatus.MEMBER,
    "active": ContactStatus.MEMBER,
    "active member": ContactStatus.MEMBER,
    "actif": ContactStatus.MEMBER,
    "aktiv": ContactStatus.MEMBER,
    "activo": ContactStatus.MEMBER,
    "board member": ContactStatus.BOARD,
    "executive board": ContactStatus.BOARD,
}

_NO_TOPICS = frozenset(
    {"none", "nothing", "no mail", "aucun", "aucune", "rien", "keine", "nichts", "ninguno", "ninguna", "nada"}
)


def status_word(text: str) -> str:
    """A status in lower case; the usual words for a member and the board as the model has them."""
    return _TRANSLATED.get(plain(text), text.lower())


@lru_cache(maxsize=1024)
def opts_out(status: str) -> bool:
    """Whether a status says that the person wants no mail."""
    return plain(status) in _OPT_OUTS


def no_topics(text: str) -> bool:
    """Whether a cell of topics says that the person wants none."""
    return plain(text) in _NO_TOPICS
