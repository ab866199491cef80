"""Reads columns such as "Status" and "Unsubscribed" in files of opt-outs, by the words of contact lists."""

from collections.abc import Mapping, Sequence
from functools import partial

from mlgroup_mail.addresses import mask_text
from mlgroup_mail.consent.list_columns import ListColumns, Stated
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.columns import recognised
from mlgroup_mail.contacts.words.readings import ANY_WORDS, make_readers
from mlgroup_mail.contacts.words.statuses import opts_out, stays

_DESCRIBING = frozenset(
    {
        *(Field.NAME, Field.FIRST_NAME, Field.FAMILY_NAME, Field.ORGANISATION, Field.COUNTRY, Field.TIMEZONE),
        *(Field.LANGUAGE, Field.STATUS, Field.THEMES),
    }
)
_STATING = (Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE, Field.STATUS)
_READERS = make_readers(ANY_WORDS)
_LONGEST_SHOWN = 60


def list_columns(header: Sequence[str]) -> ListColumns:
    """What the columns under this header are."""
    found = recognised(header, {})
    stating = {field: found[field] for field in _STATING if field in found}
    return ListColumns(
        describing=tuple(header[position].strip() for field, position in found.items() if field in _DESCRIBING),
        stated=partial(_stated, stating),
    )


def _stated(stating: Mapping[Field, int], cells: Sequence[str]) -> Stated:
    """Who is out by one cell is out; who wants mail by another is not; and whoever says neither is in the file."""
    out = [_is_out(field, cells[position]) for field, position in stating.items()]
    status = cells[stating[Field.STATUS]] if Field.STATUS in stating else ""
    unknown = status and True not in out and _is_out(Field.STATUS, status) is None
    doubt = f"the status “{mask_text(status)[:_LONGEST_SHOWN]}” is not known: taken as an opt-out" if unknown else ""
    return Stated(wants_mail=False in out and True not in out, doubt="" if False in out else doubt)


def _is_out(field: Field, cell: str) -> bool | None:
    """What one cell says; None where it says nothing of it."""
    if field is Field.STATUS:
        return True if opts_out(cell) else False if stays(cell) else None
    if not cell and field is not Field.OPTED_OUT:
        return None
    return bool(_READERS[field](cell).value)
