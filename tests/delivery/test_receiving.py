"""What the provider tells ends doubt, is kept once, and stops mail, in whatever order and however often it comes."""

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest.mock import ANY

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from mlgroup_mail.consent.applying import apply_signal, lift_suppressions
from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.delivery import receiving
from mlgroup_mail.delivery.receiving import Received, receive
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.tidying import tidy
from mlgroup_mail.model import ALL_TOPICS, MailingRef, Road, Signal, SignalKind
from mlgroup_mail.model.retention import Retained
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.events import settle_by_evidence
from mlgroup_mail.testing.sendgrid import events as stories
from mlgroup_mail.testing.sendgrid.batches import Mishaps, travelled
from mlgroup_mail.testing.sendgrid.events import Fate
from mlgroup_mail.testing.sendgrid.truth import Accepted
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.delivery.told import (
    AT_TEN,
    EVENING,
    about,
    accepted,
    copy_of,
    end_state,
    open_ledger,
    put_in_doubt,
    read,
    table,
    tell,
    without_ours,
)
from tests.factories import NOON
from tests.store.test_query_plans import looked_at, scanned

HARD = {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}
ERASURE_KEY = "an-erasure-key-for-tests-0123456789abcdef"


@pytest.fixture
def sent(run: Run, letter: Path, use: Settings) -> Iterator[Store]:
    """The small project's ledger after its letter went to six people, all of them in doubt."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("dispatch", "--live").code == 0
    with closing(open_ledger(letter)) as store:
        put_in_doubt(store)
        yield store


@pytest.fixture
def people(sent: Store) -> list[Accepted]:
    return accepted(sent)


def states(store: Store) -> list[object]:
    return [state for (state,) in table(store, "delivery", "state")]


def kinds(store: Store) -> list[tuple[object, ...]]:
    return table(store, "delivery_event", "delivery_id", "kind", "bounce", "detail")


def rules(store: Store) -> list[tuple[object, ...]]:
    return table(store, "suppression", "kind", "topic", "address_key", "contact_id", "road")


@pytest.mark.parametrize("word", ["processed", "deferred", "delivered", "bounce", "dropped", "open", "click"])
def test_every_event_about_a_message_shows_that_it_had_been_taken(
    sent: Store, people: list[Accepted], word: str, run: Run
) -> None:
    told = tell(sent, about(people[1], word))
    assert (told.new, told.settled) == (1, 1)
    assert states(sent) == ["uncertain", "accepted", *["uncertain"] * 4]
    assert run("verify").code == 0


def test_told_again_with_another_number_it_changes_nothing(sent: Store, people: list[Accepted]) -> None:
    events = [about(people[0], "delivered", response="250 OK"), about(people[1], "spamreport")]
    assert tell(sent, *events) == Received(new=2, settled=2, opt_outs=1)
    before = end_state(sent)
    again = [{**event, "sg_event_id": "another"} for event in events]
    assert tell(sent, *again, now=EVENING + timedelta(hours=23)) == Received(known=2)
    assert end_state(sent) == before


def test_a_complaint_stops_all_mail_to_the_person(sent: Store, people: list[Accepted], run: Run) -> None:
    tell(sent, about(people[2], "spamreport"))
    assert rules(sent) == [("complaint", ALL_TOPICS, people[2].address, 3, "provider")]
    assert "complain" in run("explain", people[2].address).out


def test_who_unsubscribes_at_the_provider_gets_no_topic_and_who_leaves_a_group_not_this_one(
    sent: Store, people: list[Accepted]
) -> None:
    tell(sent, about(people[0], "unsubscribe"), about(people[1], "group_unsubscribe", asm_group_id=5))
    assert [(topic, contact) for _, topic, _, contact, _ in rules(sent)] == [(ALL_TOPICS, 1), ("newsletter", 2)]


def test_resubscribing_at_the_provider_lifts_nothing(sent: Store, people: list[Accepted]) -> None:
    tell(sent, about(people[0], "group_unsubscribe"))
    before = end_state(sent)
    assert tell(sent, about(people[0], "group_resubscribe", minute=9)) == Received()
    assert end_state(sent) == before


def test_a_hard_bounce_suppresses_the_address_and_not_the_person(sent: Store, people: list[Accepted]) -> None:
    tell(sent, about(people[0], "bounce", **HARD))
    assert rules(sent) == [("bounce", ALL_TOPICS, people[0].address, None, "provider")]
    assert kinds(sent) == [(1, "bounced", "hard", "550 5.1.1 no such user")]


def test_it_is_the_address_that_was_written_to_whatever_the_event_says(sent: Store, people: list[Accepted]) -> None:
    tell(sent, about(people[0], "bounce", **HARD, email="somebody@elsewhere.example"))
    assert [address for _, _, address, _, _ in rules(sent)] == [people[0].address]


@pytest.mark.parametrize("sort", ["blocked", "expired"])
def test_a_block_is_kept_as_soft_and_stops_nobody(sent: Store, people: list[Accepted], sort: str) -> None:
    tell(sent, about(people[0], "bounce", type=sort, status="5.7.1", reason="554 5.7.1 blocked"))
    assert kinds(sent) == [(1, "bounced", "soft", "554 5.7.1 blocked")]
    assert rules(sent) == []


def test_what_a_lift_has_ended_stays_so_when_the_old_event_is_told_again(sent: Store, people: list[Accepted]) -> None:
    event = about(people[0], "spamreport")
    tell(sent, event)
    lift_suppressions(sent, address=people[0].address, topic=ALL_TOPICS, by="the editor", reason="a slip", now=EVENING)
    assert tell(sent, event).opt_outs == 0
    assert [number is not None for (number,) in table(sent, "suppression", "lifted_number")] == [True]


def test_a_bounce_and_the_drops_that_follow_from_it_are_one_rule_and_stay_ended_by_one_lift(
    sent: Store, people: list[Accepted], run: Run
) -> None:
    """SendGrid drops every later mail to the address, and says so each time."""
    told = [
        about(people[0], "bounce", **HARD),
        about(people[0], "dropped", minute=3, reason="Bounced Address"),
        about(people[0], "dropped", minute=9, reason="Bounced Address"),
    ]
    assert tell(sent, *told[:2]).opt_outs == 1
    assert tell(sent, told[2]).opt_outs == 0
    assert [rule[:2] for rule in rules(sent)] == [("bounce", ALL_TOPICS)]
    assert len(kinds(sent)) == 3, "each is kept as evidence"
    lift_suppressions(sent, address=people[0].address, topic=ALL_TOPICS, by="the editor", reason="mended", now=EVENING)
    assert tell(sent, *told).opt_outs == 0
    assert len(rules(sent)) == 1
    later = about(people[0], "bounce", minute=700, **HARD)
    assert tell(sent, later).opt_outs == 1
    assert len(rules(sent)) == 2, "what has happened since counts"
    assert run("verify").code == 0


@pytest.mark.parametrize("word", ["bounce", "spamreport", "unsubscribe"])
def test_what_the_provider_s_list_has_told_makes_no_second_rule_when_an_event_tells_it(
    sent: Store, people: list[Accepted], word: str
) -> None:
    kind = {"bounce": SignalKind.BOUNCE, "spamreport": SignalKind.COMPLAINT}.get(word, SignalKind.OPT_OUT)
    listed = Signal(
        kind=kind, topic=ALL_TOPICS, road=Road.PROVIDER, at=AT_TEN, address=people[0].address, evidence="the list"
    )
    apply_signal(sent, listed, now=EVENING)
    tell(sent, about(people[0], word, **HARD), about(people[1], word, **HARD))
    assert [address for _, _, address, _, _ in rules(sent)] == [people[0].address, people[1].address]


def test_who_has_the_mailbox_of_somebody_who_complained_is_heard_for_themselves(
    sent: Store, people: list[Accepted], run: Run
) -> None:
    """Their own word goes with them where they move; the other's rule would stay with the mailbox."""
    first = Signal(
        kind=SignalKind.COMPLAINT,
        topic=ALL_TOPICS,
        road=Road.PROVIDER,
        at=AT_TEN,
        contact_id=3,
        address=people[0].address,
        evidence="the list",
    )
    apply_signal(sent, first, now=EVENING)
    tell(sent, about(people[0], "spamreport"))
    assert [contact for *_, contact, _ in rules(sent)] == [3, 1]


def test_what_somebody_else_has_told_stays_a_rule_of_its_own(sent: Store, people: list[Accepted]) -> None:
    """It says who took it in, and a lift asks SendGrid to forget only what SendGrid has told."""
    by_hand = Signal(
        kind=SignalKind.COMPLAINT, topic=ALL_TOPICS, road=Road.HAND, at=AT_TEN, address=people[0].address, evidence="x"
    )
    apply_signal(sent, by_hand, now=EVENING)
    tell(sent, about(people[0], "spamreport"))
    assert [road for *_, road in rules(sent)] == ["hand", "provider"]


def test_a_message_id_serves_where_the_argument_is_missing(sent: Store, people: list[Accepted]) -> None:
    event = about(people[3], "delivered")
    del event["delivery"]
    assert tell(sent, event).settled == 1
    assert states(sent)[3] == "accepted"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("word", ["bounce", "spamreport", "unsubscribe"])
def test_what_cites_nothing_of_ours_is_known_by_the_provider_s_name_for_the_message(
    sent: Store, people: list[Accepted], word: str, order: tuple[int, int]
) -> None:
    """Three share a request and so the name: it is the recipient who tells them apart."""
    told = [about(person, "processed") for person in people], [without_ours(about(people[4], word, **HARD))]
    for place in order:
        tell(sent, *told[place])
    assert [rule[2] for rule in rules(sent)] == [people[4].address]
    later = [row for row in table(sent, "delivery_event", "kind", "delivery_id") if row[0] != "processed"]
    assert [number for _, number in later] == [5]
    with sent.reading() as connection:
        assert connection.execute(schema.unplaced_event.select()).all() == []


def test_what_waits_names_nobody_and_is_forgotten_after_a_week(sent: Store, people: list[Accepted]) -> None:
    stranger = {"email": "stranger@elsewhere.example", "event": "bounce", "type": "blocked", "timestamp": 1}
    assert tell(sent, {**stranger, "sg_message_id": "theirs.1", "reason": "no stranger@elsewhere.example"}).waiting == 1
    with sent.reading() as connection:
        assert "stranger" not in repr(connection.execute(schema.unplaced_event.select()).all())
    late = EVENING + timedelta(days=8)
    assert tell(sent, {**stranger, "sg_message_id": "others.1"}, now=late).waiting == 1
    with sent.reading() as connection:
        assert len(connection.execute(schema.unplaced_event.select()).all()) == 1


def test_of_other_senders_of_the_account_nothing_is_kept_but_bounces_and_opt_outs(sent: Store) -> None:
    before = end_state(sent)
    theirs = {"email": "stranger@elsewhere.example", "timestamp": 1, "sg_message_id": "theirs.1"}
    for word in ("processed", "delivered", "deferred", "open", "click"):
        assert tell(sent, {**theirs, "event": word}) == Received(nobody_s=1)
    assert end_state(sent) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"delivery": "1.0000000000000000"},
        {"delivery": "order 66"},
        {"delivery": "999999999999999999.{token}"},
        {"delivery": "99999999999999999999999.{token}"},
        {"delivery": "2.{token}"},
        {"delivery": None, "smtp-id": "<1.{token}@elsewhere.example>"},
        {"delivery": None, "smtp-id": "<1.0000000000000000@example.org>"},
        {"delivery": None, "smtp-id": "<99.{token}@example.org>"},
        {"delivery": None, "smtp-id": None, "sg_message_id": None},
        {"delivery": None, "smtp-id": "", "sg_message_id": ""},
        {"delivery": None, "smtp-id": None, "email": None},
    ],
)
@pytest.mark.parametrize("word", ["delivered", "spamreport", "bounce"])
def test_another_ledger_s_a_foreign_token_and_contradictions_change_nothing(
    sent: Store, people: list[Accepted], changed: dict[str, str | None], word: str
) -> None:
    token = people[0].custom_args["delivery"].partition(".")[2]
    event = about(people[0], word, **HARD)
    event |= {name: value and value.format(token=token) for name, value in changed.items()}
    before = end_state(sent)
    assert tell(sent, event) == Received(nobody_s=1)
    assert end_state(sent) == before


@pytest.mark.parametrize("word", ["delivered", "spamreport", "bounce", "unsubscribe"])
def test_an_event_about_an_erased_person_changes_nothing(sent: Store, people: list[Accepted], word: str) -> None:
    tell(sent, about(people[0], "processed"))
    erase_person(sent, people[0].address, key=ERASURE_KEY, by="the editor", reason="asked for it", now=NOON)
    before = end_state(sent) | {"unplaced_event": ANY}
    event = about(people[0], word, **HARD)
    assert tell(sent, event) == Received(nobody_s=1)
    # Erasing has forgotten the provider's name for it too: such an event waits for its week in vain.
    assert tell(sent, without_ours(event)) in (Received(nobody_s=1), Received(waiting=1))
    assert end_state(sent) == before


def forget_old_details(store: Store, folder: Path) -> None:
    """The mailing was over forty days ago, and addresses are kept for four weeks."""
    later = EVENING + timedelta(days=40)
    with store.writing() as connection:
        connection.execute(update(schema.delivery).values(state="accepted"))
        connection.execute(update(schema.attempt).values(outcome="accepted"))
    settle(store, MailingRef("letter", "issue"), now=EVENING)
    before = {Retained.DELIVERY_DETAILS: later - timedelta(days=28)}
    tidy(store, folder, before, by="the editor", now=later, stop=Stop())
    assert table(store, "delivery", "address") == [("",)] * 6


@pytest.mark.parametrize(
    ("word", "kind", "topic"),
    [
        ("spamreport", "complaint", ALL_TOPICS),
        ("unsubscribe", "opt_out", ALL_TOPICS),
        ("group_unsubscribe", "opt_out", "newsletter"),
    ],
)
def test_who_wants_out_by_an_old_mail_is_heard_though_its_address_is_kept_no_longer(
    sent: Store, people: list[Accepted], tmp_path: Path, run: Run, word: str, kind: str, topic: str
) -> None:
    forget_old_details(sent, tmp_path)
    late = about(people[0], word, minute=60 * 24 * 39)
    assert tell(sent, late).opt_outs == 1
    assert tell(sent, late) == Received(known=1)
    assert rules(sent) == [(kind, topic, people[0].address, 1, "provider")]
    assert run("verify").code == 0


@pytest.mark.parametrize("word", ["delivered", "bounce"])
def test_what_else_is_told_of_an_old_mail_whose_address_is_kept_no_longer_passes(
    sent: Store, people: list[Accepted], tmp_path: Path, word: str
) -> None:
    """A bounce is about the address that was written to, which nobody knows any more."""
    forget_old_details(sent, tmp_path)
    before = end_state(sent)
    assert tell(sent, about(people[0], word, minute=60 * 24 * 39, **HARD)) == Received(nobody_s=1)
    assert end_state(sent) == before


def test_who_was_erased_after_their_old_mails_had_been_emptied_stays_nobody(
    sent: Store, people: list[Accepted], tmp_path: Path
) -> None:
    forget_old_details(sent, tmp_path)
    erase_person(sent, people[0].address, key=ERASURE_KEY, by="the editor", reason="asked for it", now=NOON)
    assert tell(sent, about(people[0], "spamreport")) == Received(nobody_s=1)


def test_who_has_moved_is_stopped_by_their_complaint_and_not_by_the_old_address_s_bounce(
    sent: Store, people: list[Accepted], run: Run
) -> None:
    for person, new in zip(people[:2], ("new1@office.example", "new2@office.example"), strict=True):
        assert run("person", "move", person.address, new, "--reason", "wrote so").code == 0
    tell(sent, about(people[0], "bounce", **HARD), about(people[1], "spamreport"))
    assert run("explain", "new1@office.example", "--json").json["opt_outs"] == []
    assert len(run("explain", "new2@office.example", "--json").json["opt_outs"]) == 1


def test_an_event_that_is_faster_than_the_doubt_settles_it_when_it_comes_up(
    sent: Store, people: list[Accepted]
) -> None:
    with sent.writing() as connection:
        connection.execute(update(schema.delivery).values(state="attempting"))
        connection.execute(update(schema.attempt).values(outcome=None))
    assert tell(sent, about(people[0], "open")).settled == 0
    put_in_doubt(sent)
    with sent.writing() as connection:
        assert settle_by_evidence(connection, 1, now=EVENING) == 1
    assert states(sent)[0] == "accepted"


def test_evidence_of_what_this_ledger_never_tried_holds_the_mailing(run: Run, letter: Path, use: Settings) -> None:
    """A restored copy: what had gone is planned there. Who complained of it is not written to again all the same."""
    use({"MLGROUP_NOW": AT_TEN.isoformat()})
    assert run("plan", LETTER).code == 0
    with closing(open_ledger(letter)) as store:
        people = accepted(store)
        assert tell(store, *(about(person, "spamreport") for person in people)) == Received(never_tried=6, opt_outs=6)
        assert len(rules(store)) == 6
    assert run("status", LETTER, "--json").json["state"] == "held"


def test_of_what_people_opened_and_when_no_trace_is_left(sent: Store, people: list[Accepted]) -> None:
    tell(sent, about(people[0], "processed"))
    before = end_state(sent)
    reader = {"useragent": "Mozilla/5.0", "ip": "192.0.2.7", "url": "https://events.example/join"}
    for minute, word in ((3, "open"), (5, "click"), (9, "open")):
        assert tell(sent, about(people[0], word, minute=minute, **reader)) == Received(known=1)
    assert end_state(sent) == before
    assert table(sent, "delivery_event", "at") == table(sent, "attempt", "begun_at")[:1]


def test_nobody_is_named_in_the_log(sent: Store, people: list[Accepted], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    contradiction = about(people[0], "bounce", **HARD) | {"smtp-id": people[1].message_id}
    tell(sent, contradiction, about(people[2], "spamreport"), without_ours(about(people[3], "bounce", **HARD)))
    assert "several deliveries: 1, 2" in caplog.text
    assert not any(person.address.partition("@")[0] in caplog.text for person in people)


def test_the_provider_s_events_stand_in_explain_and_in_the_report(
    sent: Store, people: list[Accepted], run: Run, letter: Path
) -> None:
    tell(sent, *(about(person, "delivered") for person in people))
    tell(sent, about(people[0], "bounce", minute=3, **HARD), about(people[1], "spamreport", minute=4))
    (because,) = [each["because"] for each in run("explain", people[0].address, "--json").json["mailings"]]
    assert "bounced (hard) on 2021-11-02: 550 5.1.1 no such user" in because
    (because,) = [each["because"] for each in run("explain", people[1].address, "--json").json["mailings"]]
    assert "complained on 2021-11-02" in because
    (because,) = [each["because"] for each in run("explain", people[2].address, "--json").json["mailings"]]
    assert "delivered on 2021-11-02" in because
    assert run("status", LETTER, "--json").json["counts"]["accepted"] == 6
    assert run("report", LETTER, "--out", letter / "report.html").code == 0
    page = (letter / "report.html").read_text(encoding="utf-8")
    assert "bounced" in page
    assert "marked it as spam" in page
    assert run("verify").code == 0


def test_a_batch_is_taken_in_without_going_through_a_table(sent: Store, people: list[Accepted]) -> None:
    with looked_at(sent) as found:
        tell(sent, *(about(person, "delivered") for person in people))
        tell(sent, without_ours(about(people[0], "bounce", **HARD)), about(people[1], "spamreport"))
    assert len(found) >= 10
    gone_through = [line for plan in found.values() for line in scanned(plan) if line.startswith("SCAN ")]
    assert gone_through == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


FATES = st.lists(st.sampled_from(Fate), min_size=6, max_size=6)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fates=FATES, seed=st.integers(0, 10_000), size=st.integers(1, 30), own=st.booleans(), data=st.data())
def test_in_any_order_any_number_of_times_in_any_pieces_events_lead_to_the_same_ledger(
    sent: Store,
    people: list[Accepted],
    folder: Path,
    fates: list[Fate],
    seed: int,
    size: int,
    own: bool,
    data: st.DataObject,
) -> None:
    chosen = {person.address: fate for person, fate in zip(people, fates, strict=True)}
    story = stories.tell(people, seed=seed, fates=chosen, own_smtp_ids=own)
    told = travelled(story, Mishaps(bare=0.5), seed=seed)
    shuffled = data.draw(st.permutations(told))
    again = travelled(shuffled, Mishaps(doubled=0.3, renamed=0.3, disorder=True), seed=seed)
    assert sent.file
    with copy_of(sent.file, folder / "once") as store:
        receive(store, read(told), now=EVENING)
        expected = end_state(store)
    with copy_of(sent.file, folder / "pieces") as store:
        for start in range(0, len(again), size):
            receive(store, read(again[start : start + size]), now=EVENING + timedelta(minutes=start))
        assert end_state(store) == expected


def test_a_chunk_is_one_transaction_of_its_own(
    sent: Store, people: list[Accepted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash within the second leaves the first, and telling all of it again does the rest."""
    events = read(about(person, "spamreport") for person in people)
    whole = receiving.apply_within

    def crash(connection: object, signals: object, *, now: object) -> int:
        if len(states(sent)) and "accepted" in states(sent):
            raise KeyboardInterrupt
        return whole(connection, signals, now=now)  # type: ignore[arg-type]

    monkeypatch.setattr(receiving, "CHUNK", 4)
    monkeypatch.setattr(receiving, "apply_within", crash)
    with pytest.raises(KeyboardInterrupt):
        receive(sent, events, now=EVENING)
    assert states(sent) == ["accepted"] * 4 + ["uncertain"] * 2
    assert len(rules(sent)) == 4
    monkeypatch.setattr(receiving, "apply_within", whole)
    assert receive(sent, events, now=EVENING) == Received(new=2, known=4, settled=2, opt_outs=2)
    assert len(rules(sent)) == 6
