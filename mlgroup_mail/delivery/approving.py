"""Approval: freezing what goes out, and telling whether it still is what was approved."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from mlgroup_mail.contacts.audience import figures
from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.segments import rule_for
from mlgroup_mail.content.calendar.announced import Announcement, read_announcement
from mlgroup_mail.content.campaigns.campaign import read_campaign
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.pictures.image_files import read_pictures
from mlgroup_mail.content.source_changes import differences
from mlgroup_mail.errors import NotApprovedError
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.store.contacts import all_contacts
from mlgroup_mail.store.mailings import MailingRow, all_mailings, approve_mailing, find_mailing
from mlgroup_mail.store.pictures import Picture, add_pictures, picture_contents


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What a mailing is frozen from: the project's files, and whether there is a page to opt out on."""

    project: Project
    contacts: ContactsConfig
    opt_out_page: bool
    images_url: str = ""
    """Where pictures are hosted; "" where nothing can be."""

    def freeze(self, ref: MailingRef, found: Mapping[str, int], announced: Iterable[Announcement]) -> FrozenSource:
        """Freeze with these figures, and with the audience's whole rule in place of the names of segments.

        `announced` is what the other approved mailings say of events; it is read only where the mail invites to one.
        So changing a segment's rule voids an approval as changing the text does. Raises CampaignError.
        """
        campaign = read_campaign(self.project, ref.campaign)
        source = freeze(
            self.project,
            campaign,
            ref.mailing,
            found,
            opt_out_page=self.opt_out_page,
            images_url=self.images_url,
            announced=announced,
        )
        return replace(source, audience=rule_for(self.contacts, source.audience, where=campaign.file).written())

    def pictures(self, source: FrozenSource) -> dict[str, bytes]:
        """The bytes of a frozen mailing's pictures by digest; raises CampaignError where a file has changed since."""
        return read_pictures(self.project, source)


def freeze_now(files: Files, store: Store, ref: MailingRef) -> FrozenSource:
    """The mailing as its files and the list's figures have it now; raises CampaignError."""
    with store.reading() as connection:
        found = figures(all_contacts(connection))
    return files.freeze(ref, found, announcements(store, ref))


def announcements(store: Store, ref: MailingRef) -> Iterator[Announcement]:
    """What the approved mailings other than this one say of events. Reads nothing before the first is asked for."""
    with store.reading() as connection:
        mailings = all_mailings(connection)
    for mailing in mailings:
        if mailing.ref != ref:
            withdrawn = mailing.state is MailingState.CANCELLED and mailing.audience is None
            yield read_announcement(mailing.source, mailing.ref, send_at=mailing.send_at, withdrawn=withdrawn)


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
    """Bind what goes out; `pictures` are the bytes of the source's pictures by digest.

    The caller has made sure that `check` finds no error.
    """
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


def changes_since_approval(files: Files, store: Store, mailing: MailingRow) -> list[str]:
    """What differs between the files now and what was approved, in words; the figures are those of the approval."""
    approved = approved_source(mailing)
    current = files.freeze(mailing.ref, approved.figures, announcements(store, mailing.ref))
    return [] if current.digest == mailing.digest else differences(approved, current)


def require_approved(files: Files, store: Store, ref: MailingRef) -> MailingRow:
    """The mailing's row where it is approved, and what was approved is what the files say; else NotApprovedError."""
    with store.reading() as connection:
        mailing = find_mailing(connection, ref)
    if mailing is None:
        read_campaign(files.project, ref.campaign).mailing(ref.mailing)
        raise NotApprovedError(f"{ref} is not approved", mend=f"Run: mlgroup-mail approve {ref} --by YOUR-NAME")
    if mailing.state is MailingState.APPROVED and (changes := changes_since_approval(files, store, mailing)):
        raise NotApprovedError(
            f"{ref} has changed since its approval: {'; '.join(changes)}",
            mend=f"Look at it again, then: mlgroup-mail approve {ref} --by YOUR-NAME",
        )
    return mailing
