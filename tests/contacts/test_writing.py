"""The clean list: every program opens it, no cell is a formula, and it reads back as it was."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.contacts.cleaning.cleaned import clean
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.sources.tables import read_source
from mlgroup_mail.contacts.words.readings import ANY_WORDS, make_readers
from mlgroup_mail.contacts.writing import COLUMNS, write_clean
from mlgroup_mail.model import Contact
from tests.contacts.files import source

HOSTILE = Contact(
    address="+anna@example.org",
    name='=HYPERLINK("https://example.net","Anna")',
    organisation="@SUM(A1:A9)",
    country="FR",
    themes=("-2+3", "MLOps"),
    topics=("newsletter", "calls"),
)


def test_the_columns_are_those_of_the_interface(tmp_path: Path) -> None:
    write_clean([], tmp_path / "clean.csv")
    assert (tmp_path / "clean.csv").read_text() == (
        "address,name,organisation,country,timezone,language,status,topics,themes\n"
    )


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    write_clean([HOSTILE], tmp_path / "clean.csv")
    with (tmp_path / "clean.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["address"] == "'+anna@example.org"
    assert row["name"].startswith("'=HYPERLINK")
    assert row["organisation"] == "'@SUM(A1:A9)"
    assert row["topics"] == "newsletter; calls"
    assert row["themes"] == "'-2+3; MLOps"


READERS = make_readers(ANY_WORDS)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=15)


def _read(field: Field) -> st.SearchStrategy[str]:
    """What a list can hold: texts that were read, and that nothing is remarked about."""
    return TEXT.map(READERS[field]).filter(lambda reading: not reading.reason).map(lambda reading: str(reading.value))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    st.lists(
        st.builds(
            Contact,
            address=st.from_regex(r"[a-z+-][a-z]{0,5}@example\.org", fullmatch=True),
            name=_read(Field.NAME),
            organisation=st.one_of(
                _read(Field.ORGANISATION), st.sampled_from(["=1+1", "-5", "@x", "+1", 'Office, "A"; B'])
            ),
            country=st.sampled_from(["", "FR", "NA"]),
            timezone=st.sampled_from(["", "Europe/Paris"]),
            language=st.sampled_from(["", "pt-BR"]),
            status=st.sampled_from(["member", "lead", "left"]),
            topics=st.sampled_from([(), ("newsletter",), ("newsletter", "calls")]),
            themes=st.sampled_from([(), ("MLOps",), ("MLOps", "Web data")]),
        ),
        max_size=5,
        unique_by=lambda contact: contact.address,
    )
)
def test_the_clean_list_reads_back_as_it_was(tmp_path: Path, contacts: list[Contact]) -> None:
    path = tmp_path / "clean.csv"
    write_clean(contacts, path)
    result = clean([read_source(path, source())], ANY_WORDS, at=datetime(2021, 10, 20, tzinfo=UTC))
    assert (result.rejected, result.merged) == ((), ())
    assert all(note.kept for note in result.noted), "a shared mailbox is told, nothing is dropped"
    assert [[getattr(each, column) for column in COLUMNS] for each in result.contacts] == [
        [getattr(each, column) for column in COLUMNS] for each in contacts
    ]
