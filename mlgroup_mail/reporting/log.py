"""A mailing's log: one line a delivery."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlgroup_mail.delivery.approving import approved_source
from mlgroup_mail.delivery.merging import message_id
from mlgroup_mail.model import DeliveryState, EventKind, ExclusionReason, MailingRef
from mlgroup_mail.reporting.status import status_of
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.aftermath import bad_news
from mlgroup_mail.store.deliveries import deliveries
from mlgroup_mail.store.mailings import delivery_counts, find_mailing
from mlgroup_mail.store.plans import compiled_variants

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One delivery. `message_id` is empty where nothing was ever attempted, `canary` for all but those of the team.

    `language` is that of the text made for this person, the original or a translation; "" for the excluded.
    `delivery_id` names the message's file in the outbox. `later` says where an accepted message did not arrive after
    all, or was not wanted: dropped, bounced, complained; "" where nothing of that kind was heard.
    """

    address: str
    contact_id: int
    state: DeliveryState
    reason: str
    attempts: int
    message_id: str
    at: datetime
    language: str
    delivery_id: int
    canary: str = ""
    later: str = ""

    @property
    def reason_in_words(self) -> str:
        """For people: why somebody was left out in the report's words; what a mail server said as it is."""
        if self.state is DeliveryState.EXCLUDED and self.reason in tuple(ExclusionReason):
            return ExclusionReason(self.reason).meaning
        return self.reason

    def as_json(self) -> dict[str, Any]:
        """As section 5 of the design has it, and the language, whether it is a canary, its file's number, bad news."""
        return {
            "address": self.address,
            "contact_id": self.contact_id,
            "state": self.state,
            "reason": self.reason,
            "attempts": self.attempts,
            "message_id": self.message_id,
            "at": self.at.isoformat(),
            "language": self.language,
            "canary": self.canary,
            "delivery_id": self.delivery_id,
            "later": self.later,
        }

    def cells(self) -> list[object]:
        """For a spreadsheet: a cell that would be a formula there begins with an apostrophe."""
        return [
            f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
            for cell in self.as_json().values()
        ]


def log_lines(app: App, ref: MailingRef) -> Iterator[LogLine]:
    """Every delivery of a mailing in order; none where it was not planned. Raises CampaignError for an unknown one."""
    with app.store.reading() as connection:
        mailing = find_mailing(connection, ref)
        if mailing is None:
            status_of(app, ref)
            return
        source = approved_source(mailing)
        news = {key: _told(*said) for key, said in bad_news(connection, mailing).items()}
        languages = _languages(compiled_variants(connection, mailing.mailing_id))
        for row in deliveries(connection, mailing):
            yield LogLine(
                address=row.address,
                contact_id=row.contact_id,
                state=row.state,
                reason=row.reason,
                attempts=row.attempts,
                message_id=message_id(mailing, source, row.delivery_id) if row.attempts else "",
                at=row.at,
                language="" if row.variant_id is None else languages[row.variant_id],
                canary=row.canary,
                delivery_id=row.delivery_id,
                later=news.get(row.delivery_id, ""),
            )


def _told(kind: EventKind, detail: str) -> str:
    return f"{kind}: {detail}" if detail else kind.value


def count_log_lines(app: App, ref: MailingRef) -> int:
    """How many lines the log of a mailing has."""
    with app.store.reading() as connection:
        mailing = find_mailing(connection, ref)
        return sum(delivery_counts(connection, mailing.mailing_id).values()) if mailing else 0


def _languages(compiled: Mapping[int, str]) -> dict[int, str]:
    """The language of each variant; "" where an older version compiled it, which did not say."""
    return {variant_id: json.loads(message).get("language", "") for variant_id, message in compiled.items()}
