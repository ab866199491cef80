"""Segments: every key must hold, a list means any of, `not` excludes."""

from typing import Any

import pytest

from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.segments import segment_for
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import Contact

CONFIG = ContactsConfig.model_validate(
    {"source": [{"name": "members", "path": "x.csv"}], "segment": {"members": {"status": ["member", "lead"]}}}
)
ANNA = Contact(
    address="anna@example.org",
    country="FR",
    language="fr-CA",
    status="lead",
    organisation="Office of Statistics",
    timezone="Europe/Paris",
    themes=("MLOps", "Web data"),
    topics=("newsletter",),
    source="members",
)

RULES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"status": "lead"}, True),
    ({"status": "Lead"}, True),
    ({"status": "member"}, False),
    ({"status": ["member", "lead"]}, True),
    ({"status": "lead", "country": "BE"}, False),
    ({"status": "lead", "country": ["BE", "FR"]}, True),
    ({"country": "fr"}, True),
    ({"country": "France"}, True),
    ({"language": "fr"}, True),
    ({"language": "fr-CA"}, True),
    ({"language": "fr-FR"}, False),
    ({"language": "en"}, False),
    ({"timezone": "Europe/Paris"}, True),
    ({"organisation": "office of statistics"}, True),
    ({"organisation": "office"}, False),
    ({"themes": "mlops"}, True),
    ({"themes": ["Imagery", "Web data"]}, True),
    ({"themes": "Imagery"}, False),
    ({"topics": "newsletter"}, True),
    ({"topics": "calls"}, False),
    ({"source": "members"}, True),
    ({"not": {"country": "FR"}}, False),
    ({"not": {"country": "BE"}}, True),
    ({"status": "lead", "not": {"country": "FR", "themes": "Imagery"}}, True),
    ({"status": "lead", "not": {"country": "FR", "themes": "MLOps"}}, False),
    ({"not": {"not": {"country": "FR"}}}, True),
]


@pytest.mark.parametrize(("rule", "matches"), RULES)
def test_a_rule_decides_who_is_in(rule: dict[str, Any], matches: bool) -> None:
    assert segment_for(CONFIG, rule).matches(ANNA) is matches


def test_a_segment_is_found_by_its_name() -> None:
    segment = segment_for(CONFIG, "members")
    assert segment.name == "members"
    assert segment.matches(ANNA)
    assert not segment.matches(Contact(address="x@example.org", status="left"))


def test_a_person_without_a_value_is_not_in_a_segment_that_asks_for_one() -> None:
    nobody = Contact(address="x@example.org", status="")
    for key in ("status", "country", "language", "timezone", "organisation", "source", "themes", "topics"):
        assert not segment_for(CONFIG, {key: "en" if key == "language" else "FR"}).matches(nobody)


@pytest.mark.parametrize(
    ("audience", "message", "mend"),
    [
        ("membres", "there is no segment “membres”", "Did you mean “members”?"),
        ("everybody", "there is no segment “everybody”", "Known segments: members."),
        ("accepted:2021-10-newsletter/issue", "cannot be used yet", "Name a segment"),
        ({"contry": "FR"}, "the key “audience.contry” is not known here", "Did you mean “country”?"),
        ({"country": "Absurdistan"}, "“Absurdistan” is not known", ""),
        (["members"], "must be the name of a segment", "audience ="),
        (None, "must be the name of a segment", "audience ="),
    ],
)
def test_a_wrong_audience_is_a_mistake_of_the_campaign(audience: object, message: str, mend: str) -> None:
    with pytest.raises(CampaignError) as caught:
        segment_for(CONFIG, audience, where="campaigns/x/campaign.md")
    assert caught.value.problem.where == "campaigns/x/campaign.md"
    assert message in caught.value.problem.message
    assert mend in caught.value.problem.mend
