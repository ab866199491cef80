"""Opt-outs are lifted one by one unless somebody says otherwise; a file's slips and a nameless order are told."""

from pathlib import Path

import pytest

from tests.acceptance.projects import person, small_project
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def listed(run: Run, tmp_path: Path) -> None:
    small_project(tmp_path)
    assert run("contacts", "pull").code == 0


def standing(run: Run) -> int:
    return len(run("opt-out", "list", person(1), "--json").out.splitlines())


def test_several_opt_outs_are_lifted_by_topic_or_all_by_a_word_of_its_own(run: Run) -> None:
    for topic in ("calls", "training", "webinar"):
        assert run("opt-out", "add", person(1), "--topic", topic, "--reason", f"no {topic}").code == 0
    refused = run("opt-out", "lift", person(1), "--reason", "is back")
    assert (refused.code, standing(run)) == (2, 3)
    assert "3 opt-outs stand" in refused.text
    assert "calls" in refused.text
    assert "no training" in refused.text
    assert "--all-topics" in refused.text
    assert run("opt-out", "lift", person(1), "--topic", "calls", "--reason", "is back").code == 0
    assert standing(run) == 2
    both = run("opt-out", "lift", person(1), "--topic", "webinar", "--all-topics", "--reason", "is back")
    assert (both.code, standing(run)) == (2, 2)
    assert "2 opt-outs" in run("opt-out", "lift", person(1), "--all-topics", "--reason", "is back").text
    assert standing(run) == 0


def test_the_only_opt_out_needs_no_topic(run: Run) -> None:
    assert run("opt-out", "add", person(1), "--topic", "calls").code == 0
    assert "1 opt-out" in run("opt-out", "lift", person(1), "--reason", "is back").text


def test_what_cannot_be_lifted_tells_what_stands(run: Run) -> None:
    nothing = run("opt-out", "lift", person(1), "--reason", "is back")
    assert nothing.code == 2
    assert "nothing to lift" in nothing.text
    assert run("opt-out", "add", person(1)).code == 0
    other = run("opt-out", "lift", person(1), "--topic", "calls", "--reason", "is back")
    assert (other.code, standing(run)) == (2, 1)
    assert "what stands: all topics" in other.text


def test_a_misspelt_topic_of_a_file_stops_all_mail_and_is_told(run: Run) -> None:
    Path("outs.csv").write_text(
        f"address,topic\n{person(1)},calls\n{person(2)},cals\n{person(3)},\n{person(4)},all\n", "utf-8"
    )
    told = run("opt-out", "import", "outs.csv")
    assert told.code == 0
    assert told.text.count("is not known") == 1
    assert "row 3: topic cals is not known: taken as all topics" in told.text
    assert '"topic": "*"' in run("opt-out", "list", person(2), "--json").out


def test_programs_read_the_misspelt_topic_too_without_any_address(run: Run) -> None:
    Path("outs.csv").write_text(f"address,topic\n{person(1)},cals me@office.example\n", "utf-8")
    (noted,) = run("opt-out", "import", "outs.csv", "--json").json["noted"]
    assert noted["row"] == 2
    assert "topic cals m…@office.example is not known" in noted["reason"]


@pytest.mark.parametrize("who", ["", "  "])
@pytest.mark.parametrize(
    "command",
    [
        ("approve", "letter/issue"),
        ("pause", "letter/issue"),
        ("resume", "letter/issue"),
        ("cancel", "letter/issue"),
        ("resolve", "letter/issue", "--accepted", "--reason", "x"),
        ("opt-out", "add", person(1)),
        ("opt-out", "lift", person(1), "--reason", "x"),
        ("person", "erase", person(1), "--reason", "x"),
        ("person", "move", person(1), "new@office.example", "--reason", "x"),
    ],
)
def test_an_order_by_nobody_is_refused(run: Run, command: tuple[str, ...], who: str) -> None:
    refused = run(*command, "--by", who)
    assert refused.code == 2
    assert "names nobody" in refused.text
    assert not run("opt-out", "list", "--json").out
    assert run("status", "letter/issue", "--json").json["state"] == "draft"
