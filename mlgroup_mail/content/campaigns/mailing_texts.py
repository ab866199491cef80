"""The texts of a campaign's folder: each mailing's original, and its translations beside it.

`campaign.fr.md` translates `campaign.md`, `last-call.fr.md` a mailing's own `text = "last-call.md"`. A translation
gives words only; everything else is the original's. Its title falls back to its subject, its preheader to none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgroup_mail.content.campaigns.campaign_file import (
    CAMPAIGN_FILE,
    FENCE,
    CampaignFile,
    MailingTable,
    Translated,
    TranslationFile,
)
from mlgroup_mail.content.campaigns.mailing_text import LINES, MailingText
from mlgroup_mail.content.campaigns.translation_files import Translations, beside, read_translations, require_text
from mlgroup_mail.documents import read_text
from mlgroup_mail.errors import CampaignError, Collected


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingTexts:
    """One mailing's original, and its translations in the order of their tags."""

    original: MailingText
    translations: tuple[MailingText, ...]


def mailing_texts(file: CampaignFile, folder: Path, problems: Collected) -> list[MailingTexts | None]:
    """The texts of each mailing of a campaign, in their order; None for one whose original cannot be read.

    What is wrong is added to `problems`, and a translation that cannot be read is left out.
    """
    tables = list(enumerate(file.matter.mailing))
    originals: list[MailingText | None] = [None for _ in tables]
    for index, table in tables:
        with problems:
            originals[index] = _original(file, folder, index, table)
    translations = read_translations(file, folder, problems)
    return [
        MailingTexts(original=original, translations=_translations(file, table, translations, problems))
        if (original := originals[index])
        else None
        for index, table in tables
    ]


def _translations(
    file: CampaignFile, table: MailingTable, translations: Translations, problems: Collected
) -> tuple[MailingText, ...]:
    found: list[MailingText] = []
    for tag in translations[table.text or CAMPAIGN_FILE]:
        with problems:
            found.append(_translation(file, table, tag, translations))
    return tuple(found)


def _original(file: CampaignFile, folder: Path, index: int, table: MailingTable) -> MailingText:
    matter = file.matter
    text, text_file, text_line = _text(file, folder, index, table)
    require_text(text, text_file, text_line)
    places = {key: file.where(key, index if getattr(table, key) is not None else None) for key in LINES}
    # A mailing with its own subject says something new: the campaign's title would stand against it.
    title = table.title or (table.subject or matter.title or matter.subject)
    if title in (table.subject, matter.subject):
        places["title"] = places["subject"]
    return MailingText(
        language=matter.language,
        subject=table.subject or matter.subject,
        title=title,
        preheader=matter.preheader if table.preheader is None else table.preheader,
        text=text,
        text_file=text_file,
        text_line=text_line,
        places=places,
    )


def _text(file: CampaignFile, folder: Path, index: int, table: MailingTable) -> tuple[str, str, int]:
    if table.text is None:
        return file.text, file.place, file.first_line
    where = file.where("text", index)
    try:
        path = (folder / table.text).resolve()
        there = path.is_file()
    except (OSError, RuntimeError, ValueError):
        # Too long, a NUL, links in a circle.
        raise CampaignError("no file can be called so", where=where, mend="Give the name of a file here.") from None
    if not path.is_relative_to(folder.resolve()):
        raise CampaignError(
            f"the text “{table.text}” lies outside the campaign's folder",
            where=where,
            mend="Put the file beside campaign.md and give its name only.",
        )
    if not there:
        others = sorted(other.name for other in folder.glob("*.md") if other.name != CAMPAIGN_FILE)
        raise CampaignError(
            f"there is no text “{table.text}”",
            where=where,
            mend=f"Texts here: {', '.join(others)}." if others else "Write it beside campaign.md.",
        )
    place = beside(file, table.text)
    text = read_text(path, refusal=CampaignError, where=place)
    if text.lstrip().startswith(f"{FENCE}\n"):
        raise CampaignError(
            "front matter stands in campaign.md only",
            where=f"{place}, line 1",
            mend=f"Put what it says into the table [[mailing]] of “{table.name}”.",
        )
    return text, place, 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """Where a translation may give a mailing's words; `silent` are those on which it does not speak for the mailing."""

    words: Translated
    file: TranslationFile
    index: int | None = None
    silent: frozenset[str] = frozenset()

    def get(self, key: str) -> tuple[str, str] | None:
        """The words and their place."""
        words = None if key in self.silent else getattr(self.words, key)
        return None if words is None else (words, self.file.where(key, self.index))


def _heads(file: CampaignFile, table: MailingTable, files: list[TranslationFile]) -> Iterator[_Head]:
    """Each place that may give a mailing's words, the nearest first: its own table before a file's top."""
    own = frozenset(key for key in LINES if getattr(table, key) is not None)
    own |= {"title"} if "subject" in own else frozenset()
    alone = _alone(file, table)
    for number, translation in enumerate(files):
        for index, words in enumerate(translation.matter.mailing):
            if words.name == table.name:
                yield _Head(words=words, file=translation, index=index)
        speaks_for_it = alone and number == 0
        yield _Head(words=translation.matter, file=translation, silent=frozenset() if speaks_for_it else frozenset(own))


def _alone(file: CampaignFile, table: MailingTable) -> bool:
    """Whether no other mailing has the same text."""
    return sum(other.text == table.text for other in file.matter.mailing) == 1


def _translation(file: CampaignFile, table: MailingTable, tag: str, translations: Translations) -> MailingText:
    """A mailing's words in a language: those at the head of its text, else those of the campaign's translation."""
    own, main = translations[table.text or CAMPAIGN_FILE][tag], translations[CAMPAIGN_FILE].get(tag)
    heads = list(_heads(file, table, [own] if main in (own, None) else [own, main]))
    subject = next(filter(None, (head.get("subject") for head in heads)), None)
    if subject is None:
        raise _no_subject(file, table, own, tag)
    given = (head.get(key) for head in heads for key in ("title", "subject"))
    title = next(found for found in given if found and found[0])
    preheader = next(filter(None, (head.get("preheader") for head in heads)), ("", subject[1]))
    return MailingText(
        language=tag,
        subject=subject[0],
        title=title[0],
        preheader=preheader[0],
        text=own.text,
        text_file=own.place,
        text_line=own.first_line,
        places={"subject": subject[1], "title": title[1], "preheader": preheader[1]},
    )


def _no_subject(file: CampaignFile, table: MailingTable, own: TranslationFile, tag: str) -> CampaignError:
    begin = "" if own.front else " between two lines “+++”"
    key = (
        'subject = "..."'
        if table.subject is None or _alone(file, table)
        else f'[[mailing]], name = "{table.name}", subject = "..."'
    )
    return CampaignError(
        f"the mailing “{table.name}” has no subject in “{tag}”",
        where=f"{own.place}, line 1",
        mend=f"Begin the file with {key}{begin}: a subject in another language than the text is a slip.",
    )
