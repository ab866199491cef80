"""`campaign.md` and its translations as people write them: front matter between `+++` lines, then Markdown."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from mlgroup_mail.content.calendar.wall_time import WallTime, parse_wall_time
from mlgroup_mail.content.language_tags import known_tag
from mlgroup_mail.documents import (
    Document,
    FilledLine,
    KeyPath,
    Line,
    line_of,
    matching,
    parse_toml,
    read_text,
    validate,
)
from mlgroup_mail.errors import CampaignError, Collected, Problem

CAMPAIGN_FILE = "campaign.md"
FENCE = "+++"


def _wall_time(value: object) -> WallTime:
    if isinstance(value, WallTime):
        return value
    if isinstance(value, str | datetime):
        return parse_wall_time(str(value))
    raise ValueError('must be a text such as "2021-11-02 09:00 Europe/London"')


def _language_tag(value: str) -> str:
    known_tag(value)
    return value


Moment = Annotated[WallTime, BeforeValidator(_wall_time)]
Value = bool | int | float | date | str
Rule = str | dict[str, Any]


class MailingTable(Document):
    """`[[mailing]]`: one dispatch. What is not given is the campaign's."""

    name: Annotated[
        str,
        matching(
            r"[A-Za-z0-9][A-Za-z0-9._-]*",
            "is made of the letters a to z, digits, “.”, “_” and “-”, and begins with a letter or digit",
        ),
    ]
    send_at: Moment
    stop_at: Moment | None = None
    subject: FilledLine | None = None
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
    subject: FilledLine
    title: Line = ""
    preheader: Line = ""
    sender: str
    audience: Rule
    language: Annotated[str, AfterValidator(_language_tag)] = "en"
    template: Annotated[
        str | None,
        matching(
            r"[A-Za-z0-9][A-Za-z0-9_-]*",
            "is the name of a file in templates/, without what stands behind its first dot",
        ),
    ] = None
    event: str = ""
    values: dict[str, Value] = Field(default_factory=dict)
    mailing: list[MailingTable] = Field(min_length=1)


class Translated(Document):
    """The words that a translation gives beside its text."""

    subject: FilledLine | None = None
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
        """File and line of a key, at the top or in the mailing of that index; of its table where it is not given."""
        return _where(self.place, self.front)((key,) if mailing is None else ("mailing", mailing, key))

    def where_value(self, name: str) -> str:
        """File and line of one of `[values]`."""
        return _where(self.place, self.front)(("values", name))


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
    matter = validate(FrontMatter, data, where=_where(place, front), refusal=CampaignError)
    return WrittenFile(place=place, matter=matter, front=front, text=text, first_line=first_line)


def read_translation_file(path: Path, *, place: str, original: str) -> TranslationFile:
    """Read a translation of the file `original`; raises CampaignError naming file, line, key and mend."""
    found, text, first_line = _parts(path, place)
    front = found or ""
    data = parse_toml(front, where=place, refusal=CampaignError, first_line=2)
    where = _where(place, front)
    problems = Collected()
    problems.add(*_decided_by_the_original(data, original, where))
    problems.refuse()
    matter = validate(TranslatedMatter, data, where=where, refusal=CampaignError)
    return WrittenFile(place=place, matter=matter, front=front, text=text, first_line=first_line)


def texts_as_written(folder: Path, *, place: str) -> dict[str, str]:
    """Each text in a campaign's folder by its place, without its front matter, and on its true lines."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.md")):
        with Collected():  # That a file cannot be read is told by whoever needs it.
            _, text, first_line = _parts(path, f"{place}/{path.name}")
            found[f"{place}/{path.name}"] = "\n" * (first_line - 1) + text
    return found


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


def _decided_by_the_original(
    data: Mapping[str, Any], original: str, where: Callable[[KeyPath], str]
) -> Iterator[Problem]:
    mailings = data.get("mailing", ())
    tables: list[tuple[KeyPath, Any]] = [((), data)]
    tables += [
        (("mailing", index), table) for index, table in enumerate(mailings if isinstance(mailings, list) else ())
    ]
    for path, table in tables:
        whole, part = (MailingTable, TranslatedMailing) if path else (FrontMatter, TranslatedMatter)
        decided = whole.model_fields.keys() - part.model_fields.keys()
        for key in table if isinstance(table, Mapping) else ():
            if key in decided:
                yield Problem(
                    message=f"the original decides “{key}”",
                    where=where((*path, key)),
                    mend=f"Take it away here; {original} has it. A translation gives subject, title and preheader.",
                )


def _where(place: str, front: str) -> Callable[[KeyPath], str]:
    """File and line of a key of the front matter, whose first line is the file's second."""
    return lambda path: f"{place}, line {line_of(front, path) + 1}"
