"""Mail outside mailings: what there is of it, and why one that is due has not gone."""

from enum import StrEnum


class CourtesyKind(StrEnum):
    """What a mail to one person is for. Its Message-ID begins with it."""

    TEST = "test"
    """A mailing as somebody would get it, to the team."""
    CONFIRMATION = "confirmation"
    """Was it you who asked to join?"""
    WELCOME = "welcome"
    """You are on the list now."""
    UNDO = "undo"
    """Was it you who opted out, or a mail gateway?"""


class KeptBack(StrEnum):
    """Why a mail to one person that is due has not gone. A person reads the line of meaning."""

    NOT_ALLOWED = "not_allowed"
    """It is looked at again: the settings may be others by then."""
    OPTED_OUT = "opted_out"
    """It is looked at again: somebody may lift the opt-out, which the person cannot."""
    NO_ADDRESS = "no_address"
    """They are gone from the list, or forgotten."""
    NOT_MADE = "not_made"
    """A template or a setting: tried again a few times."""
    PUT_OFF = "put_off"
    """Surely not accepted: tried again a few times."""

    @property
    def meaning(self) -> str:
        """The reason in words that fit behind a colon."""
        return _MEANINGS[self]


_MEANINGS = {
    KeptBack.NOT_ALLOWED: "outside the allowed domains of this environment",
    KeptBack.OPTED_OUT: "an opt-out stands that only you can lift",
    KeptBack.NO_ADDRESS: "their address is not known any more",
    KeptBack.NOT_MADE: "the mail could not be made: a template, or a setting",
    KeptBack.PUT_OFF: "the mail server did not take it",
}
