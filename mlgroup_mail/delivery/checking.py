"""`check`: a campaign's mailings, compiled for the people they would go to now, put before the preflight rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from mlgroup_mail.contacts.segments import Segment, segment_for
from mlgroup_mail.content.announced import ChangedEvent, changed_events
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec, read_as_far_as_possible
from mlgroup_mail.content.campaigns.last_changes import last_changes
from mlgroup_mail.content.campaigns.translation_files import doubtful_names
from mlgroup_mail.content.compiling.translations import translation_for
from mlgroup_mail.content.compiling.variants import MAX_VARIANTS, too_many_variants, variant_fields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.templates.overrides import doubtful_templates
from mlgroup_mail.content.writing.blocks.kinds import BlockKind
from mlgroup_mail.delivery.announcements import Announcements
from mlgroup_mail.delivery.answers import states_of
from mlgroup_mail.delivery.approving import Files, freeze_now
from mlgroup_mail.delivery.asked_words import AskedWords
from mlgroup_mail.delivery.canaries import find_riders
from mlgroup_mail.delivery.checked_readers import Readers
from mlgroup_mail.delivery.checking_parts import check_in_parts, problems_in_files
from mlgroup_mail.delivery.planning import audiences_now
from mlgroup_mail.errors import CampaignError
from mlgroup_mail.model import Contact, ExclusionReason, MailingRef, MailingState
from mlgroup_mail.preflight.checking import check
from mlgroup_mail.preflight.findings import DOUBTFUL, NOT_READABLE, Finding, Level, errors_first, finding_of
from mlgroup_mail.preflight.subject import CheckSubject
from mlgroup_mail.store import Store
from mlgroup_mail.store.mailings import find_mailing


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What the rules found, and what they looked at: each mailing that could be frozen, by its name."""

    findings: tuple[Finding, ...]
    sources: Mapping[str, FrozenSource] = field(default_factory=dict)


def check_campaign(
    files: Files,
    store: Store,
    campaign_id: str,
    mailing: str | None,
    *,
    allowed_domains: tuple[str, ...] | None,
    clock: datetime,
) -> Checked:
    """Put a campaign's mailings, or one of them, before the rules; writes nothing.

    What cannot be read or compiled is an error finding. Raises UsageError where there is no such campaign.
    """
    campaign, problems = read_as_far_as_possible(files.project, campaign_id)
    if campaign is None:
        problems += problems_in_files(files.project, campaign_id)
        return Checked(findings=tuple(dict.fromkeys(map(finding_of, problems))))
    announced = Announcements(store)
    found = dict.fromkeys(map(finding_of, problems))
    sources: dict[str, FrozenSource] = {}
    for spec in campaign.asked_for(mailing):
        others = partial(announced.besides, MailingRef(campaign_id, spec.name))
        try:
            source = sources[spec.name] = freeze_now(files, store, campaign, spec.name, others())
            moved = tuple(changed_events(source, others())) if source.events else ()
            subject = _subject(files, store, campaign, spec, source, moved, allowed_domains, clock)
            found |= dict.fromkeys(check(subject))
        except CampaignError as error:
            rest = list(check_in_parts(files, store, campaign, spec, allowed_domains=allowed_domains, clock=clock))
            if not any(finding.rule == NOT_READABLE for finding in rest):
                # Each text is right by itself: together they are not.
                rest[:0] = map(finding_of, error.problems)
            found |= dict.fromkeys(rest)
    found |= dict.fromkeys(
        Finding(level=Level.WARNING, rule=DOUBTFUL, where=each.where, message=each.message, mend=each.mend)
        for each in (
            *doubtful_templates(files.project, BlockKind),
            *doubtful_names(files.project.root, (spec.original.text_file for spec in campaign.mailings)),
        )
    )
    return Checked(findings=errors_first(found), sources=sources)


def _subject(
    files: Files,
    store: Store,
    campaign: Campaign,
    spec: MailingSpec,
    source: FrozenSource,
    moved: tuple[ChangedEvent, ...],
    allowed_domains: tuple[str, ...] | None,
    clock: datetime,
) -> CheckSubject:
    segment, fields = segment_of(files, source), variant_fields(source)
    readers = {tag: Readers() for tag in ("", *source.translations)}
    asked_words, excluded = AskedWords(files, spec.audience, where=spec.audience_place), Counter[ExclusionReason]()
    with store.reading() as connection:
        row = find_mailing(connection, source.ref)
        asked = states_of(connection, segment)
        for tag, people in _by_text(source, find_riders(connection, source).contacts).items():
            readers[tag].add_canaries(people, fields)
        for audience in audiences_now(
            connection,
            segment=segment,
            source=source,
            allowed_domains=allowed_domains,
            canaries=False,
            look=asked_words.look,
        ):
            excluded.update(exclusion.reason for exclusion in audience.exclusions)
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
        excluded=excluded,
        unmet=asked_words.unmet,
        asked=asked,
        changed_events=moved,
        canaries=source.canaries,
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
    where = source.places.get("audience", f"campaigns/{source.campaign}/campaign.md")
    return segment_for(files.contacts, source.audience, where=where)


def _by_text(source: FrozenSource, people: Iterable[Contact]) -> dict[str, list[Contact]]:
    found: dict[str, list[Contact]] = {}
    for person in people:
        found.setdefault(translation_for(source, person.language), []).append(person)
    return found
