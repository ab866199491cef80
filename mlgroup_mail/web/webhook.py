"""POST /webhooks/sendgrid: what became of the mails that SendGrid took, as its signed Event Webhook tells it.

An answer of 2xx means that all of it is durable here; anything else is repeated by SendGrid for a day.
"""

import logging
from dataclasses import asdict
from functools import partial

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
from mlgroup_mail.web.bodies import Room, read_body
from mlgroup_mail.web.webhook_signature import SIGNATURE, TIMESTAMP, WebhookKeys

log = logging.getLogger(__name__)

PATH = "/webhooks/sendgrid"

LARGEST_BODY = 5_000_000
"""Bytes. SendGrid collects events for a second or so; some thousands are 2 MB."""
MOST_AT_ONCE = 40_000_000
"""Bytes of all bodies that are being read, looked at or written."""
_PATIENCE = 30.0
"""Seconds that a body may take to come."""


def webhook_route(store: Store, keys: WebhookKeys, clock: Clock, *, soft: SoftBounceRule = USUAL_RULE) -> Route:
    """The route. What is not signed gets the same answer whatever is wrong with it, and touches nothing."""
    room = Room(MOST_AT_ONCE)
    checking = anyio.CapacityLimiter(1)
    # A ledger has one writer at a time: who waits does so here, and holds none of the threads that pages need.
    one_by_one = anyio.CapacityLimiter(1)

    async def take(request: Request) -> Response:
        signature, timestamp = (request.headers.get(name, "") for name in (SIGNATURE, TIMESTAMP))
        if not signature or not timestamp:
            # What cannot be SendGrid's is not even read.
            return _not_signed()
        with room.share() as take_room:
            body = await read_body(request, largest=LARGEST_BODY, patience=_PATIENCE, take=take_room)
            if isinstance(body, Response):
                return body
            signed = partial(keys.signed, body, signature=signature, timestamp=timestamp)
            if not await to_thread.run_sync(signed, limiter=checking):
                return _not_signed()
            return await to_thread.run_sync(_taken_in, store, clock, soft, body, limiter=one_by_one)

    return Route(PATH, take, methods=["POST"])


def _not_signed() -> Response:
    return PlainTextResponse("This is not signed by a key that is known here.\n", status_code=401)


def _taken_in(store: Store, clock: Clock, soft: SoftBounceRule, body: bytes) -> Response:
    try:
        events = read_events(body)
    except UnreadableEventsError as error:
        log.warning("a signed request of SendGrid's is %s", error)
        return PlainTextResponse("This is not a list of events.\n", status_code=400)
    readable = [event for event in events if event]
    known = [said for event in readable if (said := in_our_words(event))]
    received = receive(store, known, now=clock.now(), soft=soft)
    unreadable = len(events) - len(readable)
    if unreadable:
        log.warning("%d events of SendGrid's cannot be read: none of them is taken", unreadable)
    numbers = {
        "events": len(events),
        "unreadable": unreadable,
        "passed_over": len(readable) - len(known),
        **asdict(received),
    }
    log.info("events of SendGrid's: %s", numbers)
    return JSONResponse(numbers)
