"""What was no try of a person's: handed back unbegun, or in a request that was refused as a whole."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.model import Batch, MailingState, Outcome, OutcomeKind, Scope
from mlgroup_mail.store import Store, schema, verification, verification_order
from mlgroup_mail.store.back_off import BACK_OFF
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.failures import PauseRule
from mlgroup_mail.store.owners import begin_owner
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.transactions import rows
from tests.delivery.ledgers import counts, deliveries
from tests.factories import NOON, make_store, planned_mailing, reread

PEOPLE = 24
HANDED_BACK: dict[str, Any] = {"begun": False}
WAYS: list[dict[str, Any]] = [HANDED_BACK, {"half": 0}, {"half": 1}]


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A ledger with a mailing to twenty-four people at seven domains, due now."""
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path, url)) as made:
        planned_mailing(made, PEOPLE)
        yield made


@pytest.fixture
def claims(store: Store) -> Iterator[Claims]:
    owner = begin_owner(store, now=NOON)
    with owner.lock_file:
        yield Claims(store, owner, transport="smtp", restrictions=restrictions, pause=PauseRule(after=1, percent=1))


@pytest.fixture
def batch(store: Store) -> Batch:
    with store.reading() as connection:
        (found,) = batches_of(connection, reread(store))
    return found


def window_of(claims: Claims, batch: Batch, size: int, record: list[Outcome]) -> Window:
    found = claims.next(batch, size, record=record, now=lambda: NOON)
    assert isinstance(found, Window)
    return found


def all_answered(window: Window, kind: OutcomeKind = OutcomeKind.DEFERRED, **values: Any) -> list[Outcome]:
    return [Outcome(attempt_id=each.attempt_id, kind=kind, **values) for each in window.deliveries]


def violations(store: Store) -> list[str]:
    with store.reading() as connection:
        checks = (verification.accepted_twice, verification.unexplained, verification_order.attempts_astray)
        return [found for check in checks for found in check(connection)]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("scope", Scope)
def test_they_go_again_at_once_nobody_waits_and_nothing_counts(
    store: Store, claims: Claims, batch: Batch, way: dict[str, Any], scope: Scope
) -> None:
    outcomes: list[Outcome] = []
    for _ in range(5):
        window = window_of(claims, batch, 3, outcomes)
        outcomes = all_answered(window, scope=scope, **way)
    claims.record(outcomes, now=NOON)
    assert [row["attempts"] for row in deliveries(store)] == [0] * PEOPLE
    assert {row["next_at"] for row in deliveries(store) if row["state"] == "deferred"} == {NOON}
    assert reread(store).state is MailingState.SENDING, "a rule that pauses after one failure has seen none"
    with store.reading() as connection:
        assert rows(connection, schema.back_off.select()) == []
    assert violations(store) == []


def test_the_wait_after_a_first_real_deferral_is_the_first_wait(store: Store, claims: Claims, batch: Batch) -> None:
    outcomes: list[Outcome] = []
    for _ in range(4):
        outcomes = all_answered(window_of(claims, batch, 1, outcomes), **HANDED_BACK)
    window = window_of(claims, batch, 1, outcomes)
    claims.record(all_answered(window, scope=Scope.RECIPIENT), now=NOON)
    first = deliveries(store)[0]
    assert (first["next_at"] - NOON, first["attempts"]) == (BACK_OFF[0], 1)


def test_the_halves_of_a_refused_request_are_claimed_apart_until_it_is_known_for_whom(
    store: Store, claims: Claims, batch: Batch
) -> None:
    """One address that the provider takes no request with is found; everybody else gets their message."""
    bad, outcomes, requests = 11, list[Outcome](), []
    for _ in range(40):
        found = claims.next(batch, PEOPLE, record=outcomes, now=lambda: NOON)
        if not isinstance(found, Window):
            break
        people = [each.contact_id for each in found.deliveries]
        requests.append(set(people))
        outcomes = _request(found, refused_for=bad)
    assert counts(store) == {"accepted": PEOPLE - 1, "refused": 1}
    assert {row["attempts"] for row in deliveries(store)} == {1}
    assert {row["claim_group"] for row in deliveries(store)} == {None}
    with_it = [request for request in requests if bad in request]
    assert all(after < before for before, after in pairwise(with_it)), "it gets smaller each time"
    assert with_it[-1] == {bad}
    assert violations(store) == []


def test_a_half_that_is_handed_back_or_put_off_stays_apart(store: Store, claims: Claims, batch: Batch) -> None:
    first = set(range(1, PEOPLE // 2 + 1))
    whole = window_of(claims, batch, PEOPLE, [])
    outcomes = [
        Outcome(attempt_id=each.attempt_id, kind=OutcomeKind.DEFERRED, half=0 if each.contact_id in first else 1)
        for each in whole.deliveries
    ]
    for answer in (HANDED_BACK, {"retry_after": 60.0}):
        half = window_of(claims, batch, PEOPLE, outcomes)
        assert {each.contact_id for each in half.deliveries} == first
        outcomes = all_answered(half, **answer)
    other = window_of(claims, batch, PEOPLE, outcomes)
    assert not {each.contact_id for each in other.deliveries} & first
    claims.record(all_answered(other, OutcomeKind.ACCEPTED), now=NOON)
    groups = {(row["contact_id"] in first, row["claim_group"]) for row in deliveries(store)}
    assert groups == {(True, whole.number * 2), (False, None)}


def _request(window: Window, *, refused_for: int) -> list[Outcome]:
    """What a provider gives that refuses a request as a whole where one address in it is bad."""
    found = window.deliveries
    if refused_for not in {each.contact_id for each in found}:
        return all_answered(window, OutcomeKind.ACCEPTED)
    if len(found) == 1:
        return all_answered(window, OutcomeKind.REFUSED)
    middle = (len(found) + 1) // 2
    return [
        Outcome(attempt_id=each.attempt_id, kind=OutcomeKind.DEFERRED, scope=Scope.SERVER, half=int(at >= middle))
        for at, each in enumerate(found)
    ]


@given(st.sampled_from([kind for kind in OutcomeKind if kind is not OutcomeKind.DEFERRED]), st.sampled_from(WAYS))
def test_what_was_no_try_can_only_be_deferred(kind: OutcomeKind, way: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="surely not accepted"):
        Outcome(attempt_id=1, kind=kind, **way)
