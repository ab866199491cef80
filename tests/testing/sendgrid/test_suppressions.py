"""The suppression lists: paged, bounded in time, taken from and added to as at the service."""

import pytest

from mlgroup_mail.testing.sendgrid import FakeSendGrid
from mlgroup_mail.testing.sendgrid.schema import official, validator
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList
from tests.testing.sendgrid.raw import Client

ADDRESSES = [f"person{number}@office.example" for number in range(7)]
GLOBAL = "/v3/asm/suppressions/global"


def page(client: Client, name: SuppressionList, query: str = "") -> list[str]:
    return [each["email"] for each in client.ask("GET", f"/v3/suppression/{name}{query}").document]


@pytest.mark.parametrize("name", SuppressionList)
def test_a_list_has_the_form_of_the_official_file(fake: FakeSendGrid, client: Client, name: SuppressionList) -> None:
    fake.account.suppressions.add(name, *ADDRESSES)
    path = f"~1v3~1suppression~1{name}"
    form = validator(official("suppressions"), f"/paths/{path}/get/responses/200/content/application~1json/schema")
    shown = client.ask("GET", f"/v3/suppression/{name}").document
    form.validate(shown)
    assert len(shown) == len(ADDRESSES)


@pytest.mark.parametrize("name", SuppressionList)
def test_pages_hold_everybody_once_in_order(fake: FakeSendGrid, client: Client, name: SuppressionList) -> None:
    for number, address in enumerate(ADDRESSES):
        fake.account.suppressions.add(name, address, created=1000 + number)
    pages = [page(client, name, f"?limit=3&offset={offset}") for offset in (0, 3, 6, 9)]
    assert pages == [ADDRESSES[:3], ADDRESSES[3:6], ADDRESSES[6:], []]


def test_both_ends_of_a_time_belong_to_it(fake: FakeSendGrid, client: Client) -> None:
    for number, address in enumerate(ADDRESSES):
        fake.account.suppressions.add(SuppressionList.BOUNCES, address, created=1000 + number)
    assert page(client, SuppressionList.BOUNCES, "?start_time=1002&end_time=1004") == ADDRESSES[2:5]


def test_a_page_has_500_at_most(fake: FakeSendGrid, client: Client) -> None:
    fake.account.suppressions.add(SuppressionList.SPAM, *[f"p{number}@office.example" for number in range(501)])
    assert len(page(client, SuppressionList.SPAM)) == 500
    assert client.ask("GET", "/v3/suppression/spam_reports?limit=501").status == 400
    assert client.ask("GET", "/v3/suppression/spam_reports?offset=x").status == 400


def test_one_address_can_be_asked_for_and_taken_off(fake: FakeSendGrid, client: Client) -> None:
    fake.account.suppressions.add(SuppressionList.BLOCKS, "Ana+x@office.example")
    path = "/v3/suppression/blocks/ana%2Bx@office.example"
    assert [each["email"] for each in client.ask("GET", path).document] == ["Ana+x@office.example"]
    assert client.ask("DELETE", path).status == 204
    assert client.ask("DELETE", path).status == 404
    assert client.ask("GET", path).document == []


def test_several_or_all_can_be_taken_off_but_not_both_at_once(fake: FakeSendGrid, client: Client) -> None:
    fake.account.suppressions.add(SuppressionList.BOUNCES, *ADDRESSES)
    path = "/v3/suppression/bounces"
    assert client.ask("DELETE", path, {"emails": ADDRESSES[:2]}).status == 204
    assert sorted(page(client, SuppressionList.BOUNCES)) == ADDRESSES[2:]
    assert client.ask("DELETE", path, {"emails": ADDRESSES, "delete_all": True}).status == 400
    assert client.ask("DELETE", path, {}).status == 400
    assert client.ask("DELETE", path, {"delete_all": True}).status == 204
    assert page(client, SuppressionList.BOUNCES) == []


def test_the_global_list_is_written_to_asked_and_taken_from(fake: FakeSendGrid, client: Client) -> None:
    written = client.ask("POST", GLOBAL, {"recipient_emails": ["ana@office.example"]})
    assert (written.status, written.document) == (201, {"recipient_emails": ["ana@office.example"]})
    assert page(client, SuppressionList.UNSUBSCRIBES) == ["ana@office.example"]
    assert client.ask("GET", f"{GLOBAL}/ana%40office.example").document == {"recipient_email": "ana@office.example"}
    assert client.ask("DELETE", f"{GLOBAL}/ana@office.example").status == 204
    assert client.ask("GET", f"{GLOBAL}/ana@office.example").document == {}
    assert client.ask("POST", GLOBAL, {"recipient_emails": "ana@office.example"}).status == 400


def test_lists_can_be_filled_from_outside(fake: FakeSendGrid, client: Client) -> None:
    assert client.ask("POST", "/fake/suppressions", {"bounces": ADDRESSES[:1]}).status == 200
    assert fake.account.suppressions.addresses(SuppressionList.BOUNCES) == ADDRESSES[:1]
    assert client.ask("POST", "/fake/suppressions", {"nothing": []}).status == 400


@pytest.mark.parametrize("name", SuppressionList)
def test_every_list_stops_mail_but_that_of_blocks(fake: FakeSendGrid, name: SuppressionList) -> None:
    fake.account.suppressions.add(name, "Ana@office.example")
    stopped_by = fake.account.suppressions.stopped_by("ana@OFFICE.example")
    assert stopped_by == (None if name is SuppressionList.BLOCKS else name)


def test_an_account_may_find_an_address_by_its_own_spelling_only(fake: FakeSendGrid, client: Client) -> None:
    fake.account.suppressions.exact = True
    fake.account.suppressions.add(SuppressionList.BOUNCES, "Ana@office.example")
    for address, status in (("ana@office.example", 404), ("Ana@office.example", 204)):
        assert client.ask("DELETE", f"/v3/suppression/bounces/{address}").status == status


def test_an_address_that_the_account_does_not_take_keeps_all_of_its_request_out(
    fake: FakeSendGrid, client: Client
) -> None:
    fake.account.suppressions.refuses = {ADDRESSES[1]}
    assert client.ask("POST", GLOBAL, {"recipient_emails": ADDRESSES}).status == 400
    assert client.ask("POST", GLOBAL, {"recipient_emails": ADDRESSES[2:]}).status == 201
    assert page(client, SuppressionList.UNSUBSCRIBES) == ADDRESSES[2:]


def test_pages_may_be_shorter_than_what_is_asked_for(fake: FakeSendGrid, client: Client) -> None:
    fake.account.suppressions.largest_page = 3
    fake.account.suppressions.add(SuppressionList.BOUNCES, *ADDRESSES)
    assert page(client, SuppressionList.BOUNCES, "?limit=5&offset=3") == ADDRESSES[3:6]
