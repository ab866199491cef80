"""`campaign.md` as people write it: front matter between `+++` lines, then Markdown."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from mlgroup_mail.content.wall_time import WallTime, parse_wall_time
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
    from babel import Locale, UnknownLocaleError

    try:
        Locale.parse(value, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f"“{value}” is not a language tag such as en, en-GB or pt-BR") from None
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Moment = Annotated[WallTime, BeforeValidator(_wall_time)]
Value = bool | int | float | date | str
Rule = str | dict[str, Any]


class MailingTable(Document):
    """`[[mailing]]`: one dispatch. What is not given is the campaign's."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    send_at: Moment
    stop_at: Moment | None = None
    subject: Line | None = Field(default=None, min_length=1)
    title: Line | None = None
    preheader: Line | None = None
    audience: Rule | None = None
    text: str | None = None


class FrontMatter(Document):
    """What stands between the `+++` lines."""

    model_config = Document.model_config | {"arbitrary_types_allowed": True}

    kind: str
    topic: str
    subject: Line = Field(min_length=1)
    title: Line = ""
    preheader: Line = ""
    sender: str
    audience: Rule
    language: Annotated[str, AfterValidator(_language_tag)] = "en"
    template: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    values: dict[str, Value] = Field(default_factory=dict)
    mailing: list[MailingTable] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignFile:
    """A campaign file that is right in itself; whether its names exist is for `campaign` to see.

    `place` is the file's path as shown to people, `first_line` the file's line on which `text` begins, and `front`
    the raw front matter, so that errors found later can name a key's line.
    """

    place: str
    matter: FrontMatter
    front: str
    text: str
    first_line: int

    def where(self, key: str, mailing: int | None = None) -> str:
        """File and line of a key, at the top or in the mailing of that index."""
        return _where(self.place, self.front, key, mailing)


def read_campaign_file(path: Path, *, place: str) -> CampaignFile:
    """Read one; raises CampaignError naming file, line, key and mend."""
    lines = read_text(path, refusal=CampaignError).splitlines()
    if not lines or lines[0].strip() != FENCE:
        raise CampaignError(
            "there is no front matter", where=f"{place}, line 1", mend="Begin the file with a line “+++”."
        )
    fences = (number for number, line in enumerate(lines[1:], start=1) if line.strip() == FENCE)
    end = next(fences, None)
    if end is None:
        raise CampaignError(
            "the front matter does not end", where=f"{place}, line 1", mend="Close it with a second line “+++”."
        )
    front = "\n".join(lines[1:end])
    return CampaignFile(
        place=place,
        matter=_validated(front, place),
        front=front,
        text="\n".join(lines[end + 1 :]),
        first_line=end + 2,
    )


def _validated(front: str, place: str) -> FrontMatter:
    data = parse_toml(front, where=place, refusal=CampaignError, first_line=2)
    try:
        return FrontMatter.model_validate(data)
    except ValidationError as error:
        keys = error.errors()[0]["loc"]
    index = next((key for key in keys if isinstance(key, int)), None)
    names = [key for key in keys if isinstance(key, str) and key != "mailing"]
    where = _where(place, front, names[0] if names else "mailing", index)
    return validate(FrontMatter, data, where=where, refusal=CampaignError)


def _where(place: str, front: str, key: str, mailing: int | None) -> str:
    """The first line that sets `key` in the part of the front matter that is meant; the part's own line otherwise."""
    lines = front.splitlines()
    tables = [number for number, line in enumerate(lines) if re.match(r"\s*\[\[\s*mailing\s*\]\]", line)]
    begin, end = 0, len(lines)
    if mailing is not None and mailing < len(tables):
        begin = tables[mailing]
        end = tables[mailing + 1] if mailing + 1 < len(tables) else len(lines)
    setting = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    found = (number for number in range(begin, end) if setting.match(lines[number]))
    # The front matter's first line is the file's second.
    return f"{place}, line {next(found, begin) + 2}"
