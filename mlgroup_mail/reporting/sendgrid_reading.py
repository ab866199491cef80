"""Asking a SendGrid account about itself; nothing is changed there, and no message begun."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from mlgroup_mail import addresses
from mlgroup_mail.delivery.transports.sendgrid_account import account_of
from mlgroup_mail.delivery.transports.sendgrid_answers import said, said_errors
from mlgroup_mail.delivery.transports.sendgrid_client import NoAnswerError, SendGridClient
from mlgroup_mail.delivery.transports.sendgrid_meaning import MENDS
from mlgroup_mail.errors import TransportError
from mlgroup_mail.settings.environment import Settings

_PATIENCE = 10.0
"""Seconds that SendGrid may take for one step: somebody is waiting at the terminal."""
_MOST_DOMAINS = 200


class NotShownError(Exception):
    """The key may not read this."""


class WrongKeyError(NotShownError):
    """The key is none of this account, and so may read nothing."""


class NotReachedError(TransportError):
    """There is no connection to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DnsRecord:
    """A record that a domain has to have. `found`: SendGrid has seen it, when it last looked."""

    kind: str
    host: str
    data: str
    found: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.host} {self.data}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SendingDomain:
    """A domain that the account may send from once it is `valid`, which it is when all records were found."""

    name: str
    valid: bool
    records: tuple[DnsRecord, ...]

    @property
    def missing(self) -> tuple[DnsRecord, ...]:
        """The records that SendGrid has not found."""
        return tuple(record for record in self.records if not record.found)

    def covers(self, address: str) -> bool:
        """Whether it is the domain of this address, or one above it."""
        domain = addresses.domain(address).lower()
        return domain == self.name or domain.endswith(f".{self.name}")


class SendGridReader:
    """The account that the settings name, and a connection to it. Use it as a context."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError where the settings do not suffice."""
        patience = {
            name: min(getattr(settings, name), _PATIENCE) for name in ("sendgrid_timeout", "sendgrid_answer_timeout")
        }
        self.account = account_of(settings.model_copy(update=patience))
        self._client = SendGridClient(self.account)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def read(self, path: str) -> Any:
        """What stands there.

        Raises NotShownError where the key may not read it, NotReachedError, and TransportError for all else.
        """
        try:
            self._client.open()
        except TransportError as error:
            problem = error.problem
            raise NotReachedError(problem.message, where=problem.where, mend=problem.mend) from None
        try:
            answer = self._client.get(path)
        except NoAnswerError as error:
            raise TransportError(
                f"it gives no answer: {error}", where=self.account.host, mend="Try again later."
            ) from None
        if answer.status == 401:
            raise WrongKeyError
        if answer.status == 403:
            raise NotShownError
        try:
            if answer.status == 200:
                return json.loads(answer.body)
        except ValueError:
            pass
        told = said(answer.status, said_errors(answer.body), key=self.account.key)
        mend = MENDS.get(answer.status, "Check MLGROUP_SENDGRID_URL.")
        raise TransportError(f"it does not tell: {told}", where=self.account.host, mend=mend)

    def domains(self) -> list[SendingDomain]:
        """The domains of the account, each with its records: CNAMEs, or TXT and MX. Raises as `read`."""
        try:
            return [_domain(each) for each in self.read(f"/v3/whitelabel/domains?limit={_MOST_DOMAINS}")]
        except (KeyError, TypeError, AttributeError):
            raise TransportError(
                "what answers there is not SendGrid", where=self.account.host, mend="Check MLGROUP_SENDGRID_URL."
            ) from None


def missing_domains(senders: Sequence[str], found: Sequence[SendingDomain]) -> set[str]:
    """Those of these addresses that no valid domain covers."""
    return {address for address in senders if not any(each.valid and each.covers(address) for each in found)}


def _domain(each: dict[str, Any]) -> SendingDomain:
    return SendingDomain(
        name=each["domain"].lower(),
        valid=bool(each["valid"]),
        records=tuple(map(_record, each.get("dns", {}).values())),
    )


def _record(each: dict[str, Any]) -> DnsRecord:
    return DnsRecord(kind=each["type"].upper(), host=each["host"], data=each["data"], found=bool(each["valid"]))
