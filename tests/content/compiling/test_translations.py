"""A translation gives words, and the original everything else; what it does not give has one place to come from."""

import dataclasses

import pytest

from mlgroup_mail.content.campaigns.campaign import MailingSpec, read_campaign
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.translations import translation_for
from mlgroup_mail.content.compiling.variants import variant_fields
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.source_changes import differences
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.contact import Contact
from mlgroup_mail.settings.project import Project
from tests.content.projects import FIGURES, FRONT, frozen, write_campaign

SECOND = '\n[[mailing]]\nname = "second"\nsend_at = "2021-11-09 09:00 UTC"\n'
OWN_TEXT = SECOND + 'text = "second.md"\n'


def write(project: Project, **files: str) -> None:
    """`write(project, campaign_fr="...")` writes campaign.fr.md."""
    for name, text in files.items():
        (project.campaigns / "letter" / f"{name.replace('_', '.')}.md").write_text(text, encoding="utf-8")


def mailing(project: Project, name: str) -> MailingSpec:
    return read_campaign(project, "letter").mailing(name)


def test_what_a_translation_does_not_give(project: Project) -> None:
    """The title falls back to its subject; the preheader to none, never to another language."""
    write_campaign(project, front=FRONT.replace('preheader = "What', 'title = "All the news"\npreheader = "What'))
    write(project, campaign_fr='+++\nsubject = "Nouvelles"\n+++\n\nBonjour.\n')
    (french,) = mailing(project, "issue").translations
    assert (french.language, french.subject, french.title, french.preheader) == ("fr", "Nouvelles", "Nouvelles", "")
    assert (french.text, french.text_file, french.text_line) == ("\nBonjour.", "campaigns/letter/campaign.fr.md", 4)
    assert french.places["subject"] == french.places["title"] == "campaigns/letter/campaign.fr.md, line 2"


def test_mailings_that_share_a_text_share_its_translations_each_with_words_of_its_own(project: Project) -> None:
    write_campaign(project, front=FRONT + SECOND + 'subject = "Again"\n')
    words = 'subject = "Nouvelles"\ntitle = "T"\n[[mailing]]\nname = "second"\nsubject = "Encore"\npreheader = "P"\n'
    write(project, campaign_fr=f"+++\n{words}+++\nBonjour.")
    first, second = (mailing(project, name).translations[0] for name in ("issue", "second"))
    assert (first.subject, first.title, first.preheader) == ("Nouvelles", "T", "")
    assert (second.subject, second.title, second.preheader) == ("Encore", "Encore", "P")
    assert first.text == second.text
    assert second.places["subject"] == "campaigns/letter/campaign.fr.md, line 6"


def test_a_subject_of_its_own_must_be_translated_for_each_mailing_that_has_one(project: Project) -> None:
    """The campaign's French subject above a mailing whose English subject says something else would be a slip."""
    write_campaign(project, front=FRONT + SECOND + 'subject = "Again"\n')
    write(project, campaign_fr='+++\nsubject = "Nouvelles"\n+++\nBonjour.')
    with pytest.raises(CampaignError, match="the mailing “second” has no subject in “fr”") as refused:
        read_campaign(project, "letter")
    assert '[[mailing]], name = "second", subject = "..."' in refused.value.problem.mend


@pytest.mark.parametrize(
    ("campaign", "second", "subject", "place"),
    [
        ('subject = "N"\n', '+++\nsubject = "Z"\n+++\n', "Z", "second.fr.md, line 2"),
        ('subject = "N"\n', "", "N", "campaign.fr.md, line 2"),
        ('subject = "N"\n[[mailing]]\nname = "second"\nsubject = "Z"\n', "", "Z", "campaign.fr.md, line 5"),
        (
            'subject = "N"\n[[mailing]]\nname = "second"\nsubject = "Y"\n',
            '+++\nsubject = "Z"\n+++\n',
            "Z",
            "second.fr.md, line 2",
        ),
    ],
)
def test_a_text_of_its_own_takes_its_words_from_its_own_translation_or_else_from_the_campaigns(
    project: Project, campaign: str, second: str, subject: str, place: str
) -> None:
    write_campaign(project, front=FRONT + OWN_TEXT)
    write(project, second="Again.", campaign_fr=f"+++\n{campaign}+++\nBonjour.", second_fr=f"{second}Encore.")
    (french,) = mailing(project, "second").translations
    assert (french.subject, french.text) == (subject, "Encore.")
    assert french.places["subject"] == f"campaigns/letter/{place}"


def test_the_campaigns_translation_may_have_no_text_where_no_mailing_uses_it(project: Project) -> None:
    front = FRONT.replace('name = "issue"\n', 'name = "issue"\ntext = "first.md"\n')
    write_campaign(project, "", front=front)
    write(project, first="Hello.", first_fr="Bonjour.", campaign_fr='+++\nsubject = "Nouvelles"\n+++\n')
    assert mailing(project, "issue").translations[0].subject == "Nouvelles"


def test_front_matter_in_a_text_of_its_own_would_be_read_as_text(project: Project) -> None:
    write_campaign(project, front=FRONT + OWN_TEXT)
    write(project, second='+++\nsubject = "Again"\n+++\nAgain.')
    with pytest.raises(CampaignError, match="front matter stands in campaign") as refused:
        read_campaign(project, "letter")
    assert refused.value.problem.where == "campaigns/letter/second.md, line 1"


def test_a_text_with_a_dot_in_its_name_is_no_translation(project: Project) -> None:
    write_campaign(project, front=FRONT + SECOND + 'text = "campaign.second.md"\n')
    (project.campaigns / "letter" / "campaign.second.md").write_text("Again.", encoding="utf-8")
    (project.campaigns / "letter" / "campaign.second.fr.md").write_text(
        '+++\nsubject = "E"\n+++\nEncore.', encoding="utf-8"
    )
    assert mailing(project, "issue").translations == ()
    assert mailing(project, "second").translations[0].text == "Encore."


@pytest.mark.parametrize(
    ("files", "message", "where"),
    [
        (
            {"second_fr": '+++\nsubject = "E"\n[[mailing]]\nname = "issue"\n+++\nx'},
            "no mailing “issue” has this text",
            "second.fr.md, line 4",
        ),
        (
            {"campaign_fr": '+++\nsubject = "N"\n[[mailing]]\nname = "second"\nsubject = "E"\n+++\nx'},
            "“fr” has none for it",
            "campaign.fr.md, line 4",
        ),
        (
            {
                "campaign_fr": '+++\nsubject = "N"\n[[mailing]]\nname = "issue"\n[[mailing]]\nname = "issue"\n+++\nx',
            },
            "“issue” stands here twice",
            "campaign.fr.md, line 6",
        ),
    ],
)
def test_a_table_speaks_for_a_mailing_of_that_text(
    project: Project, files: dict[str, str], message: str, where: str
) -> None:
    write_campaign(project, front=FRONT + OWN_TEXT)
    write(project, second="Again.", **files)
    with pytest.raises(CampaignError, match=message) as refused:
        read_campaign(project, "letter")
    assert refused.value.problem.where == f"campaigns/letter/{where}"


def test_line_numbers_count_as_an_editor_does(project: Project) -> None:
    """A form feed or a Unicode line separator begins no line in an editor, and CRLF begins one."""
    write_campaign(project)
    path = project.campaigns / "letter" / "campaign.fr.md"
    text = '+++\nsubject = "N"\n+++\none\x0c\u2028\x85\ntwo\n{{ grup }}\n'
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    source = freeze(project, read_campaign(project, "letter"), "issue", FIGURES)
    with pytest.raises(CampaignError, match="grup") as refused:
        compile_message(source, {"translation": "fr"})
    assert refused.value.problem.where == "campaigns/letter/campaign.fr.md, line 6"


def test_translations_are_frozen_hashed_and_told_in_words(project: Project) -> None:
    before = frozen(project)
    write(project, campaign_fr='+++\nsubject = "N"\n+++\nBonjour.')
    after = frozen(project)
    assert before.digest != after.digest
    assert differences(before, after) == ["the translation fr is new"]
    moved = dataclasses.replace(after.translations["fr"], text_line=9, places={})
    assert dataclasses.replace(after, translations={"fr": moved}).digest == after.digest
    assert differences(after, dataclasses.replace(after, translations={"fr": moved})) == []


def test_readers_of_one_translation_share_a_variant(project: Project) -> None:
    write_campaign(project)
    write(
        project, campaign_fr='+++\nsubject = "N"\n+++\nBonjour.', **{"campaign_pt-BR": '+++\nsubject = "O"\n+++\nOlá.'}
    )
    source = freeze(project, read_campaign(project, "letter"), "issue", FIGURES)
    fields = variant_fields(source)
    assert fields.names == ("translation",)
    said = {language: fields.key(Contact(address="a@example.org", language=language))[0] for language in _READERS}
    assert said == _READERS
    assert {translation_for(source, language) for language in said} == {"", "fr", "pt-BR"}


_READERS = {"fr": "fr", "fr-CA": "fr", "pt": "pt-BR", "pt-PT": "pt-BR", "en-US": "", "de": "", "": "", "??": ""}


def test_a_translation_drives_dates_and_the_language_of_page_and_message(project: Project) -> None:
    write_campaign(project)
    write(project, campaign_de='+++\nsubject = "Neues"\n+++\n{{ "2022-01-19" | date }}, {{ campaign.language }}')
    source = freeze(project, read_campaign(project, "letter"), "issue", FIGURES)
    message = compile_message(source, {"translation": "de"})
    assert message.language == "de"
    assert message.subject == "Neues"
    assert "Mittwoch, 19. Januar 2022, de" in message.text
    assert '<html lang="de"' in message.html
