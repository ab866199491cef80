"""Forgetting a person leaves a ledger that still holds together."""

from pathlib import Path

from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.model import DeliveryStep
from mlgroup_mail.store import verification_order
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.journal import journal_of
from mlgroup_mail.store.owners import begin_owner, end_owner
from mlgroup_mail.store.plans import batches_of
from tests.factories import NOON, REF, make_store, planned_mailing, reread


def test_what_somebody_decided_about_an_erased_person_stays_a_decision_without_its_words(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    mailing = planned_mailing(store, 1)
    with store.reading() as connection:
        (batch,) = batches_of(connection, mailing)
    owner = begin_owner(store, now=NOON)
    claims = Claims(store, owner, transport="outbox", restrictions=restrictions)
    assert isinstance(claims.next(batch, 1, record=[], now=lambda: NOON), Window)
    end_owner(store, owner, now=NOON)
    ordering.resolve(
        store, REF, DeliveryStep.RESOLVE_ACCEPTED, reason="Number1 told me that she has it", by="the editor", now=NOON
    )

    erase_person(store, "1", key="k" * 32, by="the editor", reason="asked", now=NOON)

    with store.reading() as connection:
        assert list(verification_order.decided_by_nobody(connection)) == []
        decided = [entry for entry in journal_of(connection, reread(store)) if entry.act == "resolve_accepted"]
    assert [(entry.actor, entry.reason) for entry in decided] == [("the editor", "erased")]
