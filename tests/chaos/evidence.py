"""Evidence of what has arrived, as a provider tells it."""

import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.delivery.reconciling import Evidence, Reconciled, reconcile
from mlgroup_mail.model import EventKind, Road
from mlgroup_mail.store import Store
from mlgroup_mail.testing.sendgrid.events import Fate
from tests.chaos.field import Field
from tests.chaos.points import Wire
from tests.chaos.processes import Victim
from tests.chaos.projects import SECRET_KEY
from tests.chaos.truth import Arrival

_KEY = re.compile(r"<([^@]+)@")
_SERVES = re.compile(r"http://\S+:[0-9]+")
_UNDERSTOOD = (Reconciled.SETTLED, Reconciled.NOTED)
_FATES = (Fate.DELIVERED, Fate.DEFERRED, Fate.OPENED, Fate.STUCK, Fate.STRANGE)
"""What becomes of messages that were accepted, and brings nobody onto a list."""
_PATIENCE = 30.0


def feed_evidence(field: Field) -> Iterator[str]:
    """Tell the ledger of each message that has arrived; what goes wrong with that."""
    return _one_by_one(field) if field.wire is Wire.SMTP else _by_webhook(field)


def token_of(arrival: Arrival) -> str:
    """The opt-out token of a message's link."""
    return unquote(arrival.unsubscribe).rpartition(" ")[2]


def _one_by_one(field: Field) -> Iterator[str]:
    """Each by another of the keys that such news may carry."""
    now = datetime.now(UTC)
    tokens = OptOutTokens([SECRET_KEY], topics=["newsletter"])
    store = Store(field.url, state=field.project / "var")
    try:
        for number, arrival in enumerate(field.truth.arrivals()):
            found = _KEY.match(arrival.message_id)
            key = (
                {"message_id": arrival.message_id},
                {"key": found[1] if found else ""},
                {"token": token_of(arrival)},
            )[number % 3]
            evidence = Evidence(kind=EventKind.DELIVERED, source=Road.PROVIDER, at=now, **key)
            if (result := reconcile(store, evidence, tokens=tokens, now=now)) not in _UNDERSTOOD:
                yield f"evidence by {next(iter(key))} is {result}: {arrival.message_id}"
    finally:
        store.close()


def _by_webhook(field: Field) -> Iterator[str]:
    """Signed events, posted to `mlgroup-mail web` over HTTP: all that the provider tells of whom it has accepted."""
    provider = field.provider
    serving = field.start("-v", "web", "--port", "0", MLGROUP_SENDGRID_WEBHOOK_KEYS=provider.public_key)
    try:
        people = sorted({each.recipient for each in provider.arrivals()})
        fates = {address: _FATES[number % len(_FATES)] for number, address in enumerate(people)}
        statuses = provider.tell(f"{_url(serving)}/webhooks/sendgrid", seed=len(people), fates=fates)
        if people and (not statuses or set(statuses) != {200}):
            yield f"the webhook has answered {statuses}"
    finally:
        serving.signal(signal.SIGTERM)
        ended = serving.wait()
    if ended.code != -signal.SIGTERM:
        yield f"the pages have ended with {ended.code}: {ended.err[-600:]}"


def _url(serving: Victim) -> str:
    """Where the pages are, once they say so."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        printed = _SERVES.search((serving.folder / "out").read_text(encoding="utf-8"))
        if printed:
            return printed[0]
        assert not serving.over, serving.wait().err
        time.sleep(0.01)
    raise AssertionError("the pages were not served")
