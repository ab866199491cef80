"""The checks of `doctor` on what `web` serves besides the opt-out page: what `web` would refuse fails here first."""

from collections.abc import Sequence

from mlgroup_mail.clock import SystemClock
from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.errors import ConfigurationError
from mlgroup_mail.reporting.diagnosis import Examined, Finding, passed, warned
from mlgroup_mail.reporting.doctor import Ask
from mlgroup_mail.settings.parts import Parts
from mlgroup_mail.store.upgrade import require_current
from mlgroup_mail.web.pages.join import FORM_PATH
from mlgroup_mail.web.webhook import PATH
from mlgroup_mail.web.webhook_signature import WebhookKeys


def joining(examined: Examined) -> Finding | None:
    """Whoever fills in the form can be written to: there is an address for the link, and both mails can be made."""
    parts = Parts(project=examined.project, settings=examined.settings, store=examined.store, clock=SystemClock())
    terms = parts.join_terms
    if terms is None:
        return None
    parts.join_mails(terms).rehearse()
    if _answers(examined):
        with examined.store.reading() as connection:
            ErasedPeople(connection, terms.erasure_key)
    return passed(f"people join at {_at(examined, FORM_PATH)}, for {', '.join(terms.joined)}")


def webhook(examined: Examined) -> Finding | None:
    """The keys of SendGrid's Event Webhook can be used, and there is an address for it."""
    keys = examined.settings.sendgrid_webhook_keys
    if not keys:
        return None
    WebhookKeys(keys)
    number = "one key" if len(keys) == 1 else f"{len(keys)} keys"
    if examined.settings.public_url is None:
        return warned(
            f"{number}, and MLGROUP_PUBLIC_URL is not set: where SendGrid reaches the pages is not known here",
            "Set it to the address of the pages.",
        )
    return passed(f"{number}; SendGrid's events are taken at {_at(examined, PATH)}")


CHECKS: Sequence[tuple[str, Ask]] = (("joining", joining), ("webhook", webhook))


def _at(examined: Examined, path: str) -> str:
    return f"{(examined.settings.public_url or '').rstrip('/')}{path}"


def _answers(examined: Examined) -> bool:
    """Whether the ledger can be asked; where it cannot, another check says so."""
    if examined.database_is_new:
        return False
    try:
        require_current(examined.store)
    except ConfigurationError:
        return False
    return True
