"""What a project is made of once its files and settings are read: each part is made here, and nowhere else."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.contacts.config import ContactsConfig, read_config
from mlgroup_mail.contacts.words.readings import Vocabulary
from mlgroup_mail.delivery import approving
from mlgroup_mail.delivery.merging import Links
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.delivery.transports.choosing import make_transport
from mlgroup_mail.settings.environment import Environment, Settings, TransportName
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.store.failures import PauseRule
from mlgroup_mail.store.rates import Rates


def vocabulary(project: Project) -> Vocabulary:
    """The words that a project's contact list may use for its topics and themes."""
    return Vocabulary(
        topics={topic: project.topic_title(topic) for topic in project.topics},
        themes=project.file.themes or None,
        default_topics=frozenset(topic for topic, default in project.topics.items() if default),
    )


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A project with its settings, database and clock, and what follows from them."""

    project: Project
    settings: Settings
    store: Store
    clock: Clock

    @cached_property
    def contacts(self) -> ContactsConfig:
        """`contacts.toml`: sources and segments."""
        return read_config(self.project.contacts)

    @cached_property
    def tokens(self) -> OptOutTokens:
        """Opt-out tokens under the project's keys; raises ConfigurationError where there is none."""
        keys = [key.get_secret_value() for key in self.settings.secret_keys]
        return OptOutTokens(keys, topics=self.project.topics)

    def require_keys(self) -> None:
        """Raise ConfigurationError where opt-out links could not be made: before anything is written, not after."""
        _ = self.tokens

    @property
    def files(self) -> approving.Files:
        """What mailings are frozen from."""
        url = self.settings.public_url
        return approving.Files(
            project=self.project,
            contacts=self.contacts,
            opt_out_page=url is not None,
            images_url=f"{url.rstrip('/')}/images" if url else "",
        )

    @property
    def outbox(self) -> Path:
        """Where the outbox transport writes."""
        return self.project.state / "outbox"

    @property
    def leaves(self) -> bool:
        """Whether live mail leaves this machine."""
        return self.settings.transport is not TransportName.OUTBOX

    @property
    def allowed_domains(self) -> tuple[str, ...] | None:
        """Whose addresses may be written to; None for everybody: in production, and where nothing leaves anyway."""
        production = self.settings.environment is Environment.PRODUCTION
        return self.settings.allowed_domains if self.leaves and not production else None

    def transport(self) -> Transport:
        """A new transport as configured; connects when it is first used."""
        return make_transport(self.settings, outbox=self.outbox)

    @property
    def rates(self) -> Rates:
        """What the mail server may be given; files need no rate."""
        if self.settings.transport is not TransportName.SMTP:
            return Rates()
        return Rates(
            per_minute=self.settings.messages_per_minute,
            per_day=self.settings.messages_per_day,
            per_domain=self.settings.domain_per_minute,
            domains=self.project.file.rates,
        )

    def links(self, topic: str) -> Links:
        """The opt-out links of a topic's mailings."""
        return Links(self.tokens, self.project.group, public_url=self.settings.public_url, topic=topic)

    @property
    def erasure_key(self) -> str | None:
        """The key under which forgotten addresses are kept; None where there is none."""
        key = self.settings.erasure_key
        return key.get_secret_value() if key else None

    def sending(self, stop: Stop | None = None) -> Sending:
        """What sending needs; `stop` is asked between windows."""
        return Sending(
            store=self.store,
            transport=self.transport(),
            clock=self.clock,
            links=self.links,
            allowed_domains=self.allowed_domains,
            stop=stop or Stop(),
            rates=self.rates,
            pause=PauseRule(after=self.settings.pause_after, percent=self.settings.pause_percent),
        )


def make_store(project: Project, settings: Settings) -> Store:
    """The project's database: as configured, else an embedded one among its state. Connects when first used."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    return Store(url or f"sqlite:///{project.state / 'mlgroup.db'}", state=project.state)
