"""Segments: every key must hold, a list means any of, `any`, `all` and `not` combine rules, to any sensible depth."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.segment_rules import DEEPEST, SegmentRule
from mlgroup_mail.contacts.segments import rule_for, segment_for
from mlgroup_mail.errors import CampaignError, UsageError
from mlgroup_mail.model import Contact, MailingRef

ISSUE = MailingRef("2021-10-newsletter", "issue")


def config(**segments: dict[str, Any]) -> ContactsConfig:
    return ContactsConfig.model_validate({"source": [{"name": "members", "path": "x.csv"}], "segment": segments})


CONFIG = config(members={"status": ["member", "lead"]})
ANNA = Contact(
    contact_id=7,
    address="Anna.Novak@stats.example.org",
    name="Anna Nováková",
    first_name="Anna",
    external_id="members:17",
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
    ({"country": ["BE", ""]}, False),
    ({"timezone": "europe/*"}, True),
    ({"timezone": "America/*"}, False),
    ({"organisation": "*statistics"}, True),
    ({"organisation": "office*"}, True),
    ({"organisation": "statistics*"}, False),
    ({"organisation": "*of*"}, True),
    ({"organisation": "Office of St?tistics"}, False),
    ({"organisation": "[Oo]*"}, False),
    ({"themes": "web*"}, True),
    ({"themes": "*"}, True),
    ({"topics": ""}, False),
    ({"name": "ANNA NOVÁKOVÁ"}, True),
    ({"name": "Anna Nova\u0301kova\u0301"}, True),
    ({"name": "Anna Novakova"}, False),
    ({"name": "anna*"}, True),
    ({"first_name": "Anna"}, True),
    ({"first_name": "Ann"}, False),
    ({"address": "anna.novak@STATS.example.org"}, True),
    ({"address": "mailto:anna.novak@stats.example.org*"}, False),
    ({"address": "anna@stats.example.org"}, False),
    ({"address": "@stats.example.org"}, True),
    ({"address": "@Example.org"}, True),
    ({"address": "@xample.org"}, False),
    ({"address": "@ample.org"}, False),
    ({"address": "@other.example"}, False),
    ({"address": ["@other.example", "anna.*"]}, True),
    ({"address": "*.example"}, False),
    ({"id": "17"}, True),
    ({"id": 17}, True),
    ({"id": ["members:17"]}, True),
    ({"id": "board:17"}, False),
    ({"id": "7"}, False),
    ({"id": ""}, False),
    ({"segment": "members"}, True),
    ({"segment": "members", "country": "BE"}, False),
    ({"not": {"segment": "members"}}, False),
    ({"any": [{"country": "BE"}, {"country": "FR"}]}, True),
    ({"any": [{"country": "BE"}, {"country": "NO"}]}, False),
    ({"any": [{"country": "BE"}, {"themes": "MLOps"}], "status": "member"}, False),
    ({"all": [{"themes": "MLOps"}, {"themes": "Web data"}]}, True),
    ({"all": [{"themes": "MLOps"}, {"themes": "Imagery"}]}, False),
    ({"all": [{"any": [{"country": "BE"}, {"not": {"country": "BE"}}]}, {"status": "lead"}]}, True),
    ({"not": {"any": [{"country": "FR"}, {"country": "BE"}]}}, False),
]


@pytest.mark.parametrize(("rule", "matches"), RULES)
def test_a_rule_decides_who_is_in(rule: dict[str, Any], matches: bool) -> None:
    assert segment_for(CONFIG, rule).matches(ANNA) is matches


def test_a_segment_is_found_by_its_name() -> None:
    segment = segment_for(CONFIG, "members")
    assert segment.name == "members"
    assert segment.matches(ANNA)
    assert not segment.matches(Contact(address="x@example.org", status="left"))


FIELDS = (
    *("status", "country", "language", "timezone", "organisation", "source"),
    *("themes", "topics", "name", "first_name", "id"),
)


@pytest.mark.parametrize("key", FIELDS)
def test_a_person_without_a_value_is_only_in_a_segment_that_asks_for_none(key: str) -> None:
    nobody = Contact(address="x@example.org", status="")
    assert not segment_for(CONFIG, {key: "en" if key == "language" else "FR"}).matches(nobody)
    assert segment_for(CONFIG, {key: ""}).matches(nobody)
    assert segment_for(CONFIG, {key: ["", "FR"]}).matches(nobody)
    if key not in ("country", "language", "id"):
        assert not segment_for(CONFIG, {key: "*"}).matches(nobody)


def test_a_domain_takes_those_below_it_and_its_unicode_form() -> None:
    contact = Contact(address="info@stats.xn--bro-hoa.example")
    assert segment_for(CONFIG, {"address": "@büro.example"}).matches(contact)


def test_an_id_of_another_source_is_another_id() -> None:
    ids = segment_for(CONFIG, {"id": "members:17"})
    assert not ids.matches(Contact(address="x@example.org", external_id="board:17"))


def test_answers_of_the_ledger_decide_on_accepted() -> None:
    segment = segment_for(CONFIG, {"accepted": [str(ISSUE), "call/invitation"]})
    invitation = MailingRef("call", "invitation")
    assert segment.mailings == {ISSUE, invitation}
    assert segment.matches(ANNA, {ISSUE: {7, 8}, invitation: set()})
    assert segment.matches(ANNA, {ISSUE: set(), invitation: {7}})
    assert not segment.matches(ANNA, {ISSUE: {8}, invitation: set()})
    others = segment_for(CONFIG, {"segment": "members", "not": {"accepted": str(ISSUE)}})
    assert not others.matches(ANNA, {ISSUE: {7}})


def test_answers_that_were_not_asked_for_are_not_taken_for_nobody() -> None:
    with pytest.raises(KeyError):
        segment_for(CONFIG, {"accepted": str(ISSUE)}).matches(ANNA)


def test_an_audience_may_be_whom_a_mailing_was_accepted_for() -> None:
    segment = segment_for(CONFIG, f"accepted:{ISSUE}")
    assert segment.mailings == {ISSUE}
    assert segment.select([ANNA], {ISSUE: {7}}) == [ANNA]


def test_a_whole_rule_has_no_names_of_segments_in_it() -> None:
    """What an approval is bound to says all: changing a segment that another names changes it."""
    named = config(members={"status": "member"}, core={"segment": "members", "country": "FR"})
    assert rule_for(named, {"not": {"segment": "core"}}).written() == {
        "not": {"all": [{"country": ["FR"], "all": [{"status": ["member"]}]}]}
    }
    several = rule_for(named, {"segment": ["members", "core"]}).written()
    assert several == {"all": [{"any": [{"status": ["member"]}, {"country": ["FR"], "all": [{"status": ["member"]}]}]}]}


def test_a_rule_is_shown_as_it_is_written() -> None:
    rule = SegmentRule.model_validate({"not": {"name": 'a"b'}, "country": ["FR", "BE"], "any": [{"id": 5}]})
    assert rule.text() == 'country = ["FR", "BE"], any = [{ id = "5" }], not = { name = "a\\"b" }'
    assert SegmentRule().text() == "everybody"


CIRCLES: list[tuple[dict[str, dict[str, Any]], str]] = [
    ({"a": {"segment": "a"}}, "in a circle: a → a"),
    ({"a": {"segment": "b"}, "b": {"not": {"segment": "a"}}}, "in a circle: a → b → a"),
    ({"a": {"any": [{"segment": "b"}]}, "b": {"all": [{"segment": "c"}]}, "c": {"segment": "b"}}, "b → c → b"),
    ({"a": {"segment": "members"}, "member": {}}, "there is no segment “members”. Did you mean “member”?"),
]


@pytest.mark.parametrize(("segments", "message"), CIRCLES)
def test_segments_that_lead_nowhere_are_named(segments: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match="segment") as caught:
        config(**segments)
    assert message in str(caught.value)


def nested(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"country": "FR"}
    for _ in range(depth - 1):
        rule = {"not": rule}
    return rule


def test_rules_nest_to_a_limit() -> None:
    assert segment_for(CONFIG, nested(DEEPEST)).matches(ANNA) is (DEEPEST % 2 == 1)
    with pytest.raises(CampaignError, match=f"nested more than {DEEPEST} deep"):
        segment_for(CONFIG, nested(DEEPEST + 1))
    with pytest.raises(CampaignError, match=f"nested more than {DEEPEST} deep"):
        segment_for(CONFIG, nested(5000))
    with pytest.raises(CampaignError, match=f"nested more than {DEEPEST} deep"):
        segment_for(config(deep=nested(DEEPEST)), {"segment": "deep"})


def test_a_chain_of_names_has_the_same_limit() -> None:
    chain = {f"s{number}": {"segment": f"s{number + 1}"} for number in range(500)}
    with pytest.raises(ValueError, match="deep"):
        config(**chain, s500={})


@pytest.mark.parametrize(
    ("audience", "message", "mend"),
    [
        ("membres", "there is no segment “membres”", "Did you mean “members”?"),
        ("everybody", "there is no segment “everybody”", "Known segments: members."),
        ("accepted:newsletter", "“newsletter” does not name a mailing: write <campaign>/<mailing>", ""),
        ({"accepted": "a/b/c"}, "“a/b/c” does not name a mailing", ""),
        ({"any": [{"contry": "FR"}]}, "the key “contry” is not known here", "Did you mean “country”?"),
        ({"not": {"contry": "FR"}}, "the key “audience.not.contry” is not known here", "Did you mean “country”?"),
        ({"any": {"country": "FR"}}, "“audience.any”: takes a list of tables", ""),
        ({"not": ["members"]}, "“audience.not”: takes a table", ""),
        ({"all": []}, "“audience.all”", ""),
        ({"segment": "membres"}, "there is no segment “membres”. Did you mean “members”?", ""),
        ({"address": "anna"}, "“…” is neither an address nor a domain: ", ""),
        ({"address": "@"}, "is neither an address nor a domain", ""),
        ({"name": 1.5}, "“audience.name”", ""),
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


def test_the_command_line_s_own_slips_are_not_the_campaign_s() -> None:
    with pytest.raises(UsageError, match="there is no segment “membres”"):
        rule_for(CONFIG, "membres", refusal=UsageError)


POOL: dict[str, list[str]] = {
    "status": ["member", "lead", ""],
    "country": ["FR", "BE", ""],
    "organisation": ["Office", "Institute", ""],
    "name": ["Anna", "Ben", ""],
    "themes": ["MLOps", "Imagery", ""],
}
PEOPLE = st.builds(
    Contact,
    contact_id=st.integers(1, 3),
    address=st.sampled_from(["a@example.org", "b@stats.example.org", "c@other.example"]),
    **{field: st.sampled_from(values) for field, values in POOL.items() if field != "themes"},
    themes=st.lists(st.sampled_from(["MLOps", "Imagery"]), unique=True).map(tuple),
)
LEAVES = st.one_of(
    *(
        st.lists(st.sampled_from(values), min_size=1, unique=True).map(lambda words, field=field: {field: words})
        for field, values in POOL.items()
    ),
    st.sampled_from(["@example.org", "@other.example", "b@stats.example.org"]).map(lambda word: {"address": [word]}),
    st.just({"accepted": [str(ISSUE)]}),
    st.just({}),
)
RULE_TREES = st.recursive(
    LEAVES,
    lambda rules: st.one_of(
        st.lists(rules, min_size=1, max_size=3).map(lambda several: {"any": several}),
        st.lists(rules, min_size=1, max_size=3).map(lambda several: {"all": several}),
        rules.map(lambda rule: {"not": rule}),
        st.tuples(rules, rules).map(lambda two: two[0] | two[1]),
    ),
    max_leaves=12,
)


def naive(rule: dict[str, Any], person: Contact, accepted: set[int]) -> bool:
    """What a rule means, word for word."""
    for key, value in rule.items():
        match key:
            case "any":
                holds = any(naive(each, person, accepted) for each in value)
            case "all":
                holds = all(naive(each, person, accepted) for each in value)
            case "not":
                holds = not naive(value, person, accepted)
            case "accepted":
                holds = person.contact_id in accepted
            case "address":
                domains = (f"@{person.address.split('@')[1]}", f".{person.address.split('@')[1]}")
                word = value[0]
                holds = person.address == word or (word[0] == "@" and domains[0] == word)
                holds = holds or (word[0] == "@" and domains[1].endswith(f".{word[1:]}"))
            case "themes":
                holds = bool({*(person.themes or ("",))} & {*value})
            case _:
                holds = getattr(person, key) in value
        if not holds:
            return False
    return True


@given(RULE_TREES, st.lists(PEOPLE, max_size=12), st.sets(st.integers(1, 3)))
def test_a_rule_made_ready_decides_what_it_says(rule: dict[str, Any], people: list[Contact], ids: set[int]) -> None:
    segment = segment_for(CONFIG, rule)
    assert segment.select(people, {ISSUE: ids}) == [person for person in people if naive(rule, person, ids)]
    again = segment_for(CONFIG, rule_for(CONFIG, rule).written())
    assert [again.matches(person, {ISSUE: ids}) for person in people] == [naive(rule, p, ids) for p in people]
