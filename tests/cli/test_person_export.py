"""`person export`: everything that is held about one person, for programs and to hand over."""

import json
import re
import sqlite3
import stat
from contextlib import closing
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mlgroup_mail.reporting.person.further import FURTHER
from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, person
from tests.cli.conftest import Run
from tests.content.test_pages import violations
from tests.servers.chromium import Chromium

__all__ = ["approved_letter", "letter", "use"]

KEY = {"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else"}
NEW = "anew@elsewhere.example"
HOSTILE = "</bdi><script>alert(1)</script>\u202e\x00 &"


WHEN = "'2021-11-03 12:00:00.000000'"
SMALLER_TABLES = f"""
    INSERT INTO preference (contact_id, topic, at) VALUES (3, 'board', {WHEN});
    INSERT INTO join_request
        (address, address_key, mailbox, name, organisation, country, language, asked_at, token_hash, tries, kept_back)
        VALUES ('Person3@office.example', '{person(3)}', '{person(3)}', 'Three Typed', 'Bureau', 'NO', 'nb', {WHEN},
                'hash-of-a-link', 1, '');
    INSERT INTO provider_entry (address_key, address, list, created, bounce)
        VALUES ('{person(3)}', 'PERSON3@office.example', 'invalid_emails', {WHEN}, 'hard');
    INSERT INTO provider_push (address_key, asked_at, done_at, refused) VALUES ('{person(3)}', {WHEN}, NULL, 1);
    INSERT INTO provider_removal (address_key, list, asked_at) VALUES ('{person(3)}', 'spam_reports', {WHEN});
    INSERT INTO burst_opt_out (signal_id, mailing_id, domain, flagged_at, tries, kept_back)
        VALUES (1, 1, 'office.example', {WHEN}, 0, '');
"""
"""A row about person 3 in every table that has no section of its own in the JSON."""


@pytest.fixture
def full(run: Run, letter: Path) -> Path:
    """Person 3 with something in every table that can have something of theirs."""
    run("opt-out", "add", person(3), "--topic", "calls", "--reason", HOSTILE, "--by", "the editor")
    run("opt-out", "lift", person(3), "--reason", "Number3 is back", "--by", "the editor")
    run("opt-out", "add", person(3), "--topic", "surveys", "--reason", "no surveys", "--by", "the editor")
    run("test-send", LETTER, "--to", person(3))
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    with closing(sqlite3.connect(letter / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.execute(
            "INSERT INTO delivery_event (delivery_id, kind, source, fingerprint, detail, at, bounce) VALUES "
            "(3, 'bounced', 'provider', 'f', 'Number3 has left', '2021-11-03 12:00:00.000000', 'soft')"
        )
        ledger.execute("INSERT INTO provider_alias (alias, delivery_id) VALUES ('alias-of-three', 3)")
        ledger.executescript(SMALLER_TABLES)
    run("person", "move", person(3), NEW, "--reason", "she wrote", "--by", "the editor")
    run("report", LETTER)
    return letter


def values(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False)


def test_programs_get_every_row_that_names_the_person(run: Run, full: Path) -> None:
    found = run("person", "export", NEW).json
    assert found["contact_id"] == 3
    assert found["contacts"][0]["name"] == "Person Number3"
    assert {each["address_key"] for each in found["addresses"]} == {person(3), NEW}
    (delivery,) = found["deliveries"]
    assert (delivery["campaign"], delivery["mailing"], delivery["subject"]) == ("letter", "issue", "News")
    assert delivery["fields"]["name"] == "Person Number3"
    assert [each["outcome"] for each in delivery["attempts_made"]] == ["accepted"]
    assert [each["detail"] for each in delivery["events"]] == ["Number3 has left"]
    assert delivery["provider_names"] == ["alias-of-three"]
    assert {(each["topic"], each["lifted_reason"]) for each in found["opt_outs"]} == {
        ("calls", "Number3 is back"),
        ("surveys", ""),
    }
    assert {each["kind"] for each in found["signals"]} == {"opt_out", "lift"}
    assert [each["address"] for each in found["mail_outside_mailings"]] == [person(3)]
    assert {each["act"] for each in found["journal"]} == {"move"}
    assert found["messages"] == ["outbox/letter/issue-test/1.eml", "outbox/letter/issue/3.eml"]


def test_nothing_of_anybody_else_is_in_it(run: Run, full: Path) -> None:
    text = run("person", "export", person(3)).out
    assert [number for number in (1, 2, 4, 5, 6) if person(number) in text or f"Number{number}" in text] == []


def test_a_former_address_and_the_number_lead_to_the_same(run: Run, full: Path) -> None:
    def without_time(who: object) -> dict[str, Any]:
        found = run("person", "export", who).json
        return {name: value for name, value in found.items() if name != "made_at"}

    assert without_time(person(3).upper()) == without_time(NEW) == without_time(3)


def test_the_page_says_all_that_the_json_says(run: Run, full: Path) -> None:
    """Every text that the ledger holds of the person stands on the page, too."""
    assert run("person", "export", NEW, "--out", "three.html", "--out", "three.json").code == 0
    page = " ".join(unescape(re.sub(r"<[^>]+>", " ", (full / "three.html").read_text(encoding="utf-8"))).split())
    found = json.loads((full / "three.json").read_text(encoding="utf-8"))
    texts = {
        *(found["contacts"][0][name] for name in ("address", "name", "status", "source")),
        *(each["address_key"] for each in found["addresses"]),
        *(found["deliveries"][0]["fields"].values()),
        *(each["detail"] for each in found["deliveries"][0]["events"]),
        *found["deliveries"][0]["provider_names"],
        *(each[name] for each in found["signals"] for name in ("address", "evidence", "actor")),
        *(each[name] for each in found["opt_outs"] for name in ("evidence", "lifted_by", "lifted_reason")),
        *(each["reason"] for each in found["journal"]),
        *found["messages"],
    }
    assert [text for text in texts if " ".join(text.split()) not in page] == []


def test_the_smaller_tables_are_told_in_words_that_somebody_can_be_handed(run: Run, full: Path) -> None:
    run("person", "export", NEW, "--out", "three.html", "--out", "three.json")
    page = " ".join(unescape(re.sub(r"<[^>]+>", " ", (full / "three.html").read_text(encoding="utf-8"))).split())
    assert set(json.loads((full / "three.json").read_text(encoding="utf-8"))["others"]) == set(FURTHER)
    for words in (
        *("Topics that you turned on yourself", "Board", "Wishes to join", "Three Typed", "Bureau", "Norway"),
        *("Lists of the mail provider", "invalid emails", "PERSON3@office.example", "the provider does not take it"),
        *("Taken off a list of the mail provider", "spam reports", "a mail gateway may have made"),
    ):
        assert words in page, words
    assert "hash-of-a-link" not in page
    assert not any(column in page for column in ("address key", "token hash", "contact id", "asked at", "kept back"))
    assert "Further records" not in page


def test_only_the_owner_may_read_the_files(run: Run, full: Path) -> None:
    run("person", "export", NEW, "--out", "three.html")
    assert stat.S_IMODE((full / "three.html").stat().st_mode) == 0o600


def test_a_hostile_reason_stays_a_text_and_the_page_fetches_nothing(run: Run, full: Path) -> None:
    run("person", "export", NEW, "--out", "three.html")
    page = (full / "three.html").read_text(encoding="utf-8")
    tags: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append((tag, dict(attrs)))

    Reader().feed(page)
    assert {tag for tag, _ in tags} & {"script", "img", "link", "iframe", "a", "form"} == set()
    assert not any(name.startswith("on") or name in {"src", "href"} for _, attributes in tags for name in attributes)
    assert "default-src 'none'" in page
    assert "\x00" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1000])
def test_axe_finds_nothing_and_nothing_stands_out_to_the_side(
    run: Run, full: Path, chromium: Chromium, dark: bool, width: int
) -> None:
    run("person", "export", NEW, "--out", "three.html")
    assert violations(chromium, full / "three.html", width=width, dark=dark) == []
    wide = chromium.evaluate(full / "three.html", "document.documentElement.scrollWidth", width=width, dark=dark)
    assert wide <= width


def test_of_whoever_was_erased_only_that_is_told(run: Run, full: Path, use: Settings) -> None:
    use(KEY)
    run("person", "erase", NEW, "--reason", "asked")
    for address in (NEW, person(3)):
        found = run("person", "export", address).json
        assert found["erased_at"]
        assert [name for name, value in found.items() if value and name not in {"group", "made_at", "erased_at"}] == []
    run("person", "export", NEW, "--out", "gone.html")
    assert "You were forgotten" in (full / "gone.html").read_text(encoding="utf-8")


def test_an_address_that_only_an_opt_out_names_is_told_too(run: Run, letter: Path) -> None:
    run("opt-out", "add", NEW, "--reason", "wrote to us")
    found = run("person", "export", NEW).json
    assert found["contact_id"] is None
    assert [each["reason"] for each in found["opt_outs"]] == ["wrote to us"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody@office.example",), "nothing is known of it"),
        (("99",), "nothing is known of it"),
        (("three at office",), "is not a mail address"),
        ((person(3), "--out", "three.pdf"), "neither .json nor .html"),
        ((person(3), "--out", "contacts/members.csv/three.json"), "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused_in_words(run: Run, letter: Path, arguments: tuple[str, ...], words: str) -> None:
    refused = run("person", "export", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert words in refused.err
    assert not list(letter.glob("**/*.part"))


def test_erasing_leaves_nothing_of_it_anywhere_in_the_project(run: Run, full: Path, use: Settings) -> None:
    """The ledger with its free pages, the outbox with its pages; reports are named, to be made again."""
    use(KEY)
    told = run("person", "erase", NEW, "--reason", "asked")
    assert "Deleted from the outbox: 2 messages" in told.text
    assert "mlgroup-mail report letter/issue" in told.text
    assert run("report", LETTER).code == 0
    kept = {path: path.read_bytes().lower() for path in (full / "var").rglob("*") if path.is_file()}
    for word in (b"person3", b"anew@", b"number3", b"alias-of-three", b"no surveys", b"three typed"):
        assert [path for path, content in kept.items() if word in content] == []
    assert not (full / "var" / "outbox" / "letter" / "issue" / "3.html").exists()
    assert any(b"person2@" in content for content in kept.values())
    assert run("verify", "--json").json["violations"] == []
    assert run("status", LETTER, "--json").json["counts"]["accepted"] == 6


def test_erasing_again_does_what_is_left_and_says_so(run: Run, full: Path, use: Settings) -> None:
    """A message that somebody brought back from a backup, say."""
    use(KEY)
    message = full / "var" / "outbox" / "letter" / "issue" / "3.eml"
    content = message.read_bytes()
    run("person", "erase", NEW, "--reason", "asked")
    message.write_bytes(content)
    again = run("person", "erase", person(3), "--reason", "asked", "--json").json
    assert (again["erased_before"], again["messages"]) == (True, 1)
    assert not message.exists()


def test_who_was_erased_and_asked_to_join_since_is_forgotten_once_more(run: Run, full: Path, use: Settings) -> None:
    """Nobody has confirmed it: the address is all that there is."""
    use(KEY)
    run("person", "erase", NEW, "--reason", "asked")
    with closing(sqlite3.connect(full / "var" / "mlgroup.db")) as ledger, ledger:
        ledger.executescript(SMALLER_TABLES.partition(";")[2].partition(";")[0])
    assert run("person", "export", person(3)).json["others"]["join_request"]
    assert run("person", "erase", person(3), "--reason", "asked again").code == 0
    with closing(sqlite3.connect(full / "var" / "mlgroup.db")) as ledger:
        assert ledger.execute("SELECT count(*) FROM join_request").fetchone() == (0,)


def test_a_message_of_another_ledger_that_is_addressed_to_them_goes_too(run: Run, full: Path, use: Settings) -> None:
    """Numbers begin anew where somebody has begun with a new database; the outbox is still there."""
    use(KEY)
    folder = full / "var" / "outbox" / "old" / "issue"
    folder.mkdir(parents=True)
    for name, to in (("3", person(4)), ("4", f"=?utf-8?q?Person_N=C3=BAmber?=\r\n <{person(3)}>"), ("5", NEW)):
        (folder / f"{name}.eml").write_bytes(f"From: a@b.example\r\nTo: {to}\r\n\r\nTo: {person(3)}\r\n".encode())
    run("person", "erase", NEW, "--reason", "asked")
    assert sorted(path.name for path in folder.glob("*.eml")) == ["3.eml"]


def test_stopped_between_the_files_and_the_ledger_the_same_command_does_the_rest(
    run: Run, full: Path, use: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(KEY)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mlgroup_mail.delivery.forgetting.erase_person", cut)
    assert run("person", "erase", NEW, "--reason", "asked").code == 130
    monkeypatch.undo()
    monkeypatch.chdir(full)
    use(KEY)
    told = run("person", "erase", NEW, "--reason", "asked", "--json").json
    assert (told["contact_id"], told["erased_before"]) == (3, False)
    assert b"anew@" not in b"".join(path.read_bytes() for path in (full / "var").glob("mlgroup.db*"))
