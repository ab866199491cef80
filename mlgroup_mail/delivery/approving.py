"""Approval: freezing what goes out, and telling whether it still is what was approved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from mlgroup_mail.contacts.audience import figures
from mlgroup_mail.contacts.config import ContactsConfig
from mlgroup_mail.contacts.segments import rule_for
from mlgroup_mail.content.campaign import read_campaign
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.content.source_changes import differences
from mlgroup_mail.errors import NotApprovedError
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Store
from mlgroup_mail.store.contacts import all_contacts
from mlgroup_mail.store.mailings import MailingRow, approve_mailing, find_mailing


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What a mailing is frozen from: the project's files, and whether there is a page to opt out on."""

    project: Project
    contacts: ContactsConfig
    opt_out_page: bool

    def freeze(self, ref: MailingRef, found: Mapping[str, int]) -> FrozenSource:
        """Freeze with these figures, and with the audience's whole rule in place of the names of segments.

        So changing a segment's rule voids an approval as changing the text does. Raises CampaignError.
        """
        campaign = read_campaign(self.project, ref.campaign)
        source = freeze(self.project, campaign, ref.mailing, found, opt_out_page=self.opt_out_page)
        return replace(source, audience=rule_for(self.contacts, source.audience, where=campaign.file).written())


def freeze_now(files: Files, store: Store, ref: MailingRef) -> FrozenSource:
    """The mailing as its files and the list's figures have it now; raises CampaignError."""
    with store.reading() as connection:
        found = figures(all_contacts(connection))
    return files.freeze(ref, found)


def approved_source(mailing: MailingRow) -> FrozenSource:
    """What was approved."""
    return FrozenSource.from_json(mailing.source)


def approve(store: Store, ref: MailingRef, source: FrozenSource, *, by: str, now: datetime) -> None:
    """Bind what goes out. The caller has made sure that `check` finds no error."""
    with store.writing() as connection:
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


def changes_since_approval(files: Files, mailing: MailingRow) -> list[str]:
    """What differs between the files now and what was approved, in words; the figures are those of the approval."""
    approved = approved_source(mailing)
    current = files.freeze(mailing.ref, approved.figures)
    return [] if current.digest == mailing.digest else differences(approved, current)


def require_approved(files: Files, store: Store, ref: MailingRef) -> MailingRow:
    """The mailing's row where it is approved, and what was approved is what the files say; else NotApprovedError."""
    with store.reading() as connection:
        mailing = find_mailing(connection, ref)
    if mailing is None:
        read_campaign(files.project, ref.campaign).mailing(ref.mailing)
        raise NotApprovedError(f"{ref} is not approved", mend=f"Run: mlgroup-mail approve {ref} --by YOUR-NAME")
    if mailing.state is MailingState.APPROVED and (changes := changes_since_approval(files, mailing)):
        raise NotApprovedError(
            f"{ref} has changed since its approval: {'; '.join(changes)}",
            mend=f"Look at it again, then: mlgroup-mail approve {ref} --by YOUR-NAME",
        )
    return mailing
