"""What the approved mailings have said of events, read from the ledger."""

import functools
from collections.abc import Iterator

from mlgroup_mail.content.announced import Announcement, read_announcement
from mlgroup_mail.model import MailingRef, MailingState
from mlgroup_mail.store import Store
from mlgroup_mail.store.deliveries import last_attempt
from mlgroup_mail.store.mailings import all_mailings


class Announcements:
    """The announcements of a ledger; read once, when the first is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def besides(self, ref: MailingRef) -> Iterator[Announcement]:
        """What the approved mailings other than this one say of events. Reads nothing before the first is taken."""
        yield from (each for each in self._all if each.ref != ref)

    @functools.cached_property
    def _all(self) -> list[Announcement]:
        with self._store.reading() as connection:
            tried = [(mailing, last_attempt(connection, mailing.mailing_id)) for mailing in all_mailings(connection)]
        return [
            read_announcement(
                mailing.source,
                mailing.ref,
                send_at=mailing.send_at,
                last_attempt=newest,
                cancelled=mailing.state is MailingState.CANCELLED,
            )
            for mailing, newest in tried
        ]
