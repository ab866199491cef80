"""`demo`: the whole job on a sample, as often as one likes, and nothing ever leaves."""

import json
import re
import shutil
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from mlgroup_mail.addresses import is_allowed
from mlgroup_mail.cli.demo_summary import show_summary
from mlgroup_mail.errors import UsageError
from mlgroup_mail.scaffold import demo
from mlgroup_mail.scaffold.demo import DemoProject, prepare_demo
from mlgroup_mail.settings.environment import RESERVED_DOMAINS
from mlgroup_mail.shipped import shipped
from tests.cli.conftest import Run


def mails(outbox: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in outbox.rglob("*.eml")}


def test_the_whole_job_twice_with_nobody_written_to_twice_and_then_with_a_fault(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an empty directory, with the caller's settings pointing to a real server that must not be asked."""
    monkeypatch.setenv("MLGROUP_TRANSPORT", "smtp")
    monkeypatch.setenv("MLGROUP_SMTP_HOST", "mail.invalid")
    monkeypatch.setenv("MLGROUP_DATABASE_URL", "postgresql://nobody@db.invalid/live")
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.invalid/api")

    first = run("demo", "--json")
    assert first.code == 0, first.err
    outbox = tmp_path / "var" / "demo" / "var" / "outbox"
    written = mails(outbox)
    assert {mailing["mailing"]: mailing["accepted"] for mailing in first.json["mailings"]} == {
        name: sum(path.is_relative_to(outbox / name) for path in written)
        for name in ("2021-10-newsletter/issue", "2022-call/invitation")
    }
    for mailing in first.json["mailings"]:
        assert mailing["accepted_now"] == mailing["accepted"] > 200
        assert mailing["accepted"] + sum(mailing["excluded"].values()) == mailing["audience"]
    assert first.json["contacts"]["countries"] == 33
    recipients = [message_from_bytes(content)["To"] for content in written.values()]
    assert len({(path.parent, to) for path, to in zip(written, recipients, strict=True)}) == len(written)
    found = {address for to in recipients for address in re.findall(r"[^\s<>]+@[^\s<>]+", str(to))}
    assert [address for address in found if not is_allowed(address, RESERVED_DOMAINS)] == []

    second = run("demo")
    assert second.code == 0
    assert "Nothing was sent twice" in second.text
    assert mails(outbox) == written

    (tmp_path / "var" / "demo" / "contacts" / "contacts.toml").write_text("nonsense", encoding="utf-8")
    third = run("demo")
    assert third.code == 2
    assert "the demonstration failed" in third.err
    assert "contacts.toml, line 1" in third.text
    assert mails(outbox) == written


def summary(*, again: bool = False, left: int = 0) -> dict[str, Any]:
    """What the flows print: 20 people, 17 of whom get the newsletter."""
    return {
        "contacts": {
            "rows": 23,
            "contacts": 20,
            "countries": 7,
            "merged": 1,
            "rejected": [
                {"source": "members", "row": 5, "column": "Email", "reason": "there is no @ in the address"},
                {"source": "members", "row": 9, "column": "Email", "reason": "the address is missing"},
            ],
        },
        "opt_outs": {
            **{"files": 1, "known_files": int(again), "new_opt_outs": 0 if again else 2},
            **{"rejected_rows": 0, "passed_over": 0, "refused_files": 0},
        },
        "mailings": [
            {
                "mailing": "2021-10-newsletter/issue",
                "state": "sending" if left else "finished",
                "audience": 20,
                "accepted": 17 - left,
                "accepted_now": 0 if again else 17 - left,
                "excluded": {"opted out of all mail": 1, "opted out of this topic": 2},
            }
        ],
        "seconds": {"Prefect starts": 5.25, "2021-10-newsletter/issue: dispatch": 0.5, "in all": 6.0},
    }


@pytest.fixture
def project(tmp_path: Path) -> DemoProject:
    return prepare_demo(tmp_path / "var" / "demo")


def shown(capsys: pytest.CaptureFixture[str], found: dict[str, Any], project: DemoProject) -> str:
    show_summary(found, project)
    return " ".join(capsys.readouterr().out.split())


def test_the_summary_says_who_got_what_who_did_not_and_why_and_where_to_look(
    capsys: pytest.CaptureFixture[str], project: DemoProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = project.root / "var" / "outbox" / "2021-10-newsletter" / "issue"
    page.mkdir(parents=True)
    for name in ("12.html", "3.html", "index.html"):
        (page / name).write_text("", encoding="utf-8")
    report = project.root / "var" / "reports" / "2021-10-newsletter-issue.html"
    report.parent.mkdir(parents=True)
    report.write_text("", encoding="utf-8")
    text = shown(capsys, summary(), project)
    for part in (
        "20 people in 7 countries, from 23 rows.",
        "1 row merged into another row's person, 2 rows rejected:",
        "row 5 Email there is no @ in the address",
        "row 9 Email the address is missing",
        "2 opt-outs imported",
        "2021-10-newsletter/issue 17 accepted",
        "1 left out: opted out of all mail",
        "2 left out: opted out of this topic",
        "nothing has left this machine",
        "Prefect starts 5.2 s",
        "in all 6.0 s",
        "var/demo/var/outbox/index.html",
        "var/demo/var/outbox/2021-10-newsletter/issue/3.html",
        "the report of 2021-10-newsletter/issue var/demo/var/reports/2021-10-newsletter-issue.html",
        "--project var/demo log 2021-10-newsletter/issue",
        "--project var/demo status",
    ):
        assert part in text


def test_a_second_run_says_that_nothing_was_sent_twice(
    capsys: pytest.CaptureFixture[str], project: DemoProject
) -> None:
    text = shown(capsys, summary(again=True), project)
    assert "17 accepted 17 had it already" in text
    assert "Nothing was sent twice" in text
    assert "had been imported before" in text


def test_whoever_is_neither_accepted_nor_left_out_is_not_passed_over(
    capsys: pytest.CaptureFixture[str], project: DemoProject
) -> None:
    assert "4 neither; the mailing is sending" in shown(capsys, summary(left=4), project)


def test_a_second_run_keeps_the_ledger_the_keys_and_what_somebody_has_changed(
    capsys: pytest.CaptureFixture[str], project: DemoProject
) -> None:
    ledger, keys = project.root / "var" / "mlgroup.db", project.root / ".env"
    ledger.write_text("the first run's", encoding="utf-8")
    before = keys.read_text(encoding="utf-8")
    campaign = project.root / "campaigns" / "2022-call" / "campaign.md"
    campaign.write_text("tried something", encoding="utf-8")
    (project.root / "mlgroup.toml").unlink()

    again = prepare_demo(project.root)
    assert again == DemoProject(root=project.root, kept=("campaigns/2022-call/campaign.md",), afresh=False)
    assert ledger.read_text(encoding="utf-8") == "the first run's"
    assert keys.read_text(encoding="utf-8") == before
    assert campaign.read_text(encoding="utf-8") == "tried something"
    assert (project.root / "mlgroup.toml").read_bytes() == shipped("mlgroup.toml").read_bytes()
    assert "Left as you changed it: campaigns/2022-call/campaign.md" in shown(capsys, summary(), again)


def test_another_versions_sample_starts_afresh_and_the_former_run_can_still_be_looked_at(
    capsys: pytest.CaptureFixture[str], project: DemoProject
) -> None:
    """Its ledger speaks of other texts."""
    (project.root / "var" / "mlgroup.db").write_text("the former run's", encoding="utf-8")
    record = project.root / ".sample.json"
    record.write_text(json.dumps(json.loads(record.read_text(encoding="utf-8")) | {"mlgroup.toml": "another"}))
    for _ in range(2):
        again = prepare_demo(project.root)
        assert (again.root / "mlgroup.toml").is_file()
        assert not (again.root / "var" / "mlgroup.db").exists()
        assert (again.former / "var" / "mlgroup.db").read_text(encoding="utf-8") == "the former run's"
    again = DemoProject(root=again.root, kept=(), afresh=True)
    assert "began afresh" in shown(capsys, summary(), again)


def test_a_copy_that_was_cut_off_is_finished_by_the_next_run(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    prepare_demo(root)
    for name in (".env", "contacts/sample-members.csv"):
        (root / name).unlink()
    assert prepare_demo(root).kept == ()
    assert (root / ".env").is_file()
    assert (root / "contacts" / "sample-members.csv").is_file()


def test_something_else_in_its_place_is_left_alone(run: Run, tmp_path: Path) -> None:
    theirs = tmp_path / "var" / "demo" / "thesis.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years of work", encoding="utf-8")
    refused = run("demo")
    assert refused.code == 2
    assert "something else than a demonstration stands here" in refused.text
    assert [path.name for path in theirs.parent.iterdir()] == ["thesis.txt"]


def test_real_lists_beside_the_sample_are_never_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = tmp_path / "sample"
    for name in ("campaigns", "contacts"):
        shutil.copytree(shipped(name), sample / name)
    shutil.copy(shipped("mlgroup.toml"), sample)
    for name in ("contacts/members.xlsx", "contacts/opt-outs/2024-real.csv"):
        (sample / name).write_text("real people", encoding="utf-8")
    monkeypatch.setattr(demo, "shipped", lambda name: sample / name)
    root = prepare_demo(tmp_path / "demo").root
    assert sorted(path.name for path in (root / "contacts").rglob("*.*")) == [
        "contacts.toml",
        "sample-members.csv",
        "sample-opt-outs.csv",
    ]


def test_a_project_that_is_not_there_is_refused(run: Run) -> None:
    refused = run("--project", "nowhere", "demo")
    assert refused.code == 2
    assert "nowhere: this directory does not exist" in refused.text


def test_a_record_that_cannot_be_read_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / ".sample.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="something else"):
        prepare_demo(tmp_path)
