"""`campaign.md` and its translations as people write them: front matter between `+++` lines, then Markdown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from mlgroup_mail.content.calendar.wall_time import WallTime, parse_wall_time
from mlgroup_mail.content.language.language_tags import known_tag
from mlgroup_mail.documents import Document, parse_toml, read_text, validate
from mlgroup_mail.errors import CampaignError

CAMPAIGN_FILE = "campaign.md"
FENCE = "+++"


def _one_line(value: str) -> str:
    if any(ord(char) < 32 or 0x7F <= ord(char) <= 0x9F or ord(char) in (0x2028, 0x2029) for char in value):
        raise ValueError("must stand on one line, without control characters")
    return value


def _wall_time(value: object) -> WallTime:
    if isinstance(value, WallTime):
        return value
    if isinstance(value, str | datetime):
        return parse_wall_time(str(value))
    raise ValueError("must be a text such as “2021-11-02 09:00 Europe/London”")


def _language_tag(value: str) -> str:
    known_tag(value)
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Subject = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
Moment = Annotated[WallTime, BeforeValidator(_wall_time)]
Value = bool | int | float | date | str
Rule = str | dict[str, Any]


class MailingTable(Document):
    """`[[mailing]]`: one dispatch. What is not given is the campaign's."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    send_at: Moment
    stop_at: Moment | None = None
    subject: Subject | None = None
    title: Line | None = None
    preheader: Line | None = None
    audience: Rule | None = None
    event: str | None = None
    text: str | None = None


class FrontMatter(Document):
    """What stands between the `+++` lines."""

    model_config = Document.model_config | {"arbitrary_types_allowed": True}

    kind: str
    topic: str
    subject: Subject
    title: Line = ""
    preheader: Line = ""
    sender: str
    audience: Rule
    language: Annotated[str, AfterValidator(_language_tag)] = "en"
    template: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    event: str = ""
    values: dict[str, Value] = Field(default_factory=dict)
    mailing: list[MailingTable] = Field(min_length=1)


class Translated(Document):
    """The words that a translation gives beside its text."""

    subject: Subject | None = None
    title: Line | None = None
    preheader: Line | None = None


class TranslatedMailing(Translated):
    """`[[mailing]]` of a translation: the words of one dispatch."""

    name: str


class TranslatedMatter(Translated):
    """What stands between the `+++` lines of a translation."""

    mailing: list[TranslatedMailing] = Field(default_factory=list)


Matter = TypeVar("Matter", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenFile(Generic[Matter]):
    """A file that is right in itself; whether its names exist is for `campaign` to see.

    `place` is the file's path as shown to people, `first_line` the file's line on which `text` begins, and `front`
    the raw front matter, so that errors found later can name a key's line.
    """

    place: str
    matter: Matter
    front: str
    text: str
    first_line: int

    def where(self, key: str, mailing: int | None = None) -> str:
        """File and line of a key, at the top or in the mailing of that index."""
        return _where(self.place, self.front, key, mailing)


CampaignFile = WrittenFile[FrontMatter]
TranslationFile = WrittenFile[TranslatedMatter]


def read_campaign_file(path: Path, *, place: str) -> CampaignFile:
    """Read one; raises CampaignError naming file, line, key and mend."""
    front, text, first_line = _parts(path, place)
    if front is None:
        raise CampaignError(
            "there is no front matter", where=f"{place}, line 1", mend="Begin the file with a line “+++”."
        )
    data = parse_toml(front, where=place, refusal=CampaignError, first_line=2)
    matter = _validated(FrontMatter, data, front, place)
    return WrittenFile(place=place, matter=matter, front=front, text=text, first_line=first_line)


def read_translation_file(path: Path, *, place: str, original: str) -> TranslationFile:
    """Read a translation of the file `original`; raises CampaignError naming file, line, key and mend."""
    found, text, first_line = _parts(path, place)
    front = found or ""
    data = parse_toml(front, where=place, refusal=CampaignError, first_line=2)
    _refuse_what_the_original_decides(data, front, place, original)
    matter = _validated(TranslatedMatter, data, front, place)
    return WrittenFile(place=place, matter=matter, front=front, text=text, first_line=first_line)


def _parts(path: Path, place: str) -> tuple[str | None, str, int]:
    """The front matter (None for none), the text, and the file's line on which the text begins."""
    text = read_text(path, refusal=CampaignError, where=place).removesuffix("\n")
    # An editor counts these line ends only; str.splitlines knows eight more.
    lines = text.split("\n")
    if lines[0].strip() != FENCE:
        return None, text, 1
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.strip() == FENCE), None)
    if end is None:
        raise CampaignError(
            "the front matter does not end", where=f"{place}, line 1", mend="Close it with a second line “+++”."
        )
    return "\n".join(lines[1:end]), "\n".join(lines[end + 1 :]), end + 2


def _refuse_what_the_original_decides(data: Mapping[str, Any], front: str, place: str, original: str) -> None:
    mailings = data.get("mailing", ())
    tables: list[tuple[int | None, Any]] = [(None, data), *enumerate(mailings if isinstance(mailings, list) else ())]
    for index, table in tables:
        whole, part = (FrontMatter, TranslatedMatter) if index is None else (MailingTable, TranslatedMailing)
        decided = whole.model_fields.keys() - part.model_fields.keys()
        for key in table if isinstance(table, Mapping) else ():
            if key in decided:
                raise CampaignError(
                    f"the original decides “{key}”",
                    where=_where(place, front, key, index),
                    mend=f"Take it away here; {original} has it. A translation gives subject, title and preheader.",
                )


def _validated(model: type[Matter], data: Mapping[str, Any], front: str, place: str) -> Matter:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        keys = error.errors()[0]["loc"]
    index = next((key for key in keys if isinstance(key, int)), None)
    names = [key for key in keys if isinstance(key, str) and key != "mailing"]
    where = _where(place, front, names[0] if names else "mailing", index)
    return validate(model, data, where=where, refusal=CampaignError)


def _where(place: str, front: str, key: str, mailing: int | None) -> str:
    """The first line that sets `key` in the part of the front matter that is meant; the part's own line otherwise."""
    lines = front.split("\n")
    tables = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*mailing\s*\]\]", line)]
    begin, end = 0, len(lines)
    if mailing is not None and mailing < len(tables):
        begin = tables[mailing]
        end = tables[mailing + 1] if mailing + 1 < len(tables) else len(lines)
    setting = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    found = (number for number in range(begin, end) if setting.match(lines[number]))
    # The front matter's first line is the file's second.
    return f"{place}, line {next(found, begin) + 2}"
