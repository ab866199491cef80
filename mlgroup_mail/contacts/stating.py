"""Reads columns such as "Status" and "Unsubscribed" in files of opt-outs, by the words of contact lists."""

from collections.abc import Mapping, Sequence
from functools import partial

from mlgroup_mail.addresses import mask_text
from mlgroup_mail.consent.list_columns import ListColumns, Stated
from mlgroup_mail.contacts.fields import Field
from mlgroup_mail.contacts.words.columns import recognised, tells_when
from mlgroup_mail.contacts.words.readings import ANY_WORDS, make_readers, says_nothing
from mlgroup_mail.contacts.words.statuses import opts_out, stays, wants_mail

_DESCRIBING = frozenset(
    {
        *(Field.NAME, Field.FIRST_NAME, Field.FAMILY_NAME, Field.ORGANISATION, Field.COUNTRY, Field.TIMEZONE),
        *(Field.LANGUAGE, Field.STATUS, Field.THEMES),
    }
)
_STATING = (Field.OPTED_OUT, Field.SUBSCRIBED, Field.ACTIVE, Field.STATUS)
_READERS = make_readers(ANY_WORDS)
_LONGEST_SHOWN = 60
_MEND = "write “unsubscribed” or “subscribed” there"


def list_columns(header: Sequence[str]) -> ListColumns:
    """What the columns under this header are."""
    found = recognised(header, {})
    stating = {field: found[field] for field in _STATING if field in found}
    # In a list of people an empty cell under "Unsubscribed" means no; under "Unsubscribed on" the date may be unknown.
    is_list = not found.keys().isdisjoint(_DESCRIBING - {Field.STATUS})
    asks = Field.OPTED_OUT in found and not tells_when(header[found[Field.OPTED_OUT]])
    return ListColumns(
        describing=tuple(header[position].strip() for field, position in found.items() if field in _DESCRIBING),
        stated=partial(_stated, stating, empty_is_no=is_list and asks),
    )


def _stated(stating: Mapping[Field, int], cells: Sequence[str], *, empty_is_no: bool) -> Stated:
    """Who is out by one cell is out; who wants mail by another is not; and whoever says neither is in the file."""
    out = [_is_out(field, cells[position], empty_is_no=empty_is_no) for field, position in stating.items()]
    if True in out:
        return Stated()
    if False in out:
        return Stated(wants_mail=True)
    status = cells[stating[Field.STATUS]] if Field.STATUS in stating else ""
    if says_nothing(status):
        return Stated()
    shown = f"the status “{mask_text(status)[:_LONGEST_SHOWN]}”"
    if stays(status):
        return Stated(unclear=f"{shown} does not say whether the person is out: {_MEND}")
    return Stated(doubt=f"{shown} is not known: taken as an opt-out")


def _is_out(field: Field, cell: str, *, empty_is_no: bool) -> bool | None:
    """What one cell says; None where it says nothing of it. Only a plain word says that mail is wanted."""
    if field is Field.STATUS:
        return True if opts_out(cell) else False if wants_mail(cell) else None
    if says_nothing(cell) and "?" not in cell:
        return False if field is Field.OPTED_OUT and empty_is_no else None
    read = _READERS[field](cell)
    # What cannot be read at all is no plain word.
    return bool(read.value) or (None if read.dropped else False)
