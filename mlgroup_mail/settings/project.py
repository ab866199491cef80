"""The project directory and its `mlgroup.toml`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from mlgroup_mail.documents import Document, read_toml, validate
from mlgroup_mail.errors import ConfigurationError, UsageError
from mlgroup_mail.model.message import Sender
from mlgroup_mail.settings.theme import Theme
from mlgroup_mail.zones import iana_zones

PROJECT_FILE = "mlgroup.toml"


def _one_line(value: str) -> str:
    if any(ord(char) < 32 or ord(char) in (0x7F, 0x85, 0x2028, 0x2029) for char in value):
        raise ValueError("must stand on one line, without control characters")
    return value


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


Line = Annotated[str, AfterValidator(_one_line)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class Group(Document):
    """`[group]`: who writes."""

    name: Line = Field(min_length=1)
    list_id: Line = Field(pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
    opt_out_address: Mailbox
    postal_address: str = ""
    website: Line = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"


class SenderTable(Document):
    """`[sender.<name>]`: whom a mail is from."""

    name: Line = Field(min_length=1)
    address: Mailbox
    reply_to: Mailbox | None = None


class Topic(Document):
    """`[topics]`: a kind of mail one can opt out of; on or off for whoever has not chosen."""

    default: bool
    title: Line = ""


class ProjectFile(Document):
    """`mlgroup.toml` as a whole. `[themes]` has a title for each theme; without it, lists may name any.

    `[settings]` has the environment's names for what is no secret.
    """

    group: Group
    sender: dict[str, SenderTable] = Field(min_length=1)
    topics: dict[str, bool | Topic] = Field(min_length=1)
    themes: dict[str, Line] = Field(default_factory=dict)
    theme: Theme = Theme()
    settings: dict[str, Any] = Field(default_factory=dict)


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
            mend="Go to the project's directory, name it with --project DIR, or make one: mlgroup-mail init DIR",
        )
    return Project(root=root, file=validate(ProjectFile, read_toml(path), where=str(path)))
