"""The variants of a mailing: compiled once each, outside of any transaction, and given to recipients inside."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.variants import MAX_VARIANTS, too_many_variants, variant_fields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.merging import merge_values
from mlgroup_mail.model import Contact
from mlgroup_mail.store import Connection
from mlgroup_mail.store.mailings import MailingRow
from mlgroup_mail.store.plans import PlannedRecipient, add_variant, variants


class Variants:
    """Compiles what the readers of one frozen source need."""

    def __init__(self, source: FrozenSource) -> None:
        """Raises CampaignError where the text uses a field wrongly."""
        self._source = source
        self._fields = variant_fields(source)
        self._compiled: dict[str, str] = {}
        self._written: dict[tuple[Any, ...], str] = {}

    def compile_for(self, people: Iterable[Contact]) -> None:
        """Compile the variants of these recipients that are new; raises CampaignError above 200 of them.

        Some may be in the ledger already: compiling one again after an interruption costs a few milliseconds.
        """
        for contact in people:
            key = self._key(contact)
            if key not in self._compiled:
                if len(self._compiled) >= MAX_VARIANTS:
                    raise too_many_variants(self._fields, [tuple(json.loads(each)) for each in self._compiled])
                shared = self._fields.shared(self._fields.key(contact))
                self._compiled[key] = compile_message(self._source, shared).to_json()

    def give(
        self, connection: Connection, mailing: MailingRow, people: Sequence[Contact]
    ) -> list[PlannedRecipient] | None:
        """Each recipient with the variant they read, stored where it is new.

        None, and nothing is stored, where somebody's is not compiled: `compile_for` has not seen them.
        """
        keys = [self._key(contact) for contact in people]
        if not self._compiled.keys() >= {*keys}:
            return None
        stored = variants(connection, mailing.mailing_id)
        planned = []
        for contact, key in zip(people, keys, strict=True):
            if key not in stored:
                compiled = self._compiled[key]
                stored[key] = add_variant(connection, mailing.mailing_id, key=key, compiled=compiled)
            planned.append(PlannedRecipient(contact=contact, variant_id=stored[key], fields=merge_values(contact)))
        return planned

    def _key(self, contact: Contact) -> str:
        key = self._fields.key(contact)
        if key not in self._written:
            self._written[key] = json.dumps(key, ensure_ascii=False)
        return self._written[key]
