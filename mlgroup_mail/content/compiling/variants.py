"""Variants: which readers of a mailing share one compiled message."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from mlgroup_mail.content.calendar.events_file import event_from
from mlgroup_mail.content.calendar.reader_time import event_times
from mlgroup_mail.content.compiling.translations import translation_for
from mlgroup_mail.content.frozen import FrozenSource, texts_of
from mlgroup_mail.content.merge_fields import SHARED_SETS
from mlgroup_mail.content.templates.template_fields import field_use
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model.contact import Contact

MAX_VARIANTS = 200
"""More compiled variants than this mean that a shared field is used like a merge field."""

TRANSLATION = "translation"
"""The derived field of the translation that a reader gets."""
EVENT_TIMES = "event_times"
"""The derived field of what a reader's clock shows at the events (`reader_time.EventTimes`)."""

Derive = Callable[[Contact], Any]

_DERIVED: dict[str, Callable[[FrozenSource], Derive]] = {
    TRANSLATION: lambda source: lambda contact: translation_for(source, contact.language),
    EVENT_TIMES: lambda source: event_times(map(event_from, source.events.values())),
}
"""Fields that follow from a contact's and from the source; each takes as few values as it can."""
_TOO_MANY = {
    TRANSLATION: ("the translations", "Leave out other fields that groups share."),
    EVENT_TIMES: ("readers' time zones", "Show “your time” (your_time) for fewer events, or for none."),
}
"""What they are called where they have too many values, and what helps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantFields:
    """The fields by which a source's readers are told apart: shared ones, sets by the membership asked for
    (`themes:ethics`), and derived ones."""

    names: tuple[str, ...]
    values: tuple[Derive, ...]

    def key(self, contact: Contact) -> tuple[Any, ...]:
        """What decides the variant of a contact: its value of each field, as JSON has them."""
        return tuple([value(contact) for value in self.values])

    def shared(self, key: tuple[Any, ...]) -> dict[str, Any]:
        """A key as `compile_message` takes it."""
        return dict(zip(self.names, key, strict=True))


def variant_fields(source: FrozenSource) -> VariantFields:
    """The fields that template and texts name anywhere. Raises CampaignError where one is unknown or misused."""
    use = field_use(texts_of(source))
    derived = [TRANSLATION] * bool(source.translations) + [EVENT_TIMES] * use.event_times
    return VariantFields(
        names=(*use.shared, *derived),
        values=(*map(_shared, use.shared), *(_DERIVED[name](source) for name in derived)),
    )


def _shared(name: str) -> Derive:
    """What tells a contact's value of a field that groups share."""
    field, _, member = name.partition(":")
    if member:
        return lambda contact: member in getattr(contact, field)
    if field in SHARED_SETS:
        return lambda contact: tuple(sorted(getattr(contact, field)))
    return attrgetter(field)


def too_many_variants(fields: VariantFields, keys: Iterable[tuple[Any, ...]]) -> CampaignError:
    """The error for more than MAX_VARIANTS distinct keys; names the field that has the most values."""
    columns = list(zip(*keys, strict=True))
    counts = {name: len(set(map(str, column))) for name, column in zip(fields.names, columns, strict=True)}
    worst = max(counts, key=lambda name: counts[name])
    name = f"recipient.{worst.partition(':')[0]}"
    said, mend = _TOO_MANY.get(worst, (name, f"Ask for less: for a few values of {name}, or for none."))
    return CampaignError(
        f"more than {MAX_VARIANTS} variants would have to be compiled, {counts[worst]} for {said} alone", mend=mend
    )
