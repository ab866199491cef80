"""From whole files to contacts: every row ends accepted, merged or rejected."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.cleaned import Cleaned, clean
from mlgroup_mail.contacts.cleaning.notes import masked
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.tables import read_source
from mlgroup_mail.contacts.words.readings import Vocabulary
from mlgroup_mail.contacts.words.statuses import opts_out
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import ALL_TOPICS, Contact, Road, Signal, SignalKind
from tests.contacts.files import Rows, csv_file, source

NOW = datetime(2021, 10, 20, 9, tzinfo=UTC)
WORDS = Vocabulary(topics={"newsletter": "Monthly newsletter", "meetings": "Meetings", "board": "Board"})


def cleaned(folder: Path, *lists: Rows, words: Vocabulary = WORDS, **keys: object) -> Cleaned:
    """The lists, read as files called 1, 2, ... and cleaned together."""
    tables = [
        read_source(csv_file(folder / f"{number}.csv", rows), source(**{"name": str(number), **keys}))
        for number, rows in enumerate(lists, start=1)
    ]
    return clean(tables, words, at=NOW)


def test_a_full_row_becomes_a_contact(tmp_path: Path) -> None:
    header = ["ID", "Email", "Name", "First name", "Organisation", "Country"]
    header += ["Time zone", "Language", "Status", "Topics", "Themes", "Aliases"]
    row = "7|Anna@Stats.CZ.Example| Anna  Nováková|Anna|Statistický úřad|Czechia|europe/prague|Czech|Lead"
    row += "|newsletter; board|MLOps; Imagery|anna@example.org"
    assert tuple(cleaned(tmp_path, [header, row.split("|")]).contacts) == (
        Contact(
            external_id="1:7",
            address="Anna@stats.cz.example",
            name="Anna Nováková",
            first_name="Anna",
            organisation="Statistický úřad",
            country="CZ",
            timezone="Europe/Prague",
            language="cs",
            status="lead",
            topics=("newsletter", "board"),
            themes=("MLOps", "Imagery"),
            aliases=("anna@example.org",),
            source="1",
        ),
    )


def test_an_address_is_enough(tmp_path: Path) -> None:
    assert tuple(cleaned(tmp_path, [["Email"], ["anna@example.org"]]).contacts) == (
        Contact(address="anna@example.org", status="member", source="1"),
    )


@pytest.mark.parametrize(
    ("header", "cells", "name", "first_name"),
    [
        ("Name", "Anna Novak", "Anna Novak", "Anna Novak"),
        ("Name", "Novak, Anna", "Novak, Anna", "Anna"),
        ("Name|First name", "Anna Novak|Anna", "Anna Novak", "Anna"),
        ("Name|First name", "Anna Novak|", "Anna Novak", "Anna Novak"),
        ("First name|Last name", "Anna|Novak", "Anna Novak", "Anna"),
        ("First name|Last name", "|Novak", "Novak", "Novak"),
        ("Nom|Prénom", "Novak|Anna", "Anna Novak", "Anna"),
        ("Name", "", "", ""),
    ],
)
def test_names_come_from_one_column_or_two(tmp_path: Path, header: str, cells: str, name: str, first_name: str) -> None:
    (contact,) = cleaned(tmp_path, [["Email", *header.split("|")], ["anna@example.org", *cells.split("|")]]).contacts
    assert (contact.name, contact.first_name) == (name, first_name)


def test_a_row_without_a_usable_address_is_rejected_with_its_place(tmp_path: Path) -> None:
    result = cleaned(
        tmp_path,
        [
            ["Name", "E-mail address"],
            ["Anna", "anna.example.org"],
            ["Ben", "ben@example.org by post"],
            ["", ""],
            ["Cleo", " "],
            ["Dan", "dan@example.org\r\nBcc: all@example.org"],
            ["Eve", "eve@example.org"],
        ],
    )
    assert [(note.source, note.row, note.column, note.value_masked) for note in result.rejected] == [
        ("1", 2, "E-mail address", "a…"),
        ("1", 3, "E-mail address", "b…@example.org"),
        ("1", 5, "E-mail address", ""),
        ("1", 6, "E-mail address", "d…@example.org"),
    ]
    assert [contact.address for contact in result.contacts] == ["eve@example.org"]
    assert result.rows == 5


def test_a_cell_with_two_addresses_is_a_person_with_two_and_says_so(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [["Email"], ["ben@example.org; benjamin@example.net"]])
    (ben,) = result.contacts
    assert (ben.address, ben.aliases) == ("ben@example.org", ("benjamin@example.net",))
    (note,) = result.noted
    assert (note.row, note.kept) == (2, True)
    assert "more than one address" in note.reason


def test_a_value_that_cannot_be_read_is_noted_and_the_person_kept(tmp_path: Path) -> None:
    result = cleaned(
        tmp_path,
        [
            ["Courriel", "Nom", "Pays", "Fuseau horaire", "Abonnements"],
            ["anna@example.org", "Anna\nTo: you", "Absurdistan", "CEST", "gossip; newsletter"],
        ],
    )
    assert tuple(result.contacts) == (Contact(address="anna@example.org", topics=("newsletter",), source="1"),)
    assert [(note.row, note.column, note.value_masked) for note in result.noted] == [
        (2, "Nom", "A…"),
        (2, "Pays", "Absurdistan"),
        (2, "Fuseau horaire", "CEST"),
        (2, "Abonnements", "gossip"),
    ]
    assert result.rejected == ()


def test_a_rejected_row_is_told_once(tmp_path: Path) -> None:
    """What else is wrong in it is of no interest."""
    result = cleaned(tmp_path, [["Email", "Country"], ["nobody", "Absurdistan"]])
    assert (len(result.rejected), result.noted) == (1, ())


def test_a_row_whose_values_are_shifted_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Email,Organisation,Country\na@example.org,Office, Unit,FR\nb@example.org,Office,FR\n")
    result = clean([read_source(path, source())], WORDS, at=NOW)
    assert [(note.row, note.reason[:38]) for note in result.rejected] == [(2, "more cells than the header has: values")]
    assert [contact.country for contact in result.contacts] == ["FR"]


def test_the_same_mailbox_in_other_spelling_is_one_person(tmp_path: Path) -> None:
    """The first row wins, later ones fill its gaps; several topics and themes come together."""
    result = cleaned(
        tmp_path,
        [
            ["Email", "Name", "Organisation", "Country", "Topics", "Themes"],
            ["anna@example.org", "Anna", "", "FR", "newsletter", "MLOps"],
            ["ANNA@Example.Org ", "A. N.", "Office", "BE", "meetings", "Imagery; MLOps"],
            ["Anna <anna@example.org>", "", "Other office", "", "", ""],
        ],
    )
    assert tuple(result.contacts) == (
        Contact(
            address="anna@example.org",
            name="Anna",
            first_name="Anna",
            organisation="Office",
            country="FR",
            topics=("newsletter", "meetings"),
            themes=("MLOps", "Imagery"),
            source="1",
        ),
    )
    assert (result.rows, len(result.merged), result.rejected) == (3, 2, ())


def test_a_first_name_of_its_own_wins_over_one_that_is_the_whole_name(tmp_path: Path) -> None:
    header = ["Email", "Name", "First name"]
    rows = [["a@example.org", "Anna Novak", ""], ["a@example.org", "Novak A.", "Anna"], ["a@example.org", "", "Annie"]]
    (contact,) = cleaned(tmp_path, [header, *rows]).contacts
    assert (contact.name, contact.first_name) == ("Anna Novak", "Anna")


@pytest.mark.parametrize("order", [0, 1])
def test_an_alias_leads_to_the_same_person(tmp_path: Path, order: int) -> None:
    rows = [["new@example.org", "old@example.org", "Anna"], ["OLD@example.org", "", "Anna Old"]]
    result = cleaned(tmp_path, [["Email", "Aliases", "Name"], *(rows[::-1] if order else rows)])
    (contact,) = result.contacts
    assert {addresses.key(each) for each in (contact.address, *contact.aliases)} == {
        "new@example.org",
        "old@example.org",
    }
    assert len(result.merged) == 1


def test_earlier_sources_take_precedence_and_defaults_fill_only_gaps(tmp_path: Path) -> None:
    """A default is weaker than what any row says."""
    result = cleaned(
        tmp_path,
        [["Email", "Country"], ["anna@example.org", "FR"]],
        [["Email", "Country", "Status", "Organisation"], ["anna@example.org", "BE", "lead", "Office"]],
        [["Email"], ["ben@example.org"]],
        defaults={"status": "member", "country": "Norway"},
    )
    assert [(each.address, each.country, each.status, each.organisation, each.source) for each in result.contacts] == [
        ("anna@example.org", "FR", "lead", "Office", "1"),
        ("ben@example.org", "NO", "member", "", "3"),
    ]


@pytest.mark.parametrize("word", ["left", "Unsubscribed", "désabonné"])
def test_a_status_that_says_left_is_an_opt_out_of_everything(tmp_path: Path, word: str) -> None:
    result = cleaned(tmp_path, [["Email", "Status"], ["x@example.org", "member"], ["anna@example.org", word]])
    assert result.opt_outs == (
        Signal(
            kind=SignalKind.OPT_OUT,
            topic=ALL_TOPICS,
            road=Road.FILE,
            at=NOW,
            address="anna@example.org",
            reason=f"the list says “{word.lower()}”",
            evidence="1, row 3",
        ),
    )
    assert [contact.status for contact in result.contacts] == ["member", word.lower()]


def test_no_topics_at_all_is_an_opt_out_and_not_the_default_topics(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [["Email", "Status", "Topics"], ["anna@example.org", "member", "none"]])
    assert [(each.status, each.topics) for each in result.contacts] == [("no mail", ())]
    assert [each.topic for each in result.opt_outs] == [ALL_TOPICS]


STATUSES = st.lists(st.sampled_from(["", "member", "lead", "left", "inactive"]), min_size=1, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(statuses=STATUSES)
def test_an_opt_out_wins_a_merge_whatever_the_order(tmp_path: Path, statuses: list[str]) -> None:
    spellings = ["anna@example.org", "Anna@example.org", "ANNA@EXAMPLE.ORG", "<anna@example.org>", " anna@example.org"]
    rows = [list(pair) for pair in zip(spellings, statuses, strict=False)]
    result = cleaned(tmp_path, [["Email", "Status"], *rows])
    (contact,) = result.contacts
    out = any(opts_out(status) for status in statuses)
    assert len(result.opt_outs) == out
    assert opts_out(contact.status) == out


def test_defaults_that_cannot_be_read_stop_everything(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"“defaults.country”: this country is not known") as caught:
        cleaned(tmp_path, [["Email"], ["a@example.org"]], defaults={"country": "Absurdistan"})
    assert caught.value.problem.where == "contacts.toml, source “1”"
    with pytest.raises(ConfigurationError, match="each person’s own"):
        cleaned(tmp_path, [["Email"], ["a@example.org"]], defaults={"status": "left"})


@pytest.mark.parametrize(
    ("field", "cell", "shown"),
    [
        (Field.EMAIL, "anna novak@example.org", "a…@example.org"),
        (Field.EMAIL, "a@example.org (Anna Novak)", "a…@example.org"),
        (Field.EMAIL, "Anna Novak", "A…"),
        (Field.ALIASES, "anna", "a…"),
        (Field.NAME, "Anna Novak", "A…"),
        (Field.COUNTRY, "Absurdistan", "Absurdistan"),
        (Field.COUNTRY, "ask anna@example.org", "ask a…@example.org"),
        (Field.ORGANISATION, "x" * 50, "x" * 39 + "…"),
        (Field.COUNTRY, "two\nlines", "two lines"),
    ],
)
def test_what_is_shown_of_a_cell_names_nobody(field: Field, cell: str, shown: str) -> None:
    assert masked(field, cell) == shown


CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20),
    st.sampled_from(["a@example.org", "A@example.org", "b@example.org", "left", "none", "=1+1", "x\r\nTo: y"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(rows=st.lists(st.lists(CELLS, min_size=6, max_size=6), max_size=6))
def test_no_row_is_lost_whatever_stands_in_it(tmp_path: Path, rows: list[list[str]]) -> None:
    """rows = contacts + merged + rejected; no value can break a line or name a mailbox twice."""
    header = ["Email", "Name", "Country", "Status", "Topics", "Aliases"]
    result = cleaned(tmp_path, [header, *rows])
    assert result.rows == len(result.contacts) + len(result.merged) + len(result.rejected)
    assert {note.row for note in result.rejected} <= set(range(2, len(rows) + 2))
    mailboxes = [addresses.key(contact.address) for contact in result.contacts]
    assert len(mailboxes) == len(set(mailboxes))
    for contact in result.contacts:
        for text in (contact.address, contact.name, contact.first_name, contact.status, *contact.topics):
            assert len(text.splitlines()) <= 1
            assert not any(ord(char) < 32 for char in text)
