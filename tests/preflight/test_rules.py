"""`check` finds what a careful editor finds, says where it stands, and is silent about a mail that is fine."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.preflight.checking import check
from mlgroup_mail.preflight.findings import Finding, Level, finding_of
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject
from mlgroup_mail.settings.project import Project
from tests.content.projects import FIGURES, FRONT, write_campaign

BEFORE = datetime(2021, 11, 1, tzinfo=UTC)


def findings(
    project: Project,
    text: str = "Hello.",
    *,
    front: str = FRONT,
    recipients: int = 258,
    missing: Mapping[str, int] | None = None,
    clock: datetime = BEFORE,
) -> list[Finding]:
    write_campaign(project, text, front=front)
    campaign = read_campaign(project, "letter")
    message = compile_message(freeze(project, campaign, "issue", FIGURES), {})
    subject = CheckSubject(
        campaign=campaign,
        mailing=campaign.mailing("issue"),
        texts=(
            CheckedText(
                words=campaign.mailing("issue").original,
                variants=(message,),
                recipients=recipients,
                missing=missing or {},
            ),
        ),
        clock=clock,
    )
    return list(check(subject))


def test_a_mail_that_is_fine_has_no_findings(project: Project) -> None:
    text = "Dear {{ recipient.name }}, read [this](https://a.example/x) or [write](mailto:ml-group@example.org)."
    assert findings(project, text) == []


@pytest.mark.parametrize(
    ("text", "rule", "where", "message"),
    [
        (
            "one\n\nDear {{ recipient.name }},",
            "unfilled-fields",
            "line 15",
            "12 of 258 recipients have no recipient.name",
        ),
        ("The room is TBC.", "left-overs", "line 13", "“TBC”"),
        ("one\nTODO: write this", "left-overs", "line 14", "“TODO”"),
        ("Lorem ipsum dolor", "left-overs", "line 13", "“Lorem ipsum”"),
        ("Dear {% raw %}{{ name }}{% endraw %},", "left-overs", "line 13", "“{{ name }}”"),
        ("one\n\n[here]()", "missing-link-target", "line 15", "has no target"),
        ("[here](#top)", "missing-link-target", "line 13", "“#top”"),
        ("[here](programme.html)", "missing-link-target", "line 13", "no whole address"),
        ("[here](www.example.org/x)", "missing-link-target", "line 13", "no whole address"),
        ("[here](https:///x)", "missing-link-target", "line 13", "no host"),
        ("[here](mailto:)", "missing-link-target", "line 13", "without an address"),
        ("[here](https://exmple..org)", "missing-link-target", "line 13", "a host that there cannot be"),
        ("one\n\nSee https://exmple..org.", "missing-link-target", "line 15", "a host that there cannot be"),
        ("[here](http://localhost:8000/x)", "missing-link-target", "line 13", "only your network knows"),
        ("[here](https://192.168.0.7/x)", "missing-link-target", "line 13", "only your network knows"),
        ("[here](https://intranet/x)", "missing-link-target", "line 13", "only your network knows"),
    ],
)
def test_what_must_not_go_out_is_an_error_with_its_line(
    project: Project, text: str, rule: str, where: str, message: str
) -> None:
    found = findings(project, text, missing={"recipient.name": 12})
    assert {finding.rule for finding in found} == {rule}
    assert {finding.level for finding in found} == {Level.ERROR}
    assert message in found[0].message
    assert found[0].where == f"campaigns/letter/campaign.md, {where}"
    assert all(finding.mend for finding in found)


@pytest.mark.parametrize(
    "text",
    [
        'Dear {{ recipient.name | default("colleague") }},',
        "Todo el mundo, tbc-tablets, a {brace}, a [bracket] and 100 %}".replace("%}", "%"),
        "`[code](a b)`, \\[escaped\\](a b), [a note] (here), [x](https://a.example/{{ group.name }}), https://a.example.",
        "```python\n[code](a b)\n```",
    ],
)
def test_what_only_looks_like_a_fault_is_none(project: Project, text: str) -> None:
    assert findings(project, text, missing={"recipient.name": 12}) == []


def test_a_placeholder_in_the_subject_is_found(project: Project) -> None:
    (found,) = findings(
        project, front=FRONT.replace('"News"', '"News TBC"').replace("preheader", 'title = "N"\npreheader')
    )
    assert (found.rule, found.where) == ("left-overs", "campaigns/letter/campaign.md, line 4")


def test_a_placeholder_in_a_value_is_found(project: Project) -> None:
    front = FRONT.replace("[[mailing]]", '[values]\nperiod = "TODO: the months"\n\n[[mailing]]')
    (found,) = findings(project, "Since {{ period }}.", front=front)
    assert (found.rule, found.where) == ("left-overs", "campaigns/letter/campaign.md, line 10")


def test_a_mailing_for_nobody_is_an_error(project: Project) -> None:
    (found,) = findings(project, recipients=0)
    assert (found.rule, found.level) == ("empty-audience", Level.ERROR)


def test_a_stop_that_is_not_after_the_sending_time_is_an_error(project: Project) -> None:
    (found,) = findings(project, front=FRONT + 'stop_at = "2021-11-02 09:00 Europe/London"\n')
    assert (found.rule, found.level) == ("stop-before-send", Level.ERROR)


@pytest.mark.parametrize(
    ("clock", "rule"),
    [
        (datetime(2019, 11, 3, tzinfo=UTC), None),
        (datetime(2021, 11, 2, 8, 59, tzinfo=UTC), None),
        (datetime(2021, 11, 2, 9, 1, tzinfo=UTC), "past-send-at"),
        (datetime(2021, 11, 4, 9, 1, tzinfo=UTC), "past-stop-at"),
    ],
)
def test_a_time_that_has_passed_is_a_warning(project: Project, clock: datetime, rule: str | None) -> None:
    found = findings(project, clock=clock)
    assert [(finding.rule, finding.level) for finding in found] == ([(rule, Level.WARNING)] if rule else [])


def test_a_sending_time_more_than_two_years_ahead_is_a_warning(project: Project) -> None:
    (found,) = findings(project, clock=datetime(2019, 10, 31, tzinfo=UTC))
    assert (found.rule, found.level) == ("far-send-at", Level.WARNING)
    assert "more than two years ahead" in found.message


@pytest.mark.parametrize(("kilobytes", "level"), [(65, None), (75, Level.WARNING), (110, Level.ERROR)])
def test_a_mail_that_gmail_would_cut_is_found(project: Project, kilobytes: int, level: Level | None) -> None:
    found = findings(project, "Hello there. " * (kilobytes * 77))
    assert [finding.level for finding in found] == ([level] if level else [])


def test_errors_come_first_and_each_thing_once(project: Project) -> None:
    found = findings(project, "[a]() and [b]()", clock=datetime(2021, 11, 3, tzinfo=UTC))
    assert [finding.rule for finding in found] == ["missing-link-target", "past-send-at"]


def test_a_language_that_the_templates_do_not_speak_is_a_warning(project: Project) -> None:
    (found,) = findings(project, front=FRONT.replace("\n\n", '\nlanguage = "pl"\n\n'))
    assert (found.rule, found.level) == ("footer-language", Level.WARNING)
    assert "“pl”" in found.message
    assert findings(project, front=FRONT.replace("\n\n", '\nlanguage = "pt-BR"\n\n')) == []


def test_what_cannot_be_read_is_an_error_finding(project: Project) -> None:
    with pytest.raises(CampaignError) as refused:
        findings(project, "{% if %}")
    found = finding_of(refused.value.problem)
    assert (found.level, found.rule) == (Level.ERROR, "not-readable")
    assert found.where == "campaigns/letter/campaign.md, line 13"
    assert found.mend
