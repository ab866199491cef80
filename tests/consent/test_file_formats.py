"""Exports of Mailchimp and listmonk: only those who are out are taken, and nobody else is dropped by mistake."""

import csv
import io
import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.consent.file_formats import UnclearRowError
from mlgroup_mail.consent.file_rows import read_rows
from mlgroup_mail.errors import ContactSourceError
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run

EVERYBODY = "Email Address,First Name,Address,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE"
UNSUBSCRIBED = (
    f"{EVERYBODY},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LEID,EUID"
)
CLEANED = f"{EVERYBODY},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS"
SUBSCRIBED = f"{EVERYBODY},LAST_CHANGED,LEID,EUID,NOTES,TAGS"
PERSON = "A,12 Example Square,2,2021-01-01 09:00:00,2021-01-01 09:05:00,Europe/Berlin"
LISTMONK = "uuid,email,name,attributes,status,created_at,updated_at"


def rules(run: Run) -> dict[str, dict[str, str]]:
    lines = (json.loads(line) for line in run("opt-out", "list", "--json").out.splitlines())
    return {line["address"]: line for line in lines}


def written(root: Path, name: str, *lines: str) -> Path:
    path = root / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def listmonk(number: int, status: str) -> str:
    attributes = '"{""city"": ""Sampletown"", ""status"": ""enabled""}"'
    return f"0{number},{person(number)},Person,{attributes},{status},2021-01-01,2021-01-02"


def test_whoever_unsubscribed_in_mailchimp_is_out_since_then(run: Run, letter: Path) -> None:
    path = written(
        letter,
        "unsubscribed_email_audience_export_1.csv",
        UNSUBSCRIBED,
        f"{person(1)},{PERSON},2021-06-03 10:00:00,Summer news,7,normal_unsubscribe,,a,b",
        f"{person(2)},{PERSON},2021-06-04 10:00:00,,,other,too many mails,a,b",
    )
    told = run("opt-out", "import", path)
    assert told.code == 0
    assert "2 opt-outs applied (Mailchimp)" in told.text
    found = rules(run)
    assert {address: (rule["at"][:10], rule["reason"]) for address, rule in found.items()} == {
        person(1): ("2021-06-03", "Summer news: normal_unsubscribe"),
        person(2): ("2021-06-04", "too many mails"),
    }
    assert found[person(1)]["evidence"] == "unsubscribed_email_audience_export_1.csv, row 2 (Mailchimp)"
    assert run("send", LETTER, "--json").json["excluded"] == {"opted_out": 2}


def test_whoever_mailchimp_cleaned_bounced(run: Run, letter: Path) -> None:
    path = written(letter, "cleaned.csv", CLEANED, f"{person(3)},{PERSON},2021-06-03 10:00:00,Summer news,7,a,b,,")
    assert run("opt-out", "import", path, "--json").json["format"] == "Mailchimp"
    assert run("send", LETTER, "--json").json["excluded"] == {"bounced": 1}


@pytest.mark.parametrize("header", [SUBSCRIBED, SUBSCRIBED.replace("LAST_CHANGED", "UNSUB_REASON")])
def test_mailchimps_subscribers_are_not_opted_out_by_mistake(run: Run, letter: Path, header: str) -> None:
    path = written(letter, "subscribed.csv", header, f"{person(1)},{PERSON},2021-06-03 10:00:00,a,b,,")
    refused = run("opt-out", "import", path)
    assert refused.code == 1
    assert "people who have not left" in refused.text
    assert "“unsubscribed” and “cleaned”" in refused.text
    assert rules(run) == {}


def test_a_row_of_mailchimps_that_does_not_say_when_somebody_left_is_for_a_person_to_look_at(
    run: Run, letter: Path
) -> None:
    path = written(
        letter,
        "unsubscribed.csv",
        UNSUBSCRIBED,
        f"{person(1)},{PERSON},2021-06-03 10:00:00,,,,,a,b",
        f"{person(2)},{PERSON},,,,,,a,b",
    )
    told = run("opt-out", "import", path)
    assert told.code == 1
    assert "row 3 rejected: the row has no time in UNSUB_TIME or CLEAN_TIME" in told.text
    assert set(rules(run)) == {person(1)}


def test_of_listmonks_people_only_those_who_are_out_are_taken(run: Run, letter: Path) -> None:
    statuses = ("enabled", "blocklisted", "disabled", "Enabled")
    path = written(
        letter, "subscribers.csv", LISTMONK, *(listmonk(number, each) for number, each in enumerate(statuses, 1))
    )
    told = run("opt-out", "import", path)
    assert told.code == 0
    assert "2 opt-outs applied (listmonk); passed over, because they want mail: 2" in told.text
    assert {address: rule["reason"] for address, rule in rules(run).items()} == {
        person(2): "blocklisted in listmonk",
        person(3): "disabled in listmonk",
    }
    assert run("opt-out", "import", path, "--json").json["known"] is True


def test_listmonks_people_who_all_want_mail_are_refused_with_what_to_do(run: Run, letter: Path) -> None:
    path = written(letter, "subscribers.csv", LISTMONK, listmonk(1, "enabled"), listmonk(2, "enabled"))
    for _ in range(2):
        refused = run("opt-out", "import", path)
        assert refused.code == 1
        assert "nobody in this export of listmonk is out" in refused.text
        assert "keep only the column “email”" in refused.text
    assert rules(run) == {}


def test_a_status_that_listmonk_does_not_have_is_for_a_person_to_look_at(run: Run, letter: Path) -> None:
    path = written(letter, "subscribers.csv", LISTMONK, listmonk(1, "gone"), listmonk(2, "blocklisted"))
    told = run("opt-out", "import", path)
    assert told.code == 1
    assert "row 2 rejected: the status is none of listmonk's" in told.text
    assert set(rules(run)) == {person(2)}


SPELLINGS = [
    person(3),
    person(3).upper(),
    "Person3@Office.EXAMPLE",
    f"  {person(3)}  ",
    f"<{person(3)}>",
    f"Person Number3 <{person(3)}>",
    f'"Number3, Person" <{person(3)}>',
    f"mailto:{person(3)}",
    "person3@office.example.",
    "ｐｅｒｓｏｎ３@office.example",
    "person3\u200b@office.example",
    f"mailto:{person(3).title()}?subject=opt%20out",
]


def test_an_erased_person_in_ten_spellings_stays_suppressed_and_unknown(run: Run, letter: Path, use: Settings) -> None:
    """By an opt-out file, by each export, by hand, and by the list: the address comes into the ledger no more."""
    use({"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"})
    assert run("person", "erase", person(3), "--reason", "asked").code == 0
    spelled = io.StringIO()
    csv.writer(spelled).writerows([["address"], *([each] for each in SPELLINGS)])
    path = written(letter, "out.csv", spelled.getvalue())
    told = run("opt-out", "import", path, "--json").json
    assert (told["applied"], told["erased"], told["rejected"]) == (0, len(SPELLINGS), [])
    path = written(letter, "unsubscribed.csv", UNSUBSCRIBED, f"{person(3)},{PERSON},2021-06-03 10:00:00,,,,,a,b")
    assert "known and stopped already: 1" in run("opt-out", "import", path).text
    assert "was erased" in run("opt-out", "add", SPELLINGS[2]).text
    for number, each in enumerate(SPELLINGS):
        members = [["Email", "Name", "Topics"], [each, "Back Again", ""]]
        members += [[person(other), f"Person Number{other}", ""] for other in (1, 2, 4, 5, 6)]
        with (letter / "contacts" / "members.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(members)
        pulled = run("contacts", "pull", "--accept-changes", "--json").json
        assert (pulled["erased"], pulled["stored"]["added"]) == (1, 0), (number, each)
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    kept = b"".join(file.read_bytes() for file in (letter / "var").rglob("*") if file.is_file())
    assert b"person2@" in kept
    assert b"person3@" not in kept.lower()
    assert run("verify", "--json").json["violations"] == []


def test_whoever_came_back_by_their_own_wish_can_opt_out_again(run: Run, letter: Path, use: Settings) -> None:
    """Their address is somebody's again: an opt-out of theirs counts as anybody's."""
    use({"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"})
    run("person", "erase", person(3), "--reason", "asked")
    with closing(sqlite3.connect(letter / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.execute("UPDATE contact SET address = ?, address_key = ? WHERE id = 4", (person(3), person(3)))
        ledger.execute("UPDATE contact_address SET address_key = ? WHERE contact_id = 4", (person(3),))
    path = written(letter, "out.csv", "address", person(3))
    told = run("opt-out", "import", path, "--json").json
    assert (told["applied"], told["erased"]) == (1, 0)


def test_without_the_key_no_file_is_taken_once_somebody_was_erased(run: Run, letter: Path, use: Settings) -> None:
    use({"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"})
    run("person", "erase", person(3), "--reason", "asked")
    use({"MLGROUP_ERASURE_KEY": "another key that is not the one it was"})
    refused = run("opt-out", "import", written(letter, "out.csv", "address", person(1)))
    assert refused.code == 2
    assert "MLGROUP_ERASURE_KEY" in refused.err


@given(
    header=st.sampled_from([UNSUBSCRIBED, CLEANED, LISTMONK]),
    rows=st.lists(st.lists(st.text(max_size=12), max_size=14), max_size=4),
)
def test_whatever_stands_in_the_rows_of_an_export_each_is_out_or_not_or_unclear(
    header: str, rows: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    file = read_rows(f"{header}\n{text.getvalue()}", Path("export.csv"))
    with suppress(ContactSourceError):
        for _, _, row in file.rows:
            with suppress(UnclearRowError):
                said = file.format.read(row)
                out = row.get("status", "").lower() in {"blocklisted", "disabled"}
                out = out or bool(row.get("unsub time") or row.get("clean time"))
                assert (said is not None) is out
