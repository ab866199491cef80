"""`check`: a campaign's mailings, compiled for the people they would go to now, put before the preflight rules."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from mlgroup_mail.contacts.audience import missing_values
from mlgroup_mail.contacts.segments import Segment, segment_for
from mlgroup_mail.content.campaign import Campaign, MailingSpec, read_campaign
from mlgroup_mail.content.compiling import compile_message
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.variants import MAX_VARIANTS, VariantFields, too_many_variants, variant_fields
from mlgroup_mail.delivery.answers import states_of
from mlgroup_mail.delivery.approving import Files, freeze_now
from mlgroup_mail.delivery.planning import audiences_now
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import CompiledMessage, Contact, MailingRef, MailingState
from mlgroup_mail.preflight.checking import check
from mlgroup_mail.preflight.findings import Finding, findings_of
from mlgroup_mail.preflight.subject import CheckSubject
from mlgroup_mail.store import Store
from mlgroup_mail.store.mailings import find_mailing

_NOBODY = Contact(address="reader@example.org")
"""Stands in for a reader where the audience is empty, so that the text is checked all the same."""


def check_campaign(
    files: Files,
    store: Store,
    campaign_id: str,
    mailing: str | None,
    *,
    allowed_domains: tuple[str, ...] | None,
    clock: datetime,
) -> tuple[Finding, ...]:
    """What the rules find in a campaign's mailings, or in one of them; writes nothing.

    What cannot be read or compiled is an error finding. Raises UsageError where there is no such campaign.
    """
    try:
        campaign = read_campaign(files.project, campaign_id)
        specs = campaign.mailings if mailing is None else (campaign.mailing(mailing),)
    except CampaignError as error:
        return (findings_of(error),)
    found: dict[Finding, None] = {}
    for spec in specs:
        try:
            subject = _subject(files, store, campaign, spec, allowed_domains, clock)
            found |= dict.fromkeys(check(subject))
        except CampaignError as error:
            found |= {findings_of(error): None}
    return tuple(found)


def _subject(
    files: Files,
    store: Store,
    campaign: Campaign,
    spec: MailingSpec,
    allowed_domains: tuple[str, ...] | None,
    clock: datetime,
) -> CheckSubject:
    ref = MailingRef(campaign.campaign_id, spec.name)
    source = freeze_now(files, store, ref)
    segment, fields = segment_of(files, source), variant_fields(source)
    recipients, missing, keys = 0, Counter[str](), dict[tuple[Any, ...], None]()
    with store.reading() as connection:
        row = find_mailing(connection, ref)
        asked = states_of(connection, segment)
        for audience in audiences_now(connection, segment=segment, source=source, allowed_domains=allowed_domains):
            recipients += len(audience.recipients)
            missing.update(missing_values(audience.recipients))
            keys |= dict.fromkeys(fields.key(person) for person in audience.recipients)
            if len(keys) > MAX_VARIANTS:
                raise too_many_variants(fields, keys)
    return CheckSubject(
        campaign=campaign,
        mailing=spec,
        variants=_variants(source, fields, keys or [fields.key(_NOBODY)]),
        recipients=recipients,
        missing={f"recipient.{field}": number for field, number in missing.items()},
        clock=clock,
        over=row is not None and row.state in {MailingState.FINISHED, MailingState.CANCELLED},
        asked=asked,
    )


def recipients_now(
    files: Files, store: Store, source: FrozenSource, allowed_domains: tuple[str, ...] | None
) -> Iterator[Contact]:
    """Who would get a mailing if it were planned now. Raises CampaignError for an unknown segment."""
    segment = segment_of(files, source)
    with store.reading() as connection:
        for audience in audiences_now(connection, segment=segment, source=source, allowed_domains=allowed_domains):
            yield from audience.recipients


def segment_of(files: Files, source: FrozenSource) -> Segment:
    """The segment that a frozen mailing's audience means."""
    return segment_for(files.contacts, source.audience, where=f"campaigns/{source.campaign}/campaign.md")


def _variants(
    source: FrozenSource, fields: VariantFields, keys: Iterable[tuple[Any, ...]]
) -> tuple[CompiledMessage, ...]:
    return tuple(compile_message(source, fields.shared(key)) for key in keys)
