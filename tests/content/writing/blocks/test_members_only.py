"""What is for members only stays out of the public copy, in both its forms."""

import pytest

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.public_copy import leaking_links, public_copy
from mlgroup_mail.settings.project import Project
from tests.content.projects import FRONT, frozen
from tests.content.writing.blocks.mails import furnished, mail

SECRET = "https://a.example/secret"
HIDDEN = {
    "a marked block": f"```button members_only\n[Join]({SECRET})\n```",
    "with a hyphen": f"```button members-only\n[Join]({SECRET})\n```",
    "text and a block within": f"````members_only\nA [form]({SECRET}).\n\n```button\n[Join]({SECRET})\n```\n````",
    "twice nested": f"`````members-only\n````members_only\n```note\n[x]({SECRET})\n```\n````\n`````",
    "by a condition": f"{{% if 1 %}}\n```note members_only\n{{% else %}}\n```note\n{{% endif %}}\n[x]({SECRET})\n```",
    "in a loop": f"{{% for n in [1, 2] %}}\n```note members_only\n[x]({SECRET}) {{{{ n }}}}\n```\n{{% endfor %}}",
    "a joining link": "```event\nall-group\n```\n\n[now]({{ events['all-group'].joining_link }})",
    "a link named in it": f"````members_only\n[form]: {SECRET}\n\n[The form][form]\n````\n\n[The form][form]",
    "by the text's own condition": f"{{% if not campaign.public %}}[form]({SECRET}){{% endif %}}",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_members_have_it_and_the_public_has_not(project: Project, text: str) -> None:
    secret = "https://a.example/join" if "joining_link" in text else SECRET
    whole = f"Before.\n\n{text}\n\nAfter."
    for_members, for_all = mail(project, whole), mail(project, whole, public=True)
    for form in ("html", "text"):
        assert secret in getattr(for_members, form)
        assert secret not in getattr(for_all, form)
        assert "Before." in getattr(for_all, form)
        assert "After." in getattr(for_all, form)
    assert secret not in for_all.calendar


def test_a_public_copy_holds_nothing_of_anybody_and_no_way_out_of_the_list(project: Project) -> None:
    text = (
        'Dear {{ recipient.first_name | default("colleague") }}, dear {{ recipient.name }},\n'
        "[leave]({{ links.opt_out }}) or [answer](https://a.example/f?n={{ recipient.address }}).\n\n"
        "```button\n[Leave]({{ links.opt_out_all }})\n[Stay](https://a.example/stay)\n```"
    )
    front = FRONT.replace('"News"', '"News for {{ recipient.name }}"')
    copy = public_copy(frozen(project, text, front=front, opt_out_page=True))
    assert copy.tokens == {}
    assert copy.subject == "News for"
    assert "Dear colleague, dear, leave or answer (https://a.example/f?n=)." in " ".join(copy.text.split())
    assert "Stay: https://a.example/stay" in copy.text
    assert 'href=""' not in copy.html
    assert ">leave<" not in copy.html
    for word in ("Leave", "reader@", "nobody@", "mailto:"):
        assert word not in copy.html + copy.text


def test_the_public_copy_is_for_nobody_not_for_an_ordinary_member(project: Project) -> None:
    text = "{% if recipient.status == 'member' %}For members.{% endif %} {{ recipient.country }}All."
    assert "For members." not in public_copy(frozen(project, text)).text


@pytest.mark.parametrize(
    ("text", "leaks"),
    [
        (f"```button members_only\n[x]({SECRET})\n```\n\nOpen: [x]({SECRET})", (SECRET,)),
        (f"[x]({SECRET})\n\n````members_only\n[x]({SECRET})\n````", (SECRET,)),
        ("```event\nall-group\n```\n\n[join](https://a.example/join)", ("https://a.example/join",)),
        (f"```button members_only\n[x]({SECRET})\n```\n\n[y](https://a.example/open)", ()),
        (f"[x]({SECRET}) and [x]({SECRET})", ()),
        ("[leave]({{ links.opt_out }})\n\n```note members_only\n[leave]({{ links.opt_out }})\n```", ()),
    ],
)
def test_a_link_for_members_that_stands_in_the_open_too_is_found(
    project: Project, text: str, leaks: tuple[str, ...]
) -> None:
    source = frozen(furnished(project), text)
    assert leaking_links(source, [({}, compile_message(source, {}))]) == leaks
