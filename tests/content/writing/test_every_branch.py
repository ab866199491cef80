"""A text is read as Markdown before its values are known: each branch once, each line with its number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.writing.blocks.naming import lines_for_members, named_by_blocks
from mlgroup_mail.content.writing.every_branch import every_branch
from mlgroup_mail.errors import CampaignError


def text_of(text: str) -> MailingText:
    """A text that begins on line 10 of its file."""
    return MailingText(
        language="en", subject="s", title="", preheader="", text=text, text_file="campaign.md", text_line=10
    )


@pytest.mark.parametrize(
    ("text", "lines", "numbers"),
    [
        ("one\ntwo", ("one", "two"), (10, 11)),
        ("{% if x %}\nyes\n{% else %}\nno\n{% endif %}\nend", ("yes", "no", "end"), (11, 13, 15)),
        ("{% for x in y %}\n{{ x }} and\n{% endfor %}\nend", ("{{ }} and", "end"), (11, 13)),
        ("a {{ x\n }} b\nc", ("a {{ }} b", "c"), (10, 12)),
        ("{#\n```note\n#}\nend", ("end",), (13,)),
        ("{% raw %}\n{{ x }}\n{% endraw %}\nend", ("{{ x }}", "end"), (11, 13)),
        ("{% if x %}one{% else %}two{% endif %}\n\nend", ("one{{ }}two{{ }}", "end"), (10, 12)),
    ],
)
def test_jinja_leaves_the_lines_it_would_leave(text: str, lines: tuple[str, ...], numbers: tuple[int, ...]) -> None:
    found = every_branch(text_of(text))
    assert tuple(line for line in found.lines if line) == lines
    assert tuple(number for line, number in zip(found.lines, found.numbers, strict=True) if line) == numbers


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="{}#%")), min_size=1))
def test_a_text_without_jinja_stays_as_it_is(lines: list[str]) -> None:
    found = every_branch(text_of("\n".join(["first", *lines, "last"])))
    assert found.lines == ("first", *lines, "last")
    assert found.numbers == tuple(range(10, len(lines) + 12))


@pytest.mark.parametrize(
    ("text", "kinds", "events"),
    [
        # What Markdown takes for no block is none, and what it takes for one is one.
        ("    ```event\n    past\n    ```", set(), {}),
        ("`` ```event `` past", set(), {}),
        ("{#\n```event\npast\n```\n#}", set(), {}),
        ("{# ``` #}\n```event\npast\n```", {"event"}, {"past": 12}),
        ("   ~~~ event\n   past\n   ~~~", {"event"}, {"past": 11}),
        ("1. one\n\n   ```event\n   past\n   ```", {"event"}, {"past": 13}),
        ("```event\npast\n`````", {"event"}, {"past": 11}),
        ("{% if x %}\n```note\n{% else %}\n```quote\n{% endif %}\nwords\n```", {"note", "quote"}, {}),
        ("````members_only\n{% for e in y %}\n```event\npast\n```\n{% endfor %}\n````", {"event"}, {"past": 13}),
        ("```agenda\nevent: past\n13:00 x\n```", {"agenda"}, {"past": 11}),
        ("{% raw %}\n```event\npast\n```\n{% endraw %}", {"event"}, {"past": 12}),
    ],
)
def test_blocks_are_those_that_markdown_knows(text: str, kinds: set[str], events: dict[str, int]) -> None:
    named = named_by_blocks([text_of(text)])
    assert named.kinds == kinds
    assert named.events == {name: f"campaign.md, line {line}" for name, line in events.items()}
    assert not named.whole_calendar


@pytest.mark.parametrize("id", ["{{ x }}", "{% if x %}one{% else %}two{% endif %} ", "{{ x }}-2021"])
def test_an_id_that_is_not_known_yet_asks_for_the_whole_calendar(id: str) -> None:
    assert named_by_blocks([text_of(f"```event\n{id}\n```")]).whole_calendar


def test_lines_for_members_are_those_of_their_blocks() -> None:
    text = "a\n{% if x %}\n```note members_only\nb\n```\n{% endif %}\nc\n````members_only\n```quote\nd\n```\n````"
    assert lines_for_members(text_of(text)) == {12, 13, 14, 17, 18, 19, 20, 21}


def test_jinja_that_cannot_be_read_is_told_with_its_line() -> None:
    with pytest.raises(CampaignError, match=r"line 11: “\{#” is not closed"):
        every_branch(text_of("one\n{# two"))
