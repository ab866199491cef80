"""The README's first hour, command by command, in an empty directory."""

import csv
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlgroup_mail.shipped import shipped
from tests.cli.conftest import Result, Run, run
from tests.docs.pages import ROOT, Block, blocks, section

__all__ = ["run"]

README = (ROOT / "README.md").read_text(encoding="utf-8")
_HOME = "/home/ana/our-group"
_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d(?::\d\d)?")
_SHORTENED = "..."


def test_a_newcomer_can_follow_the_first_hour_to_the_letter(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    for block in blocks(section(README, "The first hour")):
        if block.file:
            path = Path(block.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_due_at_once(block.text), encoding="utf-8")
        for command, shown in _commands(block):
            program, *arguments = shlex.split(command)
            if program == "cd":
                monkeypatch.chdir(tmp_path / arguments[0])
                continue
            assert program == "mlgroup-mail"
            result = run(*arguments)
            assert result.code == 0, f"{command}\n{result.out}{result.err}"
            missing = shown - _told(result)
            assert not missing, f"{command} did not print {missing}, but:\n{result.out}{result.err}"
            steps += 1
    assert steps > 15


def test_nothing_is_written_outside_the_project_and_nothing_is_configured_to_leave(run: Run, tmp_path: Path) -> None:
    run("init", "our-group")
    assert [path.name for path in tmp_path.iterdir()] == ["our-group"]
    checks = {check["name"]: check for check in run("--project", "our-group", "doctor", "--json").json["checks"]}
    assert "nothing leaves this machine" in checks["transport"]["detail"]


def test_the_demonstrations_list_has_the_numbers_that_are_shown(run: Run) -> None:
    sample = shipped("contacts")
    answer = run("contacts", "check", sample / "sample-members.csv", "--out", "clean.csv", "--json").json
    with Path("clean.csv").open(encoding="utf-8", newline="") as file:
        countries = {row["country"] for row in csv.DictReader(file)} - {""}
    shown = {_plain(line) for block in blocks(README) if block.language == "text" for line in block.text.splitlines()}
    assert {
        f"{answer['contacts']} people in {len(countries)} countries, from {answer['rows']} rows.",
        f"{answer['merged']} rows merged into another row's person, {len(answer['rejected'])} rows rejected:",
        *(f"row {row['row']} {row['column']} {row['reason']}" for row in answer["rejected"][:2]),
    } <= shown


def _commands(block: Block) -> Iterator[tuple[str, set[str]]]:
    """Each command of a console block with the lines that are shown of its output."""
    if block.language != "console":
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, {_plain(line) for line in shown if line.strip() and line != _SHORTENED}


def _told(result: Result) -> set[str]:
    return {_plain(line) for line in f"{result.out}\n{result.err}".splitlines()}


def _plain(line: str) -> str:
    """A line without what differs from one machine, day and terminal to another."""
    here = line.replace(str(Path.cwd()), _HOME)
    return " ".join(_TIME.sub("TIME", here).split())


def _due_at_once(text: str) -> str:
    """As the page says in words: about an hour ago."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    return re.sub(r"^send_at = .*$", f'send_at = "{hour_ago:%Y-%m-%d %H:%M} UTC"', text, flags=re.MULTILINE)
