"""The checks of `doctor` on a SendGrid account: what the key may, who may send, what it would add, whom it stops.

Each asks the account a few times and changes nothing; no message is begun. Where another transport is set, or no key,
there is nothing to check.
"""

import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mlgroup_mail import addresses
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount, account_of
from mlgroup_mail.delivery.transports.sendgrid_answers import said, said_errors
from mlgroup_mail.delivery.transports.sendgrid_client import NoAnswerError, SendGridClient
from mlgroup_mail.delivery.transports.sendgrid_meaning import MENDS
from mlgroup_mail.errors import TransportError
from mlgroup_mail.reporting.diagnosis import Examined, Finding, failed, passed, warned
from mlgroup_mail.settings.environment import TransportName

_PATIENCE = 10.0
"""Seconds that SendGrid may take for one step: somebody is waiting at the terminal."""
_MOST_LISTED = 500
"""Entries of a list that are asked for; whoever has more reads “500 or more”."""
_AUTHENTICATE = "Settings, Sender Authentication: authenticate the domain, and put its records into DNS."
_SENDS = "mail.send"

_TRACKING = {
    "click": "click tracking",
    "open": "open tracking",
    "subscription": "subscription tracking",
    "google_analytics": "Google Analytics",
}
_LISTS = {
    "bounces": "bounced",
    "blocks": "blocked",
    "invalid_emails": "invalid",
    "spam_reports": "complained",
    "unsubscribes": "unsubscribed from everything",
}


class _NotShownError(Exception):
    """The key may not read this, or is no key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Account:
    """The account, and a connection to it."""

    examined: Examined
    account: SendGridAccount
    client: SendGridClient

    def read(self, path: str) -> Any:
        """What stands there; raises _NotShownError where the key may not read it, TransportError for all else."""
        try:
            answer = self.client.get(path)
        except NoAnswerError as error:
            raise TransportError(
                f"it gives no answer: {error}", where=self.account.host, mend="Try again later."
            ) from None
        if answer.status in (401, 403):
            raise _NotShownError(answer.status)
        try:
            if answer.status == 200:
                return json.loads(answer.body)
        except ValueError:
            pass
        told = said(answer.status, said_errors(answer.body), key=self.account.key)
        mend = MENDS.get(answer.status, "Check MLGROUP_SENDGRID_URL.")
        raise TransportError(f"it does not tell: {told}", where=self.account.host, mend=mend)


_Check = Callable[[_Account], Finding]


def _asks(check: _Check) -> Callable[[Examined], Finding | None]:
    """Connect for a check, where SendGrid is the transport; what cannot be told is a finding too."""

    @functools.wraps(check)
    def ask(examined: Examined) -> Finding | None:
        settings = examined.settings
        if settings.transport is not TransportName.SENDGRID or settings.sendgrid_api_key is None:
            return None
        patience = {
            name: min(getattr(settings, name), _PATIENCE) for name in ("sendgrid_timeout", "sendgrid_answer_timeout")
        }
        account = account_of(settings.model_copy(update=patience))
        client = SendGridClient(account)
        try:
            return check(_Account(examined=examined, account=account, client=client))
        except _NotShownError:
            return warned("not shown to this key", "Give the key read access to it, or look in SendGrid's own pages.")
        except (KeyError, TypeError, AttributeError):
            return failed("what answers there is not SendGrid", "Check MLGROUP_SENDGRID_URL.")
        finally:
            client.close()

    return ask


@_asks
def key(account: _Account) -> Finding:
    """The key is good, and may send; one that may do everything is more than is needed."""
    try:
        scopes = set(account.read("/v3/scopes")["scopes"])
    except _NotShownError as refused:
        if refused.args == (401,):
            return failed("it is wrong, or was deleted", MENDS[401])
        raise
    if _SENDS not in scopes:
        return failed("it is good, and may not send", "Give it the right Mail Send at Settings, API Keys.")
    if account.account.sandbox:
        return warned("it may send; in the sandbox nobody gets mail", "Unset MLGROUP_SENDGRID_SANDBOX for real mail.")
    if "api_keys.create" in scopes:
        return warned("it may send, and make other keys besides", "Make a restricted key; docs/sendgrid.md says which.")
    return passed("it may send")


@_asks
def senders(account: _Account) -> Finding:
    """Each sender's domain is authenticated (DKIM, SPF), or its address at least confirmed."""
    domains = {each["domain"].lower() for each in account.read("/v3/whitelabel/domains") if each["valid"]}
    ours = {sender.address.lower() for sender in account.examined.project.file.sender.values()}
    missing = {address for address in ours if not _covered(address, domains)}
    if not missing:
        return passed(f"authenticated: {', '.join(sorted(domains))}")
    found = account.read("/v3/verified_senders")["results"]
    unknown = missing - {each["from_email"].lower() for each in found if each["verified"]}
    if unknown:
        return failed(f"not authenticated: {_domains(unknown)}", _AUTHENTICATE)
    return warned(f"addresses at {_domains(missing)} are confirmed, their domain is not authenticated", _AUTHENTICATE)


@_asks
def tracking(account: _Account) -> Finding:
    """What the account would add to mail; every request of ours switches it off."""
    settings = {name: account.read(f"/v3/tracking_settings/{name}")["enabled"] for name in _TRACKING}
    on = [words for name, words in _TRACKING.items() if settings[name]]
    if on:
        return passed(f"{', '.join(on)}: on in the account, off in every mail of ours")
    return passed("all off, in the account and in every mail of ours")


@_asks
def suppressions(account: _Account) -> Finding:
    """Whom SendGrid writes to no more: it accepts mail to them, and drops it."""
    counts = {
        words: len(account.read(f"/v3/suppression/{name}?limit={_MOST_LISTED}")) for name, words in _LISTS.items()
    }
    told = [f"{_number(count)} {words}" for words, count in counts.items() if count]
    if not told:
        return passed("SendGrid's lists are empty")
    return passed(f"{', '.join(told)}: SendGrid accepts mail to these addresses and drops it")


def _covered(address: str, domains: Iterable[str]) -> bool:
    domain = addresses.domain(address)
    return any(domain == name or domain.endswith(f".{name}") for name in domains)


def _domains(found: Iterable[str]) -> str:
    return ", ".join(sorted({addresses.domain(address) for address in found}))


def _number(count: int) -> str:
    return f"{count:,}" if count < _MOST_LISTED else f"{_MOST_LISTED} or more"
