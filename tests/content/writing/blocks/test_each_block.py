"""What each kind of block looks like to its reader, in HTML and in plain text."""

import pytest

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.settings.project import Project
from tests.content.projects import frozen, write_template
from tests.content.writing.blocks.mails import Read, furnished, read

BLOCKS = {
    "a button": (
        "```button\n[Register *now*](https://a.example/register)\n```",
        "Register now",
        "Register now: https://a.example/register",
    ),
    "several buttons": (
        "```button\n[Yes](https://a.example/y)\n\n[No](https://a.example/n)\n```",
        "Yes No",
        "Yes: https://a.example/y\nNo: https://a.example/n",
    ),
    "a button for a link that the text names elsewhere": (
        "```button\n[Register][form]\n```\n\n[form]: https://a.example/register",
        "Register",
        "Register: https://a.example/register",
    ),
    "an event": (
        "```event\nproposals\n```",
        "Proposals close Wednesday, 19 January 2022",
        "Proposals close\n  Wednesday, 19 January 2022",
    ),
    "an event and what else there is to say": (
        "```event\nproposals\n\nWrite *early*:\n\n- a title\n- a name\n```",
        "Proposals close Wednesday, 19 January 2022 Write early : a title a name",
        "Proposals close\n  Wednesday, 19 January 2022\n\nWrite early:\n\n- a title\n- a name",
    ),
    "an event with all that the calendar knows": (
        "```event\nall-group\n```",
        "All-group meeting Saturday, 27 November 2021, 14:00–15:30 (London, UTC) Online Join online More details",
        "All-group meeting\n  Saturday, 27 November 2021, 14:00–15:30 (London, UTC)\n  Online\n"
        "  Join online: https://a.example/join\n  More details: https://a.example/meeting",
    ),
    "several events": (
        "```events\nproposals\n- past\n```",
        "19 Jan Proposals close Wednesday, 19 January 2022 "
        "27 Oct An older meeting Wednesday, 27 October 2021, 14:00 (London, UTC+1)",
        "- Proposals close\n  Wednesday, 19 January 2022\n"
        "- An older meeting\n  Wednesday, 27 October 2021, 14:00 (London, UTC+1)",
    ),
    "an agenda": (
        "```agenda\n9:00 Coffee\n13:00-13:30 *Welcome*\n  The chairs\n| and their guests\n14.00 – 15.00 Talks\n```",
        "09:00 Coffee 13:00–13:30 Welcome The chairs and their guests 14:00–15:00 Talks",
        "09:00  Coffee\n13:00–13:30  Welcome\n  The chairs\n  and their guests\n14:00–15:00  Talks",
    ),
    "an agenda of an event, on its clock": (
        "```agenda\nevent: all-group\n14:00 Welcome\n```",
        "Times: London, UTC 14:00 Welcome",
        "Times: London, UTC\n\n14:00  Welcome",
    ),
    "an agenda whose lines say who speaks": (
        "```agenda\n13:00 Hello | Ana Silva | Lisbon\n14:00 *Talks* |Bo Ek\n  A \\| B | C\n15:00 a|b\n16:00 | End\n```",
        "13:00 Hello Ana Silva Lisbon 14:00 Talks Bo Ek A | B C 15:00 a|b 16:00 End",
        "13:00  Hello\n  Ana Silva\n  Lisbon\n14:00  Talks\n  Bo Ek\n  A | B\n  C\n15:00  a|b\n16:00  End",
    ),
    "a speaker": (
        "```speaker\nName: Ana Silva\nrole: Data scientist\n\nWorks on *coding*.\n```",
        "Ana Silva Data scientist Works on coding .",
        "Ana Silva\nData scientist\n\nWorks on coding.",
    ),
    "a speaker of whom only the name is known": ("```speaker\nname: Ana Silva\n```", "Ana Silva", "Ana Silva"),
    "a quote": (
        "```quote\nWell said.\n\nAnd again.\n-- Bo Ek, *CBS*\n```",
        "Well said. And again. — Bo Ek, CBS",
        "> Well said.\n> \n> And again.\n> -- Bo Ek, CBS",
    ),
    "a quote of nobody": ("```quote\nWell said.\n```", "Well said.", "> Well said."),
    "a figure": (
        "```figure\nimage: chart.png\nalt: Members by country\ncaption: Members, **2021**\nlink: https://a.example/x\n```",
        "Members, 2021",
        "[Members by country]\nMembers, 2021\nhttps://a.example/x",
    ),
    "a note": (
        "```note\ntitle: Please remember\nBring a *laptop*.\n```",
        "Please remember Bring a laptop .",
        f"{'-' * 24}\nPlease remember\n\nBring a laptop.\n{'-' * 24}",
    ),
    "a note whose first line only looks like a key": (
        "```note\nPlease: bring a laptop.\n```",
        "Please: bring a laptop.",
        f"{'-' * 24}\nPlease: bring a laptop.\n{'-' * 24}",
    ),
    "a signature": (
        "```signature\nWith best wishes,\nthe **Team**\n```",
        "With best wishes, the Team",
        "With best wishes,\nthe Team",
    ),
}


@pytest.mark.parametrize(("block", "page", "text"), BLOCKS.values(), ids=BLOCKS)
def test_a_block_says_the_same_in_both_forms(project: Project, block: str, page: str, text: str) -> None:
    found = read(project, f"Before.\n\n{block}\n\nAfter.")
    assert found.text == f"Before.\n\n{text}\n\nAfter."
    assert f" Before. {page} After. " in found.words


def test_a_button_leads_to_its_address_with_the_readers_own_query(project: Project) -> None:
    block = "```button\n[Register](https://a.example/r?n={{ recipient.name }}&e={{ recipient.address }})\n```"
    found = read(project, block, name="Ana & Bo", address="a+b@office.example")
    address = "https://a.example/r?n=Ana%20%26%20Bo&e=a%2Bb%40office.example"
    assert found.links["Register"] == address
    assert f"Register: {address}" in " ".join(found.text.split())


def test_a_button_may_lead_out_of_the_list(project: Project) -> None:
    found = read(
        project, "```button\n[No more of these]({{ links.opt_out }})\n```", opt_out="https://a.example/o?a=1&b=2"
    )
    assert found.links["No more of these"] == "https://a.example/o?a=1&b=2"


def test_the_buttons_after_the_first_have_a_frame(project: Project) -> None:
    found = read(project, "```button\n[Yes](https://a.example/y)\n[No](https://a.example/n)\n```")
    classes = [cell.get("class") for cell in found.all("td") if "button" in (cell.get("class") or "").split()]
    assert classes == ["button", "button further"]


def test_events_without_names_are_those_from_the_sending_day_on(project: Project) -> None:
    text = read(project, "```events\n```").text
    assert "All-group meeting" in text
    assert "Proposals close" in text
    assert "An older meeting" not in text


def test_an_event_that_was_called_off_says_so_and_asks_nobody_to_join(project: Project) -> None:
    project = furnished(project)
    calendar = project.campaigns / "events.yaml"
    calendar.write_text(calendar.read_text("utf-8").replace("place: Online", "status: cancelled"), encoding="utf-8")
    found = Read(compile_message(frozen(project, "```event\nall-group\n```"), {}))
    assert "Cancelled" in found.words
    assert "Cancelled" in found.text
    assert "https://a.example/join" not in found.html + found.text


def test_an_event_has_the_readers_own_time_where_it_is_known(project: Project) -> None:
    source = frozen(furnished(project), "```event\nall-group\n```")
    fields = variant_fields(source)
    tokyo, london = (
        Read(compile_message(source, fields.shared(fields.key(Contact(address="a@example.org", timezone=zone)))))
        for zone in ("Asia/Tokyo", "Europe/London")
    )
    for said in (tokyo.text, tokyo.words):
        assert "Your time: Saturday 27 November, 23:00 – Sunday 28 November, 00:30" in said
    assert "Your time" not in london.text


def test_a_photo_is_described_by_the_name_and_a_figure_by_its_alt(project: Project) -> None:
    found = read(
        project,
        "```speaker\nname: Ana *Silva*\nphoto: ana.png\n```\n\n```figure\nimage: chart.png\nalt: Bars\n```",
    )
    photo, figure = found.all("img")[-2:]
    assert (photo.get("alt"), photo.get("width")) == ("Ana Silva", "96")
    assert (figure.get("alt"), figure.get("width")) == ("Bars", "528")
    assert photo.get("src", "").startswith("cid:")


def test_a_picture_of_a_few_pixels_is_not_blown_up(project: Project) -> None:
    found = read(project, "```figure\nimage: ana.png\nalt: Ana\n```")
    assert found.all("img")[-1].get("width") == "40"


def test_another_group_overrides_one_block_and_leaves_the_rest(project: Project) -> None:
    write_template(project, "blocks/note.mjml.j2", "<mj-text>NB: {{ block.words }}</mj-text>")
    found = read(project, "```note\nBring a laptop.\n```\n\n```quote\nWell said.\n```")
    assert "NB: Bring a laptop. Well said." in found.words
    write_template(
        project,
        "blocks/note.mjml.j2",
        "<mj-section><mj-column><mj-text>{{ block.title }}</mj-text></mj-column></mj-section>",
    )
    assert "Only this" in read(project, "```note\ntitle: Only this\nx\n```").words


def test_only_the_templates_of_the_blocks_that_are_used_are_frozen(project: Project) -> None:
    text = "{% if group.members > 999 %}\n```note\nx\n```\n{% endif %}\n````members_only\n```quote\ny\n```\n````"
    names = {name for name in frozen(project, text).templates if name.startswith("blocks/")}
    kinds = {name.partition(".")[0].removeprefix("blocks/") for name in names}
    assert {"note", "quote", "prose", "body"} <= kinds
    assert not {"button", "speaker", "event"} & kinds


def test_the_events_that_blocks_name_are_frozen_and_no_others(project: Project) -> None:
    project = furnished(project)
    assert frozen(project, "```event\npast\n```").events.keys() == {"past"}
    assert frozen(project, "```agenda\nevent: all-group\n14:00 x\n```").events.keys() == {"all-group"}
    assert frozen(project, "```events\npast\n\nproposals\n```").events.keys() == {"past", "proposals"}
    assert frozen(project, "```events\n```").events.keys() == {"past", "all-group", "proposals"}
    assert len(frozen(project, "{% set id = 'past' %}\n```event\n{{ id }}\n```").events) == 3
    assert frozen(project, "````\n```event\npast\n```\n````").events == {}


def test_an_event_whose_id_is_a_value_is_found(project: Project) -> None:
    assert "All-group meeting" in read(project, "{% set id = 'all-group' %}\n```event\n{{ id }}\n```").text


def test_code_in_a_text_stays_code(project: Project) -> None:
    for word in ("", "python", "text", "go"):
        found = read(project, f"```{word}\nmake  it so\n```")
        assert found.text == "make  it so"
        assert found.all("pre")


def test_what_looks_like_a_block_in_code_is_none(project: Project) -> None:
    assert "```button" in read(project, "````\n```button\nx\n```\n````").text


def test_prose_and_blocks_share_one_section_unless_a_block_needs_its_own(project: Project) -> None:
    found = read(project, "One.\n\n```quote\nTwo.\n```\n\nThree.\n\n```button\n[x](https://a.example)\n```")
    cards = [each for each in found.all("div") if "card" in (each.get("class") or "").split()]
    assert sum("Two." in "".join(card.itertext()) for card in cards) == 1
    (card,) = [card for card in cards if "Two." in "".join(card.itertext())]
    assert "One." in "".join(card.itertext())
    assert "Three." in "".join(card.itertext())


def test_speakers_stand_in_line_whether_they_have_a_photo_or_not(project: Project) -> None:
    def boxes(text: str) -> int:
        return sum("speaker" in (each.get("class") or "").split() for each in read(project, text).all("div"))

    ana, bo = "```speaker\nname: Ana\nphoto: ana.png\n```", "```speaker\nname: Bo\n```"
    assert boxes(f"{ana}\n\n{bo}\n\n{bo}") == 3
    assert boxes(f"{bo}\n\n{ana}") == 2
    assert boxes(f"{ana}\n\nA word.\n\n{bo}") == 1
    assert boxes(f"{bo}\n\n{bo}") == 0


def test_an_agenda_says_the_reader_s_own_time_where_it_differs(project: Project) -> None:
    source = frozen(furnished(project), "```agenda\nevent: all-group\n14:00 Welcome\n```")
    fields = variant_fields(source)

    def said(zone: str) -> Read:
        reader = Contact(address="reader@example.org", timezone=zone)
        return Read(compile_message(source, fields.shared(fields.key(reader))))

    tokyo = said("Asia/Tokyo")
    own = "Your time: Saturday 27 November, 23:00 – Sunday 28 November, 00:30"
    assert tokyo.text == f"Times: London, UTC\n{own}\n\n14:00  Welcome"
    assert own in tokyo.words
    assert "Your time" not in said("Europe/Lisbon").text
    assert "Your time" not in said("").words
