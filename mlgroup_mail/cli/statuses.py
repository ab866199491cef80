"""How mailings stand, as people see it: in `status`, `plan`, `send` and `dispatch`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlgroup_mail.cli.output import say, show_table
from mlgroup_mail.model.delivery import DeliveryState

if TYPE_CHECKING:
    from mlgroup_mail.reporting.status import MailingStatus


def show_statuses(statuses: "Sequence[MailingStatus]") -> None:
    """A table with a column for each state that anybody is in, and below it what there is to say."""
    shown = [state for state in DeliveryState if any(status.counts[state] for status in statuses)]
    show_table(
        ["mailing", "sends at (UTC)", "state", "audience", *shown],
        [
            [
                status.ref,
                f"{status.send_at:%Y-%m-%d %H:%M}",
                status.state_in_words,
                status.audience,
                *(status.counts[state] for state in shown),
            ]
            for status in statuses
        ],
    )
    for status in statuses:
        for remark in status.remarks:
            say(f"{status.ref}: {remark}")
