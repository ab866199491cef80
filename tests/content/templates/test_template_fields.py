"""A merge field stands alone; whatever looks at its value before it is there is refused, saying what to write."""

import pytest

from mlgroup_mail.content.templates.template_fields import field_use
from mlgroup_mail.errors import CampaignError


def use(*texts: str):
    return field_use({f"text {number}": text for number, text in enumerate(texts)})


def test_merge_fields_may_stand_alone_or_with_a_default() -> None:
    found = use('{{ recipient.name }} {{ recipient["first_name"] | default("you") }}', "{{ links.opt_out | d('x') }}")
    assert found.merge == ("links.opt_out", "recipient.first_name", "recipient.name")
    assert found.shared == ()


def test_merge_fields_may_stand_inside_conditions_and_loops_over_other_things() -> None:
    text = (
        "{% if recipient.country == 'PT' %}{{ recipient.name }}{% endif %}"
        "{% for x in [1] %}{{ links.opt_out }}{% endfor %}"
    )
    assert use(text).merge == ("links.opt_out", "recipient.name")


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("{{ recipient.name | upper }}", "filter “upper”", '{{ recipient.name | default("...") }}'),
        ('{{ recipient.name | default("x") | upper }}', "filter “upper”", "Write {{ recipient.name }}"),
        ("{{ recipient.name | upper | default('x') }}", "filter “upper”", "Write"),
        ("{{ recipient.name | default(group.name) }}", "text in quotes", 'default("colleague")'),
        ("{{ recipient.name | default }}", "text in quotes", 'default("colleague")'),
        ("{% if recipient.name %}x{% endif %}", "cannot be tested", "default"),
        ("{{ 'x' if recipient.name == 'Ana' }}", "cannot be tested", "default"),
        ("{{ 'x' if not recipient.name }}", "cannot be tested", "default"),
        ("{{ recipient.name is defined }}", "cannot be tested", "default"),
        ('{{ "Dear " ~ recipient.name }}', "cannot be joined", "with the text around it"),
        ('{{ "Dear " + recipient.name }}', "cannot be joined", "with the text around it"),
        ("{{ recipient.name[0] }}", "in an expression", "Write"),
        ("{{ range(recipient.name) }}", "in an expression", "Write"),
        ("{% set n = recipient.name %}", "in an expression", "Write"),
        ("{% for x in recipient.name %}{% endfor %}", "in an expression", "Write"),
        ("{% set n %}{{ recipient.name }}{% endset %}", "inside {% set %}", "after compiling"),
        ("{% macro m() %}{{ recipient.name }}{% endmacro %}", "inside {% macro %}", "after compiling"),
        ("{% filter upper %}{{ recipient.name }}{% endfilter %}", "inside {% filter %}", "after compiling"),
        ("{{ recipient.fist_name }}", "no field recipient.fist_name", "Did you mean recipient.first_name?"),
        ("{{ links.unsubscribe }}", "no field links.unsubscribe", "Known fields: opt_out, opt_out_all"),
        ("{{ recipient }}", "only be used with one of its fields", "FIELD being one of name"),
        ("{% set r = recipient %}", "only be used with one of its fields", "FIELD"),
        ("{{ recipient[x] }}", "must be named directly", "FIELD"),
        ("{% autoescape false %}x{% endautoescape %}", "cannot be used here", "Escaping"),
        ("{{ recipient.name", "“{{” is not closed", "Write “}}”"),
    ],
)
def test_a_misused_field_is_refused_with_its_line(text: str, message: str, mend: str) -> None:
    with pytest.raises(CampaignError) as refused:
        use("fine", f"one\ntwo {text}")
    assert message in refused.value.problem.message
    assert mend in refused.value.problem.mend
    assert refused.value.problem.where == "text 1, line 2"


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("{{ recipient.language }}{{ recipient.country | lower }}", ("country", "language")),
        ("{% if 'ethics' in recipient.themes %}x{% endif %}", ("themes:ethics",)),
        (
            "{% if 'ethics' not in recipient.themes and 'x' in recipient.topics %}x{% endif %}",
            ("themes:ethics", "topics:x"),
        ),
        ("{{ recipient.themes | join(', ') }}", ("themes",)),
        ("{% if 'a' in recipient.themes %}{{ recipient.themes | length }}{% endif %}", ("themes",)),
        ("{% for t in ['a'] %}{% if t in recipient.themes %}x{% endif %}{% endfor %}", ("themes",)),
        ("{% if recipient.themes in 'ethics' %}x{% endif %}", ("themes",)),
    ],
)
def test_shared_fields_are_those_named_anywhere_sets_by_the_membership_asked_for(
    text: str, shared: tuple[str, ...]
) -> None:
    assert use(text).shared == shared


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ('{{ events["a-1"].title }}{{ events.b }}', ("a-1", "b")),
        ("{% for id in events %}x{% endfor %}", None),
        ("{% for e in events.values() %}x{% endfor %}", None),
        ("none", ()),
    ],
)
def test_the_events_a_text_names_are_known(text: str, events: tuple[str, ...] | None) -> None:
    assert use(text).events == events
