"""What the service wants of personalizations, beyond its schema.

Source: its pages "Limitations" and "Errors" of mail/send, whose sentences these are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from mlgroup_mail.testing.sendgrid.answers import Flaw
from mlgroup_mail.testing.sendgrid.mail_send import recipients

MOST_RECIPIENTS = 1_000
MOST_SUBSTITUTIONS = 100
"""The stricter of two figures that its pages have had (the other is 10,000)."""
SUBSTITUTION_BYTES = 10_000
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})+")
_TO = "personalizations.to"


def recipient_flaws(document: Mapping[str, Any], refused: Set[str]) -> Iterator[Flaw]:
    """What is wrong with personalizations that fit the schema. `refused`: addresses that count as invalid."""
    personalizations = document["personalizations"]
    if not personalizations:
        yield Flaw(
            message="The personalizations field is required and must have at least one personalization.",
            field="personalizations",
            topic="personalizations",
        )
    everybody = list(recipients(document))
    if len(everybody) > MOST_RECIPIENTS:
        yield Flaw(
            message=f"There is a limit of {MOST_RECIPIENTS} total recipients (to + cc + bcc) per request.",
            field="personalizations",
            topic="personalizations",
        )
    yield from _doubles(everybody)
    for index, personalization in enumerate(personalizations):
        yield from _people_flaws(f"personalizations.{index}", personalization, refused)
        yield from _substitution_flaws(f"personalizations.{index}.substitutions", personalization)


def is_address(text: str) -> bool:
    """Whether the service takes this as an address: ASCII, no quoted parts, a domain with a dot, 320 characters."""
    return len(text) <= 320 and len(text.partition("@")[0]) <= 64 and _ADDRESS.fullmatch(text) is not None


def _doubles(everybody: Iterable[tuple[int, Mapping[str, Any], str]]) -> Iterator[Flaw]:
    """The first address that comes twice: the service has other words for it within one personalization."""
    seen: dict[str, int] = {}
    for index, _, address in everybody:
        before = seen.setdefault(address.lower(), -1)
        if before == index:
            yield Flaw(
                message="Each email address in the personalization block should be unique between to, cc, and bcc. "
                f"We found the first duplicate instance of [{address}] in the personalizations.{index} field.",
                field=f"personalizations.{index}",
                topic="recipient-errors",
            )
            return
        if before >= 0:
            yield Flaw(
                message="Each unique email address in the personalizations array should only be included once. "
                f"You have included [{address}] more than once.",
                field="personalizations",
                topic="personalizations",
            )
            return
        seen[address.lower()] = index


def _people_flaws(place: str, personalization: Mapping[str, Any], refused: Set[str]) -> Iterator[Flaw]:
    if not personalization["to"]:
        yield Flaw(
            message="The to array is required for all personalization objects, and must have at least one email "
            "object with a valid email address.",
            field=f"{place}.to",
            topic=_TO,
        )
    for kind in ("to", "cc", "bcc"):
        for position, person in enumerate(personalization.get(kind, ())):
            if not is_address(person["email"]) or person["email"].lower() in refused:
                yield Flaw(
                    message="Does not contain a valid address.", field=f"{place}.{kind}.{position}.email", topic=_TO
                )
            if set(person.get("name", "")) & set(";,\r\n"):
                yield Flaw(
                    message="The name cannot contain ';', ',' or CRLF characters.",
                    field=f"{place}.{kind}.{position}.name",
                    topic=_TO,
                )


def _substitution_flaws(place: str, personalization: Mapping[str, Any]) -> Iterator[Flaw]:
    tags: Mapping[str, str] = personalization.get("substitutions", {})
    if len(tags) > MOST_SUBSTITUTIONS:
        yield Flaw(
            message=f"You are limited to {MOST_SUBSTITUTIONS} substitutions per personalization.",
            field=place,
            topic="personalizations.substitutions",
        )
    if sum(len(tag.encode()) + len(value.encode()) for tag, value in tags.items()) > SUBSTITUTION_BYTES:
        yield Flaw(
            message=f"Substitutions are limited to {SUBSTITUTION_BYTES} bytes per personalization block.",
            field=place,
            topic="personalizations.substitutions",
        )
