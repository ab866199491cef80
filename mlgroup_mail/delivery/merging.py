"""From a claimed delivery to a finished message: the compiled variant, filled with one person's fields."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.message.mime_tree import base64_lines
from mlgroup_mail.delivery.variant_names import variant_names
from mlgroup_mail.errors import MailingSetUpError
from mlgroup_mail.model import ALL_TOPICS, CompiledMessage, Contact, Message
from mlgroup_mail.model.message import BuildTemplate, MergeValues, Template
from mlgroup_mail.settings.project import Group
from mlgroup_mail.store.claims import Claimed
from mlgroup_mail.store.mailings import MailingRow

_NOBODY = Claimed(attempt_id=0, delivery_id=0, contact_id=0, variant_id=0, address="nobody@example.org", fields={})


class Links:
    """The ways to opt out that a mail offers its reader, for one mailing."""

    def __init__(self, tokens: OptOutTokens, group: Group, *, public_url: str | None, topic: str) -> None:
        self._tokens, self._topic = tokens, topic
        self._mailto = f"mailto:{quote(group.opt_out_address, safe='@')}?subject={quote('opt out ')}"
        self._public_url = public_url.rstrip("/") if public_url else None

    @property
    def one_click(self) -> bool:
        """Whether there is a page that a mail program's own button can reach (RFC 8058: https only)."""
        return bool(self._public_url and self._public_url.startswith("https://"))

    def token(self, contact_id: int, mailing_id: int, *, topic: str | None = None) -> str:
        """The opt-out token of one person for this mailing's topic, or for another."""
        content = TokenContent(contact_id=contact_id, mailing_id=mailing_id, topic=topic or self._topic)
        return self._tokens.make(content)

    def https(self, token: str) -> str:
        """The page's address for a token; empty where there is no page."""
        return f"{self._public_url}/opt-out/{token}" if self._public_url else ""

    def mailto(self, token: str) -> str:
        """A mail that opts out: the token stands in the subject, where every mail program lets it live."""
        return f"{self._mailto}{token}"


class _Variant(NamedTuple):
    """What is needed of a variant: its template, and whether it shows the way out of everything."""

    template: Template
    offers_all: bool


class Merge:
    """Fills the messages of one mailing. A variant's message is built once, at its first recipient."""

    def __init__(
        self,
        mailing: MailingRow,
        compiled: dict[int, str],
        *,
        pictures: Mapping[str, bytes],
        links: Links,
        clock: Clock,
        keys: Mapping[str, int],
        build: BuildTemplate,
    ) -> None:
        """`compiled` and `keys`: the mailing's variants as the ledger holds them, id -> JSON and key -> id;
        `pictures`: bytes by digest; `build`: the transport's.
        """
        self._mailing, self._compiled, self._links, self._clock = mailing, compiled, links, clock
        self._source = FrozenSource.from_json(mailing.source)
        self._names = variant_names(self._source, keys)
        # Encoded once: 200 variants that each had pictures of their own would fill the memory.
        self._pictures = {digest: base64_lines(content) for digest, content in pictures.items()}
        self._build = build
        self._variants: dict[int, _Variant] = {}

    def rehearse(self) -> None:
        """Make one message of each variant for nobody; raises MailingSetUpError where that fails.

        What would meet everybody, as a link that cannot stand in a mail, is found before anything is claimed.
        """
        for variant_id in self._compiled:
            try:
                self(_NOBODY._replace(variant_id=variant_id))
            except ValueError as error:
                raise MailingSetUpError(
                    f"the messages of {self._mailing.ref} cannot be made: {error}",
                    mend="Look at MLGROUP_PUBLIC_URL, and at [group] and [sender.*] of mlgroup.toml.",
                ) from None

    def __call__(self, claimed: Claimed) -> Message:
        """One finished message. Raises ValueError where it cannot be made."""
        mailing_id = self._mailing.mailing_id
        token = self._links.token(claimed.contact_id, mailing_id)
        template, offers_all = self._variant(claimed.variant_id)
        # A token takes as long as all the rest: the second is made where somebody will see it.
        every = self._links.token(claimed.contact_id, mailing_id, topic=ALL_TOPICS) if offers_all else ""
        https, mailto = self._links.https(token), self._links.mailto(token)
        values = MergeValues(
            address=claimed.address,
            opt_out=https or mailto,
            opt_out_all=(self._links.https(every) or self._links.mailto(every)) if every else "",
            opt_out_mail=mailto,
            one_click=https if self._links.one_click else "",
            **claimed.fields,
        )
        content = template.fill(
            values,
            message_id=message_id(self._mailing, self._source, claimed.delivery_id),
            date=self._clock.now(),
        )
        return Message(
            attempt_id=claimed.attempt_id,
            delivery_id=claimed.delivery_id,
            campaign=self._mailing.ref.campaign,
            mailing=self._mailing.ref.mailing,
            envelope_from=self._source.sender.address,
            address=claimed.address,
            content=content,
            variant=self._names.get(claimed.variant_id, ""),
            contact_id=claimed.contact_id,
            template=template,
        )

    def _variant(self, variant_id: int) -> _Variant:
        if variant_id not in self._variants:
            compiled = CompiledMessage.from_json(self._compiled[variant_id])
            template = self._build(
                compiled,
                sender=self._source.sender,
                list_id=f"{self._source.topic}.{self._source.group['list_id']}",
                one_click=self._links.one_click,
                pictures=self._pictures,
            )
            offers_all = any(slot.field == "links.opt_out_all" for slot in compiled.tokens.values())
            self._variants[variant_id] = _Variant(template, offers_all)
        return self._variants[variant_id]


def message_id(mailing: MailingRow, source: FrozenSource, delivery_id: int) -> str:
    """The Message-ID of a delivery, the same at every try: `<delivery.token@sender's domain>`."""
    return f"<{delivery_key(delivery_id, mailing.token)}@{source.sender.address.rpartition('@')[2]}>"


def delivery_key(delivery_id: int, mailing_token: str) -> str:
    """What names a delivery to the outside, so that nobody can guess it: its number and its mailing's token."""
    return f"{delivery_id}.{mailing_token}"


def merge_values(contact: Contact) -> dict[str, str]:
    """A person's own merge fields: frozen with the audience, filled in at dispatch."""
    return {"name": contact.name, "first_name": contact.first_name, "organisation": contact.organisation}
