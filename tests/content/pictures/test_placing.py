"""Pictures in a page: each is found where it stands, and gets the source that a reader's program can follow."""

import base64
import dataclasses
import re

import pytest

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.frozen import FrozenImage, FrozenSource
from mlgroup_mail.content.pictures.placing import image_sources, place_images, with_pictures_inside
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project
from tests.content.pictures.drawing import drawn
from tests.content.projects import frozen, write_campaign, write_template

A, B = "a" * 64, "b" * 64
CID_A, CID_B = f"cid:{'a' * 32}@ml-group.example.org", f"cid:{'b' * 32}@ml-group.example.org"


@pytest.fixture
def source(project: Project) -> FrozenSource:
    """A mailing with a few pictures, of which nobody reads the bytes."""
    names = {"chart.png": A, "maps/my chart.png": B, "R&D.png": A, "50%.png": B, 'a"b.png': A}
    return dataclasses.replace(
        frozen(project, "One.\nThen ![x](chrat.png)"),
        images={
            name: FrozenImage(digest=digest, media_type="image/png", width=30, height=20)
            for name, digest in names.items()
        },
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('<img src="image:chart.png">', f'<img src="{CID_A}">'),
        ("<img src='image:chart.png'>", f"<img src='{CID_A}'>"),
        ("<img alt=x src=image:chart.png>", f"<img alt=x src={CID_A}>"),
        ('<IMG SRC="image:chart.png"/>', f'<IMG SRC="{CID_A}"/>'),
        ('<img src="image:maps/my%20chart.png">', f'<img src="{CID_B}">'),
        ('<img src="image:maps/my chart.png">', f'<img src="{CID_B}">'),
        ('<img src="image:R&amp;D.png">', f'<img src="{CID_A}">'),
        ('<img src="image:R%26D.png">', f'<img src="{CID_A}">'),
        ('<img src="image:50%.png">', f'<img src="{CID_B}">'),
        ('<img src="image:50%25.png">', f'<img src="{CID_B}">'),
        ("<img src='image:a\"b.png'>", f"<img src='{CID_A}'>"),
        ('<img src="image:a&quot;b.png">', f'<img src="{CID_A}">'),
        ('<td background="image:chart.png">', f'<td background="{CID_A}">'),
        (
            '<!--[if mso]><v:fill src="image:chart.png" /><![endif]-->',
            f'<!--[if mso]><v:fill src="{CID_A}" /><![endif]-->',
        ),
        (
            '<!--[if !mso]><!--><img src="image:chart.png"><!--<![endif]-->',
            f'<!--[if !mso]><!--><img src="{CID_A}"><!--<![endif]-->',
        ),
        ('<p style="background: url(image:chart.png)">', f'<p style="background: url({CID_A})">'),
        (
            "<p style=\"a:b;background:#fff url('image:chart.png') top; list-style: URL( image:50%25.png )\">",
            f"<p style=\"a:b;background:#fff url('{CID_A}') top; list-style: URL( {CID_B} )\">",
        ),
        (
            "<p style='background:url(&quot;image:R&amp;D.png&quot;)'>",
            f"<p style='background:url(&quot;{CID_A}&quot;)'>",
        ),
        ('<p style="background:url(image:maps/my%20chart.png)">', f'<p style="background:url({CID_B})">'),
        (
            '<style>.a { background: url("image:chart.png") } @media x { p { color: url(image:50%.png) } }</style>',
            f'<style>.a {{ background: url("{CID_A}") }} @media x {{ p {{ color: url({CID_B}) }} }}</style>',
        ),
        (
            "<!--[if mso]><style>.a { background: url(image:chart.png) }</style><![endif]-->",
            f"<!--[if mso]><style>.a {{ background: url({CID_A}) }}</style><![endif]-->",
        ),
        ('<img srcset="image:chart.png, image:50%25.png 2x">', f'<img srcset="{CID_A}, {CID_B} 2x">'),
        # What only speaks of pictures is left alone.
        ('<p>Write src="image:chart.png" so.</p>', '<p>Write src="image:chart.png" so.</p>'),
        ('<p title="image:chart.png">x</p>', '<p title="image:chart.png">x</p>'),
        ('<!-- <img src="image:chart.png"> -->', '<!-- <img src="image:chart.png"> -->'),
        ('<img src="https://example.org/image:chart.png">', '<img src="https://example.org/image:chart.png">'),
        ("<p>Write url(image:chart.png) so. The image: see below.</p>",) * 2,
        ('<p style="background-image:none">x</p>',) * 2,
        ("<style>a { content: 'image:chart.png' }</style>", "<style>a { content: 'image:chart.png' }</style>"),
    ],
)
def test_a_picture_is_placed_wherever_it_is_shown(source: FrozenSource, written: str, shown: str) -> None:
    assert place_images(f"<p>…</p>\n{written}\n", source)[0] == f"<p>…</p>\n{shown}\n"


def test_only_what_is_shown_travels_and_each_picture_once(source: FrozenSource) -> None:
    page = '<img src="image:chart.png"><img src="image:R&amp;D.png"><img src="image:chart.png">'
    _, images = place_images(page, source)
    assert [(image.name, image.digest) for image in images] == [("chart.png", A)]
    assert place_images("<p>No pictures.</p>", source) == ("<p>No pictures.</p>", ())


def test_a_hosted_picture_has_an_address_that_names_its_content(source: FrozenSource) -> None:
    hosted = dataclasses.replace(source, images_url="https://mail.example.org/images")
    page, images = place_images('<img src="image:maps/my%20chart.png">', hosted)
    assert page == f'<img src="https://mail.example.org/images/{B}/my%20chart.png">'
    assert images == ()


def test_a_picture_that_is_not_there_is_told_with_line_and_the_nearest_name(source: FrozenSource) -> None:
    for wrong in (
        lambda: place_images('<img src="image:chrat.png">', source),
        lambda: image_sources(source)["chrat.png"],
    ):
        with pytest.raises(CampaignError) as caught:
            wrong()
        assert caught.value.problem.message == "there is no picture “chrat.png”"
        assert caught.value.problem.where == f"campaigns/letter/campaign.md, line {source.text_line + 1}"
        assert "Did you mean “chart.png”?" in caught.value.problem.mend


@pytest.mark.parametrize(
    "written",
    [
        '<a href="image:chart.png">',
        '<img src=" image:chart.png">',
        '<img src="Image:chart.png">',
        "<p style=\"background: image-set('image:chart.png' 1x)\">",
        '<style>.a { background: url("image:chart.png }</style>',
    ],
)
def test_a_source_that_would_reach_the_reader_unplaced_is_refused(source: FrozenSource, written: str) -> None:
    with pytest.raises(CampaignError, match="shows no picture here") as caught:
        place_images(f"<p>x</p>{written}", source)
    assert caught.value.problem.where.startswith("campaigns/letter/campaign.md")
    assert "url(...)" in caught.value.problem.mend


@pytest.mark.parametrize("hosted", [False, True])
def test_a_background_behind_a_section_is_in_the_mail(project: Project, hosted: bool) -> None:
    """From a template to what Outlook, other programs and style sheets are shown."""
    write_campaign(project)
    (project.campaigns / "letter" / "my chart.png").write_bytes(drawn())
    write_template(
        project,
        "newsletter.mjml.j2",
        "<mjml><mj-head><mj-style>@media (max-width: 400px) "
        "{ .hero { background: url('{{ images[\"my chart.png\"].src }}') } }</mj-style></mj-head><mj-body>"
        '<mj-section css-class="hero" background-url="{{ images["my chart.png"].src }}"><mj-column>'
        '<mj-text><p style="background: url({{ images["my chart.png"].src }})">x</p></mj-text>'
        "</mj-column></mj-section>{{ body }}</mj-body></mjml>",
    )
    source = frozen(project, "One.\n")
    if hosted:
        source = dataclasses.replace(source, images_url="https://mail.example.org/images")
    message = compile_message(source, {})
    digest = source.images["my chart.png"].digest
    address = f"https://mail.example.org/images/{digest}/my%20chart.png" if hosted else f"cid:{digest[:32]}@"
    assert message.html.count(address) == 6
    assert "image:my" not in message.html
    assert [image.name for image in message.images] == ([] if hosted else ["my chart.png"])


def test_templates_find_size_and_source_of_each_picture(source: FrozenSource) -> None:
    images = image_sources(source)
    assert (images["maps/my chart.png"].src, images["chart.png"].width, images["chart.png"].height) == (
        "image:maps/my%20chart.png",
        30,
        20,
    )
    assert ("chart.png" in images, "chrat.png" in images, len(images)) == (True, False, 5)
    for name in images:
        shown, _ = place_images(f'<img src="{images[name].src}">', source)
        assert shown in (f'<img src="{CID_A}">', f'<img src="{CID_B}">')


def test_a_picture_in_the_text_is_in_the_mail(project: Project) -> None:
    """From Markdown to the part of the mail that the page shows."""
    write_campaign(project)
    (project.campaigns / "letter" / "chart.png").write_bytes(drawn())
    message = compile_message(frozen(project, "Look:\n\n![A chart of members](chart.png)\n"), {})
    chart = next(image for image in message.images if image.name == "chart.png")
    (tag,) = re.findall(rf'<img[^>]*src="cid:{re.escape(chart.content_id)}"[^>]*>', message.html)
    assert "A chart of members" in tag
    assert "image:" not in message.html
    assert "A chart of members" in message.text


def test_a_page_for_the_browser_holds_its_pictures(source: FrozenSource) -> None:
    pictures = {A: b"first", B: b"second"}
    for where in (source, dataclasses.replace(source, images_url="https://mail.example.org/images")):
        page, _ = place_images('<img src="image:chart.png"><img src="image:50%.png">', where)
        assert with_pictures_inside(page, where, pictures) == "".join(
            f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}">'
            for content in (b"first", b"second")
        )
