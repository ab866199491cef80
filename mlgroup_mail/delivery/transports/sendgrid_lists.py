"""SendGrid's suppression lists by its interface: read a page, add addresses, take one off.

All of it may be asked again: what is there already is not added twice, and what is gone is gone.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import quote, urlencode

from mlgroup_mail.delivery.provider_entries import UnreadableListError, read_page
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.delivery.transports.sendgrid_answers import said, said_errors, wait_named
from mlgroup_mail.delivery.transports.sendgrid_client import Answer, NoAnswerError, SendGridClient
from mlgroup_mail.delivery.transports.sendgrid_meaning import MENDS
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model.provider_list import ListEntry, ProviderList

PAGE = 250
"""Entries that are asked for at once; SendGrid gives 500 at most, whose reasons may be long."""
_OVERLAP = 20
"""Entries that are read twice: whoever is taken off a list between two pages moves all behind them up."""
MOST_ADDED = 500

_TRIES = 4
_pause = time.sleep
_LONGEST_WAIT = 60.0
"""Seconds that are waited out because an answer names them; for longer ones there is the next run."""
_GLOBAL = "/v3/asm/suppressions/global"
_RIGHTS = "The key lacks the right to it: give it Suppressions at Settings, API Keys; see docs/sendgrid-lists.md."


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of a list. `unreadable` entries could not be read. `at` is when it was given, by the server's clock."""

    entries: tuple[ListEntry, ...]
    unreadable: int
    at: datetime | None


class SuppressionLists:
    """The lists of one account. Raises TransportError where it does not answer, or not so that it can be read."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._client = SendGridClient(account)

    def pages(self, on: ProviderList, *, start: datetime, end: datetime) -> Iterator[Page]:
        """All that was put on a list from `start` to `end`, both included, page by page."""
        offset = 0
        while True:
            asked = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
            query = urlencode({**asked, "limit": PAGE, "offset": offset})
            path = f"/v3/suppression/{on}?{query}"
            answer = self._ask(partial(self._client.get, path), wanted=(200,))
            try:
                found = read_page(on, answer.body)
            except UnreadableListError:
                raise TransportError(
                    "what answers there is not SendGrid", where=self._account.host, mend="Check MLGROUP_SENDGRID_URL."
                ) from None
            entries = tuple(each for each in found if each)
            yield Page(entries=entries, unreadable=len(found) - len(entries), at=_date(answer))
            if len(found) < PAGE:
                return
            offset += PAGE - _OVERLAP

    def add(self, addresses: Sequence[str]) -> None:
        """Put addresses on the list of those who get no mail at all; at most `MOST_ADDED`."""
        body = json.dumps({"recipient_emails": list(addresses)}).encode()
        self._ask(lambda: self._client.post(_GLOBAL, body, lambda: True), wanted=(200, 201))

    def remove(self, on: ProviderList, address: str) -> None:
        """Take an address off a list; it need not be there."""
        start = _GLOBAL if on is ProviderList.UNSUBSCRIBES else f"/v3/suppression/{on}"
        path = f"{start}/{quote(address, safe='')}"
        self._ask(lambda: self._client.delete(path), wanted=(200, 204, 404))

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _ask(self, request: Callable[[], Answer | None], *, wanted: tuple[int, ...]) -> Answer:
        """Ask until it answers, a few times; a pause that it names is waited out where it is short."""
        for left in reversed(range(_TRIES)):
            pause: float | None = 2.0 ** (_TRIES - 1 - left)
            try:
                answer = request()
            except NoAnswerError as broken:
                failure = TransportError(
                    f"it gives no answer: {broken}", where=self._account.host, mend="Try again later.", temporary=True
                )
            except TransportError as error:
                if not error.temporary:
                    raise
                failure = error
            else:
                assert answer is not None, "it may always begin"
                if answer.status in wanted:
                    return answer
                failure = self._failure(answer)
                if answer.status == 429:
                    pause = wait_named(answer.headers, now=time.time())
            if not left or not failure.temporary or pause is None or pause > _LONGEST_WAIT:
                break
            _pause(pause)
        raise failure

    def _failure(self, answer: Answer) -> TransportError:
        told = said(answer.status, said_errors(answer.body), key=self._account.key)
        later = answer.status in (408, 429) or answer.status >= 500
        mend = "Try again later." if later else _RIGHTS if answer.status == 403 else MENDS.get(answer.status, "")
        return TransportError(
            f"its lists cannot be read or changed: {told}",
            where=self._account.host,
            mend=mend or "Check MLGROUP_SENDGRID_URL.",
            temporary=later,
        )


def _date(answer: Answer) -> datetime | None:
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
