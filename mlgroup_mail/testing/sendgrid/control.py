"""What a test may tell a fake that runs as a process: JSON under `/fake/`, without a key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlgroup_mail.testing.sendgrid.answers import Answer, Request, answer_json, refuse
from mlgroup_mail.testing.sendgrid.batches import Mishaps
from mlgroup_mail.testing.sendgrid.events import Fate
from mlgroup_mail.testing.sendgrid.faults import from_document
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList

if TYPE_CHECKING:
    from mlgroup_mail.testing.sendgrid.fake import FakeSendGrid

PREFIX = "/fake/"
_SETTABLE = ("scopes", "domains", "senders", "checks_sender", "tracking", "groups", "webhooks")


def control(fake: "FakeSendGrid", request: Request) -> Answer:
    """Do what the test says; 400 for what cannot be done."""
    order = _ORDERS.get((request.method, request.path.removeprefix(PREFIX)))
    if order is None:
        return refuse(404, "not found")
    try:
        return answer_json(200, order(fake, json.loads(request.body or b"null")))
    except (KeyError, TypeError, ValueError) as error:
        return refuse(400, str(error))


def orders() -> list[tuple[str, str]]:
    """Methods and names of all that it can be told."""
    return list(_ORDERS)


def _state(fake: "FakeSendGrid", _: Any) -> object:
    return {
        "requests": fake.notes.count,
        "waiting_faults": fake.faults.waiting,
        "log": str(fake.truth.path),
        "public_key": fake.signer.public_key,
    }


def _requests(fake: "FakeSendGrid", _: Any) -> object:
    return [asdict(note) for note in fake.requests]


def _add_faults(fake: "FakeSendGrid", document: Any) -> object:
    fake.faults.add(*[from_document(each) for each in document])
    return {"waiting_faults": fake.faults.waiting}


def _clear_faults(fake: "FakeSendGrid", _: Any) -> object:
    fake.faults.clear()
    return {}


def _refuse_addresses(fake: "FakeSendGrid", document: Any) -> object:
    fake.refuses = {str(address).lower() for address in document}
    return {}


def _suppress(fake: "FakeSendGrid", document: Mapping[str, Any]) -> object:
    for name, addresses in document.items():
        fake.account.suppressions.add(SuppressionList(name), *addresses)
    return {}


def _set_account(fake: "FakeSendGrid", document: Mapping[str, Any]) -> object:
    for name, value in document.items():
        if name not in _SETTABLE:
            raise ValueError(f"an account has no {name}")
        setattr(fake.account, name, value)
    return {}


def _post_events(fake: "FakeSendGrid", document: Mapping[str, Any]) -> object:
    fates = {address: Fate(fate) for address, fate in document.get("fates", {}).items()}
    statuses = fake.post_events(
        document["url"],
        seed=document.get("seed", 0),
        fates=fates,
        mishaps=Mishaps(**document.get("mishaps", {})),
        tries=document.get("tries", 3),
    )
    return {"statuses": statuses}


_ORDERS: Mapping[tuple[str, str], Callable[["FakeSendGrid", Any], object]] = {
    ("GET", "state"): _state,
    ("GET", "requests"): _requests,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("PUT", "refuses"): _refuse_addresses,
    ("POST", "suppressions"): _suppress,
    ("PUT", "account"): _set_account,
    ("POST", "events"): _post_events,
}
