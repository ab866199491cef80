"""The pages as one ASGI application."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from mlgroup_mail.clock import Clock
from mlgroup_mail.consent.bounces import USUAL_RULE, SoftBounceRule
from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.settings.parts import Parts
from mlgroup_mail.store import Store
from mlgroup_mail.web.pages.join import JoinPages
from mlgroup_mail.web.pages.look import Look
from mlgroup_mail.web.pages.opt_out import OptOutPages
from mlgroup_mail.web.pages.preferences import PreferencePages
from mlgroup_mail.web.pages.surroundings import Surroundings
from mlgroup_mail.web.pictures import picture_route
from mlgroup_mail.web.postman import Postman
from mlgroup_mail.web.webhook import webhook_route
from mlgroup_mail.web.webhook_signature import WebhookKeys


def pages_of(parts: Parts) -> Starlette:
    """All pages of a project. Raises ConfigurationError where keys or templates cannot be used."""
    look = Look(parts.project, parts.settings.public_url)
    opt_out = OptOutPages(
        parts.project,
        tokens=parts.tokens,
        preferences=parts.preference_tokens,
        look=look,
        store=parts.store,
        clock=parts.clock,
    )
    preferences = PreferencePages(
        parts.project,
        tokens=parts.preference_tokens,
        opt_outs=parts.tokens,
        look=look,
        store=parts.store,
        clock=parts.clock,
    )
    keys = parts.settings.sendgrid_webhook_keys
    pages = make_pages(
        parts.store,
        clock=parts.clock,
        webhook_keys=keys,
        public_url=parts.settings.public_url,
        soft=parts.soft_bounces,
    )
    pages.router.routes += [opt_out.route(), preferences.route(), look.logo_route(), *_join_routes(parts, look)]
    return pages


def _join_routes(parts: Parts, look: Look) -> list[Route]:
    """The pages to join with, where the project has that on; what was due when the last process ended is sent."""
    terms = parts.join_terms
    if terms is None:
        return []
    with parts.store.reading() as connection:
        ErasedPeople(connection, terms.erasure_key)
    mails = parts.join_mails(terms)
    mails.rehearse()
    postman = Postman(mails.send_due)
    postman.wake()
    pages = JoinPages(
        parts.project,
        terms,
        preferences=parts.preference_tokens,
        look=look,
        store=parts.store,
        clock=parts.clock,
        postman=postman,
    )
    return pages.routes()


def make_pages(
    store: Store,
    *,
    clock: Clock,
    webhook_keys: Sequence[str] = (),
    public_url: str | None = None,
    soft: SoftBounceRule = USUAL_RULE,
) -> Starlette:
    """Those that need no project but its ledger. SendGrid is heard where it has `webhook_keys`.

    Raises ConfigurationError where one of them is no key.
    """
    routes = [picture_route(store)]
    if webhook_keys:
        routes.append(webhook_route(store, WebhookKeys(webhook_keys), clock, soft=soft))
    path = urlsplit(public_url or "").path.rstrip("/")
    pages = Starlette(routes=routes, middleware=[Middleware(Surroundings, path=path)])
    # A redirection would name a host and a scheme that only the proxy knows.
    pages.router.redirect_slashes = False
    return pages
