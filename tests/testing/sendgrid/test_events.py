"""What the Event Webhook would post: every kind of event, signed, on time or not, and the same for the same seed."""

import http.server
import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sendgrid.helpers.eventwebhook import EventWebhook

from mlgroup_mail.testing.sendgrid import Accepted, FakeSendGrid
from mlgroup_mail.testing.sendgrid.batches import CALM, ROUGH, Mishaps, bodies, post, post_body, signed, travelled
from mlgroup_mail.testing.sendgrid.events import USUAL, Event, Fate, account_event, tell
from mlgroup_mail.testing.sendgrid.signing import SIGNATURE, TIMESTAMP, Signer
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList
from tests.testing.sendgrid.raw import Client

PEOPLE = [
    Accepted(
        address=f"person{number}@office.example",
        request=1,
        answer_id="aBcDeF",
        at=1_700_000_000.0,
        message_id=f"<{number}@mail.example.org>",
        custom_args={"delivery": str(number)},
    )
    for number in range(400)
]


def kinds(fate: Fate) -> list[str]:
    return [event["event"] for event in tell(PEOPLE[:1], fates={PEOPLE[0].address: fate})]


@pytest.mark.parametrize(
    ("fate", "events"),
    [
        (Fate.DELIVERED, ["processed", "delivered"]),
        (Fate.DEFERRED, ["processed", "deferred", "deferred", "delivered"]),
        (Fate.STUCK, ["processed", "deferred"]),
        (Fate.BOUNCED, ["processed", "bounce"]),
        (Fate.BLOCKED, ["processed", "bounce"]),
        (Fate.NO_HOST, ["processed", "bounce"]),
        (Fate.DROPPED, ["dropped"]),
        (Fate.OPENED, ["processed", "delivered", "open"]),
        (Fate.CLICKED, ["processed", "delivered", "open", "click"]),
        (Fate.COMPLAINED, ["processed", "delivered", "spamreport"]),
        (Fate.UNSUBSCRIBED, ["processed", "delivered", "unsubscribe"]),
        (Fate.GROUP_UNSUBSCRIBED, ["processed", "delivered", "group_unsubscribe"]),
        (Fate.BOUNCED_LATER, ["processed", "delivered", "bounce"]),
        (Fate.STRANGE, ["processed", "delivered", "carrier_pigeon"]),
    ],
)
def test_each_fate_has_its_story(fate: Fate, events: list[str]) -> None:
    assert kinds(fate) == events


def test_every_fate_happens_sooner_or_later() -> None:
    assert set(USUAL) == set(Fate)


def test_an_event_carries_who_which_message_and_our_arguments() -> None:
    first, second = tell(PEOPLE[:1], fates={PEOPLE[0].address: Fate.DELIVERED})
    assert first["email"] == PEOPLE[0].address
    assert first["smtp-id"] == PEOPLE[0].message_id
    assert first["delivery"] == "0"
    assert first["sg_message_id"].startswith("aBcDeF.")
    assert first["sg_event_id"] != second["sg_event_id"]
    assert 1_700_000_000 <= first["timestamp"] <= second["timestamp"]


def test_a_block_and_a_bounce_differ_by_their_type_alone() -> None:
    types = {
        fate: tell(PEOPLE[:1], fates={PEOPLE[0].address: fate})[-1]["type"]
        for fate in (Fate.BOUNCED, Fate.BLOCKED, Fate.NO_HOST)
    }
    assert types == {Fate.BOUNCED: "bounce", Fate.BLOCKED: "blocked", Fate.NO_HOST: "blocked"}


def test_a_bounce_that_comes_later_does_not_know_its_message() -> None:
    event = tell(PEOPLE[:1], fates={PEOPLE[0].address: Fate.BOUNCED_LATER})[-1]
    assert "sg_message_id" not in event


def test_a_host_that_is_none_has_no_status() -> None:
    assert "status" not in tell(PEOPLE[:1], fates={PEOPLE[0].address: Fate.NO_HOST})[-1]


def test_the_services_own_smtp_ids_can_be_had() -> None:
    assert {event["smtp-id"] for event in tell(PEOPLE, own_smtp_ids=True)}.isdisjoint(
        person.message_id for person in PEOPLE
    )


def test_the_same_seed_tells_the_same() -> None:
    assert tell(PEOPLE, seed=5) == tell(PEOPLE, seed=5) != tell(PEOPLE, seed=6)
    told = tell(PEOPLE, seed=5)
    assert travelled(told, ROUGH, seed=5) == travelled(told, ROUGH, seed=5) != travelled(told, ROUGH, seed=6)


def key(event: Event) -> tuple[Any, ...]:
    return event["email"], event["event"], event["timestamp"]


def test_without_mishaps_everything_comes_once_and_in_order() -> None:
    told = tell(PEOPLE)
    assert travelled(told, CALM) == told


@pytest.mark.parametrize(
    ("mishaps", "times"), [(Mishaps(doubled=1.0), 2), (Mishaps(renamed=1.0), 2), (Mishaps(lost=1.0), 0)]
)
def test_events_come_as_often_as_the_mishaps_say(mishaps: Mishaps, times: int) -> None:
    told = tell(PEOPLE)
    came = Counter(map(key, travelled(told, mishaps)))
    assert came == Counter({key(event): times for event in told if times})


def test_a_renamed_event_has_another_id_and_a_doubled_one_the_same() -> None:
    told = tell(PEOPLE)
    assert len({event["sg_event_id"] for event in travelled(told, Mishaps(renamed=1.0))}) == 2 * len(told)
    assert len({event["sg_event_id"] for event in travelled(told, Mishaps(doubled=1.0))}) == len(told)


def test_late_events_come_behind_all_others() -> None:
    told = tell(PEOPLE)
    came = travelled(told, Mishaps(late=0.2), seed=1)
    assert Counter(map(key, came)) == Counter(map(key, told))
    in_order = sum(a["timestamp"] <= b["timestamp"] for a, b in itertools.pairwise(came))
    assert len(told) * 0.7 < in_order < len(told) - 1


def test_disorder_is_disorder_and_nothing_else() -> None:
    told = tell(PEOPLE)
    came = travelled(told, Mishaps(disorder=True), seed=1)
    assert came != told
    assert sorted(map(key, came)) == sorted(map(key, told))


def test_bare_bounces_and_drops_have_nothing_of_ours() -> None:
    fates = {person.address: Fate.BOUNCED if number % 2 else Fate.DROPPED for number, person in enumerate(PEOPLE)}
    came = travelled(tell(PEOPLE, fates=fates), Mishaps(bare=1.0))
    assert {"delivery" in event for event in came if event["event"] != "processed"} == {False}
    assert {"delivery" in event for event in came if event["event"] == "processed"} == {True}
    assert all(event["smtp-id"] for event in came)


def test_the_services_own_library_finds_the_signature_right() -> None:
    signer = Signer()
    verifier = EventWebhook(signer.public_key)
    for each in signed(tell(PEOPLE), signer, size=100):
        given_signature, timestamp = each.headers[SIGNATURE], each.headers[TIMESTAMP]
        assert verifier.verify_signature(each.body.decode(), given_signature, timestamp)
        assert not verifier.verify_signature(each.body.decode().rstrip(), given_signature, timestamp)
        assert not verifier.verify_signature(each.body.decode(), given_signature, timestamp + "0")
        assert not EventWebhook(Signer().public_key).verify_signature(each.body.decode(), given_signature, timestamp)


def test_a_signature_may_be_of_yesterday() -> None:
    assert Signer().sign(b"[]", at=1_700_000_000.9).headers[TIMESTAMP] == "1700000000"


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), max_size=12), st.integers(1, 5))
def test_batches_hold_every_event_and_end_in_cr_lf(events: list[Event], size: int) -> None:
    made = bodies(events, size=size)
    assert [each for body in made for each in json.loads(body)] == events
    assert all(body.endswith(b"]\r\n") for body in made)
    assert max(map(len, map(json.loads, made)), default=0) <= size


def test_an_event_about_the_account_names_nobody() -> None:
    assert not {"email", "sg_message_id", "smtp-id"} & set(account_event(at=0))


class Hook(http.server.BaseHTTPRequestHandler):
    """A webhook that answers as its server says, and keeps what it got."""

    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers.items()), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Any]:
    server: Any = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    server.got, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_batch_is_posted_until_it_is_taken(hook: Any) -> None:
    hook.answers = [500, 503]
    signer, told = Signer(), tell(PEOPLE[:5])
    assert post(told, hook.url, signer, pause=0.01) == [500, 503, 204]
    assert [json.loads(body) for _, body in hook.got] == [told] * 3
    headers, body = hook.got[-1]
    assert EventWebhook(signer.public_key).verify_signature(body.decode(), headers[SIGNATURE], headers[TIMESTAMP])


def test_but_not_for_ever(hook: Any) -> None:
    hook.answers = [500] * 9
    assert post(tell(PEOPLE[:5]), hook.url, Signer(), tries=2, pause=0.01) == [500, 500]


def test_a_retry_may_have_new_ids(hook: Any) -> None:
    hook.answers = [500]
    post(tell(PEOPLE[:5]), hook.url, Signer(), pause=0.01, renamed_on_retry=True)
    first, second = ({event["sg_event_id"] for event in json.loads(body)} for _, body in hook.got)
    assert first.isdisjoint(second)


def test_nobody_there_is_no_answer(hook: Any) -> None:
    assert post_body("http://127.0.0.1:1/webhook", Signer().sign(b"[]")) == 0
    with pytest.raises(ValueError, match="http"):
        post_body("file:///etc/hostname", Signer().sign(b"[]"))


def test_the_fake_tells_about_everybody_it_accepted(fake: FakeSendGrid, client: Client, hook: Any) -> None:
    client.send()
    fates = {"ana@office.example": Fate.BOUNCED, "bo@ministry.example": Fate.COMPLAINED}
    assert fake.post_events(hook.url, fates=fates) == [204]
    (_, body), *_ = hook.got
    assert sorted((event["email"], event["event"], event["delivery"]) for event in json.loads(body)) == [
        ("ana@office.example", "bounce", "1"),
        ("ana@office.example", "processed", "1"),
        ("bo@ministry.example", "delivered", "2"),
        ("bo@ministry.example", "processed", "2"),
        ("bo@ministry.example", "spamreport", "2"),
    ]


def test_what_has_bounced_is_listed_and_dropped_the_next_time(fake: FakeSendGrid, client: Client) -> None:
    client.send()
    fates = {"ana@office.example": Fate.BOUNCED, "bo@ministry.example": Fate.BLOCKED}
    fake.events(fates=fates)
    lists = fake.account.suppressions
    assert lists.addresses(SuppressionList.BOUNCES) == ["ana@office.example"]
    assert lists.addresses(SuppressionList.BLOCKS) == ["bo@ministry.example"]
    later = {event["email"]: event["event"] for event in fake.events(fates={"bo@ministry.example": Fate.DELIVERED})}
    assert later == {"ana@office.example": "dropped", "bo@ministry.example": "delivered"}


def test_events_can_be_ordered_from_outside(fake: FakeSendGrid, client: Client, hook: Any) -> None:
    client.send()
    order = {"url": hook.url, "seed": 3, "fates": {"ana@office.example": "bounced"}, "mishaps": {"doubled": 1.0}}
    assert client.ask("POST", "/fake/events", order).document == {"statuses": [204]}
    headers, body = hook.got[0]
    shown = client.ask("GET", "/fake/state").document["public_key"]
    assert EventWebhook(shown).verify_signature(body.decode(), headers[SIGNATURE], headers[TIMESTAMP])
    assert Counter(event["event"] for event in json.loads(body))["bounce"] == 2
    assert client.ask("POST", "/fake/events", {"url": hook.url, "fates": {"a": "b"}}).status == 400


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (SuppressionList.BOUNCES, "Bounced Address"),
        (SuppressionList.INVALID, "Invalid"),
        (SuppressionList.SPAM, "Spam Reporting Address"),
        (SuppressionList.UNSUBSCRIBES, "Unsubscribed Address"),
    ],
)
def test_who_stands_on_a_list_is_dropped_for_that(
    fake: FakeSendGrid, client: Client, name: SuppressionList, reason: str
) -> None:
    fake.account.suppressions.add(name, "Ana@office.example")
    client.send()
    (dropped,) = [event for event in fake.events() if event["email"] == "ana@office.example"]
    assert (dropped["event"], dropped["reason"]) == ("dropped", reason)
