"""A text is compiled once for all who read the same; merge fields stay open, and come back in the right form."""

import re
from html import unescape
from pathlib import Path

import pytest

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import MAX_VARIANTS, too_many_variants, variant_fields
from mlgroup_mail.content.message.merging import merge_html, merge_subject, merge_text
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.model.message import CompiledMessage, SlotContext
from mlgroup_mail.settings.project import Project, read_project
from tests.content.projects import FRONT, compiled, frozen, values, write_template


def test_a_value_is_escaped_for_the_place_it_stands_in(project: Project) -> None:
    message = compiled(
        project,
        "Dear {{ recipient.name }}, [form](https://a.example/f?n={{ recipient.name }})",
        front=FRONT.replace('"News"', '"News for {{ recipient.name }}"'),
    )
    person = values(name="<b>\"A\" & 'B'</b>\r\nBcc: x")

    page, text = merge_html(message, person), merge_text(message, person)
    escaped = "&lt;b&gt;&quot;A&quot; &amp; &#x27;B&#x27;&lt;/b&gt; Bcc: x"
    encoded = "%3Cb%3E%22A%22%20%26%20%27B%27%3C%2Fb%3E%20Bcc%3A%20x"
    assert f"Dear {escaped}, " in page
    assert f"<title>News for {escaped}</title>" in page
    assert f'href="https://a.example/f?n={encoded}"' in page
    assert f"https://a.example/f?n={encoded})" in text.replace("\n", " ")
    assert merge_subject(message, person) == "News for <b>\"A\" & 'B'</b> Bcc: x"


def test_a_default_stands_where_the_value_is_empty_or_blank(project: Project) -> None:
    message = compiled(project, 'Dear {{ recipient.first_name | default("colleague") }},')
    assert "Dear colleague," in merge_text(message, values(first_name=" "))
    assert "Dear colleague," in merge_html(message, values(first_name=""))
    assert "Dear Ana," in merge_html(message, values(first_name="Ana"))
    assert {slot.fallback for slot in message.tokens.values() if slot.field == "recipient.first_name"} == {"colleague"}


def test_a_value_is_data_and_is_never_rendered_again(project: Project) -> None:
    message = compiled(project, "Dear {{ recipient.name }},")
    token = next(iter(message.tokens))
    text = merge_text(message, values(name=f"{{{{ 7*7 }}}} {{% x %}} {token} **bold**"))
    assert f"Dear {{{{ 7*7 }}}} {{% x %}} {token} **bold**," in text


def test_each_context_of_a_field_has_a_token_of_its_own_all_of_one_length(project: Project) -> None:
    message = compiled(project, "{{ recipient.name }} [x](https://a.example/?n={{ recipient.name }})")
    contexts = {slot.context for slot in message.tokens.values() if slot.field == "recipient.name"}
    assert contexts == {SlotContext.HTML_TEXT, SlotContext.QUERY, SlotContext.PLAIN}
    assert len({len(token) for token in message.tokens}) == 1
    assert all(re.fullmatch("[a-z0-9]+", token) for token in message.tokens)


def test_the_compiled_message_is_the_same_each_time_and_survives_json(project: Project) -> None:
    source = frozen(project, "Dear {{ recipient.name }},")
    message = compile_message(source, {})
    assert compile_message(source, {}) == message
    assert CompiledMessage.from_json(message.to_json()) == message


def test_variants_follow_the_shared_fields_the_text_names(project: Project) -> None:
    source = frozen(project, "{% if 'ethics' in recipient.themes %}Ethics!{% endif %} Hello {{ recipient.country }}.")
    fields = variant_fields(source)
    assert fields.names == ("country", "themes:ethics")

    ana = Contact(address="a@example.org", country="PT", themes=("ethics", "training"))
    bo = Contact(address="b@example.org", country="SE", themes=("training",))
    assert [fields.key(person) for person in (ana, bo)] == [("PT", True), ("SE", False)]
    texts = [merge_text(compile_message(source, fields.shared(fields.key(person))), values()) for person in (ana, bo)]
    assert "Ethics! Hello PT." in texts[0]
    assert "Ethics!" not in texts[1]
    assert "Hello SE." in texts[1]


def test_a_shared_value_is_text_not_markup_nor_markdown(project: Project) -> None:
    source = frozen(project, "You are {{ recipient.status }}.")
    message = compile_message(source, {"status": "</mj-text><mj-include path='x'>[x](https://evil.example) {{7*7}}"})
    page = merge_html(message, values())
    assert "evil.example" in page
    assert 'href="https://evil.example"' not in page
    assert "mj-include path" not in page.replace("&lt;mj-include path", "")
    assert "{{7*7}}" in page


def test_too_many_variants_name_the_field(project: Project) -> None:
    keys = [(str(number), number % 2 == 0) for number in range(MAX_VARIANTS + 1)]
    text = "{{ recipient.status }}{% if 'ethics' in recipient.themes %}!{% endif %}"
    error = too_many_variants(variant_fields(frozen(project, text)), keys)
    assert "201 for recipient.status alone" in str(error)


def test_figures_dates_and_events_come_in_the_language_of_the_text(project: Project) -> None:
    (project.campaigns / "events.yaml").write_text(
        "- {id: webinar, title: W, start: 2021-11-19 13:00 Europe/Zurich}\n", encoding="utf-8"
    )
    text = (
        "{{ group.members }}; {{ events.webinar.start | date }}; {{ events.webinar.start | time }} "
        '{{ events.webinar.start | zone }}; {{ "2022-01-19" | date("d MMMM") }}'
    )
    english = merge_text(compiled(project, text), values())
    assert "258; Friday, 19 November 2021; 13:00 Zurich, UTC+1; 19 January" in " ".join(english.split())
    german = merge_text(compiled(project, text, front=FRONT.replace("\n\n", '\nlanguage = "de"\n\n')), values())
    assert "258; Freitag, 19. November 2021; 13:00 Zürich, UTC+1; 19 Januar" in " ".join(german.split())


def test_the_page_keeps_its_doctype_outlook_parts_and_dark_styles_and_asks_the_web_for_nothing(
    project: Project,
) -> None:
    page = compiled(project).html
    assert page.startswith("<!doctype html>\n<html")
    assert "<!--[if mso | IE]>" in page
    assert "@media (prefers-color-scheme: dark)" in page
    assert not re.search(r"<link|@import|url\(|fonts\.", page)


def test_an_image_keeps_its_width_for_outlook(project: Project) -> None:
    write_template(
        project,
        "newsletter.mjml.j2",
        '<mjml><mj-body><mj-section><mj-column><mj-image src="https://a.example/i.png" alt="i" width="550px" />'
        "</mj-column></mj-section>{{ body }}</mj-body></mjml>",
    )
    assert 'width="550"' in compiled(project).html


def test_the_footer_has_a_page_or_asks_for_a_reply(project: Project) -> None:
    with_page = compile_message(frozen(project, opt_out_page=True), {})
    assert "https://mail.example.org/o/all" in merge_html(with_page, values())
    assert "https://mail.example.org/o/topic?a=1&b=2" in merge_text(with_page, values())
    without = compiled(project)
    mailto = "mailto:ml-group@example.org?subject=out"
    assert f'href="{mailto}"' in merge_html(without, values(opt_out=mailto))
    assert "Reply to this mail" in merge_text(without, values(opt_out=mailto))


def test_a_link_that_is_none_is_never_filled_in(project: Project) -> None:
    for bad in ("javascript:alert(1)", "https://a.example/ x", 'https://a.example/"', "//a.example"):
        with pytest.raises(ValueError, match="link"):
            merge_html(compiled(project), values(opt_out=bad))


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("one\n{{ group.membres }}", "membres", "letter/campaign.md, line 14"),
        ("{{ grup.members }}", "“grup” is not known", "letter/campaign.md, line 13"),
        ('{{ "soon" | date }}', "needs a day", "letter/campaign.md, line 13"),
        ('{{ "2022-01-19" | time }}', "needs an hour", "letter/campaign.md, line 13"),
        ('{% include "partials/layout.txt.j2" %}', "cannot be included", "letter/campaign.md, line 13"),
        ("{{ ''.__class__ }}", "not allowed", "letter/campaign.md, line 13"),
        ("{{ 1 | safe }}", "the filter “safe” cannot be used", "letter/campaign.md, line 13"),
        ("[x]({{ recipient.organisation }})", "as an address", "letter/campaign.md, line 13"),
        ("a\n\n[x](https://a.example/{{ links.opt_out }})", "part of an address", "letter/campaign.md, line 15"),
        ('{{ events["party"].start }}', "no event “party”", "letter/campaign.md, line 13"),
    ],
)
def test_what_cannot_be_compiled_names_file_and_line(project: Project, text: str, message: str, where: str) -> None:
    with pytest.raises(CampaignError) as refused:
        compiled(project, text)
    assert message.lower() in refused.value.problem.message.lower()
    assert refused.value.problem.where.endswith(where)


@pytest.mark.parametrize(
    ("template", "message", "where"),
    [
        ("<mjml>\n<mj-foo/></mjml>", "<mj-foo>", "templates/newsletter.mjml.j2, line 2"),
        ('<mjml>\n<mj-include path="/etc/passwd"/></mjml>', "<mj-include>", "templates/newsletter.mjml.j2, line 2"),
        (
            "<mjml><mj-body>\n<mj-section></mj-body></mjml>",
            "<mj-section> is not closed",
            "templates/newsletter.mjml.j2, line 2",
        ),
        ('{% extends "layuot.mjml.j2" %}', "no template file “layuot", "templates/newsletter.mjml.j2"),
        ("{% include name %}", "named by a text in quotes", "templates/newsletter.mjml.j2"),
        ('{% include "../x" %}', "outside the templates", "templates/newsletter.mjml.j2"),
        ("{{ recipient.name | title }}", "filter “title”", "templates/newsletter.mjml.j2, line 1"),
        (
            "<mjml><mj-head><mj-style>p{color:{{ recipient.name }}}</mj-style></mj-head>"
            "<mj-body>{{ body }}</mj-body></mjml>",
            "inside <style>",
            "templates/newsletter.mjml.j2, line 1",
        ),
    ],
)
def test_a_template_that_is_wrong_is_refused(project: Project, template: str, message: str, where: str) -> None:
    write_template(project, "newsletter.mjml.j2", template)
    with pytest.raises(CampaignError) as refused:
        compiled(project)
    assert message in refused.value.problem.message
    assert refused.value.problem.where.startswith(where)


def test_an_unknown_name_brings_the_nearest_one(project: Project) -> None:
    for text, mend in (("{{ group.membres }}", "Did you mean group.members?"), ("{{ evnts }}", "Did you mean events?")):
        with pytest.raises(CampaignError) as refused:
            compiled(project, text)
        assert mend in refused.value.problem.mend


def test_what_only_outlook_reads_is_filled_too_and_cannot_end_early(project: Project) -> None:
    write_template(
        project,
        "newsletter.mjml.j2",
        '<mjml><mj-body><mj-raw><!--[if mso]><a href="{{ links.opt_out }}">{{ recipient.name }}</a><![endif]-->'
        "</mj-raw>{{ body }}</mj-body></mjml>",
    )
    page = merge_html(compiled(project), values(name="--><script>--!>"))
    link = "https://mail.example.org/o/topic?a=1&amp;b=2"
    assert f'<!--[if mso]><a href="{link}">--&gt;&lt;script&gt;--!&gt;</a><![endif]-->' in page


def test_a_font_of_several_words_stays_in_its_quotes(project: Project, tmp_path: Path) -> None:
    settings = tmp_path / "mlgroup.toml"
    written = "'Segoe UI', \"Helvetica Neue\", arial"
    text = settings.read_text(encoding="utf-8").replace('font = "Arial"', f"font = '''{written}'''")
    settings.write_text(text, encoding="utf-8")
    page = compiled(read_project(tmp_path)).html
    assert "'Segoe UI', 'Helvetica Neue', Arial, sans-serif" in unescape(page)
    assert not re.search(r'style="[^"]*Segoe UI\', "Helvetica', page)


def test_the_projects_own_template_comes_before_the_shipped_one(project: Project) -> None:
    write_template(
        project, "newsletter.txt.j2", '{% extends "partials/layout.txt.j2" %}{% block lead %}Our own.{% endblock %}'
    )
    assert "Our own." in compiled(project).text
