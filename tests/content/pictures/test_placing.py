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
from tests.content.projects import frozen, write_campaign

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
        # What only speaks of pictures is left alone.
        ('<p>Write src="image:chart.png" so.</p>', '<p>Write src="image:chart.png" so.</p>'),
        ('<p title="image:chart.png">x</p>', '<p title="image:chart.png">x</p>'),
        ('<!-- <img src="image:chart.png"> -->', '<!-- <img src="image:chart.png"> -->'),
        ('<img src="https://example.org/image:chart.png">', '<img src="https://example.org/image:chart.png">'),
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
