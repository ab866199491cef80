"""Being an owner: from the first claim to the last, with a timer that keeps the lease alive."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mlgroup_mail.clock import Clock
from mlgroup_mail.errors import OwnerLostError
from mlgroup_mail.store import Store
from mlgroup_mail.store.owners import RENEW_SECONDS, Owner, begin_owner, end_owner, renew

log = logging.getLogger(__name__)


@contextmanager
def ownership(store: Store, clock: Clock) -> Iterator[Owner]:
    """This process as an owner; what it had begun and got no answer for is `uncertain` at the end."""
    owner = begin_owner(store, now=clock.now())
    done = threading.Event()
    timer = threading.Thread(target=_keep_alive, args=(store, owner, done), name="lease", daemon=True)
    timer.start()
    try:
        yield owner
    finally:
        done.set()
        timer.join()
        end_owner(store, owner, now=clock.now())


def _keep_alive(store: Store, owner: Owner, done: threading.Event) -> None:
    """Renew the lease while a long answer is awaited. A lost lease is found by the next claim, not here."""
    while not done.wait(RENEW_SECONDS):
        try:
            with store.writing() as connection:
                renew(connection, owner)
        except OwnerLostError:
            return
        except Exception as error:  # a database that does not answer now may do so at the next turn
            log.warning("the lease could not be renewed: %s", type(error).__name__)
