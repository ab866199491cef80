"""Each fault is what a client sees, and the truth log has the recipients exactly where the fault says so."""

import http.client
import json
import socket
import ssl
import time
from pathlib import Path

import pytest

from mlgroup_mail.testing.sendgrid import FakeSendGrid, Fault, Trouble, fake_sendgrid
from mlgroup_mail.testing.sendgrid.faults import (
    LONGEST_WAIT,
    MOST_FAULTS,
    Faults,
    answers,
    bad_recipient,
    from_document,
    redirects,
    too_many_requests,
)
from tests.servers.certificates import make_certificate
from tests.testing.sendgrid.raw import PATH, WHOLE, Client

EVERYBODY = ["ana@office.example", "bo@ministry.example"]


def taken(fake: FakeSendGrid) -> list[str]:
    return [each.address for each in fake.accepted]


def test_a_429_may_name_the_moment_of_its_end(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(too_many_requests(reset_in=30))
    reply = client.send()
    assert reply.status == 429
    assert (reply.headers["X-RateLimit-Limit"], reply.headers["X-RateLimit-Remaining"]) == ("600", "0")
    assert 0 < int(reply.headers["X-RateLimit-Reset"]) - time.time() <= 30
    assert reply.document["errors"][0]["message"] == "too many requests"
    assert taken(fake) == []


def test_a_429_may_name_seconds_or_nothing(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(too_many_requests(retry_after=7), too_many_requests())
    named, bare = client.send(), client.send()
    assert (named.status, named.headers["Retry-After"]) == (429, "7")
    assert bare.status == 429
    assert not {name for name in bare.headers if name.lower().startswith(("x-ratelimit", "retry"))}


@pytest.mark.parametrize("status", [401, 403, 413, 500, 502, 503])
def test_another_status_is_answered_and_nothing_taken(fake: FakeSendGrid, client: Client, status: int) -> None:
    fake.faults.add(answers(status, "so it is"))
    reply = client.send()
    assert (reply.status, reply.document["errors"][0]["message"]) == (status, "so it is")
    assert taken(fake) == []
    assert client.send().status == 202


def test_a_500_may_come_after_the_request_was_taken(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(answers(503, "later", taken=True))
    assert client.send().status == 503
    assert taken(fake) == EVERYBODY


def test_what_would_be_refused_is_not_taken_by_a_fault_either(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(answers(503, "later", taken=True))
    assert client.send({"from": {"email": "news@example.org"}}).status == 503
    assert taken(fake) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_leads_where_it_says(fake: FakeSendGrid, client: Client, status: int) -> None:
    fake.faults.add(redirects(status, f"{fake.url}{PATH}"))
    reply = client.send()
    assert (reply.status, reply.headers["Location"]) == (status, f"{fake.url}{PATH}")
    assert taken(fake) == []


def test_a_bad_recipient_is_named_by_its_place(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(bad_recipient(1))
    reply = client.send()
    assert (reply.status, reply.fields) == (400, ["personalizations.1.to.0.email"])


def test_who_is_always_refused_takes_the_whole_request_along(fake: FakeSendGrid, client: Client) -> None:
    fake.refuses.add("bo@ministry.example")
    reply = client.send()
    assert (reply.status, reply.fields) == (400, ["personalizations.1.to.0.email"])
    assert taken(fake) == []
    assert client.send(WHOLE | {"personalizations": WHOLE["personalizations"][:1]}).status == 202


def exchange(fake: FakeSendGrid, body: bytes, *, announced: int | None = None) -> bytes:
    """What comes over a bare socket before it ends; raises ConnectionResetError where it ends with RST."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {fake.key}\r\n"
    head += f"Content-Length: {len(body) if announced is None else announced}\r\n\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", fake.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        while more := connection.recv(1000):
            received += more
    return received


BODY = json.dumps(WHOLE).encode()


def test_a_reset_before_the_body_needs_none_of_it(fake: FakeSendGrid) -> None:
    fake.faults.add(Fault(trouble=Trouble.RESETS_BEFORE))
    with pytest.raises(ConnectionResetError):
        exchange(fake, b"", announced=1000)
    assert (fake.requests[0].status, taken(fake)) == (None, [])


def test_a_reset_during_the_body_needs_half_of_it(fake: FakeSendGrid) -> None:
    fake.faults.add(Fault(trouble=Trouble.RESETS_DURING))
    with pytest.raises(ConnectionResetError):
        exchange(fake, BODY[: len(BODY) // 2], announced=len(BODY))
    assert taken(fake) == []


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_reset_after_the_request_leaves_open_what_became_of_it(fake: FakeSendGrid, carried_out: bool) -> None:
    fake.faults.add(Fault(trouble=Trouble.RESETS_AFTER, taken=carried_out))
    with pytest.raises(ConnectionResetError):
        exchange(fake, BODY)
    assert taken(fake) == (EVERYBODY if carried_out else [])
    assert (fake.requests[0].status, fake.requests[0].taken) == (None, carried_out)


@pytest.mark.parametrize("carried_out", [False, True])
def test_half_a_status_line_is_no_answer(fake: FakeSendGrid, client: Client, carried_out: bool) -> None:
    fake.faults.add(Fault(trouble=Trouble.CUTS_STATUS, taken=carried_out))
    assert exchange(fake, BODY) == b"HTTP/1.1 2"
    assert taken(fake) == (EVERYBODY if carried_out else [])
    assert fake.requests[0].status is None


def test_a_202_whose_body_is_cut_has_been_taken(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(Fault(trouble=Trouble.CUTS_BODY, status=202, taken=True))
    with pytest.raises(http.client.IncompleteRead):
        client.send()
    assert taken(fake) == EVERYBODY
    assert fake.requests[0].status == 202


def test_a_slow_answer_comes_after_the_request_was_taken(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(Fault(trouble=Trouble.WAITS, seconds=0.3))
    begun = time.monotonic()
    assert client.send().status == 202
    assert time.monotonic() - begun >= 0.3
    assert taken(fake) == EVERYBODY


def test_who_hangs_up_while_the_answer_is_slow_has_been_accepted(fake: FakeSendGrid) -> None:
    fake.faults.add(Fault(trouble=Trouble.WAITS, seconds=0.3))
    impatient = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=0.1)
    impatient.request("POST", PATH, BODY, {"Authorization": f"Bearer {fake.key}"})
    with pytest.raises(TimeoutError):
        impatient.getresponse()
    impatient.close()
    ends = time.monotonic() + 10
    while not fake.requests and time.monotonic() < ends:
        time.sleep(0.01)
    assert taken(fake) == EVERYBODY


def test_a_connection_that_was_to_be_kept_may_be_closed_behind_an_answer(fake: FakeSendGrid) -> None:
    fake.faults.add(Fault(trouble=Trouble.CLOSES))
    answer = exchange(fake, BODY)  # which ends, though nobody has hung up
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert b"connection: close" not in answer.lower()
    assert taken(fake) == EVERYBODY


def test_an_early_answer_needs_none_of_the_body(fake: FakeSendGrid) -> None:
    fake.faults.add(Fault(trouble=Trouble.ANSWERS_EARLY, status=413))
    assert exchange(fake, b"", announced=10_000_000).startswith(b"HTTP/1.1 413 ")
    assert taken(fake) == []


def test_a_fault_with_a_number_waits_for_its_request(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=500, request=3, times=2))
    assert [client.send().status for _ in range(5)] == [202, 202, 500, 500, 202]


def test_a_fault_without_a_number_happens_as_often_as_told(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(answers(500, times=2), answers(429))
    assert [client.send().status for _ in range(4)] == [500, 500, 429, 202]
    assert fake.faults.waiting == 0


def test_a_fault_may_be_about_another_page(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(Fault(trouble=Trouble.ANSWERS, status=503, path="/v3/suppression/bounces"))
    assert client.send().status == 202
    assert [client.ask("GET", "/v3/suppression/bounces?limit=5").status for _ in range(2)] == [503, 200]


def test_faults_that_are_cleared_do_not_happen(fake: FakeSendGrid, client: Client) -> None:
    fake.faults.add(answers(500))
    fake.faults.clear()
    assert client.send().status == 202


@pytest.mark.parametrize(
    "wrong",
    [
        {"trouble": "waits", "seconds": LONGEST_WAIT + 1},
        {"trouble": "waits", "seconds": -1},
        {"trouble": "answers", "times": 0},
        {"trouble": "answers", "times": MOST_FAULTS + 1},
        {"trouble": "answers", "status": 99},
        {"trouble": "explodes"},
        {"status": 500},
        {"trouble": "answers", "colour": "red"},
    ],
)
def test_faults_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        from_document(wrong)


def test_so_are_too_many_of_them() -> None:
    faults = Faults()
    faults.add(*[answers(500)] * MOST_FAULTS)
    with pytest.raises(ValueError, match="at most"):
        faults.add(answers(500))


def test_faults_can_be_set_from_outside(fake: FakeSendGrid) -> None:
    keyless = Client(fake, key="")
    reply = keyless.ask("POST", "/fake/faults", [{"trouble": "answers", "status": 502}])
    assert reply.document == {"waiting_faults": 1}
    assert keyless.ask("POST", "/fake/faults", [{"trouble": "explodes"}]).status == 400
    sender = Client(fake)
    assert sender.send().status == 502
    keyless.ask("POST", "/fake/faults", [{"trouble": "answers", "status": 502}])
    assert keyless.ask("DELETE", "/fake/faults").document == {}
    assert sender.send().status == 202
    assert [each["status"] for each in keyless.ask("GET", "/fake/requests").document] == [502, 202]
    assert keyless.ask("GET", "/fake/state").document["requests"] == 2
    assert keyless.ask("GET", "/fake/nothing").status == 404
    keyless.close()
    sender.close()


def test_over_tls_too(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with fake_sendgrid(certificate=certificate) as fake:
        assert fake.url.startswith("https://")
        trusting = ssl.create_default_context(cafile=certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", fake.port, timeout=10, context=trusting)
        connection.request("POST", PATH, BODY, {"Authorization": f"Bearer {fake.key}"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (202, b"")
        connection.close()
        assert taken(fake) == EVERYBODY


def test_when_it_ends_open_connections_end_with_it() -> None:
    with fake_sendgrid() as fake:
        client = Client(fake)
        assert client.send().status == 202
    with pytest.raises(OSError, match=r"\S"):
        client.send()
    client.close()
