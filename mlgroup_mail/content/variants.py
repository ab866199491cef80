"""Variants: which readers of a mailing share one compiled message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mlgroup_mail.content.frozen import FrozenSource, texts_of
from mlgroup_mail.content.merge_fields import SHARED_SETS
from mlgroup_mail.content.template_fields import field_use
from mlgroup_mail.content.translations import translation_for
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.contact import Contact

MAX_VARIANTS = 200
"""More compiled variants than this mean that a shared field is used like a merge field."""

TRANSLATION = "translation"
"""The derived field of the translation that a reader gets."""

_DERIVED: dict[str, Callable[[FrozenSource, Contact], Any]] = {
    TRANSLATION: lambda source, contact: translation_for(source, contact.language),
}
"""Fields that follow from a contact's and from the source; each takes as few values as it can."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantFields:
    """The fields by which a source's readers are told apart: shared ones, sets by the membership asked for
    (`themes:ethics`), and derived ones."""

    source: FrozenSource
    names: tuple[str, ...]

    def key(self, contact: Contact) -> tuple[Any, ...]:
        """What decides the variant of a contact: its value of each field, as JSON has them."""
        return tuple(self._value(name, contact) for name in self.names)

    def shared(self, key: tuple[Any, ...]) -> dict[str, Any]:
        """A key as `compile_message` takes it."""
        return dict(zip(self.names, key, strict=True))

    def _value(self, name: str, contact: Contact) -> Any:
        if derived := _DERIVED.get(name):
            return derived(self.source, contact)
        field, _, member = name.partition(":")
        value = getattr(contact, field)
        if member:
            return member in value
        return tuple(sorted(value)) if field in SHARED_SETS else value


def variant_fields(source: FrozenSource) -> VariantFields:
    """The fields that template and texts name anywhere. Raises CampaignError where one is unknown or misused."""
    names = field_use(texts_of(source)).shared
    if source.translations:
        names += (TRANSLATION,)
    return VariantFields(source=source, names=names)


def too_many_variants(fields: VariantFields, keys: Iterable[tuple[Any, ...]]) -> CampaignError:
    """The error for more than MAX_VARIANTS distinct keys; names the field that has the most values."""
    columns = list(zip(*keys, strict=True))
    counts = {name: len(set(map(str, column))) for name, column in zip(fields.names, columns, strict=True)}
    worst = max(counts, key=lambda name: counts[name])
    name = f"recipient.{worst.partition(':')[0]}"
    return CampaignError(
        f"more than {MAX_VARIANTS} variants would have to be compiled: {name} alone has {counts[worst]} values",
        mend=f"Ask for less: for a few values of {name}, or for none.",
    )
