"""`init`: a project of one's own, in which every command works at once."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mlgroup_mail.addresses import is_allowed
from mlgroup_mail.settings.environment import RESERVED_DOMAINS
from tests.cli.conftest import Run

_EIGHT = {"newsletter", "meetings", "coffee-coding", "calls", "training", "surveys", "webinar", "board"}
_ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+\w)")


def test_from_nothing_to_a_delivered_mail_without_editing_anything(run: Run, tmp_path: Path) -> None:
    """`init`, `contacts pull`, `check`, `approve`, `send --live` run one after the other, and `check` has no errors."""
    assert run("init", "ours").code == 0
    project = tmp_path / "ours"

    pulled = run("--project", project, "contacts", "pull", "--json")
    assert (pulled.code, pulled.json["contacts"], pulled.json["rejected"]) == (0, 10, [])

    checked = run("--project", project, "check", "first-newsletter", "--json")
    assert (checked.code, checked.json["errors"]) == (0, 0)

    assert run("--project", project, "approve", "first-newsletter/issue", "--by", "Alma").code == 0
    sent = run("--project", project, "send", "first-newsletter/issue", "--live", "--json")
    assert (sent.code, sent.json["state"], sent.json["counts"]["accepted"]) == (0, "finished", 9)
    assert len(list((project / "var" / "outbox" / "first-newsletter" / "issue").glob("*.eml"))) == 9


def test_it_says_what_to_do_next_and_that_nothing_can_leave(run: Run) -> None:
    told = run("init", "ours")
    assert "1. cd ours" in told.out
    assert "mlgroup-mail send first-newsletter/issue --live" in told.out
    assert "Nothing can leave this machine yet" in told.out


def test_every_command_it_names_exists(run: Run) -> None:
    told = run("init", "ours").out
    commands = set(re.findall(r"\d\. mlgroup-mail ([a-z -]+?)(?: first| --|  |$)", told, re.MULTILINE))
    assert {"contacts pull", "check", "approve", "send", "doctor"} <= commands
    for command in commands:
        assert run(*command.split(), "--help").code == 0, command


def test_the_current_directory_can_become_the_project(run: Run, tmp_path: Path) -> None:
    told = run("init", ".")
    assert told.code == 0
    assert (tmp_path / "mlgroup.toml").is_file()
    assert "cd " not in told.out


def test_a_fresh_git_repository_counts_as_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours" / ".git").mkdir(parents=True)
    assert run("init", "ours").code == 0


def test_a_directory_with_anything_in_it_is_refused_and_left_as_it_is(run: Run, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "mlgroup.toml").write_text("theirs", encoding="utf-8")
    refused = run("init", "theirs")
    assert refused.code == 2
    assert "theirs: this directory is not empty: it holds mlgroup.toml" in refused.text
    assert [path.name for path in theirs.iterdir()] == ["mlgroup.toml"]
    assert (theirs / "mlgroup.toml").read_text(encoding="utf-8") == "theirs"


def test_a_file_in_the_place_of_the_directory_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("a file", encoding="utf-8")
    refused = run("init", "ours")
    assert refused.code == 2
    assert "this is a file, not a directory" in refused.text


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_keys_are_the_owners_alone_and_each_projects_own(run: Run, tmp_path: Path) -> None:
    contents = []
    for name in ("ours", "theirs"):
        run("init", name)
        path = tmp_path / name / ".env"
        assert path.stat().st_mode & 0o777 == 0o600
        contents.append(path.read_text(encoding="utf-8"))
    keys = [
        re.findall(r"^MLGROUP_(?:SECRET_KEYS|ERASURE_KEY)=([0-9a-f]{64})$", text, re.MULTILINE) for text in contents
    ]
    assert [len(found) for found in keys] == [2, 2]
    assert len({key for found in keys for key in found}) == 4


@pytest.mark.skipif(not shutil.which("git"), reason="git is asked what it would commit")
def test_git_takes_neither_secrets_nor_state_nor_real_lists(run: Run, tmp_path: Path) -> None:
    run("init", "ours")
    project = tmp_path / "ours"
    (project / "var").mkdir()
    for name in ("var/mlgroup.db", "contacts/members.xlsx"):
        (project / name).write_text("real", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    listed = subprocess.run(
        ["git", "-C", str(project), "ls-files", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert {"mlgroup.toml", "prefect.yaml", "contacts/contacts.toml", "contacts/sample-members.csv"} <= set(listed)
    assert not {".env", "var/mlgroup.db", "contacts/members.xlsx"} & set(listed)


def test_it_knows_the_eight_topics_with_the_board_off(run: Run, tmp_path: Path) -> None:
    from mlgroup_mail.settings.project import read_project

    run("init", "ours")
    topics = read_project(tmp_path / "ours").topics
    assert topics == {name: name != "board" for name in _EIGHT}


def test_everybody_in_it_is_fictional(run: Run, tmp_path: Path) -> None:
    run("init", "ours")
    files = [path for path in (tmp_path / "ours").rglob("*") if path.is_file()]
    found = {host for path in files for host in _ADDRESS.findall(path.read_text(encoding="utf-8"))}
    assert "stats.se.example" in found
    assert [host for host in found if not is_allowed(f"x@{host}", RESERVED_DOMAINS)] == []
