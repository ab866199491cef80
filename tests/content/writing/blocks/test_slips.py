"""A slip in a block is named with its line in the author's file, and with what to write instead."""

import pytest

from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from tests.content.projects import compiled
from tests.content.writing.blocks.mails import FIRST_LINE, furnished, mail

SLIPS = [
    # The block's own line is the text's third.
    ("```buton\n[x](https://a.example)\n```", 0, "no block “buton”", "Did you mean “button”?"),
    ("```event-list\n```", 0, "no block “event-list”", "Did you mean “event”?"),
    ("```member_only\nx\n```", 0, "no block “member_only”", "Did you mean “members_only”?"),
    ("```members only\nx\n```", 0, "no block “members”", "Did you mean “members_only”?"),
    ("```Members\nx\n```", 0, "no block “Members”", "Did you mean “members_only”?"),
    ("```button [x](https://a.example)\n```", 0, "not known behind “button”", "on the next line"),
    ("```note\nx", 0, "the block “note” does not end", "Close it with a line ```."),
    ("```members_only\n```note\nx\n```\n```", 1, "the block “note” does not end", "needs a longer mark"),
    ("- item\n\n  ```note\n  x\n  ```", 2, "stands within a list", "left margin"),
    ("> ```note\n> x\n> ```", 0, "stands within a list, a quotation", "left margin"),
    (
        "````note\n```button\n[x](https://a.example)\n```\n````",
        1,
        "within a list, a quotation or another block",
        "left",
    ),
    ("```button\n```", 0, "is empty", "[Register](https://example.org/register)"),
    ("```button\nRegister here\n```", 1, "“Register here” is no link", "[Register](https://"),
    ("```button\n\n[x](https://a.example) or\n```", 2, "“or” is no link", "one link a line"),
    ("```button\n[x]()\n```", 1, "leads nowhere", "[Register](https://"),
    ("```button\n[ ](https://a.example)\n```", 1, "says nothing", "[Register](https://"),
    ("```button\n[x](javascript:alert)\n```", 1, "is no link", "[Register](https://"),
    ("```event\n```", 0, "is empty", "campaigns/events.yaml"),
    ("```event\nall-grop\n```", 1, "no event “all-grop”", "Did you mean “all-group”?"),
    ("```events\nall-group\n\nnone\n```", 3, "no event “none”", "Known events: past, all-group, proposals"),
    ("```agenda\nevent: nothing\n14:00 x\n```", 1, "no event “nothing”", "Known events"),
    ("```agenda\nevent: all-group\n```", 0, "names its event only", "13:00-13:30 Welcome"),
    ("```agenda\nWelcome\n```", 1, "has no time", "13:00-13:30 Welcome"),
    ("```agenda\n14:00 x\n25:00 y\n```", 2, "no time “25:00”", "00:00 to 23:59"),
    ("```agenda\n14:00\n```", 1, "says nothing", "13:00-13:30 Welcome"),
    ("```agenda\n14:00-13:00 x\n```", 1, "ends before it starts", "Mend"),
    ("```agenda\nevent: all-group\n13:59 x\n```", 2, "outside the event, which is from 14:00 to 15:30", "events.yaml"),
    ("```agenda\nevent: all-group\n15:00-16:00 x\n```", 2, "outside the event", "events.yaml"),
    ("```speaker\nrole: x\n```", 0, "has no name", "name: ..."),
    ("```speaker\nname:\n```", 1, "has no name", "name: ..."),
    ("```speaker\nname: Ana\nrol: x\n```", 2, "no key “rol”", "Did you mean “role”?"),
    ("```speaker\nname: Ana\nhobby: x\n```", 2, "no key “hobby”", "Its keys are name, role, photo"),
    ("```speaker\nname: Ana\nname: Bo\n```", 2, "“name” is given twice", "Keep one"),
    ("```speaker\nname: Ana\nphoto: anna.png\n```", 2, "no picture “anna.png”", "Did you mean “ana.png”?"),
    ("```quote\n```", 0, "is empty", "-- Who said them"),
    ("```quote\n-- Ana\n```", 0, "no words", "above"),
    ("```figure\nimage: chart.png\n```", 0, "has no alt", "alt: ..."),
    ("```figure\nalt: x\n```", 0, "has no image", "image: ..."),
    ("```figure\nimage: https://b.example/x.png\nalt: x\n```", 1, "on another server", "campaign's folder"),
    ("```figure\nimage: chart.png\nalt: x\nlink: www.a.example\n```", 3, "no whole address", "https://"),
    ("```figure\nimage: chart.png\nalt: x\n\nMore words.\n```", 4, "no running text", "caption: ..."),
    ("```note\n```", 0, "is empty", "title: ..."),
    ("```note\ntitle: x\n```", 0, "a title only", "below"),
    ("```note\ntitel: x\ny\n```", 1, "no key “titel”", "Did you mean “title”?"),
    ("```signature\n\n```", 0, "is empty", "a line each"),
    ("![](chart.png)", 0, "no words for those who do not see it", "Write what the picture shows"),
    ("one\ntwo ![x](sketch.jpg)", 1, "no picture “sketch.jpg”", "beside campaign.md"),
    ("![x](https://b.example/x.png)", 0, "on another server", "campaign's folder"),
    ("- one\n- ![x](data:image/png;base64,AAAA)", 1, "on another server", "campaign's folder"),
    ("| a |\n|---|\n| x |\n| ![ ](ana.png) |", 3, "no words", "Write what"),
]


@pytest.mark.parametrize(("text", "line", "message", "mend"), SLIPS, ids=[slip[0][:30] for slip in SLIPS])
def test_a_slip_is_named_with_its_line_and_how_to_mend_it(
    project: Project, text: str, line: int, message: str, mend: str
) -> None:
    with pytest.raises(CampaignError) as refused:
        mail(project, f"Words ![ana](ana.png) ![c](chart.png)\n\n{text}")
    problem = refused.value.problem
    assert message in problem.message
    assert mend in problem.mend
    assert problem.where == f"campaigns/letter/campaign.md, line {FIRST_LINE + 2 + line}"


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("{% if group.members > 999 %}\nleft out\n\nleft out\n{% endif %}\n", 5),
        ("{% for number in [1, 2, 3] %}\n- item {{ number }}\n{% endfor %}\n\n", 4),
        ("{#\na remark\n#}\n", 3),
        ("{% set words %}\none\ntwo\n{% endset %}\n{{ words }}\n\n", 6),
        ("{% raw %}\n{{ braces }}\n{% endraw %}\n\n", 4),
        ("one {{ group.members\n}} two\n\n", 3),
        ("x\n{%- if true -%}\n\n\ny{% endif %}\n\n", 6),
    ],
)
def test_lines_are_the_authors_whatever_jinja_makes_of_them(project: Project, before: str, lines: int) -> None:
    with pytest.raises(CampaignError) as refused:
        mail(project, f"{before}```agenda\n13:00 Welcome\nno time\n```")
    assert refused.value.problem.where == f"campaigns/letter/campaign.md, line {FIRST_LINE + lines + 2}"


def test_a_slip_within_a_loop_has_the_line_it_is_written_on(project: Project) -> None:
    text = "{% for time in ['13:00', '26:00'] %}\n```agenda\n{{ time }} Talk\n```\n\n{% endfor %}"
    with pytest.raises(CampaignError) as refused:
        mail(project, text)
    assert "“26:00”" in refused.value.problem.message
    assert refused.value.problem.where == f"campaigns/letter/campaign.md, line {FIRST_LINE + 2}"


def test_a_slip_in_what_is_nested_for_members_has_its_own_line(project: Project) -> None:
    with pytest.raises(CampaignError) as refused:
        mail(project, "one\n\n````members_only\n{% if true %}\ntwo\n\n```button\nno link\n```\n{% endif %}\n````")
    assert refused.value.problem.where == f"campaigns/letter/campaign.md, line {FIRST_LINE + 7}"


def test_a_block_whose_name_is_a_value_is_refused(project: Project) -> None:
    with pytest.raises(CampaignError, match="the name of a block comes from a value"):
        mail(project, "{% set kind = 'note' %}\n```{{ kind }}\nx\n```")


def test_a_calendar_with_nothing_to_come_is_told(project: Project) -> None:
    furnished(project)
    (project.campaigns / "events.yaml").write_text("- {id: a, title: A, start: 2020-01-01}\n", encoding="utf-8")
    with pytest.raises(CampaignError, match="no event on the sending day or later"):
        compiled(project, "```events\n```")
