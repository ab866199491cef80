"""What stands on SendGrid's suppression lists, in our words: a literal table, a few readings, nothing else.

Source: the service's OpenAPI file of its suppressions. Times are in seconds since 1970, and so in no time zone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mlgroup_mail import addresses
from mlgroup_mail.delivery.bounce_meaning import by_status
from mlgroup_mail.delivery.provider_events import without_address
from mlgroup_mail.errors import UsageError
from mlgroup_mail.model import Bounce, SignalKind
from mlgroup_mail.model.provider_list import ListEntry, ProviderList

_UNTIL_2200 = 7_258_118_400
_READ_AT_MOST = 1000


class _Listed(BaseModel):
    """One entry as it comes; keys that are not named here are nobody's business."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    email: str
    created: Annotated[int, Field(ge=0, lt=_UNTIL_2200)]
    reason: str | None = None
    status: str | None = None


_PAGE = TypeAdapter(list[object])

_ASKS: Mapping[ProviderList, SignalKind] = {
    ProviderList.INVALID: SignalKind.BOUNCE,
    ProviderList.SPAM: SignalKind.COMPLAINT,
    ProviderList.UNSUBSCRIBES: SignalKind.OPT_OUT,
}
_SAYS: Mapping[ProviderList, str] = {
    ProviderList.SPAM: "marked as spam",
    ProviderList.UNSUBSCRIBES: "unsubscribed from all mail at SendGrid",
}


class UnreadableListError(UsageError):
    """What came is no part of a list."""


def read_page(on: ProviderList, body: bytes) -> list[ListEntry | None]:
    """The entries of an answer, None for each that cannot be read or is no address.

    Raises UnreadableListError where the answer is no list; nothing of it is shown.
    """
    try:
        found = _PAGE.validate_json(body)
    except ValidationError:
        raise UnreadableListError("what came is no part of a list") from None
    return [_entry(on, each) for each in found]


def _entry(on: ProviderList, found: object) -> ListEntry | None:
    try:
        listed = _Listed.model_validate(found)
        address = addresses.normalise(listed.email)
    except (ValidationError, addresses.AddressError):
        # On the list of invalid addresses most are none; nobody here can have such a one.
        return None
    bounce = _bounce(on, listed)
    return ListEntry(
        on=on,
        address=address,
        listed=listed.email,
        at=datetime.fromtimestamp(listed.created, UTC),
        asks=SignalKind.BOUNCE if bounce is Bounce.HARD else _ASKS.get(on),
        bounce=bounce,
        detail=_SAYS.get(on) or without_address(listed.reason or "", listed.email),
    )


def _bounce(on: ProviderList, listed: _Listed) -> Bounce | None:
    """Blocks are soft, whatever their code; of a bounce the code decides, and else SendGrid's word for it."""
    if on is ProviderList.BLOCKS:
        return Bounce.SOFT
    if on is ProviderList.INVALID:
        return Bounce.HARD
    if on is not ProviderList.BOUNCES:
        return None
    return by_status(listed.status or "") or by_status((listed.reason or "")[:_READ_AT_MOST]) or Bounce.HARD
