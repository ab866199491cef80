"""What a project sets under `[theme]`, and which blocks of a template it overrides, is what its readers see."""

import re
import shutil
from pathlib import Path

import pytest

from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.templates.theming import theme_pictures
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project, read_project
from mlgroup_mail.shipped import shipped
from tests.cli.conftest import Run
from tests.content.projects import FIGURES, compiled, frozen, write_campaign, write_template

DARK_FILE = re.compile(r'file_dark = "logos/host-one-dark.png"\n')


def with_settings(project: Project, old: str | re.Pattern[str], new: str) -> Project:
    """The same project with one line of its settings changed."""
    path = project.root / "mlgroup.toml"
    before = path.read_text(encoding="utf-8")
    after = old.sub(new, before) if isinstance(old, re.Pattern) else before.replace(old, new)
    assert after != before
    path.write_text(after, encoding="utf-8")
    return read_project(project.root)


def logos(page: str) -> str:
    """The strip with the logos, up to the masthead."""
    return page[
        page.index('class="card logos"' if 'class="card logos"' in page else 'class="plate logos"') :
    ].partition('class="band"')[0]


def test_the_colours_of_the_theme_are_those_of_the_page(project: Project) -> None:
    page = compiled(with_settings(project, 'accent = "#1f4e79"', 'accent = "#7a1f4e"')).html
    assert "#7a1f4e" in page
    assert "#1f4e79" not in page


def test_a_panel_takes_its_tint_from_the_accent(project: Project) -> None:
    source = frozen(with_settings(project, 'accent = "#1f4e79"', 'accent = "#000000"'))
    templates = source.templates | {
        "newsletter.txt.j2": "{{ theme.panel }} {{ theme.card_dark }} {{ theme.start }}{{ theme.end }} {{ body }}"
    }
    text = compile_message(FrozenSource(**{**vars(source), "templates": templates}), {}).text
    assert text.split() == ["#ebebeb", "#1b222a", "leftright", "Hello."]


def test_both_logos_have_words_and_a_width_for_outlook(project: Project) -> None:
    strip = logos(compiled(project).html)
    for words, width in (("Host One Statistics", 114), ("Host Two Commission", 130)):
        assert re.search(rf'<img[^>]*alt="{words}"[^>]*width="{width}"[^>]*height="44"', strip)


def test_in_dark_mode_the_dark_logo_takes_the_place_of_the_light_one(project: Project) -> None:
    """Outlook for Windows obeys no “display: none”: there the dark one must not be in the page at all."""
    page = compiled(project).html
    strip = logos(page)
    assert strip.count("<img") == 4
    hidden = re.findall(r"<!--\[if !mso\]><!-->\s*<img[^>]*>\s*<!--<!\[endif\]-->", strip)
    assert len(hidden) == 2
    assert all('class="in-dark"' in image and "display:none" in image.replace(" ", "") for image in hidden)
    dark = page.partition("@media (prefers-color-scheme: dark)")[2]
    assert ".logos img.in-light { display: none !important; }" in dark
    assert ".logos img.in-dark { display: inline-block !important; }" in dark


def test_where_one_logo_has_no_dark_form_all_keep_a_light_plate(project: Project) -> None:
    page = compiled(with_settings(project, DARK_FILE, "")).html
    strip = logos(page)
    assert strip.startswith('class="plate logos"')
    assert strip.count("<img") == 2
    assert "in-dark" not in strip
    assert ".plate" not in page.partition("@media (prefers-color-scheme: dark)")[2]


def test_without_logos_there_is_no_strip(project: Project) -> None:
    page = compiled(with_settings(project, re.compile(r"\[\[theme\.logo\]\].*?(?=\[sender)", re.DOTALL), "")).html
    assert "logos" not in page.partition("<body")[2]


def test_a_logo_may_be_a_link(project: Project) -> None:
    linked = with_settings(project, 'alt = "Host One Statistics"', 'alt = "One"\nlink = "https://one.example/?a=1&b=2"')
    assert 'href="https://one.example/?a=1&amp;b=2"' in logos(compiled(linked).html)


def test_the_projects_own_logo_comes_before_a_shipped_one_of_that_name_and_approval_covers_it(project: Project) -> None:
    before = frozen(project)
    (project.templates / "logos").mkdir(parents=True)
    shutil.copy(shipped("templates") / "logos/host-two.png", project.templates / "logos/host-one.png")
    after = frozen(project)
    assert after.images["templates/logos/host-one.png"] == before.images["templates/logos/host-two.png"]
    assert after.digest != before.digest
    assert set(theme_pictures(after.theme)) <= set(after.images)


def test_a_logo_that_is_not_there_is_an_error_that_names_it(run: Run, tmp_path: Path) -> None:
    run("init", "ours")
    settings = tmp_path / "ours" / "mlgroup.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f'{text}\n[[theme.logo]]\nfile = "logos/ours.png"\nalt = "Ours"\n', encoding="utf-8")
    told = run("--project", "ours", "check", "first-newsletter")
    assert told.code == 1
    assert "templates/logos/ours.png" in told.text


@pytest.mark.parametrize("suffix", ["mjml.j2", "txt.j2"])
def test_one_block_of_a_shipped_template_can_be_overridden(project: Project, suffix: str) -> None:
    before = compiled(project)
    content = "<mj-section><mj-column><mj-text>Our own.</mj-text></mj-column></mj-section>"
    write_template(
        project,
        f"newsletter.{suffix}",
        f'{{% extends "shipped/newsletter.{suffix}" %}}{{% block lead %}}{content}{{% endblock %}}',
    )
    after = compiled(project)
    parts = (before.html, after.html) if suffix == "mjml.j2" else (before.text, after.text)
    assert "Our own." not in parts[0]
    assert "Our own." in parts[1]
    assert all("Hello." in part and "12 Example Square" in part for part in parts)


def test_a_partial_can_be_extended_too_and_its_own_block_kept(project: Project) -> None:
    write_template(
        project,
        "partials/layout.txt.j2",
        '{% extends "shipped/partials/layout.txt.j2" %}{% block footer %}{{ super() }}And more.{% endblock %}',
    )
    text = compiled(project).text
    assert "12 Example Square" in text
    assert text.rstrip().endswith("And more.")


def test_approval_covers_the_shipped_file_that_is_extended(project: Project) -> None:
    write_template(project, "newsletter.txt.j2", '{% extends "shipped/newsletter.txt.j2" %}')
    source = frozen(project)
    shipped_text = (shipped("templates") / "newsletter.txt.j2").read_text(encoding="utf-8")
    assert source.templates["shipped/newsletter.txt.j2"] == shipped_text
    assert "shipped" in source.templates["newsletter.txt.j2"]


@pytest.mark.parametrize(
    ("template", "message", "mend"),
    [
        (
            '{% extends "shipped/newsleter.txt.j2" %}',
            "no shipped template file “shipped/newsleter",
            "shipped/newsletter",
        ),
        (
            '{% extends "newsletter.txt.j2" %}',
            "this template names itself",
            '{% extends "shipped/newsletter.txt.j2" %}',
        ),
        ('{% include "shipped/../../mlgroup.toml" %}', "outside the templates", ""),
    ],
)
def test_a_shipped_name_that_is_wrong_is_answered(project: Project, template: str, message: str, mend: str) -> None:
    write_template(project, "newsletter.txt.j2", template)
    with pytest.raises(CampaignError) as refused:
        compiled(project)
    assert message in refused.value.problem.message
    assert mend in refused.value.problem.mend
    assert refused.value.problem.where == "templates/newsletter.txt.j2, line 1"


def test_check_says_what_is_wrong_with_a_template_that_extends_a_shipped_one(run: Run, tmp_path: Path) -> None:
    run("init", "ours")
    path = tmp_path / "ours" / "templates" / "newsletter.txt.j2"
    path.write_text('{% extends "shipped/newsleter.txt.j2" %}', encoding="utf-8")
    told = run("--project", "ours", "check", "first-newsletter")
    assert told.code == 1
    assert "templates/newsletter.txt.j2" in told.text
    assert "Did you mean “shipped/newsletter.txt.j2”?" in told.text


def test_an_error_in_a_shipped_file_says_that_it_is_the_shipped_one(project: Project) -> None:
    write_template(project, "newsletter.txt.j2", '{% extends "shipped/newsletter.txt.j2" %}')
    write_campaign(project)
    source = freeze(project, read_campaign(project, "letter"), "issue", FIGURES)
    broken = {**source.templates, "shipped/newsletter.txt.j2": "{{ recipient.nme }}"}
    with pytest.raises(CampaignError) as refused:
        compile_message(FrozenSource(**{**vars(source), "templates": broken}), {})
    assert refused.value.problem.where == "templates/newsletter.txt.j2 (shipped), line 1"


def test_the_shipped_logos_are_small(project: Project) -> None:
    for path in Path(shipped("templates") / "logos").glob("*.png"):
        assert path.stat().st_size < 6_000
