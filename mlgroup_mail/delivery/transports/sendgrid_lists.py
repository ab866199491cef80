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
_MENDS = {
    400: "Try one of these addresses at Suppressions, Global Unsubscribes: SendGrid says there what is wrong with it.",
    401: MENDS[401],
    403: "The key lacks the right to it: give it Suppressions at Settings, API Keys; see docs/sendgrid-lists.md.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of a list. `at` is when it was given, by the server's clock.

    `first_read` of its entries were on no page before, `unreadable` ones could not be read besides.
    """

    entries: tuple[ListEntry, ...]
    first_read: int
    unreadable: int
    at: datetime | None


class AddressesRefusedError(TransportError):
    """It has taken none of the addresses that it was given: because of one of them, or whatever they are.

    `named` are those of them that its answer names.
    """

    def __init__(self, message: str, *, where: str, mend: str, named: frozenset[str] = frozenset()) -> None:
        super().__init__(message, where=where, mend=mend)
        self.named = named


class SuppressionLists:
    """The lists of one account. Raises TransportError where it does not answer, or not so that it can be read."""

    def __init__(self, account: SendGridAccount) -> None:
        self._account = account
        self._client = SendGridClient(account)

    def pages(self, on: ProviderList, *, start: datetime, end: datetime) -> Iterator[Page]:
        """All that was put on a list from `start` to `end`, both included, page by page.

        How long a page is, is the server's affair: a list has ended where asking further brings nothing more.
        """
        asked = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp()), "limit": PAGE}
        offset, reached, before = 0, 0, b""
        while True:
            path = f"/v3/suppression/{on}?{urlencode({**asked, 'offset': offset})}"
            answer = self._ask(partial(self._client.get, path), wanted=(200,))
            try:
                found = read_page(on, answer.body)
            except UnreadableListError:
                raise self._not_sendgrid() from None
            if found and answer.body == before:
                raise TransportError(
                    f"it gives the same page of its list “{on}” again and again, instead of the next",
                    where=self._account.host,
                    mend="What is it that answers there? Check MLGROUP_SENDGRID_URL.",
                )
            news = found[reached - offset :]
            unreadable = news.count(None)
            yield Page(
                entries=tuple(each for each in found if each),
                first_read=len(news) - unreadable,
                unreadable=unreadable,
                at=_date(answer),
            )
            if offset + len(found) <= reached:
                return
            reached, before = offset + len(found), answer.body
            offset = reached - min(_OVERLAP, len(found) // 2)

    def add(self, addresses: Sequence[str]) -> None:
        """Put addresses on the list of those who get no mail at all; at most `MOST_ADDED`.

        Raises AddressesRefusedError where it takes none of them, and asking again does not help.
        """
        body = json.dumps({"recipient_emails": list(addresses)}).encode()
        answer = self._ask(lambda: self._client.post(_GLOBAL, body, lambda: True), wanted=(200, 201, 400))
        if answer.status == 400:
            problem = self._failure(answer).problem
            told = " ".join(each.message.lower() for each in said_errors(answer.body))
            named = frozenset(each for each in addresses if each.lower() in told)
            raise AddressesRefusedError(problem.message, where=problem.where, mend=problem.mend, named=named)

    def remove(self, on: ProviderList, spellings: Sequence[str]) -> bool:
        """Take an address off a list, however it is written there; False where it stands there still.

        It need not be there.
        """
        answers = {
            self._ask(partial(self._client.delete, _entry(on, each)), wanted=(200, 204, 400, 404)).status
            for each in spellings
        }
        if answers & {200, 204}:
            return True
        # “Not found” may be said of what is found under another spelling only.
        return 400 not in answers and not any(self._has(on, each) for each in spellings)

    def _has(self, on: ProviderList, address: str) -> bool:
        answer = self._ask(partial(self._client.get, _entry(on, address)), wanted=(200, 404))
        try:
            # An empty list, or an empty object, for who is not there.
            return answer.status == 200 and bool(json.loads(answer.body))
        except ValueError:
            raise self._not_sendgrid() from None

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
        mend = "Try again later." if later else _MENDS.get(answer.status, "")
        return TransportError(
            f"its lists cannot be read or changed: {told}",
            where=self._account.host,
            mend=mend or "Check MLGROUP_SENDGRID_URL.",
            temporary=later,
        )

    def _not_sendgrid(self) -> TransportError:
        return TransportError(
            "what answers there is not SendGrid", where=self._account.host, mend="Check MLGROUP_SENDGRID_URL."
        )


def _entry(on: ProviderList, address: str) -> str:
    """The path of one entry."""
    start = _GLOBAL if on is ProviderList.UNSUBSCRIBES else f"/v3/suppression/{on}"
    return f"{start}/{quote(address, safe='')}"


def _date(answer: Answer) -> datetime | None:
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
