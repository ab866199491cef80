"""`person move`, `apart`, `erase`: what people are told, and what is left of somebody who wants to be forgotten."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Run

__all__ = ["approved_letter", "letter", "use"]

KEY = {"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"}
NEW = "anew@elsewhere.example"
SEND = ("send", LETTER, "--live", "--late", "trial")


def in_outbox(root: Path) -> list[str]:
    return sorted(
        line[4:].decode().rpartition("<")[2].rstrip(">")
        for path in (root / "var" / "outbox").rglob("*.eml")
        for line in path.read_bytes().splitlines()
        if line.startswith(b"To: ")
    )


def test_a_move_is_told_with_what_it_means(run: Run, letter: Path) -> None:
    run("plan", LETTER)
    moved = run("person", "move", person(3), NEW, "--reason", "she wrote", "--by", "the editor")
    assert moved.code == 0
    assert "Contact 3 has the new address" in moved.text
    assert "Planned deliveries that go to the new address: 1" in moved.text
    assert "Correct the address in the list too" in moved.text
    assert run(*SEND).code == 0
    assert in_outbox(letter) == sorted([NEW, *(person(number) for number in (1, 2, 4, 5, 6))])
    assert run("verify", "--json").json["violations"] == []


def test_programs_are_told_of_a_move_in_numbers(run: Run, letter: Path) -> None:
    moved = run("person", "move", "3", NEW, "--reason", "she wrote", "--json")
    assert moved.json == {
        "contact_id": 3,
        "closed_id": None,
        "listed": True,
        "opt_outs_passed_on": 0,
        "redirected": 0,
        "left_out": 0,
    }


def test_until_the_list_is_right_a_pull_says_whom_it_has_at_an_old_address(run: Run, letter: Path) -> None:
    run("person", "move", person(3), NEW, "--reason", "she wrote")
    pulled = run("contacts", "pull")
    assert "at their old address in the list: 1" in pulled.text
    assert run("contacts", "pull", "--json").json["outdated"] == 1
    assert f"{NEW} is contact 3" in run("explain", NEW).text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("move", person(1), person(2)), "both on the list"),
        (("move", "nobody@office.example", NEW), "nobody has or had the old address"),
        (("move", "three at office", NEW), "is not a mail address"),
        (("apart", person(1), person(2)), "not held as a suspected move"),
        (("apart", person(1), "nobody@office.example"), "not two people"),
        (("erase", "nobody@office.example"), "nobody has or had this address"),
        (("erase", "99"), "nobody has or had this address"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    run: Run, letter: Path, use: Settings, arguments: tuple[str, ...], words: str
) -> None:
    use(KEY)
    refused = run("person", *arguments, "--reason", "x")
    assert refused.code == 2
    assert words in refused.err
    assert "Traceback" not in refused.err
    assert run("contacts", "pull", "--json").json["stored"]["unchanged"] == 6


def test_each_needs_a_reason(run: Run, letter: Path) -> None:
    for command in (("move", person(1), NEW), ("apart", "1", "2"), ("erase", person(1))):
        assert run("person", *command).code == 2


def test_two_people_after_all(run: Run, letter: Path) -> None:
    """Person 3 opted out and vanished; the new one of that name is somebody else."""
    names = [(person(number), f"Person Number{number}", "") for number in range(1, 7)]
    (letter / "contacts" / "members.csv").write_text(
        "Email,Name,Topics,Organisation\n" + "".join(f"{mail},{name},,Office\n" for mail, name, _ in names),
        encoding="utf-8",
    )
    run("contacts", "pull", "--accept-changes")
    run("opt-out", "add", person(3))
    text = (letter / "contacts" / "members.csv").read_text(encoding="utf-8")
    (letter / "contacts" / "members.csv").write_text(text.replace(person(3), NEW), encoding="utf-8")
    (move,) = run("contacts", "pull", "--json").json["moves"]
    assert (move["from_id"], move["to_id"], move["held"]) == (3, 7, True)
    told = run("person", "apart", 3, 7, "--reason", "two of that name")
    assert "Contact 7 is another person" in told.text
    run("approve", LETTER, "--by", "the editor")
    assert run(*SEND).code == 0
    assert NEW in in_outbox(letter)
    assert person(3) not in in_outbox(letter)


def test_nothing_of_an_erased_person_is_left_in_the_database(run: Run, letter: Path, use: Settings) -> None:
    use(KEY)
    path = letter / "contacts" / "opt-outs.csv"
    path.write_text(f"address,reason\n{person(3)},Person Number3 wrote that she has left\n", encoding="utf-8")
    assert run("opt-out", "import", path).code == 0
    assert run("opt-out", "lift", person(3), "--reason", "Number3 is back").code == 0
    assert run("opt-out", "add", person(3), "--topic", "calls").code == 0
    assert run("test-send", LETTER, "--to", person(3)).code == 0
    assert run(*SEND).code == 0
    told = run("person", "erase", person(3).upper(), "--reason", "asked on the telephone")
    assert "Emptied: 1 delivery, of which" in told.text
    assert told.code == 0
    assert "Contact 3 is forgotten" in told.text
    assert "Deleted from the outbox: 2 messages" in told.text, "the mailing's, and the test's"
    assert in_outbox(letter) == [person(number) for number in (1, 2, 4, 5, 6)]
    path.unlink()
    kept = b"".join(file.read_bytes() for file in (letter / "var").glob("mlgroup.db*"))
    assert b"person2@" in kept
    assert b"person3" not in kept
    assert b"Number3" not in kept
    assert run("verify", "--json").json["violations"] == []
    assert run("status", LETTER, "--json").json["counts"]["accepted"] == 6, "the numbers stay"
    assert "nobody on the list" in run("explain", person(3)).text


def test_it_is_told_first_who_is_meant_and_how_much_there_is_masked(run: Run, letter: Path, use: Settings) -> None:
    """A number may be mistyped, and nothing brings them back."""
    use(KEY)
    run("opt-out", "add", person(3), "--topic", "calls")
    run("plan", LETTER)
    told = run("person", "erase", "3", "--reason", "asked", "--json")
    assert " ".join(told.err.split()) == (
        "To be forgotten for good: contact 3, P… N… (p…@office.example); 1 delivery, 1 opt-out, hold or bounce."
    )
    assert told.json["contact_id"] == 3, "and nobody is asked without a terminal"


@pytest.mark.parametrize(
    ("answer", "options", "forgotten"), [(b"n\n", (), 0), (b"\n", (), 0), (b"y\n", (), 1), (b"", ("--yes",), 1)]
)
def test_a_terminal_is_asked_first(
    run: Run, letter: Path, use: Settings, answer: bytes, options: tuple[str, ...], forgotten: int
) -> None:
    here, there = os.openpty()
    os.write(here, answer)
    ended = subprocess.run(
        [sys.executable, "-m", "mlgroup_mail", "person", "erase", "3", "--reason", "typo: meant 4", *options],
        cwd=letter,
        stdin=there,
        capture_output=True,
        env={"PATH": os.environ["PATH"], **KEY},
        timeout=60,
        check=False,
    )
    os.close(there)
    os.close(here)
    assert ended.returncode == (0 if forgotten else 1), ended.stderr
    assert (b"Forget them?" in ended.stderr) is not bool(options)
    assert (b"Nothing was forgotten." in ended.stderr) is not bool(forgotten)
    use(KEY)
    assert run("contacts", "pull", "--json").json["erased"] == forgotten


def test_who_was_erased_is_no_line_without_an_address_in_the_list_of_opt_outs(
    run: Run, letter: Path, use: Settings
) -> None:
    use(KEY)
    run("opt-out", "add", person(2), "--topic", "calls")
    run("opt-out", "add", person(3), "--topic", "calls")
    run("opt-out", "add", NEW)
    run("person", "erase", person(3), "--reason", "asked")
    run("person", "erase", NEW, "--reason", "asked")
    assert [json.loads(line)["contact_id"] for line in run("opt-out", "list", "--json").out.splitlines()] == [2]
    assert "1 standing" in run("opt-out", "list").text
    assert run("verify", "--json").json["violations"] == []


def test_what_is_planned_for_an_erased_person_does_not_go(run: Run, letter: Path, use: Settings) -> None:
    use(KEY)
    run("plan", LETTER)
    erased = run("person", "erase", "3", "--reason", "asked", "--json")
    assert erased.json == {
        "contact_id": 3,
        "addresses": 1,
        "shared_addresses": 0,
        "deliveries": 1,
        "taken_back": 1,
        "messages": 0,
        "reports": [],
        "erased_before": False,
        "log_busy": False,
    }
    assert run(*SEND).code == 0
    assert in_outbox(letter) == [person(number) for number in (1, 2, 4, 5, 6)]
    assert run("verify", "--json").json["violations"] == []


def test_a_doubtful_delivery_of_an_erased_person_is_not_sent_again_by_order(
    run: Run, letter: Path, use: Settings
) -> None:
    use(KEY)
    assert run(*SEND).code == 0
    with sqlite3.connect(letter / "var" / "mlgroup.db") as database:
        database.execute("UPDATE attempt SET outcome = 'uncertain' WHERE delivery_id = 3")
        database.execute("UPDATE delivery SET state = 'uncertain' WHERE id = 3")
    database.close()
    run("person", "erase", "3", "--reason", "asked")
    assert run("resolve", LETTER, "--resend", "--reason", "look").code == 0
    assert run(*SEND).code == 0
    assert in_outbox(letter) == [person(number) for number in (1, 2, 4, 5, 6)]
    assert run("status", LETTER, "--json").json["counts"]["excluded"] == 1


def test_all_addresses_of_an_erased_person_are_known_when_a_list_has_one(run: Run, letter: Path, use: Settings) -> None:
    """The present one, one they had, and that of a row which proved to be theirs."""
    use(KEY)
    run("person", "move", person(3), NEW, "--reason", "she wrote")
    assert run("person", "erase", NEW, "--reason", "asked", "--json").json["addresses"] == 2
    for address in (person(3), NEW.title()):
        write_list(letter, [(address, "Back Again", ""), *((person(number), "", "") for number in (1, 2, 4, 5, 6))])
        pulled = run("contacts", "pull", "--accept-changes", "--json").json
        assert (pulled["erased"], pulled["stored"]["added"]) == (1, 0)


def test_a_mailbox_that_passed_to_a_successor_stays_theirs(run: Run, letter: Path, use: Settings) -> None:
    use(KEY)
    run("opt-out", "add", person(3))
    header = "Email,Name,Topics,ID\n"
    others = "".join(f"{person(number)},Person Number{number},,{number}\n" for number in (1, 2, 4, 5, 6))
    members = letter / "contacts" / "members.csv"
    members.write_text(f"{header}{others}{person(3)},Person Number3,,3\n", encoding="utf-8")
    run("contacts", "pull", "--accept-changes")
    members.write_text(f"{header}{others}{person(3)},Successor,,33\n{NEW},Person Number3,,3\n", encoding="utf-8")
    assert run("contacts", "pull", "--json").json["stored"]["added"] == 1
    told = run("person", "erase", "3", "--reason", "asked", "--json").json
    assert (told["addresses"], told["shared_addresses"]) == (1, 1)
    members.write_text(f"{header}{others}{person(3)},Successor,,33\n", encoding="utf-8")
    pulled = run("contacts", "pull", "--json").json
    assert (pulled["erased"], pulled["stored"]["unchanged"]) == (0, 6)
    run("approve", LETTER, "--by", "the editor")
    assert run("send", LETTER, "--json").json["excluded"] == {"opted_out": 1}, "the mailbox said no"


def test_an_address_that_only_an_opt_out_names_is_forgotten_too(run: Run, letter: Path, use: Settings) -> None:
    use(KEY)
    run("opt-out", "add", NEW)
    told = run("person", "erase", NEW, "--reason", "asked")
    assert "nobody on the list had it" in told.text
    assert b"anew@" not in (letter / "var" / "mlgroup.db").read_bytes()
    write_list(letter, [(NEW, "New", ""), *((person(number), f"Person Number{number}", "") for number in range(1, 7))])
    assert run("contacts", "pull", "--json").json["erased"] == 1


def test_nobody_moves_to_an_address_of_an_erased_person(run: Run, letter: Path, use: Settings) -> None:
    use(KEY)
    run("person", "erase", person(3), "--reason", "asked")
    refused = run("person", "move", person(4), person(3).title(), "--reason", "she wrote")
    assert refused.code == 2
    assert "somebody who wants to be forgotten" in refused.err
    assert person(3) not in refused.err
    assert f"{person(4)} is contact 4" in run("explain", person(4)).text


def test_the_reasons_that_were_written_down_are_forgotten_too(run: Run, letter: Path, use: Settings) -> None:
    use(KEY)
    run("person", "move", person(3), NEW, "--reason", "Number3 wrote from the old address")
    run("person", "erase", NEW, "--reason", "asked")
    with closing(sqlite3.connect(letter / "var" / "mlgroup.db")) as database:
        reasons = dict(database.execute("SELECT act, reason FROM journal WHERE contact_id = 3"))
    assert reasons == {"move": "erased", "erase": "asked"}


@pytest.mark.parametrize("read_meanwhile", [False, True])
def test_sqlites_log_keeps_nothing_of_an_erased_person_or_that_is_told(
    run: Run, letter: Path, use: Settings, monkeypatch: pytest.MonkeyPatch, read_meanwhile: bool
) -> None:
    monkeypatch.setattr("mlgroup_mail.store.engines.BUSY_SECONDS", 0)
    use(KEY)
    log = letter / "var" / "mlgroup.db-wal"
    with closing(sqlite3.connect(letter / "var" / "mlgroup.db", isolation_level=None)) as another:
        another.execute("BEGIN")
        another.execute("SELECT count(*) FROM contact").fetchone()
        if not read_meanwhile:
            another.execute("COMMIT")
        told = run("person", "erase", person(3), "--reason", "asked")
        assert told.code == 0
        assert ("log could not be emptied" in told.text) is read_meanwhile
        assert (log.stat().st_size > 0) is read_meanwhile


def test_without_a_key_nobody_is_erased(run: Run, letter: Path) -> None:
    refused = run("person", "erase", person(3), "--reason", "asked")
    assert refused.code == 2
    assert "MLGROUP_ERASURE_KEY" in refused.err
    assert run("contacts", "pull", "--json").json["stored"]["unchanged"] == 6


@pytest.mark.parametrize("key", ["another key than the one that it was, for sure", "short"])
def test_another_key_is_noticed_before_anybody_comes_back(run: Run, letter: Path, use: Settings, key: str) -> None:
    use(KEY)
    assert run("person", "erase", person(3), "--reason", "asked").code == 0
    use({"MLGROUP_ERASURE_KEY": key})
    for command in (("contacts", "pull"), ("person", "erase", person(4), "--reason", "asked")):
        refused = run(*command)
        assert (refused.code, refused.out) == (2, "")
        assert "MLGROUP_ERASURE_KEY" in refused.err
        assert key not in refused.err
    use(KEY)
    assert run("contacts", "pull", "--json").json["erased"] == 1
