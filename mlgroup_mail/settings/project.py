"""The project directory and its `mlgroup.toml`."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mlgroup_mail.documents import Document, FilledLine, Line, matching, read_document
from mlgroup_mail.errors import ConfigurationError, UsageError
from mlgroup_mail.model.canary import Canary, CanaryPlace
from mlgroup_mail.model.contact import ContactStatus
from mlgroup_mail.model.message import Sender
from mlgroup_mail.settings.retention import Retention
from mlgroup_mail.settings.theme import Theme
from mlgroup_mail.zones import iana_zones

PROJECT_FILE = "mlgroup.toml"


def _mailbox(value: str) -> str:
    from mlgroup_mail.addresses import AddressError, normalise

    try:
        address = normalise(value)
    except AddressError as error:
        raise ValueError(str(error)) from None
    if not address.isascii():
        # In every header of every mail: none would reach a server without SMTPUTF8 (RFC 6531).
        raise ValueError("has letters beyond ASCII before the @, which few mail servers take from a sender")
    return address


def _zone(value: str) -> str:
    if value not in iana_zones():
        raise ValueError("is not an IANA time zone such as Europe/London")
    return value


def _domain(value: str) -> str:
    from mlgroup_mail.addresses import checked_domain

    checked = checked_domain(value)
    if checked.wrong:
        raise ValueError(checked.wrong)
    return checked.ascii


ReceivingDomain = Annotated[str, AfterValidator(_domain)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class Group(Document):
    """`[group]`: who writes."""

    name: FilledLine
    list_id: Annotated[
        Line, matching(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "must look like a domain, such as members.example.org")
    ]
    opt_out_address: Mailbox
    postal_address: str = ""
    website: Line = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"


class SenderTable(Document):
    """`[sender.<name>]`: whom a mail is from."""

    name: FilledLine
    address: Mailbox
    reply_to: Mailbox | None = None


class Topic(Document):
    """`[topics]`: a kind of mail one can opt out of; on or off for whoever has not chosen.

    `statutory` mail belongs to an office that its readers hold (a board's papers), and is no news.
    """

    default: bool
    statutory: bool = False
    title: Line = ""


def _as_table(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


class CanaryTable(Document):
    """An entry of `[canaries]`: an address, or a table with what the mail says of its reader besides.

    Whether it is an address is said by `check`: nobody else's mail should wait for it.
    """

    address: Line
    name: Line = ""
    first_name: Line = ""
    organisation: Line = ""
    country: Line = ""
    timezone: Line = ""
    language: Line = ""


CanaryEntry = Annotated[CanaryTable, BeforeValidator(_as_table)]


class Canaries(Document):
    """`[canaries]`: addresses of the team that ride along with each mailing, before all others or after them."""

    first: tuple[CanaryEntry, ...] = ()
    last: tuple[CanaryEntry, ...] = ()


class Join(Document):
    """`[join]`: whoever fills in the form and confirms it joins, and gets these topics; without it there is no form.

    `sender` writes to them, the first of `[sender.*]` where none is named; `status` is what they are on the list. No
    more than `per_hour` people are asked to confirm in an hour.
    """

    topics: tuple[str, ...] = Field(min_length=1)
    sender: Line = ""
    status: FilledLine = ContactStatus.MEMBER.value
    per_hour: int = Field(default=60, ge=1, le=10_000)


class ProjectFile(Document):
    """`mlgroup.toml` as a whole. `[themes]` has a title for each theme; without it, lists may name any.

    `[rates]` has how many messages a minute go to a receiving domain, and to those below it, where that is another
    number than `domain_per_minute` says for all. `[retention]` has how long records of people are kept. `[settings]`
    has the environment's names for what is no secret.
    """

    group: Group
    sender: dict[str, SenderTable] = Field(min_length=1)
    topics: dict[str, bool | Topic] = Field(min_length=1)
    themes: dict[str, Line] = Field(default_factory=dict)
    theme: Theme = Theme()
    canaries: Canaries = Canaries()
    join: Join | None = None
    rates: dict[ReceivingDomain, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    retention: Retention = Retention()
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _join_names_topics(self) -> Self:
        unknown = [topic for topic in self.join.topics if topic not in self.topics] if self.join else []
        if unknown:
            raise ValueError(f"[join] names “{unknown[0]}”, which is none of [topics]: {', '.join(self.topics)}")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project directory: where its parts lie, and what its `mlgroup.toml` says."""

    root: Path
    file: ProjectFile

    @property
    def group(self) -> Group:
        """Who writes."""
        return self.file.group

    @property
    def theme(self) -> Theme:
        """What the mails look like."""
        return self.file.theme

    @property
    def canaries(self) -> tuple[Canary, ...]:
        """Who of the team rides along with each mailing, as written."""
        listed = self.file.canaries
        places = {CanaryPlace.FIRST: listed.first, CanaryPlace.LAST: listed.last}
        return tuple(Canary(place=place, **entry.model_dump()) for place, all_of in places.items() for entry in all_of)

    @property
    def campaigns(self) -> Path:
        """What the team writes."""
        return self.root / "campaigns"

    @property
    def contacts(self) -> Path:
        """Sources, columns, segments."""
        return self.root / "contacts"

    @property
    def templates(self) -> Path:
        """The project's own templates; the shipped ones serve where a name is missing."""
        return self.root / "templates"

    @property
    def state(self) -> Path:
        """What the software keeps: the embedded database, lock files, the outbox."""
        return self.root / "var"

    @property
    def topics(self) -> dict[str, bool]:
        """Each topic, and whether those who have not chosen get it."""
        return {name: topic.default if isinstance(topic, Topic) else topic for name, topic in self.file.topics.items()}

    @property
    def statutory_topics(self) -> frozenset[str]:
        """The topics that belong to an office; the others are news."""
        return frozenset(
            name for name, topic in self.file.topics.items() if isinstance(topic, Topic) and topic.statutory
        )

    def topic_title(self, name: str) -> str:
        """A topic's name for readers."""
        topic = self.file.topics[name]
        return (topic.title if isinstance(topic, Topic) else "") or name.replace("-", " ")

    def sender(self, name: str) -> Sender:
        """The sender of that name; raises ConfigurationError listing the known ones."""
        table = self.file.sender.get(name)
        if table is None:
            raise ConfigurationError(
                f"there is no sender “{name}”",
                where=str(self.root / PROJECT_FILE),
                mend=f"Known senders: {', '.join(sorted(self.file.sender))}. Or add a table [sender.{name}].",
            )
        # A reply must reach somebody, and this mailbox is the one that is said to be read.
        reply_to = table.reply_to or self.group.opt_out_address
        return Sender(name=table.name, address=table.address, reply_to="" if reply_to == table.address else reply_to)


def read_project(root: Path) -> Project:
    """Read the project directory `root`; raises UsageError where there is none, ConfigurationError on bad content."""
    path = root / PROJECT_FILE
    if not path.is_file():
        raise UsageError(
            f"there is no project here: {root} has no {PROJECT_FILE}",
            mend=_elsewhere(root),
        )
    return Project(root=root, file=read_document(ProjectFile, path))


def _elsewhere(root: Path) -> str:
    """What to do where there is no project: mostly one stands in a folder within it."""
    above = next((folder for folder in root.absolute().parents if (folder / PROJECT_FILE).is_file()), None)
    if above:
        return f"The project is {above}: go there, or name it with --project {shlex.quote(str(above))}"
    return "Go to the project's directory, name it with --project DIR, or make one: mlgroup-mail init DIR"
