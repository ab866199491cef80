"""What a project is made of once its files and settings are read: each part is made here, and nowhere else."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.bounces import SoftBounceRule
from mlgroup_mail.consent.joining import JoinTerms
from mlgroup_mail.consent.tokens import OptOutTokens, Scope, fingerprint
from mlgroup_mail.contacts.config import ContactsConfig, read_config
from mlgroup_mail.contacts.words.readings import Vocabulary
from mlgroup_mail.delivery import approving, roads
from mlgroup_mail.delivery.joining import JoinMails
from mlgroup_mail.delivery.ledger_witness import witnessing
from mlgroup_mail.delivery.merging import Links
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.signing_keys import note_signing_key
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.transports.base import Transport
from mlgroup_mail.delivery.transports.choosing import make_transport
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.model import Road
from mlgroup_mail.settings.environment import Environment, Settings, TransportName
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Connection, Store
from mlgroup_mail.store.failures import PauseRule
from mlgroup_mail.store.rates import Rates

if TYPE_CHECKING:
    from mlgroup_mail.delivery.provider_lists import ProviderLists


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

    @cached_property
    def preference_tokens(self) -> OptOutTokens:
        """The tokens of the page of topics, under the same keys."""
        keys = [key.get_secret_value() for key in self.settings.secret_keys]
        return OptOutTokens(keys, topics=self.project.topics, scope=Scope.PREFERENCES)

    @property
    def tokens_if_any(self) -> OptOutTokens | None:
        """The same where there is a key: what needs none goes on without."""
        return self.tokens if self.settings.secret_keys else None

    @property
    def key_fingerprints(self) -> tuple[str, ...]:
        """What the project's secret keys are known by, newest first."""
        return tuple(fingerprint(key.get_secret_value()) for key in self.settings.secret_keys)

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
        """What the mail server or the provider may be given; files need no rate."""
        settings = self.settings
        match settings.transport:
            case TransportName.OUTBOX:
                return Rates()
            case TransportName.SMTP:
                per_minute, per_day = settings.messages_per_minute, settings.messages_per_day
            case TransportName.SENDGRID:
                per_minute, per_day = settings.sendgrid_per_minute, settings.sendgrid_per_day
        return Rates(
            per_minute=per_minute,
            per_day=per_day,
            per_domain=settings.domain_per_minute,
            domains=self.project.file.rates,
        )

    def links(self, topic: str) -> Links:
        """The opt-out links of a topic's mailings."""
        return Links(self.tokens, self.project.group, public_url=self.settings.public_url, topic=topic)

    @property
    def soft_bounces(self) -> SoftBounceRule:
        """How many soft bounces suppress an address."""
        return SoftBounceRule(times=self.settings.soft_bounces, within=timedelta(days=self.settings.soft_bounce_days))

    @property
    def provider_lists(self) -> "ProviderLists":
        """SendGrid's suppression lists; raises ConfigurationError where the settings do not suffice."""
        # Here and not above: most commands need no client.
        from mlgroup_mail.delivery.provider_lists import ProviderLists
        from mlgroup_mail.delivery.transports.sendgrid_account import account_of

        return ProviderLists(
            store=self.store,
            account=account_of(self.settings),
            clock=self.clock,
            erasure_key=self.erasure_key,
            soft=self.soft_bounces,
        )

    @property
    def keeps_provider_lists(self) -> bool:
        """Whether SendGrid's lists are read, or written to."""
        return self.settings.sendgrid_pull or self.settings.sendgrid_push

    def register_roads(self) -> None:
        """Say which roads the settings name; from then on each must be read within a day."""
        names = [roads.SENDGRID] if self.settings.sendgrid_pull else []
        roads.register(self.store, Road.PROVIDER, names, now=self.clock.now())

    @property
    def erasure_key(self) -> str | None:
        """The key under which forgotten addresses are kept; None where there is none."""
        key = self.settings.erasure_key
        return key.get_secret_value() if key else None

    def sending(self, stop: Stop | None = None) -> Sending:
        """What sending needs; `stop` is asked between windows. Nothing is written before a mail is about to go."""
        return Sending(
            store=self.store,
            transport=self.transport(),
            clock=self.clock,
            links=self.links,
            allowed_domains=self.allowed_domains,
            stop=stop or Stop(),
            rates=self.rates,
            pause=PauseRule(after=self.settings.pause_after, percent=self.settings.pause_percent),
            witness=partial(witnessing, self.project.root, self.store),
            note_key=self._note_key,
        )

    def _note_key(self, connection: Connection) -> None:
        """Note the key that signs now: the newest."""
        for newest in self.key_fingerprints[:1]:
            note_signing_key(connection, newest, now=self.clock.now())

    @property
    def join_terms(self) -> JoinTerms | None:
        """What joining on our page means here; None where nobody can."""
        join = self.project.file.join
        if join is None:
            return None
        return JoinTerms(
            topics=self.project.topics,
            joined=join.topics,
            status=join.status,
            per_hour=join.per_hour,
            erasure_key=self.erasure_key,
        )

    def join_mails(self, terms: JoinTerms) -> JoinMails:
        """What writes to those who join. Raises ConfigurationError where there is no public address for its links."""
        join, url = self.project.file.join, self.settings.public_url
        if url is None:
            raise ConfigurationError(
                "people can join, and there is no public address for the link that they confirm it with",
                where="MLGROUP_PUBLIC_URL",
                mend="Set it to where the pages are, or take [join] out of mlgroup.toml.",
            )
        return JoinMails(
            self.project,
            terms,
            sender=self.project.sender((join and join.sender) or next(iter(self.project.file.sender))),
            sending=self.sending,
            public_url=url,
            preferences=self.preference_tokens,
        )


def make_store(project: Project, settings: Settings) -> Store:
    """The project's database: as configured, else an embedded one among its state. Connects when first used."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    return Store(url or f"sqlite:///{project.state / 'mlgroup.db'}", state=project.state)
