"""Whatever a value or an author's line holds, it is read as text in its place or refused, and breaks nothing."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.errors import CampaignError, Problem
from mlgroup_mail.settings.project import Project
from tests.content.projects import FRONT, frozen
from tests.content.writing.blocks.mails import Read, furnished

EVERYWHERE = """\
Prose {{ x }} and [a {{ x }}](https://a.example/?q={{ x }}).

| {{ x }} | b |
|---|---|
| {{ x }} | ![ana {{ x }}](ana.png) |

```button
[Go {{ x }}](https://a.example/?b={{ x }})
```

```event
all-group

More {{ x }}
```

```agenda
13:00 Talk {{ x }}
  by {{ x }}
```

```speaker
name: Ana {{ x }}
role: {{ x }}
photo: ana.png

{{ x }}
```

```quote
Said {{ x }}
-- Who {{ x }}
```

```figure
image: chart.png
alt: Alt {{ x }}
caption: Caption {{ x }}
```

```note
title: Title {{ x }}
{{ x }}
```

```signature
Line {{ x }}
```
"""
HOSTILE = [
    "</mj-text><mj-include path='/etc/passwd' />",
    "<script>alert(1)</script>",
    "{{ 7*7 }} {% if %} {# #}",
    "[x](https://evil.example) ![y](https://evil.example/i.png) <https://evil.example>",
    "```button [x](https://evil.example) ```",
    "~~~event",
    "name: x",
    "-- who",
    "| a | b |",
    "javascript:alert(1)",
    "a*b _c_ `d` \\ # > - + 1.",
    "&lt;b&gt; &#60;",
    "'\"",
    "--> <!-- ]]>",
]
_NOT_IN_XML = st.characters(exclude_categories=["Cs"])


def _compiled(source: FrozenSource, value: str) -> Read:
    return Read(compile_message(replace(source, values={"x": value}), {}))


def _shape(mail: Read) -> list[tuple[str, str]]:
    """The elements in order, with where links lead less their queries, and where pictures come from.

    A long word in a table may break, which an element of ours tells.
    """
    return [
        (element.tag, (element.get("href") or element.get("src") or "").partition("?")[0])
        for element in mail.all("*")
        if isinstance(element.tag, str) and element.get("class") != "long"
    ]


@pytest.fixture
def source(project: Project) -> FrozenSource:
    return frozen(furnished(project), EVERYWHERE, front=FRONT.replace("\n\n", '\n\n[values]\nx = "plain"\n\n', 1))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_text_everywhere(source: FrozenSource, value: str) -> None:
    mail = _compiled(source, value)
    assert _shape(mail) == _shape(_compiled(source, "plain"))
    for place in ("Prose", "Go", "More", "Talk", "by", "Ana", "Said", "— Who", "Caption", "Title", "Line"):
        assert f"{place} {value}" in mail.words


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(_NOT_IN_XML, max_size=60) | st.text("`~<>&\"'[]()|\\*_#:-+.!{}%\n\r\t ax", max_size=40))
def test_any_value_is_text_everywhere(source: FrozenSource, value: str) -> None:
    assert _shape(_compiled(source, f"v{value}")) == _shape(_compiled(source, "plain"))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["button", "event", "events", "agenda", "speaker", "quote", "figure", "note", "signature"]),
    content=st.text(_NOT_IN_XML, max_size=50)
    | st.text("`~<>&\"'[]()|\\*_#:-+.!\n\t 13ax", max_size=40)
    | st.sampled_from(["name: {}", "13:00 {}", "title: {}\nx", "[{}](https://a.example)", "x\n-- {}"]),
)
def test_whatever_an_author_writes_into_a_block_compiles_or_is_refused(
    source: FrozenSource, kind: str, content: str
) -> None:
    text = f"Before.\n\n```{kind}\n{content}\n```\n\nAfter."
    mail, problem = _outcome(replace(source, text=text.replace("{", "(").replace("}", ")")))
    if mail is None:
        assert problem.where.startswith("campaigns/letter/campaign.md, line ")
        assert problem.mend
    else:
        assert "Before." in mail.words
        assert {element.tag for element in mail.all("*") if isinstance(element.tag, str)} <= _TAGS


def _outcome(source: FrozenSource) -> tuple[Read | None, Problem]:
    try:
        return Read(compile_message(source, {})), Problem(message="")
    except CampaignError as refusal:
        return None, refusal.problem


_TAGS = frozenset(
    {"html", "head", "title", "style", "meta", "body", "div", "table", "tbody", "thead", "tr", "td", "th", "p", "a"}
    | {"img", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "code", "pre", "br", "span", "ul", "ol", "li"}
    | {"blockquote", "hr"}
)
