"""Opt-outs that come as a file: every row that can be read counts, each file once, whatever happens in between."""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.consent import applying
from mlgroup_mail.consent.applying import apply_within, lift_suppressions, standing_suppressions
from mlgroup_mail.consent.file_rows import read_rows
from mlgroup_mail.consent.files import Import, ImportedFile, import_file, import_waiting
from mlgroup_mail.errors import ContactSourceError
from mlgroup_mail.model import ALL_TOPICS, Signal
from mlgroup_mail.store import Connection, Store
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run
from tests.factories import NOON

BY = Import(topics=("newsletter", "calls"))
THREE = "address\nperson1@office1.example\nperson2@office2.example\nperson3@office3.example\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "opt-outs.csv"


def read(store: Store, path: Path, text: str | bytes) -> ImportedFile:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_file(store, path, BY, now=NOON)


def standing(store: Store) -> set[tuple[str, str]]:
    return {(rule.address, rule.topic) for rule in standing_suppressions(store)}


def test_each_row_opts_one_person_out_of_its_topic_or_of_everything(store: Store, file: Path) -> None:
    found = read(
        store,
        file,
        "Address,Topic,At,Reason\n"
        "person1@office1.example,newsletter,2021-10-04,too many\n"
        "Person2@Office2.example,,,\n"
        "person3@office3.example,Newslettr,,\n",
    )
    assert (found.applied, found.rejected, found.known) == (3, (), False)
    assert standing(store) == {
        ("person1@office1.example", "newsletter"),
        ("person2@office2.example", ALL_TOPICS),
        ("person3@office3.example", ALL_TOPICS),
    }
    (rule,) = standing_suppressions(store, address="person1@office1.example")
    assert (rule.at, rule.reason) == (datetime(2021, 10, 4, tzinfo=UTC), "too many")
    assert rule.evidence == "opt-outs.csv, row 2"


def test_a_row_that_names_nobody_is_told_with_its_number_and_the_others_count(store: Store, file: Path) -> None:
    found = read(store, file, "email;reason\nnobody;x\n\n;left the office\nperson3@office3.example;\n")
    assert found.applied == 1
    assert [row.row for row in found.rejected] == [2, 4]
    assert "no @" in found.rejected[0].reason
    assert "missing" in found.rejected[1].reason


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffaddress\nperson1@office1.example\n",
        "address\r\nperson1@office1.example\r\n",
        "E-Mail Address;Topic\nperson1@office1.example;\n",
        "reason\taddress\nasked\tperson1@office1.example\n",
        'address,reason\n"Person One <person1@office1.example>","one, two\nthree"\n',
        "address,email\n12 Example Square,person1@office1.example\n",
        "address\nmailto:person1@office1.example",
    ],
    ids=["with a mark", "from Windows", "semicolons", "tabs", "quoted", "a postal address beside", "mailto"],
)
def test_files_as_offices_write_them_are_understood(store: Store, file: Path, text: str) -> None:
    assert read(store, file, text).rejected == ()
    assert {address for address, _ in standing(store)} == {"person1@office1.example"}


@pytest.mark.parametrize("header", ["Courriel", "E-Mail-Adresse", "Adresse électronique", "Correo electrónico", "MAIL"])
def test_the_column_of_addresses_may_have_the_names_that_lists_have(store: Store, file: Path, header: str) -> None:
    assert read(store, file, f"Reason;{header}\nasked;person1@office1.example\n").rejected == ()
    assert standing(store) == {("person1@office1.example", ALL_TOPICS)}


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_a_line_break_of_another_kind_in_a_reason_ends_no_row(store: Store, file: Path, sign: str) -> None:
    """Such signs come with texts that were copied from elsewhere; a row cut there would lose its opt-out."""
    text = f"reason,address\nplease{sign}stop,person1@office1.example\nasked,person2@office2.example\n"
    assert read(store, file, text).rejected == ()
    assert {address for address, _ in standing(store)} == {"person1@office1.example", "person2@office2.example"}


def test_several_addresses_in_a_cell_all_opt_out(store: Store, file: Path) -> None:
    found = read(store, file, 'address,topic\n"person1@office1.example; person2@office2.example",newsletter\n')
    assert (found.applied, found.rejected) == (2, ())
    assert standing(store) == {("person1@office1.example", "newsletter"), ("person2@office2.example", "newsletter")}


def test_an_address_beside_one_that_cannot_be_read_opts_out_and_the_row_is_told(store: Store, file: Path) -> None:
    found = read(store, file, 'address\n"person1@office1.example; person2@office2"\n')
    assert found.applied == 1
    assert [row.row for row in found.rejected] == [2]
    assert standing(store) == {("person1@office1.example", ALL_TOPICS)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x00\x00address\nperson1@office1.example\n", "not a text file"),
        (b"who,when\nperson1@office1.example,today\n", "no column of addresses"),
        (b"", "no column of addresses"),
        (b"address\n" + b"a" * 200_000 + b"\n", "not a CSV file"),
    ],
    ids=["a workbook", "no address column", "empty", "an endless cell"],
)
def test_a_file_that_cannot_be_used_changes_nothing(store: Store, file: Path, content: bytes, words: str) -> None:
    with pytest.raises(ContactSourceError, match=words) as caught:
        read(store, file, content)
    assert str(file) in str(caught.value)
    assert standing(store) == set()


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_the_encodings_of_spreadsheets_are_read(store: Store, file: Path, encoding: str) -> None:
    read(store, file, "address;reason\nperson1@office1.example;möchte nicht mehr\n".encode(encoding))
    (rule,) = standing_suppressions(store)
    assert (rule.address, rule.reason) == ("person1@office1.example", "möchte nicht mehr")


def test_a_file_with_a_row_that_names_nobody_is_told_again_until_it_is_mended(store: Store, file: Path) -> None:
    for applied in (1, 0):
        found = read(store, file, "address\nperson1@office1.example\nmeier at office.example\n")
        assert (found.known, found.applied, [row.row for row in found.rejected]) == (False, applied, [3])
    assert len(standing(store)) == 1
    mended = read(store, file, "address\nperson1@office1.example\nmeier@office.example\n")
    assert mended.rejected == ()
    assert {address for address, _ in standing(store)} == {"person1@office1.example", "meier@office.example"}


def test_the_same_file_counts_once_whatever_its_name(store: Store, file: Path, tmp_path: Path) -> None:
    read(store, file, THREE)
    lift_suppressions(store, address="person2@office2.example", topic=ALL_TOPICS, by="x", reason="asked", now=NOON)
    again = read(store, tmp_path / "copy.csv", THREE)
    assert (again.known, again.applied) == (True, 0)
    assert len(standing(store)) == 2, "what a person has lifted stays lifted"


def test_an_import_that_was_cut_off_does_the_rest_when_it_is_run_again(
    store: Store, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = 0

    def until_the_power_fails(connection: Connection, signals: Sequence[Signal], *, now: datetime) -> int:
        nonlocal done
        if done == 2:
            raise KeyboardInterrupt
        done += 1
        return apply_within(connection, signals, now=now)

    file.write_text(THREE, encoding="utf-8")
    os.utime(file, (0, NOON.timestamp()))
    monkeypatch.setattr(applying, "CHUNK", 1)
    monkeypatch.setattr(applying, "apply_within", until_the_power_fails)
    with pytest.raises(KeyboardInterrupt):
        import_file(store, file, BY, now=NOON)
    assert len(standing(store)) == 2
    monkeypatch.undo()
    again = import_file(store, file, BY, now=NOON + timedelta(hours=1))
    assert (again.known, again.applied) == (False, 1)
    assert len(standing_suppressions(store)) == 3, "no rule twice"


def test_files_that_wait_are_imported_each_once_and_one_that_is_broken_keeps_none_back(
    store: Store, tmp_path: Path
) -> None:
    assert import_waiting(store, tmp_path / "nowhere", BY, now=NOON) == []
    (tmp_path / "a.csv").write_text("nothing to see\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text(THREE, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("address\nperson1@office1.example\n", encoding="utf-8")
    refused, taken = import_waiting(store, tmp_path, BY, now=NOON)
    assert (refused.name, bool(refused.refused), refused.applied) == ("a.csv", True, 0)
    assert (taken.name, taken.refused, taken.applied) == ("b.csv", "", 3)
    assert len(standing(store)) == 3
    (tmp_path / "a.csv").unlink()
    assert [found.known for found in import_waiting(store, tmp_path, BY, now=NOON)] == [True]


@given(st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_read_or_refused_in_words(content: bytes) -> None:
    """Reading alone: no store is needed to see that nothing else than ContactSourceError comes out."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    with suppress(ContactSourceError):
        assert all(any(row.values()) for _, _, row in read_rows(f"address\n{text}", Path("o.csv")).rows)


def test_people_and_programs_are_told_what_came_of_a_file(run: Run, letter: Path) -> None:
    path = letter / "out.csv"
    path.write_text(f"address\n{person(1)}\nnobody\n", encoding="utf-8")
    shown = run("opt-out", "import", path)
    assert shown.code == 1, "somebody must look"
    assert "out.csv: 1 opt-out applied" in shown.text
    assert "row 3 rejected: there is no @ in the address" in shown.text
    path.write_text(f"address\n{person(1)}\n", encoding="utf-8")
    assert run("opt-out", "import", path).code == 0
    again = run("opt-out", "import", path, "--json")
    assert again.code == 0
    assert again.json == {
        "file": "out.csv",
        "applied": 0,
        "known": True,
        "erased": 0,
        "passed_over": 0,
        "format": "",
        "rejected": [],
        "noted": [],
    }
    assert run("send", LETTER, "--json").json["excluded"] == {"opted_out": 1}
    listed = [line for line in run("opt-out", "list", "--json").out.splitlines() if line]
    assert {json.loads(line)["address"] for line in listed} == {person(1)}
    refused = run("opt-out", "import", letter / "missing.csv", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "missing.csv" in refused.err
