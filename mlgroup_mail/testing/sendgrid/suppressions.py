"""The account's suppression lists, as the service keeps and pages them. The keys are those of its OpenAPI file."""

import json
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from mlgroup_mail.testing.sendgrid.answers import Answer, Request, answer_json, refuse

LARGEST_PAGE = 500
_LISTS = "/v3/suppression/"
_GLOBAL = "/v3/asm/suppressions/global"


class SuppressionList(StrEnum):
    """One list, by its name in the path."""

    BOUNCES = "bounces"
    """No such mailbox: nothing goes there any more."""
    BLOCKS = "blocks"
    """A message was refused; the next one goes out all the same."""
    INVALID = "invalid_emails"
    """The address cannot exist."""
    SPAM = "spam_reports"
    """A message was reported as spam."""
    UNSUBSCRIBES = "unsubscribes"
    """Wants no mail of this account: the global list."""

    @property
    def drop_reason(self) -> str:
        """The reason of the event that tells of a drop because of this list."""
        return _DROP_REASONS[self]


_DROP_REASONS: Mapping[SuppressionList, str] = {
    SuppressionList.BOUNCES: "Bounced Address",
    SuppressionList.BLOCKS: "",
    SuppressionList.INVALID: "Invalid",
    SuppressionList.SPAM: "Spam Reporting Address",
    SuppressionList.UNSUBSCRIBES: "Unsubscribed Address",
}
_DETAILS: Mapping[SuppressionList, Mapping[str, str]] = {
    SuppressionList.BOUNCES: {"reason": "550 5.1.1 The email account does not exist", "status": "5.1.1"},
    SuppressionList.BLOCKS: {"reason": "554 5.7.1 Service unavailable", "status": "5.7.1"},
    SuppressionList.INVALID: {"reason": "Mail domain mentioned in email address is unknown"},
    SuppressionList.SPAM: {"ip": "192.0.2.1"},
    SuppressionList.UNSUBSCRIBES: {},
}
_BY_EVENT: Mapping[tuple[str, str], SuppressionList] = {
    ("bounce", "bounce"): SuppressionList.BOUNCES,
    ("bounce", "blocked"): SuppressionList.BLOCKS,
    ("spamreport", ""): SuppressionList.SPAM,
    ("unsubscribe", ""): SuppressionList.UNSUBSCRIBES,
}


class Suppressions:
    """All lists."""

    def __init__(self) -> None:
        self.refuses: set[str] = set()
        """Addresses, in lower case, for each of which a whole request to put some on a list gets 400."""
        self.exact = False
        """Whether a single entry is found only by the spelling it was put there with."""
        self.largest_page = LARGEST_PAGE
        """Entries of a page at most, whatever is asked for."""
        self._lists: dict[SuppressionList, dict[str, dict[str, Any]]] = {name: {} for name in SuppressionList}

    def add(self, name: SuppressionList, *addresses: str, created: float | None = None, **details: object) -> None:
        """Put addresses on a list, `created` at a time in seconds since 1970: now, unless told."""
        at = int(time.time() if created is None else created)
        for address in addresses:
            entry = {"created": at, "email": address, **_DETAILS[name], **details}
            self._lists[name].setdefault(address.lower(), entry)

    def addresses(self, name: SuppressionList) -> list[str]:
        """Who stands on a list, as written, the oldest first."""
        return [entry["email"] for entry in self._sorted(name)]

    def stopped_by(self, address: str) -> SuppressionList | None:
        """The list for which the service would drop mail to this address; None for none. Blocks do not count."""
        found = (name for name, entries in self._lists.items() if address.lower() in entries)
        return next((name for name in found if name is not SuppressionList.BLOCKS), None)

    def learn(self, event: Mapping[str, Any]) -> None:
        """Do what the service does by itself at a bounce, a block, a complaint, an unsubscription."""
        name = _BY_EVENT.get((event["event"], event.get("type", "")))
        if name:
            self.add(name, event["email"], created=event["timestamp"])

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request about the lists; None where it is about something else."""
        path = request.target.partition("?")[0]
        if path == _GLOBAL or path.startswith(f"{_GLOBAL}/"):
            return self._global(request, unquote(path[len(_GLOBAL) + 1 :]))
        if not path.startswith(_LISTS):
            return None
        name, _, quoted = path.removeprefix(_LISTS).partition("/")
        if name not in list(SuppressionList):
            return refuse(404, "not found")
        chosen = SuppressionList(name)
        if quoted:
            return self._one(request, chosen, unquote(quoted))
        if request.method == "GET":
            return self._page(request, chosen)
        if request.method == "DELETE" and chosen is not SuppressionList.UNSUBSCRIBES:
            return self._delete(request, chosen)
        return refuse(405, "method not allowed")

    def _page(self, request: Request, name: SuppressionList) -> Answer:
        try:
            asked = {key: int(request.query.get(key, usual)) for key, usual in _PAGING.items()}
        except ValueError:
            return refuse(400, "invalid query parameter")
        if not 0 < asked["limit"] <= LARGEST_PAGE or asked["offset"] < 0:
            return refuse(400, f"limit must be between 1 and {LARGEST_PAGE}", "limit")
        within = [entry for entry in self._sorted(name) if asked["start_time"] <= entry["created"] <= asked["end_time"]]
        most = min(asked["limit"], self.largest_page)
        return answer_json(200, within[asked["offset"] : asked["offset"] + most])

    def _one(self, request: Request, name: SuppressionList, address: str) -> Answer:
        entry = self._entry(name, address)
        match request.method:
            case "GET":
                return answer_json(200, [entry] if entry else [])
            case "DELETE" if entry:
                del self._lists[name][address.lower()]
                return Answer(status=204)
            case "DELETE":
                return refuse(404, "not found")
        return refuse(405, "method not allowed")

    def _entry(self, name: SuppressionList, address: str) -> dict[str, Any] | None:
        entry = self._lists[name].get(address.lower())
        return entry if entry and (not self.exact or entry["email"] == address) else None

    def _delete(self, request: Request, name: SuppressionList) -> Answer:
        asked = _document(request)
        emails, everything = asked.get("emails"), asked.get("delete_all")
        if bool(emails) == bool(everything):
            return refuse(400, "either delete_all or emails is required, not both")
        for address in list(self._lists[name]) if everything else emails or ():
            self._lists[name].pop(str(address).lower(), None)
        return Answer(status=204)

    def _global(self, request: Request, address: str) -> Answer:
        entry = self._entry(SuppressionList.UNSUBSCRIBES, address)
        match request.method, bool(address):
            case "POST", False:
                emails = _document(request).get("recipient_emails")
                if not isinstance(emails, list) or not all(isinstance(each, str) for each in emails):
                    return refuse(400, "recipient_emails is required", "recipient_emails")
                if self.refuses & {each.lower() for each in emails}:
                    return refuse(400, "email address is invalid", "recipient_emails")
                self.add(SuppressionList.UNSUBSCRIBES, *emails)
                return answer_json(201, {"recipient_emails": emails})
            case "GET", True:
                return answer_json(200, {"recipient_email": entry["email"]} if entry else {})
            case "DELETE", True:
                if entry:
                    del self._lists[SuppressionList.UNSUBSCRIBES][address.lower()]
                return Answer(status=204)
        return refuse(405, "method not allowed")

    def _sorted(self, name: SuppressionList) -> list[dict[str, Any]]:
        return sorted(self._lists[name].values(), key=lambda entry: (entry["created"], entry["email"]))


_PAGING = {"start_time": 0, "end_time": 1 << 40, "limit": LARGEST_PAGE, "offset": 0}


def _document(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
