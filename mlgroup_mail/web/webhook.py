"""POST /webhooks/sendgrid: what became of the mails that SendGrid took, as its signed Event Webhook tells it.

An answer of 2xx means that all of it is durable here; anything else is repeated by SendGrid for a day.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.bounces import USUAL_RULE, SoftBounceRule
from mlgroup_mail.delivery.provider_events import UnreadableEventsError, in_our_words, read_events
from mlgroup_mail.delivery.receiving import receive
from mlgroup_mail.store import Store
from mlgroup_mail.web.bodies import read_body
from mlgroup_mail.web.webhook_signature import SIGNATURE, TIMESTAMP, WebhookKeys

log = logging.getLogger(__name__)

PATH = "/webhooks/sendgrid"

LARGEST_BODY = 5_000_000
"""Bytes. SendGrid collects events for a second or so; some thousands are 2 MB."""
_PATIENCE = 30.0
"""Seconds that a body may take to come."""


def webhook_route(store: Store, keys: WebhookKeys, clock: Clock, *, soft: SoftBounceRule = USUAL_RULE) -> Route:
    """The route. What is not signed gets the same answer whatever is wrong with it, and touches nothing."""
    # A ledger has one writer at a time: who waits does so here, and holds none of the threads that pages need.
    one_by_one = anyio.CapacityLimiter(1)

    async def take(request: Request) -> Response:
        body = await read_body(request, largest=LARGEST_BODY, patience=_PATIENCE)
        if isinstance(body, Response):
            return body
        headers = request.headers
        signed = keys.sign(body, signature=headers.get(SIGNATURE, ""), timestamp=headers.get(TIMESTAMP, ""))
        if not signed:
            return PlainTextResponse("This is not signed by a key that is known here.\n", status_code=401)
        return await to_thread.run_sync(_taken_in(store, clock, soft, body), limiter=one_by_one)

    return Route(PATH, take, methods=["POST"])


def _taken_in(store: Store, clock: Clock, soft: SoftBounceRule, body: bytes) -> Callable[[], Response]:
    def work() -> Response:
        try:
            events = read_events(body)
        except UnreadableEventsError as error:
            log.warning("a signed request of SendGrid's is %s", error)
            return PlainTextResponse("This is not a list of events.\n", status_code=400)
        known = [said for event in events if (said := in_our_words(event))]
        received = receive(store, known, now=clock.now(), soft=soft)
        numbers = {"events": len(events), "passed_over": len(events) - len(known), **asdict(received)}
        log.info("events of SendGrid's: %s", numbers)
        return JSONResponse(numbers)

    return work
