"""One cell, one reading: what is understood, and what is dropped with its reason."""

import pytest

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.countries import country_remark
from mlgroup_mail.contacts.words.readings import ANY_WORDS, NOTHING, Reading, Vocabulary, make_readers
from mlgroup_mail.contacts.words.statuses import opts_out, status_word

TITLES = {"newsletter": "News", "meetings": "Meetings", "coffee-coding": "Coffee", "calls": "Calls", "board": "Board"}

CELLS: list[tuple[Field, str, Reading]] = [
    (Field.NAME, " Zoe\u0308  Novak\n", Reading("Zoë Novak")),
    (Field.NAME, "anna@example.org", Reading("", "an address stands where the name should", "anna@example.org")),
    (Field.NAME, "Anna\r\nBcc: x", Reading("", "a line that looks like a mail header", "Anna\r\nBcc: x")),
    (Field.NAME, "=1+1", Reading("", "a formula stands where its value should", "=1+1")),
    (Field.ORGANISATION, 'Office; "Unit, A"', Reading('Office; "Unit, A"')),
    (Field.ORGANISATION, "Office\x07", Reading("", "control characters", "Office\x07")),
    (Field.COUNTRY, "Pays-Bas", Reading("NL")),
    (Field.COUNTRY, " ", Reading("")),
    (Field.COUNTRY, "Absurdistan", Reading("", "this country is not known", "Absurdistan")),
    (Field.TIMEZONE, "europe/paris", Reading("Europe/Paris")),
    (Field.COUNTRY, "Congo", Reading("CG", country_remark("Congo"))),
    (Field.LANGUAGE, "français", Reading("fr")),
    (Field.LANGUAGE, "Elvish", Reading("", "this language is not known", "Elvish")),
    (Field.STATUS, "LEAD", Reading("lead")),
    (Field.STATUS, "Mitglied", Reading("member")),
    (Field.STATUS, "Unsubscribed ", Reading("unsubscribed")),
    (Field.STATUS, "Observer", Reading("observer")),
    (Field.TOPICS, "newsletter;calls", Reading(("newsletter", "calls"))),
    (Field.TOPICS, "Newsletter, Calls", Reading(("newsletter", "calls"))),
    (Field.TOPICS, "Coffee & Coding; coffee and coding", Reading(("coffee-coding",))),
    (Field.TOPICS, "newsletter; gossip", Reading(("newsletter",), "this topic is not known", "gossip")),
    (Field.TOPICS, "gossip", Reading((), "this topic is not known, so the default topics apply", "gossip")),
    (Field.TOPICS, "none", Reading(NOTHING)),
    (Field.TOPICS, "Aucun", Reading(NOTHING)),
    (Field.THEMES, "MLOps; Imagery, maps; MLOps", Reading(("MLOps", "Imagery, maps"))),
    (Field.ALIASES, "A@Example.ORG; b@example.org", Reading(("A@example.org", "b@example.org"))),
    (Field.ALIASES, "a@example.org; b", Reading(("a@example.org",), "there is no @ in the address", "b")),
    (Field.ID, " 0042 ", Reading("0042")),
]


@pytest.mark.parametrize(("field", "cell", "reading"), CELLS)
def test_a_cell_is_read_by_the_rule_of_its_field(field: Field, cell: str, reading: Reading) -> None:
    assert make_readers(Vocabulary(topics=TITLES))[field](cell) == reading


def test_without_a_project_any_topic_is_taken() -> None:
    assert make_readers(ANY_WORDS)[Field.TOPICS]("Gossip; news") == Reading(("gossip", "news"))


OPT_OUTS = """
    left, Left, has left, unsubscribed, Inactive, Opted-out, opt out, do not contact,
    parti, désabonnée, Inactif, ausgetreten, abgemeldet, inaktiv, baja, de baja, inactivo
"""


@pytest.mark.parametrize("status", [word.strip() for word in OPT_OUTS.split(",")])
def test_a_status_that_says_no_more_mail_is_an_opt_out_in_four_languages(status: str) -> None:
    assert opts_out(status)
    assert opts_out(status_word(status))


@pytest.mark.parametrize(
    "status", ["", "member", "lead", "board", "active", "observer", "left-handed", "retirement office"]
)
def test_another_status_is_no_opt_out(status: str) -> None:
    assert not opts_out(status)
