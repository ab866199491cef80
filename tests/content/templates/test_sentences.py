"""What Jinja and Python say of a text is told in our words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.templates.rendering import Renderer
from mlgroup_mail.errors import CampaignError, Problem

VALUES = {"name": "Ana", "number": 3, "many": ["a", "b"], "none": None}


def refused(text: str) -> Problem | None:
    try:
        Renderer({"campaign.md": f"one\n{text}"}, language="en").render("campaign.md", VALUES)
    except CampaignError as error:
        return error.problem
    return None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 1 / 0 }}", "a division by zero"),
        ("{{ name + 1 }}", "cannot be reckoned with"),
        ("{{ none + 1 }}", "cannot be reckoned with"),
        ("{{ name < 1 }}", "cannot be compared"),
        ("{{ [3, name] | sort }}", "cannot be compared"),
        ("{{ name() }}", "only macros and range take brackets"),
        ("{{ number | length }}", "a list is needed"),
        ("{% for x in number %}{% endfor %}", "a list is needed"),
        ("{% for a, b in [1] %}{% endfor %}", "a list is needed"),
        ("{{ name | replace }}", "too few or too many values"),
        ("{{ number is divisibleby }}", "too few or too many values"),
        ("{{ [] | first }}", "the list is empty"),
        ("{{ name | round }}", "a number is needed"),
        ("{{ range(name) }}", "a number is needed"),
        ("{{ name | wordwrap(0) }}", "cannot be worked out"),
        ("{{ }}", "something is missing before the closing braces"),
        ("{% if %}x{% endif %}", "something is missing before the closing braces"),
        ("{{ name number }}", "“number” cannot stand here"),
        ("{{ name[ }}", "a bracket is not closed"),
        ("{{ name) }}", "“)” closes nothing"),
        ("{{ name. }}", "nothing stands behind a “.”"),
        ("{{ 'name }}", "a text in quotes is not closed"),
        ("{{ “name” }}", "the quotes are curly"),
        ("{{ name ? number }}", "“?” cannot stand here"),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "{% block a %} stands here twice"),
        ("{{ name | batch }}", "there is no filter “batch”"),
    ],
)
def test_each_kind_of_slip_has_a_sentence_of_ours(text: str, message: str) -> None:
    problem = refused(text)
    assert problem is not None
    assert message in problem.message
    assert problem.where == "campaign.md, line 2"
    assert problem.mend


PIECES = [
    "name",
    "number",
    "many",
    "none",
    "'x'",
    "1",
    "0",
    "+",
    "-",
    "/",
    "<",
    "|",
    "(",
    ")",
    "[",
    "]",
    ".",
    ",",
    "is",
]
PIECES += [
    "length",
    "sort",
    "first",
    "round",
    "join",
    "odd",
    "in",
    "not",
    "if",
    "else",
    "~",
    ":",
    "=",
    "{",
    "}",
    "“",
    "?",
]
OF_PROGRAMMERS = re.compile(
    r"\b(str|int|NoneType|object|type|argument|operand|expected|unexpected|token|callable|iterable|char|sequence|undefined)\b"
)


@given(st.lists(st.sampled_from(PIECES), max_size=7), st.sampled_from(["{{{{ {} }}}}", "{{% if {} %}}x{{% endif %}}"]))
def test_whatever_is_written_no_sentence_is_a_programmer_s(pieces: list[str], frame: str) -> None:
    if problem := refused(frame.format(" ".join(pieces))):
        assert not OF_PROGRAMMERS.search(problem.message), problem
