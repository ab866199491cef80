"""The checks of `doctor` on a SendGrid account: what the key may, who may send, what it would add, whom it stops.

Each asks the account a few times and changes nothing; no message is begun. Where another transport is set, or no key,
there is nothing to check.
"""

import functools
from collections.abc import Callable, Iterable

from mlgroup_mail import addresses
from mlgroup_mail.delivery.transports.sendgrid_meaning import MENDS
from mlgroup_mail.reporting.diagnosis import Examined, Finding, failed, passed, warned
from mlgroup_mail.reporting.sendgrid_reading import (
    NotReachedError,
    NotShownError,
    SendGridReader,
    SendingDomain,
    WrongKeyError,
    missing_domains,
)
from mlgroup_mail.settings.environment import TransportName

_MOST_LISTED = 500
"""Entries of a list that are asked for; whoever has more reads “500 or more”."""
_AUTHENTICATE = "Settings, Sender Authentication: authenticate the domain. `doctor --for-it` then prints its records."
_ENTER = "Have these entered by those who run its DNS, then press Verify at Settings, Sender Authentication:"
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

_Check = Callable[[Examined, SendGridReader], Finding]


def _asks(check: _Check) -> Callable[[Examined], Finding | None]:
    """Connect for a check, where SendGrid is the transport; what cannot be told is a finding too.

    That there is no connection is told by the check of the transport, and that the key is wrong by that of the key:
    once is enough.
    """

    @functools.wraps(check)
    def ask(examined: Examined) -> Finding | None:
        settings = examined.settings
        if settings.transport is not TransportName.SENDGRID or settings.sendgrid_api_key is None:
            return None
        try:
            with SendGridReader(settings) as reader:
                return check(examined, reader)
        except (WrongKeyError, NotReachedError):
            return None
        except NotShownError:
            return warned("not shown to this key", "Give the key read access to it, or look in SendGrid's own pages.")
        except (KeyError, TypeError, AttributeError):
            return failed("what answers there is not SendGrid", "Check MLGROUP_SENDGRID_URL.")

    return ask


@_asks
def key(examined: Examined, reader: SendGridReader) -> Finding:  # noqa: ARG001
    """The key is good, and may send; one that may do everything is more than is needed."""
    try:
        scopes = set(reader.read("/v3/scopes")["scopes"])
    except WrongKeyError:
        return failed("it is wrong, or was deleted", MENDS[401])
    if _SENDS not in scopes:
        return failed("it is good, and may not send", "Give it the right Mail Send at Settings, API Keys.")
    if reader.account.sandbox:
        return warned("it may send; in the sandbox nobody gets mail", "Unset MLGROUP_SENDGRID_SANDBOX for real mail.")
    if "api_keys.create" in scopes:
        return warned("it may send, and make other keys besides", "Make a restricted key; docs/sendgrid.md says which.")
    return passed("it may send")


@_asks
def senders(examined: Examined, reader: SendGridReader) -> Finding:
    """Each sender's domain is authenticated (DKIM, SPF), or its address at least confirmed."""
    domains = reader.domains()
    ours = sorted({sender.address.lower() for sender in examined.project.file.sender.values()})
    missing = missing_domains(ours, domains)
    if not missing:
        return passed(f"authenticated: {', '.join(sorted(each.name for each in domains if each.valid))}")
    mend = _mend(missing, domains)
    found = reader.read("/v3/verified_senders")["results"]
    unknown = missing - {each["from_email"].lower() for each in found if each["verified"]}
    if unknown:
        return failed(f"not authenticated: {_domains(unknown)}", mend)
    return warned(f"addresses at {_domains(missing)} are confirmed, their domain is not authenticated", mend)


def _mend(missing: Iterable[str], domains: Iterable[SendingDomain]) -> str:
    """The records that SendGrid waits for, where it knows the domains of these addresses already."""
    records = {
        str(record): None
        for domain in domains
        if any(domain.covers(address) for address in missing)
        for record in domain.missing
    }
    return "\n".join([_ENTER, *records]) if records else _AUTHENTICATE


@_asks
def tracking(examined: Examined, reader: SendGridReader) -> Finding:  # noqa: ARG001
    """What the account would add to mail; every request of ours switches it off."""
    settings = {name: reader.read(f"/v3/tracking_settings/{name}")["enabled"] for name in _TRACKING}
    on = [words for name, words in _TRACKING.items() if settings[name]]
    if on:
        return passed(f"{', '.join(on)}: on in the account, off in every mail of ours")
    return passed("all off, in the account and in every mail of ours")


@_asks
def suppressions(examined: Examined, reader: SendGridReader) -> Finding:  # noqa: ARG001
    """Whom SendGrid writes to no more: it accepts mail to them, and drops it."""
    counts = {words: len(reader.read(f"/v3/suppression/{name}?limit={_MOST_LISTED}")) for name, words in _LISTS.items()}
    told = [f"{_number(count)} {words}" for words, count in counts.items() if count]
    if not told:
        return passed("SendGrid's lists are empty")
    return passed(f"{', '.join(told)}: SendGrid accepts mail to these addresses and drops it")


def _domains(found: Iterable[str]) -> str:
    return ", ".join(sorted({addresses.domain(address) for address in found}))


def _number(count: int) -> str:
    return f"{count:,}" if count < _MOST_LISTED else f"{_MOST_LISTED} or more"
