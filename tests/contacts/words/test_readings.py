"""One cell, one reading: what is understood, and what is dropped with its reason."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.countries import country_remark
from mlgroup_mail.contacts.words.readings import ANY_WORDS, NOTHING, Reading, Vocabulary, make_readers
from mlgroup_mail.contacts.words.statuses import opts_out, status_word
from tests.cli.conftest import Run
from tests.contacts.cells.cell import WORDS
from tests.contacts.files import csv_file

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


@pytest.mark.parametrize("cell", [";", ",", "|", ";,|", " ; "])
def test_separators_alone_choose_nothing(cell: str) -> None:
    assert make_readers(WORDS)[Field.TOPICS](cell) == Reading(())
    assert make_readers(ANY_WORDS)[Field.TOPICS](cell) == Reading(())


FRAGMENTS = st.sampled_from(
    ["FR,", "DE,,", "DE (", "left", " - yes", " - no", ": yes", "not ", "退", "all but ", "no ", "(UTC+1) ", "en - "]
)
SIGNS = st.sampled_from([*";,|/()[@=?-日ß \n\u2028", "a@example.org;", "calls", " (ABT)"])
REPEATED = st.builds(
    lambda texts, times: "".join(texts) * times, st.lists(FRAGMENTS | SIGNS, max_size=4), st.integers(1, 2_500)
)


@settings(deadline=None)
@given(st.sampled_from([*make_readers(WORDS)]), st.one_of(st.text(), st.text(";,|/()- @=?\n"), REPEATED))
@example(Field.TOPICS, ";")
@example(Field.COUNTRY, "FR," * 1500)
@example(Field.COUNTRY, "DE,," * 60 + "x")
@example(Field.COUNTRY, "DE,," * 45 + "x")
@example(Field.TIMEZONE, "DE,," * 45 + "x")
@example(Field.COUNTRY, "," * 10_000)
@example(Field.STATUS, "left" + " - yes" * 1500)
@example(Field.NAME, "\n" * 10_000)
def test_no_reader_ever_raises_or_hangs(field: Field, cell: str) -> None:
    for vocabulary in (WORDS, ANY_WORDS):
        assert isinstance(make_readers(vocabulary)[field](cell), Reading)


@pytest.mark.parametrize("field", [Field.COUNTRY, Field.TIMEZONE, Field.LANGUAGE])
def test_a_place_of_more_than_200_characters_is_dropped_with_its_reason(field: Field) -> None:
    cell = "France " * 40
    assert make_readers(WORDS)[field](cell) == Reading("", "longer than 200 characters", cell)


@pytest.mark.parametrize("before", [0, 300, 490, 500, 600, 5_000])
@pytest.mark.parametrize("field", [Field.STATUS, Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE])
def test_a_word_for_leaving_is_found_wherever_it_stands_in_a_long_cell(field: Field, before: int) -> None:
    """A missed opt-out breaks a promise."""
    cell = f"{'x ' * (before // 2)}has unsubscribed{' and more' * 60}"
    reading = make_readers(WORDS)[field](cell)
    assert isinstance(reading.value, str)
    assert opts_out(reading.value)
    assert field is Field.OPTED_OUT or reading.reason


def test_a_list_with_such_cells_is_read_and_the_others_count(run: Run, tmp_path: Path) -> None:
    cells = {
        "Country": ["FR," * 1500, "DE,," * 45, "," * 9_000],
        "Time zone": ["DE,," * 45, "," * 9_000, "FR," * 1500],
        "Status": ["member" + " - yes" * 1500, "left" + " - yes" * 1500, "退" * 9_000],
        "Topics": [";", ",", "|"],
    }
    rows = [
        ("Email", *cells),
        *((f"p{n}@example.org", *row) for n, row in enumerate(zip(*cells.values(), strict=True))),
    ]
    csv_file(tmp_path / "list.csv", [*rows, ("anna@example.org", "FR", "", "member", "")])
    shown = run("contacts", "check", "list.csv", "--json")
    assert shown.code == 0, shown.err
    assert (shown.json["contacts"], shown.json["rejected"]) == (4, [])


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
