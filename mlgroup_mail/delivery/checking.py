"""`check`: a campaign's mailings, compiled for the people they would go to now, put before the preflight rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mlgroup_mail.contacts.audience import missing_values
from mlgroup_mail.contacts.segments import Segment, segment_for
from mlgroup_mail.content.calendar.announced import changed_events
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec, read_campaign
from mlgroup_mail.content.campaigns.last_changes import last_changes
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.compiling.compiled import compile_message
from mlgroup_mail.content.compiling.public_copy import leaking_links
from mlgroup_mail.content.compiling.translations import translation_for
from mlgroup_mail.content.compiling.variants import MAX_VARIANTS, VariantFields, too_many_variants, variant_fields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.answers import states_of
from mlgroup_mail.delivery.approving import Files, announcements, freeze_now
from mlgroup_mail.delivery.planning import audiences_now
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import Contact, MailingRef, MailingState
from mlgroup_mail.preflight.checking import check
from mlgroup_mail.preflight.findings import Finding, findings_of
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject
from mlgroup_mail.store import Store
from mlgroup_mail.store.mailings import find_mailing

_NOBODY = "reader@example.org"
"""Stands in for a reader of a text that nobody gets, so that it is checked all the same."""


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
    readers = {tag: _Readers() for tag in ("", *source.translations)}
    with store.reading() as connection:
        row = find_mailing(connection, ref)
        asked = states_of(connection, segment)
        for audience in audiences_now(connection, segment=segment, source=source, allowed_domains=allowed_domains):
            for tag, people in _by_text(source, audience.recipients).items():
                readers[tag].add(people, fields)
            if sum(len(found.keys) for found in readers.values()) > MAX_VARIANTS:
                raise too_many_variants(fields, [key for found in readers.values() for key in found.keys])
    changed = last_changes(files.project.root, [text.text_file for text in spec.texts]) if spec.translations else {}
    return CheckSubject(
        campaign=campaign,
        mailing=spec,
        texts=tuple(
            found.read(source, fields, words, changed.get(words.text_file), translation=translation)
            for words, (translation, found) in zip(spec.texts, readers.items(), strict=True)
        ),
        clock=clock,
        over=row is not None and row.state in {MailingState.FINISHED, MailingState.CANCELLED},
        asked=asked,
        changed_events=tuple(changed_events(source, announcements(store, ref))) if source.events else (),
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


def _by_text(source: FrozenSource, people: Iterable[Contact]) -> dict[str, list[Contact]]:
    found: dict[str, list[Contact]] = {}
    for person in people:
        found.setdefault(translation_for(source, person.language), []).append(person)
    return found


@dataclass(slots=True)
class _Readers:
    """Those who would get one of a mailing's texts: how many, the variants they fall into, and what they lack."""

    recipients: int = 0
    keys: dict[tuple[Any, ...], None] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, people: Sequence[Contact], fields: VariantFields) -> None:
        self.recipients += len(people)
        self.keys |= dict.fromkeys(fields.key(person) for person in people)
        self.missing.update(missing_values(people))

    def read(
        self,
        source: FrozenSource,
        fields: VariantFields,
        words: MailingText,
        changed: datetime | None,
        *,
        translation: str,
    ) -> CheckedText:
        """The text that they get, compiled; where nobody gets it, for a reader of its language."""
        keys = self.keys or [fields.key(Contact(address=_NOBODY, language=words.language))]
        variants = [(shared, compile_message(source, shared)) for shared in map(fields.shared, keys)]
        return CheckedText(
            words=words,
            variants=tuple(compiled for _, compiled in variants),
            said=tuple("\n".join(map(str, key)) for key in keys),
            recipients=self.recipients,
            missing={f"recipient.{name}": number for name, number in self.missing.items()},
            changed=changed,
            leaking_links=leaking_links(source, variants, translation),
        )
