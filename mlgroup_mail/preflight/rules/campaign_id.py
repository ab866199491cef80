"""campaign-id: the folder's name is none that a campaign can have everywhere."""

from collections.abc import Iterator

from mlgroup_mail.content.campaigns.campaign import ID_MEND, is_campaign_id
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject


def check(subject: CheckSubject) -> Iterator[Finding]:
    """An error for a name that `new` refuses: blanks break commands, and small and large letters are one on some disks.

    What has gone out keeps its name: the ledger has it.
    """
    name = subject.campaign.campaign_id
    if not subject.over and not is_campaign_id(name):
        yield Finding(
            level=Level.ERROR,
            rule="campaign-id",
            where=f"campaigns/{name}",
            message=f"“{name}” cannot be a campaign's id",
            mend=f"Rename the folder. {ID_MEND}",
        )
