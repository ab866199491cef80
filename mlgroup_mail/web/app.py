"""The pages as one ASGI application."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.bounces import USUAL_RULE, SoftBounceRule
from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.delivery.signing_keys import mend, missing_keys, told
from mlgroup_mail.settings.parts import Parts
from mlgroup_mail.store import Store
from mlgroup_mail.web.pages.join import JoinPages
from mlgroup_mail.web.pages.limits import Turns
from mlgroup_mail.web.pages.look import Look
from mlgroup_mail.web.pages.opt_out import OptOutPages
from mlgroup_mail.web.pages.preferences import PreferencePages
from mlgroup_mail.web.pages.surroundings import Surroundings
from mlgroup_mail.web.pictures import picture_route
from mlgroup_mail.web.postman import Postman
from mlgroup_mail.web.webhook import webhook_route
from mlgroup_mail.web.webhook_signature import WebhookKeys

log = logging.getLogger(__name__)


def pages_of(parts: Parts) -> Starlette:
    """All pages of a project. Raises ConfigurationError where keys or templates cannot be used."""
    _tell_missing_keys(parts)
    look = Look(parts.project, parts.settings.public_url)
    turns = Turns()
    opt_out = OptOutPages(
        parts.project,
        tokens=parts.tokens,
        preferences=parts.preference_tokens,
        look=look,
        store=parts.store,
        clock=parts.clock,
        turns=turns,
    )
    preferences = PreferencePages(
        parts.project,
        tokens=parts.preference_tokens,
        opt_outs=parts.tokens,
        look=look,
        store=parts.store,
        clock=parts.clock,
        turns=turns,
    )
    join = _join_pages(parts, look, turns)
    pages = make_pages(
        parts.store,
        clock=parts.clock,
        webhook_keys=parts.settings.sendgrid_webhook_keys,
        public_url=parts.settings.public_url,
        soft=parts.soft_bounces,
        on_start=join.start if join else None,
    )
    pages.router.routes += [opt_out.route(), preferences.route(), look.logo_route(), *(join.routes() if join else ())]
    return pages


def _tell_missing_keys(parts: Parts) -> None:
    """The other links go on working, so the pages are served all the same."""
    with parts.store.reading() as connection:
        missing = missing_keys(connection, parts.key_fingerprints)
    if missing:
        log.warning("%s. %s", told(missing), mend(missing))


def _join_pages(parts: Parts, look: Look, turns: Turns) -> JoinPages | None:
    """The pages to join with, where the project has that on."""
    terms = parts.join_terms
    if terms is None:
        return None
    with parts.store.reading() as connection:
        ErasedPeople(connection, terms.erasure_key)
    mails = parts.join_mails(terms)
    mails.rehearse()
    return JoinPages(
        parts.project,
        terms,
        preferences=parts.preference_tokens,
        look=look,
        store=parts.store,
        clock=parts.clock,
        turns=turns,
        postman=Postman(mails.send_due),
    )


def make_pages(
    store: Store,
    *,
    clock: Clock,
    webhook_keys: Sequence[str] = (),
    public_url: str | None = None,
    soft: SoftBounceRule = USUAL_RULE,
    on_start: Callable[[], None] | None = None,
) -> Starlette:
    """Those that need no project but its ledger. SendGrid is heard where it has `webhook_keys`.

    `on_start` is called when the server starts, and never by a request: one that only looks sends nothing.
    Raises ConfigurationError where one of them is no key.
    """
    routes = [picture_route(store)]
    if webhook_keys:
        routes.append(webhook_route(store, WebhookKeys(webhook_keys), clock, soft=soft))
    path = urlsplit(public_url or "").path.rstrip("/")

    @asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        if on_start is not None:
            on_start()
        yield

    pages = Starlette(routes=routes, middleware=[Middleware(Surroundings, path=path)], lifespan=live)
    # A redirection would name a host and a scheme that only the proxy knows.
    pages.router.redirect_slashes = False
    return pages
