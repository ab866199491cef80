"""While mail is planned or sent, what was loaded before is not gone through for garbage."""

import gc
import weakref

import pytest

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery.sending import Sending, send_due
from mlgroup_mail.delivery.short_pauses import short_pauses
from mlgroup_mail.store import Store
from tests.delivery.ledgers import RecordingTransport
from tests.factories import NOON


class Knot:
    """Something that holds itself: only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_a_collection_meanwhile_frees_what_is_new_and_leaves_what_was_there_for_afterwards() -> None:
    gc.collect()
    before = weakref.ref(Knot())
    with short_pauses():
        new = weakref.ref(Knot())
        gc.collect()
        assert (before() is None, new() is None) == (False, True)
    gc.collect()
    assert before() is None


def test_also_where_it_ends_in_an_error_everything_is_looked_at_again() -> None:
    with pytest.raises(ZeroDivisionError), short_pauses():
        raise ZeroDivisionError
    assert gc.get_freeze_count() == 0


def test_sending_has_short_pauses(store: Store) -> None:
    frozen: list[int] = []

    class Looking(RecordingTransport):
        def close(self) -> None:
            frozen.append(gc.get_freeze_count())

    parts = Sending(
        store=store, transport=Looking(), clock=FixedClock(NOON), links=lambda _: None, allowed_domains=None
    )  # type: ignore[arg-type]
    send_due(parts, [])
    assert frozen[0] > 1000
    assert gc.get_freeze_count() == 0
