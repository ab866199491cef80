"""Approval: freezing what goes out, and telling whether it still is what was approved."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from mlgroup_mail.contacts.audience import figures
from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.segments import rule_for
from mlgroup_mail.content.announced import Announcement
from mlgroup_mail.content.campaigns.campaign import Campaign, read_campaign
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.pictures.image_files import read_pictures
from mlgroup_mail.content.source_changes import differences
from mlgroup_mail.delivery.announcements import Announcements
from mlgroup_mail.errors import NotApprovedError
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.store.contacts import all_contacts
from mlgroup_mail.store.mailings import MailingRow, approve_mailing, find_mailing
from mlgroup_mail.store.pictures import Picture, add_pictures, picture_contents


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What a mailing is frozen from: the project's files, and whether there is a page to opt out on."""

    project: Project
    contacts: ContactsConfig
    opt_out_page: bool
    images_url: str = ""
    """Where pictures are hosted; "" where nothing can be."""

    def freeze(
        self, campaign: Campaign, mailing: str, found: Mapping[str, int], announced: Iterable[Announcement]
    ) -> FrozenSource:
        """Freeze with these figures, and with the audience's whole rule in place of the names of segments.

        `announced` is what the other approved mailings say of events; it is read only where the mail invites to one.
        So changing a segment's rule voids an approval as changing the text does. Raises CampaignError.
        """
        source = freeze(
            self.project,
            campaign,
            mailing,
            found,
            opt_out_page=self.opt_out_page,
            images_url=self.images_url,
            announced=announced,
        )
        where = campaign.mailing(mailing).audience_place
        return replace(source, audience=rule_for(self.contacts, source.audience, where=where).written())

    def pictures(self, source: FrozenSource) -> dict[str, bytes]:
        """The bytes of a frozen mailing's pictures by digest; raises CampaignError where a file has changed since."""
        return read_pictures(self.project, source)


def freeze_now(
    files: Files, store: Store, campaign: Campaign, mailing: str, announced: Iterable[Announcement]
) -> FrozenSource:
    """The mailing as its campaign and the list's figures have it now; raises CampaignError."""
    with store.reading() as connection:
        found = figures(all_contacts(connection))
    return files.freeze(campaign, mailing, found, announced)


def approved_source(mailing: MailingRow) -> FrozenSource:
    """What was approved."""
    return FrozenSource.from_json(mailing.source)


def embedded_pictures(store: Store, mailing: MailingRow) -> dict[str, bytes]:
    """The bytes of what travels within an approved mailing's messages, by digest."""
    source = approved_source(mailing)
    if source.images_url:
        return {}
    with store.reading() as connection:
        return picture_contents(connection, {image.digest for image in source.images.values()})


def approve(
    store: Store,
    ref: MailingRef,
    source: FrozenSource,
    *,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
    by: str,
    now: datetime,
) -> None:
    """Bind what goes out: the source that was checked. `pictures` are the bytes of its pictures by digest."""
    shown = {image.digest: image.media_type for image in source.images.values()}
    kept = [
        Picture(digest=digest, media_type=media_type, content=pictures[digest]) for digest, media_type in shown.items()
    ]
    with store.writing() as connection:
        add_pictures(connection, kept)
        approve_mailing(
            connection,
            ref,
            topic=source.topic,
            send_at=source.send_at,
            stop_at=source.stop_at,
            digest=source.digest,
            source=source.to_json(),
            by=by,
            now=now,
        )


class Comparison:
    """What the files say now against what was approved. Each campaign is read once, however many mailings it has."""

    def __init__(self, files: Files, store: Store) -> None:
        self._files, self._announcements = files, Announcements(store)
        self._campaign = functools.cache(functools.partial(read_campaign, files.project))

    def campaign(self, campaign_id: str) -> Campaign:
        """The campaign as it is now; raises UsageError and CampaignError as `read_campaign` does."""
        return self._campaign(campaign_id)

    def changes(self, mailing: MailingRow) -> list[str]:
        """What has changed since the approval, in words; the figures are those of the approval.

        Raises UsageError and CampaignError where the files cannot be frozen any more.
        """
        approved, ref = approved_source(mailing), mailing.ref
        campaign = self.campaign(ref.campaign)
        current = self._files.freeze(campaign, ref.mailing, approved.figures, self._announcements.besides(ref))
        return [] if current.digest == mailing.digest else differences(approved, current)


def require_approved(files: Files, store: Store, ref: MailingRef) -> MailingRow:
    """The mailing's row where it is approved, and what was approved is what the files say; else NotApprovedError."""
    with store.reading() as connection:
        mailing = find_mailing(connection, ref)
    if mailing is None:
        read_campaign(files.project, ref.campaign).mailing(ref.mailing)
        raise NotApprovedError(f"{ref} is not approved", mend=f"Run: mlgroup-mail approve {ref} --by YOUR-NAME")
    if mailing.state is MailingState.APPROVED and (changes := Comparison(files, store).changes(mailing)):
        raise NotApprovedError(
            f"{ref} has changed since its approval: {'; '.join(changes)}",
            mend=f"Look at it again, then: mlgroup-mail approve {ref} --by YOUR-NAME",
        )
    return mailing
