"""Who of the rows is one person: told from few rows or from a million, it is the same."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail import addresses
from mlgroup_mail.contacts.cleaning.cleaned import Cleaned, clean
from mlgroup_mail.contacts.sources.tables import read_source
from mlgroup_mail.contacts.words.readings import ANY_WORDS
from tests.contacts.files import Rows, csv_file, source

NOW = datetime(2021, 10, 20, 9, tzinfo=UTC)


def cleaned(folder: Path, *lists: Rows) -> Cleaned:
    tables = [
        read_source(csv_file(folder / f"{number}.csv", rows), source(name=str(number)))
        for number, rows in enumerate(lists, start=1)
    ]
    return clean(tables, ANY_WORDS, at=NOW)


def test_a_row_that_knows_two_others_makes_one_person_of_them(tmp_path: Path) -> None:
    header = ["Email", "Aliases", "Name"]
    result = cleaned(
        tmp_path,
        [header, ["a@example.org", "", ""], ["b@example.org", "", "Ana"], ["a@example.org", "b@example.org", ""]],
    )
    (person,) = result.contacts
    assert (person.address, person.aliases, person.name) == ("a@example.org", ("b@example.org",), "Ana")
    assert [(note.row, note.reason) for note in result.merged] == [
        (3, "the same person as row 2"),
        (4, "the same person as row 2"),
    ]


def test_rows_with_one_id_are_one_person_who_has_two_addresses(tmp_path: Path) -> None:
    rows = [["ID", "Email", "Name"], ["7", "a@example.org", "Ana Costa"], ["7", "b@example.org", "COSTA, Ana"]]
    (person,) = cleaned(tmp_path, rows).contacts
    assert (person.external_id, person.address, person.aliases) == ("1:7", "a@example.org", ("b@example.org",))


def test_an_id_that_two_names_share_makes_nobody_vanish(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [["ID", "Email", "Name"], ["7", "a@example.org", "Ana"], ["7", "b@example.org", "Ben"]])
    assert [(person.address, person.external_id) for person in result.contacts] == [
        ("a@example.org", "1:7"),
        ("b@example.org", ""),
    ]
    (note,) = result.noted
    assert (note.row, note.column, note.value, note.kept) == (3, "ID", "7", False)


def test_an_id_alone_makes_nobody_one_person(tmp_path: Path) -> None:
    rows = [["ID", "Email"], *(["FR", f"a{number}@example.org"] for number in range(5))]
    result = cleaned(tmp_path, rows)
    assert len(result.contacts) == 5
    assert [note.column for note in result.noted] == ["ID"] * 4


def test_the_same_id_twice_stays_its_own_after_other_rows_were_merged(tmp_path: Path) -> None:
    header = ["ID", "Email", "Aliases", "Name"]
    rows = [
        ["", "a@example.org", "", ""],
        ["7", "b@example.org", "", "Ana"],
        ["", "a@example.org", "b@example.org", ""],
        ["7", "e@example.org", "", "Ana"],
    ]
    (person,) = cleaned(tmp_path, [header, *rows]).contacts
    assert (person.external_id, person.aliases) == ("1:7", ("b@example.org", "e@example.org"))


def test_an_opt_out_counts_though_its_row_has_too_many_cells(tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    path.write_text(
        "Email,Name,Status\nanna@example.org,Anna,unsubscribed,,see mail of 3 May\nben@example.org,Ben,member,x\n"
        "c@example.org,C,member\nd@example.org,D,member\ne@example.org,E,member\n"
    )
    result = clean([read_source(path, source(name="1"))], ANY_WORDS, at=NOW)
    assert [signal.address for signal in result.opt_outs] == ["anna@example.org"]
    assert [note.row for note in result.rejected] == [3]
    assert [(note.row, note.kept) for note in result.noted] == [(2, True)]


def test_a_first_name_that_is_the_full_name_is_not_doubled(tmp_path: Path) -> None:
    rows = [["Email", "First name", "Last name"], ["a@example.org", "Anna Novak", "Novak"]]
    (person,) = cleaned(tmp_path, rows).contacts
    assert person.name == "Anna Novak"


def test_ids_of_two_sources_are_not_the_same_ids(tmp_path: Path) -> None:
    result = cleaned(tmp_path, [["ID", "Email"], ["7", "a@example.org"]], [["ID", "Email"], ["7", "b@example.org"]])
    assert [person.external_id for person in result.contacts] == ["1:7", "2:7"]


_ADDRESS = st.sampled_from([f"{name}@example.org" for name in "abcdef"] + ["A@EXAMPLE.org", "no address"])
_ROW = st.tuples(
    _ADDRESS,
    st.one_of(st.just(""), _ADDRESS),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from(["", "Ana", "Ben"]),
    st.sampled_from(["", "member", "left"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists=st.lists(st.lists(_ROW, max_size=6), min_size=1, max_size=2))
def test_nobody_is_lost_doubled_or_written_to_against_their_will(
    tmp_path: Path, lists: list[list[tuple[str, str, str, str, str]]]
) -> None:
    header = ("Email", "Aliases", "ID", "Name", "Status")
    result = cleaned(tmp_path, *([header, *rows] for rows in lists))
    people = list(result.contacts)
    mailboxes = [addresses.key(each) for person in people for each in {person.address, *person.aliases}]
    assert len(mailboxes) == len(set(mailboxes)), "no mailbox belongs to two people"
    usable = {row[0].casefold() for rows in lists for row in rows if "@" in row[0]}
    assert usable <= set(mailboxes), "whoever has an address is somebody"
    assert result.rows == len(people) + len(result.merged) + len(result.rejected)
    left = {row[0].casefold() for rows in lists for row in rows if row[4] == "left"}
    for person in people:
        if left & {addresses.key(each) for each in (person.address, *person.aliases)}:
            assert person.status == "left"
            assert person.address in {signal.address for signal in result.opt_outs}
