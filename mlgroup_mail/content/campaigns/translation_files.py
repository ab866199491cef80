"""The translations of a campaign's texts: the files beside it that are named after a text and a language."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from mlgroup_mail.content.campaigns.campaign_file import (
    CAMPAIGN_FILE,
    CampaignFile,
    TranslationFile,
    read_translation_file,
)
from mlgroup_mail.content.language_tags import known_tag, tag_meant
from mlgroup_mail.errors import CampaignError, Collected, Problem

Translations = Mapping[str, Mapping[str, TranslationFile]]
"""The translations of each text file, by the text's name and the language's tag, in the order of the tags."""


def read_translations(file: CampaignFile, folder: Path, problems: Collected) -> Translations:
    """Read them all; what is wrong is added to `problems`, and a file that cannot be read is left out."""
    names = {CAMPAIGN_FILE, *(table.text for table in file.matter.mailing if table.text)}
    needed = {table.text or CAMPAIGN_FILE for table in file.matter.mailing}
    language = known_tag(file.matter.language)
    found: dict[str, dict[str, TranslationFile]] = {name: {} for name in names}
    for name, path, written_tag in _translation_files(folder, names, problems):
        place = beside(file, path.relative_to(folder).as_posix())
        with problems:
            tag = _tag(written_tag, place, path)
            if tag == language:
                raise CampaignError(
                    f"“{tag}” is the language of the original",
                    where=place,
                    mend=f"Write into {name} what it says, and take this file away; or name its true language.",
                )
            if tag in found[name]:
                raise CampaignError(
                    f"two files translate {name} into “{tag}”",
                    where=place,
                    mend=f"Keep one of them: {found[name][tag].place} is the other.",
                )
            translation = read_translation_file(path, place=place, original=name)
            if name in needed:
                require_text(translation.text, place, translation.first_line)
            found[name][tag] = translation
    translations = {name: dict(sorted(by_tag.items())) for name, by_tag in found.items()}
    _check_tables(file, translations, problems)
    return translations


def doubtful_names(root: Path, texts: Iterable[str]) -> Iterator[Problem]:
    """Files that are passed over and seem to be meant as translations: `campaign_de.md` beside `campaign.md`.

    `texts` are the paths of a campaign's text files within the project, whose folder is `root`.
    """
    for text in map(PurePosixPath, dict.fromkeys(texts)):
        folder = root / text.parent
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            found = re.fullmatch(
                rf"{re.escape(text.stem)}(?P<mark>[._ -])(?P<tag>[\w-]+)\.md(?P<txt>\.txt)?", path.name
            )
            if found is None or (found["mark"] == "." and not found["txt"]):
                continue
            try:
                tag = known_tag(found["tag"].replace("_", "-"))
            except ValueError:
                continue
            yield Problem(
                message="nobody reads this file: it is not named like a translation",
                where=str(text.parent / path.name),
                mend=f"Did you mean “{text.stem}.{tag}.md”?",
            )


def beside(file: CampaignFile, name: str) -> str:
    """A file of the campaign's folder as shown to people."""
    return f"{PurePosixPath(file.place).parent}/{name}"


def require_text(text: str, file: str, line: int) -> None:
    """Raise CampaignError where a text is empty."""
    if not text.strip():
        raise CampaignError(
            "there is no text",
            where=f"{file}, line {line}",
            mend="Write the mail below the front matter." if line > 1 else "Write the mail, or take the file away.",
        )


def _translation_files(folder: Path, names: set[str], problems: Collected) -> Iterator[tuple[str, Path, str]]:
    """Each file named like a translation: the text it translates, its path, and what stands for the language."""
    texts = {folder / name: name for name in names}
    for parent in sorted({path.parent for path in texts if path.parent.is_dir()}):
        for path in sorted(parent.iterdir()):
            owners = [text for text in texts if text.parent == parent and _between(text, path)]
            if path in texts or not path.is_file():
                continue
            if owners:
                # Of reminder.md and reminder.second.md, the longer one is meant by reminder.second.fr.md.
                text = max(owners, key=lambda owner: len(owner.name))
                yield texts[text], path, _between(text, path)
            else:
                with problems:
                    _refuse_misspelt(path, [text for text in texts if text.parent == parent])


def _between(text: Path, path: Path) -> str:
    begin, end = f"{text.stem}.", text.suffix
    fits = path.name.startswith(begin) and path.name.endswith(end) and len(path.name) > len(begin) + len(end)
    return path.name[len(begin) : len(path.name) - len(end)] if fits else ""


def _refuse_misspelt(path: Path, texts: list[Path]) -> None:
    stem, _, tag = path.stem.rpartition(".")
    near = difflib.get_close_matches(stem, [text.stem for text in texts], n=1, cutoff=0.8)
    if path.suffix != ".md" or not near:
        return
    try:
        known_tag(tag)
    except ValueError:
        return
    raise CampaignError(
        f"there is no text “{stem}.md” that this could translate",
        where=path.name,
        mend=f"Did you mean “{near[0]}.{tag}.md”?",
    )


def _tag(written: str, place: str, path: Path) -> str:
    try:
        return known_tag(written)
    except ValueError:
        stem, meant = path.name.partition(".")[0], tag_meant(written)
        hint = f"Did you mean {stem}.{meant}{path.suffix}? " if meant else ""
        raise CampaignError(
            f"“{written}” in this file's name is not a language",
            where=place,
            mend=f"{hint}A translation is named like {stem}.fr{path.suffix} or {stem}.pt-BR{path.suffix}; "
            "give other files another name.",
        ) from None


def _check_tables(file: CampaignFile, translations: Translations, problems: Collected) -> None:
    """Each `[[mailing]]` of a translation names a mailing that it can speak for."""
    for name, by_tag in translations.items():
        for tag, translation in by_tag.items():
            for index in range(len(translation.matter.mailing)):
                with problems:
                    _check_table(file, translations, name, tag, index)


def _check_table(file: CampaignFile, translations: Translations, name: str, tag: str, index: int) -> None:
    texts = {table.name: table.text or CAMPAIGN_FILE for table in file.matter.mailing}
    translation = translations[name][tag]
    tables, where = translation.matter.mailing, translation.where("name", index)
    mailing = tables[index].name
    own = [each for each, text in texts.items() if name in (text, CAMPAIGN_FILE)]
    if mailing not in own:
        near = difflib.get_close_matches(mailing, own, n=1)
        raise CampaignError(
            f"no mailing “{mailing}” has this text",
            where=where,
            mend=f"{f'Did you mean “{near[0]}”? ' if near else ''}Those that have: {', '.join(own)}.",
        )
    if tag not in translations[texts[mailing]]:
        missing = str(PurePosixPath(texts[mailing]).with_suffix(f".{tag}.md"))
        raise CampaignError(
            f"the mailing “{mailing}” has a text of its own, and “{tag}” has none for it",
            where=where,
            mend=f"Write {missing} too, or take this table away.",
        )
    if any(other.name == mailing for other in tables[:index]):
        raise CampaignError(f"“{mailing}” stands here twice", where=where, mend="Keep one of the two tables.")
