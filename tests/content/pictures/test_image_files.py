"""Pictures that a mailing names: what mail programs show goes through, anything else is told with file and mend."""

import io
import struct
import unicodedata
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.pictures import image_files
from mlgroup_mail.content.pictures.image_files import read_pictures
from mlgroup_mail.content.pictures.picture_formats import PictureError, check_whole, media_type_of
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.settings.project import Project, read_project
from tests.acceptance.projects import CAMPAIGN, LETTER, small_project
from tests.cli.conftest import Run, run
from tests.content.pictures.drawing import drawn, noise
from tests.content.projects import FRONT, frozen, write_campaign, write_template

__all__ = ["run"]


def put(project: Project, name: str, content: bytes) -> Path:
    """Lay a file into the folder of the campaign `letter`."""
    path = project.campaigns / "letter" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def own(source: FrozenSource) -> dict[str, str]:
    """The media types of the campaign's own pictures; the theme's logos are of no interest here."""
    return {name: image.media_type for name, image in source.images.items() if not name.startswith("templates/logos/")}


@pytest.mark.parametrize(
    ("name", "kind", "media_type"),
    [("a.png", "PNG", "image/png"), ("a.jpg", "JPEG", "image/jpeg"), ("a.JPEG", "JPEG", "image/jpeg"),
     ("a.gif", "GIF", "image/gif")],
)  # fmt: skip
def test_what_every_mail_program_shows_is_frozen_with_its_size(
    project: Project, name: str, kind: str, media_type: str
) -> None:
    put(project, name, drawn(kind, width=30, height=20))
    source = frozen(project, f"![A chart]({name})")
    image = source.images[name]
    assert (image.media_type, image.width, image.height) == (media_type, 30, 20)
    assert read_pictures(project, source)[image.digest] == drawn(kind, width=30, height=20)


def test_only_pictures_that_are_named_are_looked_at(project: Project) -> None:
    """A folder may hold originals of 20 MB and drawings in any form."""
    put(project, "chart.png", drawn())
    put(project, "original.tiff", b"II*\0")
    put(project, "huge.png", b"\x89PNG" + bytes(image_files.LARGEST))
    put(project, "another-chart.png", b"not even a picture")
    source = frozen(project, "![A chart](chart.png)")
    assert own(source) == {"chart.png": "image/png"}


@pytest.mark.parametrize("text", ["![x](maps/my chart.png)", "![x](<maps/my chart.png>)", "![x](maps/my%20chart.png)"])
def test_a_name_counts_however_it_is_written_out(project: Project, text: str) -> None:
    put(project, "maps/my chart.png", drawn())
    assert own(frozen(project, text)) == {"maps/my chart.png": "image/png"}


def test_a_name_may_stand_among_the_values_of_the_front_matter(project: Project) -> None:
    put(project, "chart.png", drawn())
    front = FRONT.replace("[[mailing]]", '[values]\nchart = "chart.png"\n\n[[mailing]]')
    assert own(frozen(project, "![x]({{ chart }})", front=front)) == {"chart.png": "image/png"}


def test_a_name_that_a_mac_has_decomposed_is_the_same_name(project: Project) -> None:
    put(project, unicodedata.normalize("NFD", "Übersicht.png"), drawn())
    assert own(frozen(project, "`Übersicht.png`")) == {"Übersicht.png": "image/png"}


def test_the_theme_s_logos_come_from_the_project_and_else_with_the_software(project: Project, tmp_path: Path) -> None:
    shipped = frozen(project).images["templates/logos/host-one.png"]
    (tmp_path / "templates" / "logos").mkdir(parents=True)
    (tmp_path / "templates" / "logos" / "host-one.png").write_bytes(drawn(width=99))
    ours = frozen(project).images["templates/logos/host-one.png"]
    assert (ours.width, ours.digest != shipped.digest) == (99, True)


def test_a_logo_that_is_missing_is_told_before_anything_is_sent(project: Project, tmp_path: Path) -> None:
    settings = tmp_path / "mlgroup.toml"
    text = settings.read_text(encoding="utf-8").replace("logos/host-one.png", "logos/ours.png")
    settings.write_text(text, encoding="utf-8")
    with pytest.raises(CampaignError, match=r"templates/logos/ours.png: this picture is missing"):
        frozen(read_project(tmp_path))


def test_a_picture_that_a_template_names_comes_from_the_templates(project: Project) -> None:
    write_template(project, "partials/footer.txt.j2", "{# templates/rule.gif #}")
    write_template(project, "rule.gif", "")
    (project.templates / "rule.gif").write_bytes(drawn("GIF"))
    assert own(frozen(project)) == {"templates/rule.gif": "image/gif"}


def test_no_template_can_name_a_file_outside_its_folder(project: Project) -> None:
    write_template(project, "partials/footer.txt.j2", "{# templates/../secret.png #}")
    with pytest.raises(CampaignError, match="outside"):
        frozen(project)


def png(*, width: int = 2, height: int = 2, data: bytes = b"") -> bytes:
    """A PNG whose header says what a test wants."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


WEBP = b"RIFF\x24\0\0\0WEBPVP8 "
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

REFUSED = [
    ("a.svg", SVG, "many mail programs do not show SVG", "Save it as PNG"),
    ("a.webp", WEBP, "many mail programs do not show WebP", "Save it as PNG"),
    ("a.bmp", b"BM", "many mail programs do not show BMP", "Save it as PNG"),
    ("a.heic", b"\0\0\0\x18ftypheic", "many mail programs do not show HEIC", "Save it as PNG"),
    ("a.png", drawn("JPEG"), "this is a JPEG picture, and its name says “.png”", "Rename it to end with “.jpeg”"),
    ("a.jpg", drawn("PNG"), "this is a PNG picture, and its name says “.jpg”", "Rename it to end with “.png”"),
    ("a.gif", drawn("PNG"), "this is a PNG picture", "Rename it"),
    ("a.png", SVG, "this is no PNG, JPEG or GIF picture", "Save it as PNG"),
    ("a.png", WEBP, "this is no PNG, JPEG or GIF picture", "Save it as PNG"),
    ("a.jpg", b"MZ\x90 a program", "this is no PNG, JPEG or GIF picture", "Save it as PNG"),
    ("a.png", b"", "this is no PNG, JPEG or GIF picture", "Save it as PNG"),
    ("a.png", drawn()[:-20], "cut off", "once more"),
    ("a.jpg", drawn("JPEG")[:-20], "cut off", "once more"),
    ("a.gif", drawn("GIF")[:-3], "cut off", "once more"),
    ("a.png", drawn()[:40] + b"\xff" + drawn()[41:], "damaged", "once more"),
    ("a.png", png(width=60_000, height=60_000), "60000 × 60000 pixels, and 4000 is the most", "600 pixels wide"),
    ("a.png", png(width=2**31 - 1, height=1), "2147483647 × 1 pixels", "600 pixels wide"),
    ("a.png", png(width=0, height=0), "damaged", "once more"),
    ("a.png", noise(700, 700), "1.5 MB, and 1.0 MB is the most", "600 pixels wide"),
]


@pytest.mark.parametrize(("name", "content", "message", "mend"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_would_not_be_seen_is_refused_with_file_reason_and_mend(
    project: Project, name: str, content: bytes, message: str, mend: str
) -> None:
    put(project, name, content)
    with pytest.raises(CampaignError) as caught:
        frozen(project, f"![x]({name})")
    assert caught.value.problem.where == f"campaigns/letter/{name}"
    assert message in caught.value.problem.message
    assert mend in caught.value.problem.mend


def test_all_pictures_of_a_mailing_together_have_a_limit(project: Project) -> None:
    names = [f"{number}.png" for number in range(4)]
    for number, name in enumerate(names):
        put(project, name, noise(510 - number, 560))
    with pytest.raises(CampaignError, match=r"3.4 MB together, and 3.0 MB is the most") as caught:
        frozen(project, " ".join(f"![x]({name})" for name in names))
    assert caught.value.problem.where == "campaigns/letter/0.png"


def test_the_same_picture_under_two_names_counts_once(project: Project) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        put(project, name, noise(510, 560))
    source = frozen(project, "![x](a.png) ![x](b.png) ![x](c.png) ![x](d.png)")
    assert len({source.images[name].digest for name in own(source)}) == 1


def test_a_picture_that_changes_between_two_looks_is_told(project: Project) -> None:
    path = put(project, "a.png", drawn())
    source = frozen(project, "![x](a.png)")
    path.write_bytes(drawn(colour="#ff0000"))
    with pytest.raises(CampaignError, match="just changed"):
        read_pictures(project, source)
    path.unlink()
    with pytest.raises(CampaignError, match="just changed"):
        read_pictures(project, source)


def test_a_changed_picture_voids_the_approval(run: Run, tmp_path: Path) -> None:
    root = small_project(tmp_path / "project")
    folder = root / "campaigns" / "letter"
    (folder / "campaign.md").write_text(CAMPAIGN + "\n![A chart](chart.png)\n", encoding="utf-8")
    (folder / "chart.png").write_bytes(drawn())
    assert run("--project", root, "contacts", "pull").code == 0
    assert run("--project", root, "approve", LETTER, "--by", "the editor").code == 0
    (folder / "chart.png").write_bytes(drawn(colour="#ff0000"))
    result = run("--project", root, "plan", LETTER)
    assert result.code == 1
    assert "the picture chart.png changed" in result.text
    (folder / "chart.png").write_bytes(drawn())
    assert run("--project", root, "plan", LETTER).code == 0


def test_a_picture_that_cannot_be_shown_is_a_finding_of_check(run: Run, tmp_path: Path) -> None:
    root = small_project(tmp_path / "project")
    folder = root / "campaigns" / "letter"
    write = CAMPAIGN + "\n![A chart](chart.svg)\n"
    (folder / "campaign.md").write_text(write, encoding="utf-8")
    (folder / "chart.svg").write_bytes(SVG)
    assert run("--project", root, "contacts", "pull").code == 0
    result = run("--project", root, "check", "letter", "--json")
    assert result.code == 1
    (found,) = [each for each in result.json["findings"] if each["level"] == "error"]
    assert (found["where"], "SVG" in found["message"]) == ("campaigns/letter/chart.svg", True)


@given(kind=st.sampled_from(["PNG", "JPEG", "GIF"]), data=st.data())
def test_no_damage_makes_the_reader_fall_and_no_cut_passes(kind: str, data: st.DataObject) -> None:
    whole = drawn(kind, width=20, height=20)
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    if media_type := media_type_of(cut):
        with pytest.raises(PictureError):
            check_whole(cut, media_type)
    at, byte = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 255))
    changed = whole[:at] + bytes([byte]) + whole[at + 1 :]
    if media_type := media_type_of(changed):
        try:
            width, height = check_whole(changed, media_type)
        except PictureError:
            return
        assert width > 0 < height


@pytest.mark.parametrize("options", [{"progressive": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}, {"quality": 30}])
def test_photographs_of_every_kind_pass(options: dict[str, object]) -> None:
    file = io.BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(file, "JPEG", **options)
    assert check_whole(file.getvalue(), "image/jpeg") == (300, 200)


def test_a_moving_picture_passes() -> None:
    file = io.BytesIO()
    frames = [Image.new("P", (9, 9), colour) for colour in (1, 2, 3)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], loop=0)
    assert check_whole(file.getvalue(), "image/gif") == (9, 9)


def test_a_second_campaign_s_pictures_are_not_reachable(project: Project) -> None:
    write_campaign(project, name="other")
    (project.campaigns / "other" / "a.png").write_bytes(drawn())
    assert own(frozen(project, "![x](../other/a.png)")) == {}
