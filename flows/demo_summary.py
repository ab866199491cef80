"""What the demonstration tells in the end: numbers and reasons."""

from typing import Any

from mlgroup_mail.model import DeliveryState
from mlgroup_mail.reporting.forecast import forecast
from mlgroup_mail.reporting.status import MailingStatus, status_of
from mlgroup_mail.settings.app import App


def outcome(app: App, before: MailingStatus) -> dict[str, Any]:
    """How a mailing stands, and what is new since `before`."""
    after, found = status_of(app, before.ref), forecast(app, before.ref)
    accepted = after.counts[DeliveryState.ACCEPTED]
    return {
        "mailing": str(after.ref),
        "state": after.state,
        "audience": after.audience,
        "accepted": accepted,
        "accepted_now": accepted - before.counts[DeliveryState.ACCEPTED],
        "excluded": {reason.meaning: number for reason, number in found.exclusions.items()},
    }


def contacts(app: App) -> dict[str, Any]:
    """What became of the rows of the contact list."""
    cleaned = app.clean_list()
    rejected = [
        {"source": row.source, "row": row.row, "column": row.column, "reason": row.reason} for row in cleaned.rejected
    ]
    return {
        "rows": cleaned.rows,
        "contacts": len(cleaned.contacts),
        "countries": len({contact.country for contact in cleaned.contacts if contact.country}),
        "merged": len(cleaned.merged),
        "rejected": rejected,
    }
