"""What can still be found in a campaign that cannot be compiled as a whole: each file, each text by itself."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from mlgroup_mail.contacts.audience import missing_values
from mlgroup_mail.contacts.segments import Segment, segment_for
from mlgroup_mail.content.announced import ChangedEvent, changed_events
from mlgroup_mail.content.calendar.events_file import read_events
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec
from mlgroup_mail.content.campaigns.campaign_file import texts_as_written
from mlgroup_mail.content.campaigns.last_changes import last_changes
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.compiling.translations import text_for
from mlgroup_mail.content.compiling.variants import MAX_VARIANTS, too_many_variants, variant_fields
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.merge_fields import SHARED_FIELDS
from mlgroup_mail.content.templates.template_fields import field_use
from mlgroup_mail.delivery.announcements import Announcements
from mlgroup_mail.delivery.answers import states_of
from mlgroup_mail.delivery.approving import Files
from mlgroup_mail.delivery.asked_words import AskedWords
from mlgroup_mail.delivery.checked_readers import Readers
from mlgroup_mail.delivery.freezing_alone import freeze_alone
from mlgroup_mail.delivery.planning import audiences_now
from mlgroup_mail.errors import CampaignError, Collected, Problem
from mlgroup_mail.model import Contact, ExclusionReason, MailingRef, MailingState
from mlgroup_mail.preflight.checking import check
from mlgroup_mail.preflight.findings import Finding, finding_of
from mlgroup_mail.preflight.subject import CheckedText, CheckSubject, UnmetWord
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.store.mailings import find_mailing

_ROUNDS = 20
"""How many slips of one text are looked for, one behind the other."""


def problems_in_files(project: Project, campaign_id: str) -> tuple[Problem, ...]:
    """What is wrong with the texts and the calendar of a campaign whose front matter cannot be read."""
    problems = Collected()
    for place, text in texts_as_written(project.campaigns / campaign_id, place=f"campaigns/{campaign_id}").items():
        with problems:
            field_use({place: text})
    with problems:
        read_events(project)
    return problems.problems


def check_in_parts(
    files: Files,
    store: Store,
    campaign: Campaign,
    spec: MailingSpec,
    *,
    allowed_domains: tuple[str, ...] | None,
    clock: datetime,
) -> Iterator[Finding]:
    """What is wrong with each text of a mailing by itself, and what the rules find in what is left."""
    mailing = _Mailing(files=files, store=store, campaign=campaign, spec=spec)
    readers = mailing.readers(allowed_domains)
    changed = last_changes(files.project.root, [text.text_file for text in spec.texts]) if spec.translations else {}
    subject = CheckSubject(
        campaign=campaign,
        mailing=spec,
        texts=tuple(
            mailing.checked(words, readers.get(tag, _Kinds()), changed.get(words.text_file))
            for tag, words in mailing.texts.items()
        ),
        clock=clock,
        audience_known=bool(readers),
        over=mailing.over(),
        excluded=mailing.excluded,
        unmet=tuple(mailing.unmet),
        asked=mailing.asked(),
        changed_events=tuple(mailing.moved),
        canaries=files.project.canaries,
    )
    yield from map(finding_of, mailing.problems.problems)
    yield from check(subject)


@dataclass(slots=True)
class _Kinds:
    """The readers of one text: how many, what they lack, and one of each kind that variants could tell apart."""

    recipients: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[Any, ...], Contact] = field(default_factory=dict)

    def add(self, person: Contact) -> None:
        """Count somebody in."""
        self.recipients += 1
        self.missing.update(missing_values([person]))
        self.examples.setdefault(tuple(getattr(person, name) for name in SHARED_FIELDS), person)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mailing:
    """A mailing of which something is wrong; what is found goes into `problems`, `moved`, `excluded` and `unmet`."""

    files: Files
    store: Store
    campaign: Campaign
    spec: MailingSpec
    problems: Collected = field(default_factory=Collected)
    moved: list[ChangedEvent] = field(default_factory=list)
    excluded: Counter[ExclusionReason] = field(default_factory=Counter)
    unmet: list[UnmetWord] = field(default_factory=list)

    @property
    def ref(self) -> MailingRef:
        return MailingRef(self.campaign.campaign_id, self.spec.name)

    @property
    def texts(self) -> dict[str, MailingText]:
        """The original under "", each translation under its tag."""
        return {"": self.spec.original} | {words.language: words for words in self.spec.translations}

    def segment(self) -> Segment | None:
        with self.problems:
            return segment_for(self.files.contacts, self.spec.audience, where=self.spec.audience_place)
        return None

    def over(self) -> bool:
        with self.store.reading() as connection:
            row = find_mailing(connection, self.ref)
        return row is not None and row.state in {MailingState.FINISHED, MailingState.CANCELLED}

    def asked(self) -> Mapping[MailingRef, Any]:
        with self.problems, self.store.reading() as connection:
            return states_of(connection, segment) if (segment := self.segment()) else {}
        return {}

    def readers(self, allowed_domains: tuple[str, ...] | None) -> dict[str, _Kinds]:
        """The readers of each text, by its tag; none where nobody can tell who they are."""
        found = {tag: _Kinds() for tag in self.texts}
        segment = self.segment()
        with self.problems, self.store.reading() as connection:
            if segment:
                # Who gets it is no matter of what it says.
                silent = replace(self.spec.original, subject="-", title="", preheader="", text="-")
                source, tags = self._frozen(silent), tuple(tag for tag in found if tag)
                words = AskedWords(self.files, self.spec.audience, where=self.spec.audience_place)
                for audience in audiences_now(
                    connection,
                    segment=segment,
                    source=source,
                    allowed_domains=allowed_domains,
                    canaries=False,
                    look=words.look,
                ):
                    self.excluded.update(exclusion.reason for exclusion in audience.exclusions)
                    for person in audience.recipients:
                        found[text_for(source.language, tags, person.language)].add(person)
                self.unmet.extend(words.unmet)
                return found
        return {}

    def checked(self, words: MailingText, kinds: _Kinds, changed: datetime | None) -> CheckedText:
        """A text compiled, without the lines that hinder; as written where that does not help either."""
        rest: MailingText | None = words
        for _ in range(_ROUNDS):
            if rest is None:
                break
            try:
                return replace(self._compiled(rest, kinds, changed), words=words)
            except CampaignError as error:
                self.problems.add(*error.problems)
                rest = rest.without_line(error.problem.where)
        return CheckedText(words=words, variants=(), recipients=kinds.recipients, changed=changed)

    def _frozen(self, words: MailingText) -> FrozenSource:
        return freeze_alone(self.files, self.store, self.campaign, self.spec, words)

    def _compiled(self, words: MailingText, kinds: _Kinds, changed: datetime | None) -> CheckedText:
        source = self._frozen(words)
        fields = variant_fields(source)
        keys = dict.fromkeys(fields.key(person) for person in kinds.examples.values())
        if len(keys) > MAX_VARIANTS:
            raise too_many_variants(fields, keys)
        for event in changed_events(source, Announcements(self.store).besides(self.ref)) if source.events else ():
            if event not in self.moved:
                self.moved.append(event)
        found = Readers(recipients=kinds.recipients, keys=keys, missing=kinds.missing)
        return found.read(source, fields, words, changed, translation="")
