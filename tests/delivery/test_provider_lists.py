"""SendGrid's suppression lists reach the ledger whole, once, and only add; the service is the fake one."""

import itertools
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.consent.applying import apply_signal, lift_suppressions, standing_suppressions
from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.delivery import provider_lists, roads
from mlgroup_mail.delivery.provider_lists import OVERLAP, ProviderLists, Pulled, stretches
from mlgroup_mail.delivery.transports import sendgrid_lists
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.delivery.transports.sendgrid_lists import Page
from mlgroup_mail.errors import TransportError
from mlgroup_mail.model import ALL_TOPICS, Road, Signal, SignalKind
from mlgroup_mail.model.provider_list import ProviderList
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.provider_lists import read_until
from mlgroup_mail.testing.sendgrid import FakeSendGrid, Fault, Trouble, fake_sendgrid
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList
from tests.delivery.told import table
from tests.factories import NOON, add_contacts, make_contact, make_store

KEY = "an-erasure-key-for-tests-0123456789abcdef"
BOUNCES = "/v3/suppression/bounces"
ONE = "person1@office1.example"
TWO = "person2@office2.example"

_ON = {
    "bounces": SuppressionList.BOUNCES,
    "blocks": SuppressionList.BLOCKS,
    "invalid_emails": SuppressionList.INVALID,
    "spam_reports": SuppressionList.SPAM,
    "unsubscribes": SuppressionList.UNSUBSCRIBES,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Three people: contacts 1 to 3, on each kind of database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with closing(make_store(tmp_path / "state", url)) as made:
        add_contacts(made, [make_contact(number) for number in (1, 2, 3)])
        yield made


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    with fake_sendgrid() as running:
        yield running


@pytest.fixture
def lists(store: Store, fake: FakeSendGrid, monkeypatch: pytest.MonkeyPatch) -> ProviderLists:
    """The account's lists at noon; nobody waits between tries."""
    monkeypatch.setattr(sendgrid_lists, "_pause", lambda seconds: None)
    account = SendGridAccount(url=fake.url, key=fake.key)
    return ProviderLists(store=store, account=account, clock=FixedClock(NOON), erasure_key=KEY)


def put(fake: FakeSendGrid, on: str, *addresses: str, at: datetime = NOON - timedelta(days=3), **more: object) -> None:
    fake.account.suppressions.add(_ON[on], *addresses, created=at.timestamp(), **more)


def later(lists: ProviderLists, **time: float) -> ProviderLists:
    return replace(lists, clock=FixedClock(NOON + timedelta(**time)))


def rules(store: Store) -> list[tuple[str, str, str, int | None]]:
    return [(rule.kind, rule.topic, rule.address, rule.contact_id) for rule in standing_suppressions(store)]


def lift(store: Store, address: str, *, at: datetime = NOON) -> None:
    lift_suppressions(store, address=address, topic=ALL_TOPICS, by="the editor", reason="asked for it", now=at)


@pytest.mark.parametrize(
    ("on", "kind", "contact"),
    [
        ("bounces", "bounce", None),
        ("invalid_emails", "bounce", None),
        ("spam_reports", "complaint", 1),
        ("unsubscribes", "opt_out", 1),
    ],
)
def test_who_stands_on_a_list_is_not_written_to(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, on: str, kind: str, contact: int | None
) -> None:
    put(fake, on, ONE.upper())
    pulled = lists.pull()
    assert (pulled.opt_outs, pulled.bounced) == ((0, 1) if kind == "bounce" else (1, 0))
    assert rules(store) == [(kind, ALL_TOPICS, ONE, contact)]
    (rule,) = standing_suppressions(store)
    assert rule.evidence == f"SendGrid's list “{on}”, entry of 2021-10-17 12:00:00 UTC"
    assert "@" not in rule.reason


def test_a_block_alone_stops_nobody(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "blocks", ONE)
    assert (lists.pull().soft, rules(store)) == (1, [])


def test_a_bounce_whose_code_is_soft_stops_nobody(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "bounces", ONE, status="4.2.2", reason="452 4.2.2 mailbox full")
    assert (lists.pull().soft, rules(store)) == (1, [])


def test_read_twice_it_counts_once(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "bounces", ONE, at=NOON - timedelta(minutes=5))
    put(fake, "blocks", TWO, at=NOON - timedelta(minutes=5))
    assert lists.pull() == Pulled(entries=2, new=2, bounced=1, soft=1)
    assert later(lists, minutes=10).pull() == Pulled(entries=2)
    assert len(table(store, "signal", "id")) == len(rules(store)) == 1


def test_a_long_list_is_read_page_by_page(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    people = [f"old{number}@office.example" for number in range(1200)]
    put(fake, "bounces", *people, at=NOON - timedelta(hours=2))
    assert lists.pull().bounced == 1200
    assert {address for _, _, address, _ in rules(store)} == set(people)


def test_who_is_taken_off_between_two_pages_hides_nobody(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"old{number:04}@office.example" for number in range(600)]
    put(fake, "bounces", *people, at=NOON - timedelta(hours=2))
    take_in = ProviderLists._take_in

    def and_take_some_off(self: ProviderLists, page: Page) -> Pulled:
        for address in people[:10] if page.entries else ():
            fake.account.suppressions._lists[SuppressionList.BOUNCES].pop(address, None)
        return take_in(self, page)

    monkeypatch.setattr(ProviderLists, "_take_in", and_take_some_off)
    lists.pull()
    assert {address for _, _, address, _ in rules(store)} == set(people)


@pytest.mark.parametrize("largest", [1, 2, 30, 100])
def test_a_server_whose_pages_are_shorter_than_asked_for_hides_nobody(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, largest: int
) -> None:
    fake.account.suppressions.largest_page = largest
    people = [f"old{number}@office.example" for number in range(5 if largest < 5 else 240)]
    put(fake, "unsubscribes", *people, at=NOON - timedelta(hours=2))
    lists.pull()
    assert {address for _, _, address, _ in rules(store)} == set(people)


def test_a_server_that_gives_the_same_page_again_and_again_is_told(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    page = json.dumps([{"created": int(NOON.timestamp()) - 9, "email": f"p{each}@office.example"} for each in range(9)])
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=200, body=page, path=BOUNCES, times=100))
    with pytest.raises(TransportError, match="the same page"):
        lists.pull()
    assert len(rules(store)) == 9
    with store.reading() as connection:
        assert read_until(connection, ProviderList.BOUNCES) is None


def test_a_crash_between_two_pages_loses_nothing(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"old{number}@office.example" for number in range(600)]
    put(fake, "bounces", *people, at=NOON - timedelta(hours=2))
    take_in, pages = ProviderLists._take_in, itertools.count()

    def crash(self: ProviderLists, page: Page) -> Pulled:
        if next(pages) == len(list(stretches(None, now=NOON))):
            raise KeyboardInterrupt
        return take_in(self, page)

    with monkeypatch.context() as crashing:
        crashing.setattr(ProviderLists, "_take_in", crash)
        with pytest.raises(KeyboardInterrupt):
            lists.pull()
    assert 0 < len(rules(store)) < 600
    lists.pull()
    assert {address for _, _, address, _ in rules(store)} == set(people)
    assert len(table(store, "signal", "id")) == 600


def test_what_shows_up_late_is_read_all_the_same(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    lists.pull()
    put(fake, "bounces", ONE, at=NOON - OVERLAP + timedelta(seconds=1))
    later(lists, minutes=10).pull()
    assert len(rules(store)) == 1


def test_a_clock_of_ours_that_was_ahead_skips_nothing(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    """How far a list was read is never noted later than the server's own time."""
    ahead = replace(lists, clock=FixedClock(datetime.now(UTC) + timedelta(days=400)))
    ahead.pull()
    put(fake, "bounces", ONE, at=datetime.now(UTC) + timedelta(hours=1))
    replace(lists, clock=FixedClock(datetime.now(UTC) + timedelta(days=3))).pull()
    assert len(rules(store)) == 1


def test_stretches_leave_no_gap_and_overlap_what_was_read() -> None:
    for known in (None, NOON - timedelta(minutes=10), NOON - timedelta(days=900), NOON + timedelta(days=5)):
        found = list(stretches(known, now=NOON))
        assert found[-1][1] == NOON
        assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
        assert found[0][0] == (datetime.fromtimestamp(0, UTC) if known is None else min(known, NOON) - OVERLAP)


def test_who_is_nobody_yet_is_stopped_when_they_join(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    from mlgroup_mail.consent.restrictions import restrictions

    put(fake, "spam_reports", "new@office.example")
    lists.pull()
    people = [make_contact(1), make_contact(2), make_contact(3), make_contact(4, address="new@office.example")]
    with store.deciding() as connection:
        sync_contacts(connection, people, sources=frozenset({"members"}), now=NOON)
    with store.reading() as connection:
        assert set(restrictions(connection, {4: "new@office.example"}, "newsletter")) == {4}
    assert later(lists, minutes=1).pull().opt_outs == 0, "it is the same entry, whosever address it is by now"


def test_nothing_is_kept_of_who_was_erased(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "bounces", TWO)
    erase_person(store, ONE, key=KEY, by="the editor", reason="asked", now=NOON)
    before = table(store, "signal", "id"), table(store, "suppression", "id")
    for on in ("bounces", "blocks", "spam_reports", "unsubscribes"):
        put(fake, on, ONE)
    assert lists.pull() == Pulled(entries=5, new=1, bounced=1, erased=4)
    assert len(table(store, "signal", "id")) == len(before[0]) + 1
    with store.reading() as connection:
        kept = connection.execute(select(schema.provider_entry.c.address_key)).scalars().all()
    assert kept == [TWO]


def test_who_vanishes_from_a_list_stays_stopped(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "unsubscribes", ONE)
    lists.pull()
    fake.account.suppressions._lists[SuppressionList.UNSUBSCRIBES].clear()
    later(lists, days=1).pull()
    assert len(rules(store)) == 1


def test_an_entry_that_cannot_be_read_hides_no_other(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "invalid_emails", "nobody at all", "", "a@b@c", ONE)
    fake.account.suppressions.add(SuppressionList.SPAM, TWO, created=NOON.timestamp() - 5)
    fake.account.suppressions._lists[SuppressionList.SPAM]["x"] = {"created": int(NOON.timestamp()) - 9, "email": None}
    fake.account.suppressions._sorted = lambda name: list(fake.account.suppressions._lists[name].values())  # type: ignore[method-assign]
    pulled = lists.pull()
    assert (pulled.opt_outs, pulled.bounced, pulled.unreadable) == (1, 1, 4)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(trouble=Trouble.ANSWERS, status=500, path=BOUNCES, times=2),
        Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "2"}, path=BOUNCES, times=3),
        Fault(trouble=Trouble.RESETS_AFTER, path=BOUNCES, times=2),
        Fault(trouble=Trouble.CUTS_STATUS, path=BOUNCES),
        Fault(trouble=Trouble.CLOSES, path=BOUNCES),
    ],
    ids=lambda fault: str(fault.trouble),
)
def test_a_passing_trouble_is_waited_out(lists: ProviderLists, fake: FakeSendGrid, store: Store, fault: Fault) -> None:
    put(fake, "bounces", ONE)
    fake.faults.add(fault)
    assert lists.pull().bounced == 1


@pytest.mark.parametrize(
    ("fault", "temporary"),
    [
        (Fault(trouble=Trouble.ANSWERS, status=503, path=BOUNCES, times=100), True),
        (Fault(trouble=Trouble.ANSWERS, status=429, headers={"Retry-After": "1800"}, path=BOUNCES), True),
        (Fault(trouble=Trouble.ANSWERS, status=429, path=BOUNCES), True),
        (Fault(trouble=Trouble.ANSWERS, status=403, path=BOUNCES), False),
        (Fault(trouble=Trouble.ANSWERS, status=200, body='{"not": "a list"}', path=BOUNCES), False),
        (Fault(trouble=Trouble.ANSWERS, status=302, headers={"Location": "/"}, path=BOUNCES), False),
        (Fault(trouble=Trouble.CUTS_BODY, status=200, path=BOUNCES, times=100), False),
    ],
    ids=["503", "429 for long", "429 for nobody knows", "403", "no list", "302", "cut"],
)
def test_a_trouble_that_stays_is_told_and_the_next_run_reads_on(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, fault: Fault, temporary: bool
) -> None:
    put(fake, "bounces", ONE)
    roads.register(store, Road.PROVIDER, [roads.SENDGRID], now=NOON)
    fake.faults.add(fault)
    with pytest.raises(TransportError) as raised:
        lists.pull()
    assert raised.value.temporary is temporary
    assert fake.key not in str(raised.value)
    with store.reading() as connection:
        (road,) = roads.all_roads(connection)
        assert read_until(connection, ProviderList.BOUNCES) is None
    assert road.error
    assert road.heard_at is None
    fake.faults.clear()
    assert lists.pull().bounced == 1


def test_the_road_is_heard_once_all_lists_were_read(lists: ProviderLists, store: Store) -> None:
    roads.register(store, Road.PROVIDER, [roads.SENDGRID], now=NOON - timedelta(days=3))
    with store.reading() as connection:
        assert roads.deaf(connection, now=NOON)
    lists.pull()
    with store.reading() as connection:
        assert not roads.deaf(connection, now=NOON)


def test_an_event_and_a_list_that_tell_of_one_bounce_make_one_rule(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    told = Signal(kind=SignalKind.BOUNCE, topic=ALL_TOPICS, road=Road.PROVIDER, at=NOON, address=ONE, evidence="event")
    apply_signal(store, told, now=NOON)
    put(fake, "bounces", ONE)
    assert lists.pull() == Pulled(entries=1, new=1)
    assert len(rules(store)) == 1


def test_three_blocks_on_different_days_suppress_the_address(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    for day in (30, 20, 10):
        fake.account.suppressions._lists[SuppressionList.BLOCKS].clear()
        put(fake, "blocks", ONE, at=NOON - timedelta(days=day))
        later(lists, days=-day).pull()
    (rule,) = standing_suppressions(store)
    assert (rule.kind, rule.address, rule.contact_id) == ("bounce", ONE, None)
    assert rule.evidence == "; ".join(f"SendGrid's list “blocks”, 2021-{day}" for day in ("09-20", "09-30", "10-10"))


# What we put there ourselves


def opt_out(store: Store, address: str, *, topic: str = ALL_TOPICS, at: datetime = NOON - timedelta(days=1)) -> None:
    signal = Signal(
        kind=SignalKind.OPT_OUT, topic=topic, road=Road.HAND, at=at, address=address, evidence=f"a letter of {at}"
    )
    apply_signal(store, signal, now=at)


def there(fake: FakeSendGrid, on: str = "unsubscribes") -> list[str]:
    return fake.account.suppressions.addresses(_ON[on])


def test_whom_no_mail_may_reach_is_put_on_sendgrids_list_once(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    opt_out(store, ONE)
    opt_out(store, TWO, topic="newsletter")
    assert (lists.push(), there(fake)) == (Pulled(pushed=1), [ONE])
    assert lists.push() == Pulled()


def test_who_opted_out_of_one_topic_bounced_or_was_told_by_sendgrid_is_not_put_there(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    opt_out(store, TWO, topic="newsletter")
    put(fake, "spam_reports", ONE)
    put(fake, "bounces", "person3@office3.example")
    lists.pull()
    assert (lists.push(), there(fake)) == (Pulled(), [])


def test_what_we_put_there_comes_back_as_no_opt_out(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    opt_out(store, ONE)
    lists.push()
    fake.account.suppressions._lists[SuppressionList.UNSUBSCRIBES][ONE]["created"] = int(NOON.timestamp())
    assert later(lists, minutes=10).pull() == Pulled(entries=1, new=1, ours=1)
    assert len(table(store, "signal", "id")) == 1


def test_pushing_that_broke_off_is_done_again(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    for number in range(1200):
        opt_out(store, f"left{number}@office.example")
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=403, path="/v3/asm/suppressions/global"))
    with pytest.raises(TransportError):
        lists.push()
    assert lists.push() == Pulled(pushed=1200)
    assert len(there(fake)) == 1200


def test_a_lift_takes_off_what_we_put_there_and_it_does_not_come_back(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    opt_out(store, ONE)
    lists.push()
    fake.account.suppressions._lists[SuppressionList.UNSUBSCRIBES][ONE]["created"] = int(NOON.timestamp())
    lift(store, ONE, at=NOON + timedelta(hours=1))
    assert later(lists, hours=2).pull().opt_outs == 0, "it is still there, and is ours"
    assert lists.take_off() == Pulled(taken_off=1)
    assert there(fake) == []
    assert (lists.take_off(), lists.push(), rules(store)) == (Pulled(), Pulled(), [])


def test_a_lift_takes_off_what_sendgrid_told_and_only_that(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    put(fake, "bounces", ONE, TWO)
    lists.pull()
    lift(store, ONE)
    assert (lists.take_off(), there(fake, "bounces")) == (Pulled(taken_off=1), [TWO])
    put(fake, "bounces", ONE, at=NOON + timedelta(days=1))
    assert later(lists, days=2).pull().bounced == 1, "a later bounce is a new one"


def test_a_lift_that_sendgrid_does_not_hear_is_a_to_do(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    put(fake, "bounces", ONE)
    lists.pull()
    lift(store, ONE)
    fake.account.scopes.remove("suppression.delete")
    with pytest.raises(TransportError, match="403"):
        lists.take_off()
    fake.account.scopes.append("suppression.delete")
    assert (lists.take_off(), there(fake, "bounces")) == (Pulled(taken_off=1), [])


@pytest.mark.parametrize("ahead", [timedelta(minutes=-3), timedelta(), timedelta(minutes=3)])
def test_what_came_after_a_lift_counts_and_what_was_before_does_not_whatever_our_clock_says(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, ahead: timedelta
) -> None:
    now = datetime.now(UTC)
    lifted = now - timedelta(minutes=10)
    ours = replace(lists, clock=FixedClock(now + ahead))
    for address in (ONE, TWO):
        opt_out(store, address, at=now + ahead - timedelta(hours=2))
    ours.push()
    for address in (ONE, TWO):
        lift(store, address, at=lifted + ahead)
    entries = fake.account.suppressions._lists[SuppressionList.UNSUBSCRIBES]
    entries[ONE]["created"] = int(lifted.timestamp()) - 30
    entries[TWO]["created"] = int(lifted.timestamp()) + 30
    assert (ours.pull().opt_outs, [address for _, _, address, _ in rules(store)]) == (1, [TWO])


@pytest.mark.parametrize("on", ["bounces", "unsubscribes"])
def test_who_stands_there_with_capitals_is_taken_off_too(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, on: str
) -> None:
    fake.account.suppressions.exact = True
    put(fake, on, "Person1@Office1.example")
    lists.pull()
    lift(store, ONE)
    assert (lists.take_off(), there(fake, on)) == (Pulled(taken_off=1), [])


def test_who_cannot_be_taken_off_is_told_and_keeps_nobody_waiting(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    put(fake, "bounces", ONE, TWO)
    lists.pull()
    for address in (ONE, TWO):
        lift(store, address)
    path = f"{BOUNCES}/{quote(ONE, safe='')}"
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=404, path=path))
    assert (lists.take_off(), there(fake, "bounces")) == (Pulled(taken_off=1, left_on=1), [ONE])
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=400, path=path))
    assert (lists.take_off(), there(fake, "bounces")) == (Pulled(left_on=1), [ONE])
    assert (lists.take_off(), there(fake, "bounces")) == (Pulled(taken_off=1), [])


def test_an_address_that_sendgrid_does_not_take_keeps_nobody_else_off_its_list(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    everybody = [f"left{number:03}@office.example" for number in range(40)]
    for address in everybody:
        opt_out(store, address)
    fake.account.suppressions.refuses = {everybody[11], everybody[12]}
    put(fake, "bounces", ONE)
    lists.pull()
    lift(store, ONE)
    assert lists.keep(reads=True, writes=True) == Pulled(pushed=38, refused=2, taken_off=1)
    assert set(there(fake)) == set(everybody) - fake.account.suppressions.refuses
    assert lists.push() == Pulled(), "nobody asks for them again"
    put(fake, "unsubscribes", everybody[11], at=NOON)
    lift(store, everybody[11])
    assert later(lists, hours=1).pull().opt_outs == 1, "it is theirs, and none of ours"
    lift(store, everybody[12])
    assert len(table(store, "provider_push", "address_key")) == 38


@pytest.mark.parametrize("many", [1, 2, 20, 60])
def test_where_sendgrid_takes_no_address_at_all_nobody_is_given_up(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, many: int
) -> None:
    """An account under review, a format that has changed: it is about none of them, however few they are."""
    everybody = [f"left{number:03}@office.example" for number in range(many)]
    for address in everybody:
        opt_out(store, address)
    fake.account.suppressions.refuses = set(everybody)
    with pytest.raises(TransportError, match="400"):
        lists.push()
    fake.account.suppressions.refuses = set()
    assert lists.push() == Pulled(pushed=many)


def test_one_alone_is_given_up_where_sendgrid_names_it_or_takes_another(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    opt_out(store, ONE)
    path = "/v3/asm/suppressions/global"
    named = json.dumps({"errors": [{"message": f"{ONE.upper()} is no address", "field": "recipient_emails"}]})
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=400, path=path, body=named))
    assert lists.push() == Pulled(refused=1)
    opt_out(store, TWO)
    fake.account.suppressions.refuses = {TWO}
    with pytest.raises(TransportError, match="400"):
        lists.push()
    opt_out(store, "person3@office3.example")
    assert lists.push() == Pulled(pushed=1, refused=1)


def test_whom_sendgrid_took_before_in_the_same_run_shows_that_it_is_about_the_last_one(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_lists, "MOST_ADDED", 1)
    opt_out(store, ONE)
    opt_out(store, TWO)
    fake.account.suppressions.refuses = {TWO}
    assert lists.push() == Pulled(pushed=1, refused=1)


def test_lifted_while_it_is_being_put_there_it_is_taken_off_again(
    lists: ProviderLists, fake: FakeSendGrid, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    opt_out(store, ONE)
    add = sendgrid_lists.SuppressionLists.add

    def lifted_meanwhile(self: object, addresses: object) -> None:
        lift(store, ONE)
        lists.take_off()
        add(self, addresses)  # type: ignore[arg-type]

    monkeypatch.setattr(sendgrid_lists.SuppressionLists, "add", lifted_meanwhile)
    lists.push()
    assert there(fake) == [ONE]
    assert (lists.take_off(), there(fake)) == (Pulled(taken_off=1), [])


def test_who_opts_out_again_is_put_there_again(lists: ProviderLists, fake: FakeSendGrid, store: Store) -> None:
    opt_out(store, ONE)
    lists.push()
    lift(store, ONE)
    opt_out(store, ONE, at=NOON + timedelta(days=1))
    assert later(lists, days=3).push() == Pulled(pushed=1)
    assert (lists.take_off(), there(fake)) == (Pulled(), [ONE])


def test_while_another_rule_says_the_same_nobody_is_taken_off(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    """Somebody takes back their own click; the team's rule stands."""
    from mlgroup_mail.store.suppressions import end_rules

    opt_out(store, ONE)
    opt_out(store, ONE, at=NOON - timedelta(hours=5))
    lists.push()
    first, _ = standing_suppressions(store)
    with store.deciding() as connection:
        end_rules(connection, [first], contact_id=1, address=ONE, by="the reader", reason="taken back", now=NOON)
    assert (lists.take_off(), there(fake)) == (Pulled(), [ONE])


def test_a_young_opt_out_waits_for_its_reader_who_may_take_it_back(
    lists: ProviderLists, fake: FakeSendGrid, store: Store
) -> None:
    opt_out(store, ONE, at=NOON - timedelta(minutes=20))
    assert lists.push() == Pulled()
    assert later(lists, hours=1).push() == Pulled(pushed=1)
