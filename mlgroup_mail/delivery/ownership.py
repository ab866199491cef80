"""Being an owner: from the first claim to the last, with a timer that keeps the lease alive."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from mlgroup_mail.clock import Clock
from mlgroup_mail.delivery.repeating import repeating
from mlgroup_mail.errors import OwnerLostError
from mlgroup_mail.store import Store
from mlgroup_mail.store.owners import RENEW_SECONDS, Owner, begin_owner, end_owner, renew

log = logging.getLogger(__name__)


@contextmanager
def ownership(store: Store, clock: Clock) -> Iterator[Owner]:
    """This process as an owner; what it had begun and got no answer for is `uncertain` at the end."""
    owner = begin_owner(store, now=clock.now())
    try:
        with repeating(partial(_keep_alive, store, owner), seconds=RENEW_SECONDS, name="lease"):
            yield owner
    finally:
        end_owner(store, owner, now=clock.now())


def _keep_alive(store: Store, owner: Owner) -> bool:
    """Renew the lease while a long answer is awaited. A lost lease is found by the next claim, not here."""
    try:
        with store.writing() as connection:
            renew(connection, owner)
    except OwnerLostError:
        return False
    except Exception as error:  # a database that does not answer now may do so at the next turn
        log.warning("the lease could not be renewed: %s", type(error).__name__)
    return True
