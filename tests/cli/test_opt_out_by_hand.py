"""`opt-out add` and `list`: by an address, or by what stands in the subject of a mail that reached a mailbox."""

import json
from pathlib import Path

import pytest

from mlgroup_mail.cli.opt_out_list import why
from mlgroup_mail.model import ALL_TOPICS, Restriction, Road, SignalKind, Suppression
from tests.acceptance.conftest import Settings, approved_letter, letter, use
from tests.acceptance.projects import LETTER, SECRET_KEY, person
from tests.cli.conftest import Run
from tests.factories import NOON
from tests.web.readers import every, token

__all__ = ["approved_letter", "letter", "use"]


@pytest.fixture
def sent(run: Run, letter: Path) -> Path:
    """Six readers have the letter."""
    assert run("send", LETTER, "--live", "--late", "trial").code == 0
    return letter


def rules(run: Run) -> list[tuple[str, str, str]]:
    lines = (json.loads(line) for line in run("opt-out", "list", "--json").out.splitlines())
    return [(line["address"], line["topic"], line["evidence"]) for line in lines]


@pytest.mark.parametrize(
    "written",
    [
        "{token}",
        "opt out {token}",
        "Re: OPT OUT {upper}",
        "https://mail.example.org/opt-out/{token}/",
        "mailto:opt-out@group.example?subject=opt%20out%20{token}",
    ],
)
def test_the_subject_of_a_mail_says_who_it_is_and_what_about(run: Run, sent: Path, written: str) -> None:
    link = token(3)
    told = run("opt-out", "add", written.format(token=link, upper=link.upper()), "--by", "the editor")
    assert told.code == 0
    assert "No more mail to p…@office.example on newsletter (contact 3)." in told.text
    assert rules(run) == [
        (person(3), "newsletter", "by the editor at the command line, by the link in letter/issue"),
    ]


def test_the_link_out_of_everything_and_a_topic_of_one_s_own_choice(run: Run, sent: Path) -> None:
    run("opt-out", "add", every(1))
    run("opt-out", "add", token(2), "--topic", "calls")
    assert [(address, topic) for address, topic, _ in rules(run)] == [(person(1), ALL_TOPICS), (person(2), "calls")]


def test_a_link_that_was_cut_off_or_has_a_lost_key_names_nobody(run: Run, sent: Path, use: Settings) -> None:
    cut = run("opt-out", "add", token(3)[:40])
    assert (cut.code, "It has 40 letters and digits, and a whole one 60." in cut.text) == (2, True)
    use({"MLGROUP_SECRET_KEYS": "another-key-for-tests-and-nothing-else-01234"})
    lost = run("opt-out", "add", token(3))
    assert (lost.code, "A link of a lost key is not understood either" in lost.text) == (2, True)
    assert token(3) not in lost.text
    assert rules(run) == []


def test_an_erased_person_s_link_keeps_nothing(run: Run, sent: Path, use: Settings) -> None:
    use({"MLGROUP_ERASURE_KEY": "an erasure key for tests and nothing else", "MLGROUP_SECRET_KEYS": SECRET_KEY})
    assert run("person", "erase", person(3), "--reason", "asked").code == 0
    told = run("opt-out", "add", token(3))
    assert (told.code, "was erased: they get no mail" in told.text) == (2, True)
    assert not [each for each in rules(run) if "link in" in each[2]]


def test_an_address_needs_no_key(run: Run, letter: Path) -> None:
    (letter / ".env").write_text("", encoding="utf-8")
    assert run("opt-out", "add", person(1)).code == 0
    refused = run("opt-out", "add", "somebody")
    assert (refused.code, "is not a mail address" in refused.text) == (2, True)


def rule(reason: str, evidence: str) -> Suppression:
    return Suppression(
        suppression_id=1,
        number=1,
        restriction=Restriction.SUPPRESSION,
        kind=SignalKind.OPT_OUT,
        topic=ALL_TOPICS,
        address=person(1),
        contact_id=1,
        reason=reason,
        road=Road.PAGE,
        evidence=evidence,
        at=NOON,
    )


@pytest.mark.parametrize(
    ("reason", "evidence", "shown"),
    [
        (
            "by one click in the mail program",
            "a/b: one click in the mail program",
            "a/b: one click in the mail program",
        ),
        ("too many", "out.csv, row 2", "too many; out.csv, row 2"),
        ("", "out.csv, row 2", "out.csv, row 2"),
        ("told us", "", "told us"),
        ("", "", ""),
    ],
)
def test_the_table_says_nothing_twice(reason: str, evidence: str, shown: str) -> None:
    assert why(rule(reason, evidence)) == shown
    assert why(rule(reason, evidence), burst=True).endswith("perhaps by a mail gateway that presses links")


def test_a_bounce_is_told_from_an_opt_out_and_people_from_rules(run: Run, letter: Path) -> None:
    path = letter / "cleaned.csv"
    path.write_text(f"Email Address,CLEAN_TIME\n{person(1)},2021-06-03 10:00:00\n", encoding="utf-8")
    run("opt-out", "import", path)
    run("opt-out", "add", person(1), "--topic", "calls")
    run("opt-out", "add", person(2))
    shown = run("opt-out", "list")
    assert "bounce" in shown.text
    assert "suppression" not in shown.text
    assert "3 standing, of 2 people." in shown.text
