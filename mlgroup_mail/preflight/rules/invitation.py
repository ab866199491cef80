"""invitation-without-event: an invitation that names nothing to come to."""

from collections.abc import Iterator

from mlgroup_mail.content.campaigns.campaign import CampaignKind
from mlgroup_mail.content.writing.blocks.kinds import BlockKind
from mlgroup_mail.content.writing.blocks.naming import named_by_blocks
from mlgroup_mail.preflight.findings import Finding, Level
from mlgroup_mail.preflight.subject import CheckSubject

RULE = "invitation-without-event"


def check(subject: CheckSubject) -> Iterator[Finding]:
    """A warning for each text of an invitation in which no event is shown: no day, no reader's time, no calendar."""
    if subject.campaign.kind is not CampaignKind.INVITATION or subject.mailing.event:
        return
    for text in subject.texts:
        if not named_by_blocks([text.words]).kinds & {BlockKind.EVENT, BlockKind.EVENTS}:
            yield Finding(
                level=Level.WARNING,
                rule=RULE,
                where=text.words.text_file,
                message="the invitation shows no event of the calendar, and so no time on the reader's clock",
                mend='Write event = "..." into the front matter, with an id of campaigns/events.yaml, '
                "or a block ```event into the text.",
            )
