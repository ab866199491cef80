"""One text of a mailing by itself: it may be right where another is not."""

from dataclasses import replace

from mlgroup_mail.contacts.audience import figures
from mlgroup_mail.content.campaigns.campaign import Campaign, MailingSpec
from mlgroup_mail.content.campaigns.mailing_text import MailingText
from mlgroup_mail.content.freezing import freeze
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.announcements import Announcements
from mlgroup_mail.delivery.approving import Files
from mlgroup_mail.model import MailingRef
from mlgroup_mail.store import Store
from mlgroup_mail.store.contacts import all_contacts


def freeze_alone(files: Files, store: Store, campaign: Campaign, spec: MailingSpec, words: MailingText) -> FrozenSource:
    """The mailing as if it had this text only; its audience stays as written. Raises CampaignError."""
    alone = replace(spec, original=words, translations=())
    with store.reading() as connection:
        counted = figures(all_contacts(connection))
    return freeze(
        files.project,
        replace(campaign, language=words.language, mailings=(alone,)),
        spec.name,
        counted,
        opt_out_page=files.opt_out_page,
        images_url=files.images_url,
        announced=Announcements(store).besides(MailingRef(campaign.campaign_id, spec.name)),
    )
