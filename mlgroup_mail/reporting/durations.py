"""How long what is to go of a mailing will take, and whether it will be through in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlgroup_mail.delivery.durations import expected_seconds, in_words, rates_in_words
from mlgroup_mail.settings.app import App
from mlgroup_mail.store.deliveries import to_go
from mlgroup_mail.store.mailings import MailingRow
from mlgroup_mail.store.rates import used_today


@dataclass(frozen=True, kw_only=True, slots=True)
class Duration:
    """How many seconds from its beginning, 0 where nothing slows it down; and what there is to say about that."""

    seconds: int = 0
    remarks: tuple[str, ...] = ()


def duration_of(app: App, mailing: MailingRow) -> Duration:
    """What is still to go of a planned mailing."""
    with app.store.reading() as connection:
        found = to_go(connection, mailing.mailing_id)
    return expected(
        app, found.domains, send_at=mailing.send_at, stop_at=mailing.stop_at, last_due=found.last_due or mailing.send_at
    )


def expected(
    app: App, domains: Mapping[str, int], *, send_at: datetime, stop_at: datetime, last_due: datetime | None = None
) -> Duration:
    """So many messages to each receiving domain, from `send_at` on or from now; `last_due`: when the last batch is."""
    begin = max(send_at, app.clock.now())
    if last_due is None:
        last_due = send_at + (sum(domains.values()) - 1) // app.settings.batch_size * _spacing(app)
    with app.store.reading() as connection:
        today = used_today(connection, app.settings.transport) if app.rates.per_day else 0
    last_batch = max((last_due - begin).total_seconds(), 0.0)
    seconds = expected_seconds(domains, app.rates, today=today, last_batch=last_batch)
    if not seconds:
        return Duration()
    remarks = [f"takes {in_words(seconds)} {rates_in_words(app.rates)}".rstrip()]
    if begin < stop_at < (end := begin + timedelta(seconds=seconds)):
        remarks.append(
            f"it will not be through before its stop_at: that is {stop_at:%Y-%m-%d %H:%M} UTC, "
            f"and it takes until about {end:%Y-%m-%d %H:%M}. Give it a later stop_at, or fewer people"
        )
    return Duration(seconds=seconds, remarks=tuple(remarks))


def _spacing(app: App) -> timedelta:
    return timedelta(minutes=app.settings.batch_spacing)
