"""A project's own templates: one that changes nothing, or only half of a mail, does not pass in silence."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

EXTENDS = '{{% extends "shipped/newsletter.{}.j2" %}}\n'
LEAD = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"


@pytest.fixture
def templates(run: Run, tmp_path: Path) -> Path:
    assert run("init", ".").code == 0
    assert run("contacts", "pull").code == 0
    return tmp_path / "templates"


def write(templates: Path, name: str, text: str) -> None:
    path = templates / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def findings(run: Run, level: str) -> list[dict[str, str]]:
    found = run("check", "first-newsletter", "--json").json["findings"]
    return [each for each in found if each["level"] == level and each["where"].startswith("templates/")]


def test_a_block_that_the_shipped_template_does_not_have_is_an_error(run: Run, templates: Path) -> None:
    write(templates, "newsletter.txt.j2", EXTENDS.format("txt") + "\n{% block leed %}x{% endblock %}")
    (found,) = findings(run, "error")
    assert found["where"] == "templates/newsletter.txt.j2, line 3"
    assert "there is no block “leed”" in found["message"]
    assert "Did you mean “lead”? Its blocks: footer, lead, main, masthead." in found["mend"]
    assert "there is no block “leed”" in run("doctor").text


def test_words_outside_of_the_blocks_are_an_error(run: Run, templates: Path) -> None:
    write(
        templates,
        "newsletter.txt.j2",
        EXTENDS.format("txt") + "{# a note #}\n\n\nHello\n{% block lead %}x{% endblock %}\n",
    )
    (found,) = findings(run, "error")
    assert found["where"] == "templates/newsletter.txt.j2, line 5"
    assert "stands in no block" in found["message"]


@pytest.mark.parametrize(
    "text",
    [
        EXTENDS.format("txt")
        + "{% set name = 'x' %}\n{% block lead %}{{ name }}{% block within %}y{% endblock %}{% endblock %}\n",
        EXTENDS.format("txt") + "{% block lead %}{{ super() }}x{% endblock %}\n{# Hello #}\n",
        '{% extends "partials/layout.txt.j2" %}{% block main %}{{ body }}{% endblock %}',
    ],
)
def test_an_override_that_is_right_is_none(run: Run, templates: Path, text: str) -> None:
    write(templates, "newsletter.txt.j2", text)
    assert findings(run, "error") == findings(run, "warning") == []


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("blocks/qote.mjml.j2", "Did you mean “blocks/quote.mjml.j2”?"),
        ("partials/foter.txt.j2", "Did you mean “partials/footer.txt.j2”?"),
        ("newsleter.mjml.j2", "Did you mean “newsletter.mjml.j2”?"),
        ("partials/zzz.j2", "Include it, or take it away."),
    ],
)
def test_a_file_that_nothing_names_is_a_warning(run: Run, templates: Path, name: str, mend: str) -> None:
    write(templates, name, "x")
    (found,) = findings(run, "warning")
    assert (found["rule"], found["where"]) == ("doubtful-template", f"templates/{name}")
    assert mend in found["mend"]
    assert f"templates/{name}: no template and no block names this file" in run("doctor").text


def test_files_that_something_names_are_none(run: Run, templates: Path) -> None:
    write(templates, "partials/ours.txt.j2", "ours")
    write(templates, "partials/footer.txt.j2", '{% include "partials/ours.txt.j2" %}')
    write(templates, "blocks/quote.txt.j2", "{{ block.text }}")
    assert findings(run, "warning") == []


@pytest.mark.parametrize(
    ("lead", "more"),
    [
        ("Read this first", "Read this first"),
        ("{{ group.members }}", "{{group.members}}"),
        ('{{ _("Deadline") }}', "Deadline"),
    ],
)
def test_a_page_that_says_what_its_plain_text_does_not_is_a_warning(
    run: Run, templates: Path, lead: str, more: str
) -> None:
    block = f"{{% block lead %}}{LEAD.format(lead)}{{% endblock %}}"
    write(templates, "newsletter.mjml.j2", EXTENDS.format("mjml") + block)
    (found,) = findings(run, "warning")
    assert found["where"] == "templates/newsletter.mjml.j2"
    assert more in found["message"]
    assert "Write templates/newsletter.txt.j2 too" in found["mend"]
    write(templates, "newsletter.txt.j2", EXTENDS.format("txt") + "{% block lead %}" + lead + "{% endblock %}")
    assert findings(run, "warning") == []


def test_a_page_that_only_looks_otherwise_is_none(run: Run, templates: Path) -> None:
    block = '{% block lead %}<mj-section background-color="{{ theme.accent }}"><mj-column/></mj-section>{% endblock %}'
    write(templates, "newsletter.mjml.j2", EXTENDS.format("mjml") + block)
    assert findings(run, "warning") == []
