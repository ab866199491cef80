"""From a list and a rule to an audience: who gets a mailing, and who does not and why."""

from collections.abc import Iterable, Mapping

from mlgroup_mail import addresses
from mlgroup_mail.contacts.segments import NO_ANSWERS, Answers, Segment
from mlgroup_mail.model import Audience, Contact, ContactStatus, Exclusion, ExclusionReason

_COUNTED = frozenset({ContactStatus.MEMBER, ContactStatus.LEAD})


def split_audience(
    contacts: Iterable[Contact],
    *,
    segment: Segment,
    topic: str,
    topic_default: bool,
    restrictions: Mapping[int, ExclusionReason],
    allowed_domains: tuple[str, ...] | None,
    answers: Answers = NO_ANSWERS,
    mailboxes: set[str] | None = None,
) -> Audience:
    """The audience of one mailing: the contacts of the segment, parted into recipients and exclusions.

    `topic_default` tells whether those who have chosen no topics get this one. `restrictions` maps contact ids to
    the suppression or hold in force; it holds for the mailbox, so another contact with the same one is excluded
    too. `allowed_domains` (their subdomains count) is None where everybody may be written to. `answers` are those
    that the segment asks for. `mailboxes` are those that recipients have already, for work in chunks: those of the
    new recipients are added. Where several reasons hold, the gravest is named: what the person asked for, then what
    they chose, then our own limits.
    """
    chosen = segment.select(contacts, answers)
    restricted = {
        addresses.key(contact.address): restrictions[contact.contact_id]
        for contact in chosen
        if contact.contact_id in restrictions
    }
    taken = set() if mailboxes is None else mailboxes
    allowed = _AllowedHosts(allowed_domains)
    recipients: list[Contact] = []
    exclusions: list[Exclusion] = []
    for contact in chosen:
        mailbox, topics = addresses.key(contact.address), contact.topics
        reason = restrictions.get(contact.contact_id) or restricted.get(mailbox)
        if reason is None and topic not in contact.chosen and not (topic in topics if topics else topic_default):
            reason = ExclusionReason.NOT_SUBSCRIBED
        if reason is None and not allowed[addresses.domain(contact.address)]:
            reason = ExclusionReason.NOT_ALLOWED
        if reason is None and mailbox in taken:
            reason = ExclusionReason.DUPLICATE
        if reason is None:
            taken.add(mailbox)
            recipients.append(contact)
        else:
            exclusions.append(Exclusion(contact=contact, reason=reason))
    return Audience(recipients=tuple(recipients), exclusions=tuple(exclusions))


class _AllowedHosts(dict[str, bool]):
    """Whether each host may be written to: a list names few hosts very often."""

    def __init__(self, domains: tuple[str, ...] | None) -> None:
        self._domains = domains

    def __missing__(self, host: str) -> bool:
        self[host] = verdict = addresses.is_allowed(f"a@{host}", self._domains)
        return verdict


def figures(contacts: Iterable[Contact]) -> dict[str, int]:
    """What a text may say about the list: `members` (status member or lead), and the `countries` they are from."""
    members = [contact for contact in contacts if contact.status in _COUNTED]
    return {
        "members": len(members),
        "countries": len({contact.country for contact in members if contact.country}),
    }


def missing_values(contacts: Iterable[Contact]) -> dict[str, int]:
    """How many contacts have no name, first_name, organisation: what fallbacks will stand for."""
    missing = {"name": 0, "first_name": 0, "organisation": 0}
    for contact in contacts:
        for field in missing:
            missing[field] += not getattr(contact, field)
    return missing
