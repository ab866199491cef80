"""A slip in a text costs an error with its file and line, whatever it is; and never the machine."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.merge_fields import MergeField, MergeFields, Tokens, placed
from mlgroup_mail.content.templates.rendering import Renderer, parse
from mlgroup_mail.content.templates.sandbox import MAX_ROUNDS, MAX_TEXT
from mlgroup_mail.errors import CampaignError


def render(text: str, **context: object) -> str:
    return Renderer({"a.md": text}, language="en").render("a.md", context)


_JINJA = ["{{", "}}", "{%", "%}", "{#", "#}", "{", "}", " if x ", " endif ", " for x in y ", " endfor ", " else "]
_TAGS = [" set x =", " raw ", " endraw ", " block b ", " include 'x' ", " macro m() ", " endmacro "]
_REST = [
    "'",
    '"',
    "|",
    "date",
    "upper",
    "(",
    ")",
    "[",
    "x",
    "1",
    "\n",
    "~",
    "*",
    "text",
    ".",
    "__class__",
    "-",
    "+",
    "\x00",
]
_PIECES = st.sampled_from([*_JINJA, *_TAGS, *_REST, "\u2028", "é"])


def refusal(read: Callable[[], object]) -> CampaignError | None:
    try:
        read()
    except CampaignError as error:
        return error
    return None


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_whatever_is_written_is_read_or_refused_with_a_line_of_the_file(text: str) -> None:
    for read in (lambda: parse(text, place="a.md"), lambda: render(text, x="1", y=[1, 2])):
        if error := refusal(read):
            place, _, line = error.problem.where.partition(", line ")
            assert place == "a.md"
            assert not line or 1 <= int(line) <= text.count("\n") + 1
            assert error.problem.message


def test_what_a_mail_needs_is_within_the_limits() -> None:
    assert render("{% for i in range(20000) %}x{% endfor %}") == "x" * MAX_ROUNDS
    assert len(render("{{ 'x' * 1000000 }}{{ 'y' * 900000 }}")) < MAX_TEXT
    assert render("{{ 7 ** 20 }} {{ 'a' ~ 'b' }} {{ ([1] + [2]) | join('-') }}") == "79792266297612001 ab 1-2"


def test_one_rendering_pays_nothing_for_another() -> None:
    renderer = Renderer({"a.md": "{% for i in range(15000) %}x{% endfor %}"}, language="en")
    assert renderer.render("a.md", {}) == renderer.render("a.md", {})


def test_loops_are_as_in_jinja() -> None:
    text = (
        "{% for k, v in t.items() %}{{ loop.index }}/{{ loop.length }}{{ k }}{{ v }}{{ ',' if not loop.last else '' }}"
    )
    text += "{% endfor %}"
    assert render(text, t={"a": 1, "b": 2}) == "1/2a1,2/2b2"
    assert render("{% for x in y if x > 1 %}{{ x }}{% else %}none{% endfor %}", y=(x for x in (1, 2, 3))) == "23"
    assert render("{% for x in [] %}{% else %}none{% endfor %}") == "none"


@pytest.mark.parametrize("value", ["text", 1, 2.5, "", 0])
def test_texts_and_numbers_can_be_printed(value: object) -> None:
    assert render("{{ x }}", x=value) == str(value)


@pytest.mark.parametrize("value", [None, True, [1], (), {"a": 1}, {1}, print, object()])
def test_what_would_be_read_as_python_cannot(value: object) -> None:
    with pytest.raises(CampaignError) as refused:
        render("one\n{{ x }}", x=value)
    assert refused.value.problem.where == "a.md, line 2"


def test_each_place_of_a_merge_field_is_known_though_it_stands_in_many() -> None:
    tokens = Tokens("seed", "test")
    fields = MergeFields({"name": MergeField("recipient.name", tokens), "status": "member"})
    text = render(
        "{{ recipient.name }}\n{{ recipient['name'] | default('x') }} {{ recipient.status }}", recipient=fields
    )
    first, second, status = text.split()
    assert status == "member"
    slots = tokens.slots
    assert [(slots[token].fallback, getattr(slots[token], "place", "")) for token in (first, second)] == [
        (None, "a.md, line 1"),
        ("x", "a.md, line 2"),
    ]
    with pytest.raises(KeyError):
        fields["nothing"]
    assert fields[placed("status", "a.md, line 1")] == "member"
