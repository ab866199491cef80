"""Those who would get one of a mailing's texts, and the text as they would get it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlgroup_mail.contacts.audience import missing_values
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.public_copy import leaking_links
from mlgroup_mail.content.compiling.variants import VariantFields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.model import Contact
from mlgroup_mail.preflight.subject import CheckedText

_NOBODY = "reader@example.org"
"""Stands in for a reader of a text that nobody gets, so that it is checked all the same."""


@dataclass(slots=True)
class Readers:
    """The readers of a text: how many, the variants they fall into, and what they lack."""

    recipients: int = 0
    keys: dict[tuple[Any, ...], None] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, people: Sequence[Contact], fields: VariantFields) -> None:
        """Count them in."""
        self.recipients += len(people)
        self.keys |= dict.fromkeys(fields.key(person) for person in people)
        self.missing.update(missing_values(people))

    def add_canaries(self, people: Sequence[Contact], fields: VariantFields) -> None:
        """Let those of the team who ride along read it too: a mailing to them alone is a mailing to nobody."""
        self.keys |= dict.fromkeys(fields.key(person) for person in people)

    def read(
        self,
        source: FrozenSource,
        fields: VariantFields,
        words: MailingText,
        changed: datetime | None,
        *,
        translation: str,
    ) -> CheckedText:
        """The text that they get, compiled; where nobody gets it, for a reader of its language.

        Raises CampaignError.
        """
        keys = self.keys or [fields.key(Contact(address=_NOBODY, language=words.language))]
        variants = [(shared, compile_message(source, shared)) for shared in map(fields.shared, keys)]
        return CheckedText(
            words=words,
            variants=tuple(compiled for _, compiled in variants),
            said=tuple("\n".join(map(str, key)) for key in keys),
            recipients=self.recipients,
            missing={f"recipient.{name}": number for name, number in self.missing.items()},
            changed=changed,
            leaking_links=leaking_links(source, variants, translation),
        )
