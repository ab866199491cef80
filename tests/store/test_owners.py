"""Who is alive and who is gone: a living process keeps its window, a dead one's is settled, a sleeper finds out."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from mlgroup_mail.clock import boot_seconds
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.errors import OwnerLostError
from mlgroup_mail.model import DeliveryState, Outcome, OutcomeKind
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.mailings import delivery_counts
from mlgroup_mail.store.owners import (
    ASLEEP_SECONDS,
    OWNER_GONE,
    Owner,
    begin_owner,
    boot_id,
    end_owner,
    give_up_dead,
    renew,
)
from mlgroup_mail.store.plans import batches_of
from tests.delivery.ledgers import deliveries
from tests.factories import NOON, make_store, planned_mailing, reread

CLAIM_AND_WAIT = """
import sys
from pathlib import Path
from mlgroup_mail.store import Store
from tests.factories import NOON
from tests.store.test_owners import claim, claims_of
from mlgroup_mail.store.owners import begin_owner

store = Store(sys.argv[1], state=Path(sys.argv[2]))
owner = begin_owner(store, now=NOON)  # Its lock goes with it: it must outlive the claim.
claim(store, claims_of(store, owner))
print("claimed", flush=True)
sys.stdin.read()
"""


def claims_of(store: Store, owner: Owner) -> Claims:
    return Claims(store, owner, transport="outbox", restrictions=restrictions)


def claim(store: Store, claims: Claims, size: int = 2, record: tuple[Outcome, ...] = ()) -> Window:
    with store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    window = claims.next(batch, size, record=record, now=lambda: NOON)
    assert window
    return window


def counts(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        found = delivery_counts(connection, reread(store).mailing_id)
    return {str(state): number for state, number in found.items() if number}


def change_owner(store: Store, owner: Owner, **values: object) -> None:
    with store.writing() as connection:
        connection.execute(update(schema.owner).where(schema.owner.c.id == owner.owner_id).values(**values))


def answers(window: Window, kind: OutcomeKind) -> tuple[Outcome, ...]:
    return tuple(Outcome(attempt_id=each.attempt_id, kind=kind) for each in window.deliveries)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A ledger with a mailing to six people, due now."""
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 6)
        yield made


@pytest.fixture
def owner(store: Store) -> Iterator[Owner]:
    begun = begin_owner(store, now=NOON)
    with begun.lock_file:
        yield begun


def test_a_living_process_keeps_its_window(store: Store, owner: Owner) -> None:
    claim(store, claims_of(store, owner))
    assert give_up_dead(store, now=NOON) == 0
    assert counts(store) == {"planned": 4, "attempting": 2}


def test_a_process_whose_lease_ran_out_is_given_up_although_it_holds_its_lock(store: Store, owner: Owner) -> None:
    claim(store, claims_of(store, owner))
    change_owner(store, owner, lease_until=0.0)
    assert give_up_dead(store, now=NOON) == 2
    assert counts(store) == {"planned": 4, "uncertain": 2}
    assert give_up_dead(store, now=NOON) == 0


def test_a_process_of_another_boot_is_gone_with_it(store: Store, owner: Owner) -> None:
    claim(store, claims_of(store, owner))
    change_owner(store, owner, boot="the boot before", host="elsewhere")
    assert give_up_dead(store, now=NOON) == 2


@pytest.mark.parametrize("values", [{"host": "elsewhere"}, {"lock_inode": 1}, {"lock_path": "/nowhere/owner.lock"}])
def test_a_lock_that_is_not_known_to_be_the_very_same_proves_nothing(
    store: Store, owner: Owner, values: dict[str, object]
) -> None:
    claim(store, claims_of(store, owner))
    owner.lock_file.close()
    change_owner(store, owner, **values)
    assert give_up_dead(store, now=NOON) == 0, "its lease still runs"
    change_owner(store, owner, lease_until=0.0)
    assert give_up_dead(store, now=NOON) == 2


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_killed_process_is_given_up_at_once_and_its_window_is_in_doubt(
    tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    with closing(make_store(tmp_path, url)) as store:
        planned_mailing(store, 6)
        address = store.engine.url.render_as_string(hide_password=False)
        with subprocess.Popen(
            [sys.executable, "-c", CLAIM_AND_WAIT, address, str(tmp_path)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == "claimed\n"
            assert give_up_dead(store, now=NOON) == 0, "it lives"
            process.kill()
            process.wait()
        assert give_up_dead(store, now=NOON) == 2
        assert counts(store) == {"planned": 4, "uncertain": 2}
        assert {row["reason"] for row in deliveries(store) if row["state"] == "uncertain"} == {OWNER_GONE}
        assert list((tmp_path / "locks").iterdir()) == [], "nothing is left behind"


def test_who_was_given_up_while_asleep_claims_no_more_but_its_answers_count(store: Store, owner: Owner) -> None:
    claims = claims_of(store, owner)
    window = claim(store, claims)
    change_owner(store, owner, lease_until=0.0)
    give_up_dead(store, now=NOON)
    late = answers(window, OutcomeKind.ACCEPTED)
    with pytest.raises(OwnerLostError):
        claim(store, claims, record=late)
    assert counts(store) == {"planned": 4, "uncertain": 2}
    claims.record(late, now=NOON)
    assert counts(store) == {"planned": 4, "accepted": 2}
    with pytest.raises(OwnerLostError), store.writing() as connection:
        renew(connection, owner)


def test_who_slept_for_hours_claims_no_more_even_where_nobody_gave_it_up(store: Store, owner: Owner) -> None:
    claims = claims_of(store, owner)
    window = claim(store, claims)
    change_owner(store, owner, lease_until=boot_seconds() - ASLEEP_SECONDS + 60)
    claim(store, claims, record=answers(window, OutcomeKind.ACCEPTED)[:1])
    change_owner(store, owner, lease_until=boot_seconds() - ASLEEP_SECONDS - 1)
    with pytest.raises(OwnerLostError):
        claim(store, claims)
    claims.record(answers(window, OutcomeKind.ACCEPTED), now=NOON)
    assert counts(store) == {"planned": 2, "attempting": 2, "accepted": 2}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeKind.ACCEPTED, DeliveryState.ACCEPTED),
        (OutcomeKind.REFUSED, DeliveryState.REFUSED),
        (OutcomeKind.DEFERRED, DeliveryState.DEFERRED),
        (OutcomeKind.UNCERTAIN, DeliveryState.UNCERTAIN),
    ],
)
def test_a_late_answer_settles_the_doubt_about_its_own_attempt(
    store: Store, owner: Owner, kind: OutcomeKind, state: DeliveryState
) -> None:
    claims = claims_of(store, owner)
    window = claim(store, claims, size=1)
    change_owner(store, owner, lease_until=0.0)
    give_up_dead(store, now=NOON)
    claims.record(answers(window, kind), now=NOON)
    assert deliveries(store)[0]["state"] == state


def test_a_late_answer_does_not_change_what_a_person_has_decided(store: Store, owner: Owner) -> None:
    claims = claims_of(store, owner)
    window = claim(store, claims, size=1)
    change_owner(store, owner, lease_until=0.0)
    give_up_dead(store, now=NOON)
    with store.writing() as connection:
        connection.execute(update(schema.delivery).where(schema.delivery.c.id == 1).values(state="accepted"))
    claims.record(answers(window, OutcomeKind.REFUSED), now=NOON)
    assert deliveries(store)[0]["state"] == "accepted"


def test_a_late_answer_to_an_older_attempt_says_nothing_about_a_newer_one(store: Store, owner: Owner) -> None:
    claims = claims_of(store, owner)
    window = claim(store, claims, size=1)
    change_owner(store, owner, lease_until=0.0)
    give_up_dead(store, now=NOON)
    with store.writing() as connection:  # A person orders a resend.
        connection.execute(update(schema.delivery).where(schema.delivery.c.id == 1).values(state="planned"))
    other = begin_owner(store, now=NOON)
    with other.lock_file:
        claim(store, claims_of(store, other), size=1)
        claims.record(answers(window, OutcomeKind.REFUSED), now=NOON)
        assert deliveries(store)[0]["state"] == "attempting"


def test_saying_goodbye_leaves_no_lock_and_puts_what_had_no_answer_in_doubt(store: Store, owner: Owner) -> None:
    claims = claims_of(store, owner)
    window = claim(store, claims)
    claims.record(answers(window, OutcomeKind.ACCEPTED)[:1], now=NOON)
    path = Path(owner.lock_file.name)
    end_owner(store, owner, now=NOON)
    assert not path.exists()
    assert counts(store) == {"planned": 4, "accepted": 1, "uncertain": 1}
    assert give_up_dead(store, now=NOON) == 0


def test_this_boot_has_one_name() -> None:
    assert boot_id() == boot_id() != ""
