"""canary-address, -language, -country, -timezone, -twice: those of the team who are to ride along."""

from collections.abc import Callable, Iterator

from mlgroup_mail import addresses
from mlgroup_mail.contacts.words.countries import read_country
from mlgroup_mail.contacts.words.texts import TextError
from mlgroup_mail.contacts.words.timezones import read_timezone
from mlgroup_mail.content.language_tags import known_tag, tag_meant
from mlgroup_mail.model.canary import Canary
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

_WHERE = "mlgroup.toml, [canaries]"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for a canary without an address that mail can reach, or with a language, country or time zone that is
    none as mails use it; a warning for one who is named twice.
    """
    seen: set[str] = set()
    for canary in subject.canaries:
        yield from _language(canary)
        yield from _exact(canary, "country", canary.country, read_country)
        yield from _exact(canary, "timezone", canary.timezone, read_timezone)
        try:
            mailbox = addresses.key(addresses.normalise(canary.address))
        except addresses.AddressError as error:
            yield Finding(
                level=Level.ERROR,
                rule="canary-address",
                where=_WHERE,
                message=f"“{addresses.mask_text(canary.address)}” in “{canary.place}” is not a mail address: {error}",
                mend="Write the address alone, such as anna@office.example, or take it out.",
            )
            continue
        if mailbox in seen:
            yield Finding(
                level=Level.WARNING,
                rule="canary-twice",
                where=_WHERE,
                message=f"{addresses.mask(mailbox)} is named more than once: it rides in the first place named",
                mend="Name each address once.",
            )
        seen.add(mailbox)


def _language(canary: Canary) -> Iterator[Finding]:
    try:
        known_tag(canary.language or "en")
    except ValueError as error:
        meant = tag_meant(canary.language)
        yield Finding(
            level=Level.ERROR,
            rule="canary-language",
            where=_WHERE,
            message=f"the language of a canary in “{canary.place}”: {error}",
            mend=f"Did you mean “{meant}”?" if meant else "Write such a tag, or leave the language out.",
        )


def _exact(canary: Canary, key: str, given: str, read: Callable[[str], str]) -> Iterator[Finding]:
    """Nothing cleans this table as lists are: what a variant or a clock is chosen by must stand there exactly."""
    try:
        meant = read(given) if given else ""
    except TextError as error:
        problem, mend = str(error), "Mend it, or take it out."
    else:
        if meant == given:
            return
        problem, mend = f"“{given}” is understood in lists, not here", f"Write “{meant}”."
    yield Finding(
        level=Level.ERROR,
        rule=f"canary-{key}",
        where=_WHERE,
        message=f"the {key} of a canary in “{canary.place}”: {problem}",
        mend=mend,
    )
