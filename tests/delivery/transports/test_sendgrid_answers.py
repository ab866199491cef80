"""What SendGrid answers, read: the table of meanings, waits, and words in which nobody is named."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlgroup_mail.delivery.transports.sendgrid_answers import SaidError, said, said_errors, wait_named
from mlgroup_mail.delivery.transports.sendgrid_meaning import Meaning, meaning_of
from mlgroup_mail.model import OutcomeKind, Scope

KEY = "SG.abc.def"
ACCEPTED, REFUSED, DEFERRED, UNCERTAIN = (
    OutcomeKind.ACCEPTED,
    OutcomeKind.REFUSED,
    OutcomeKind.DEFERRED,
    OutcomeKind.UNCERTAIN,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["errors", "field", "message"]), inner),
    max_leaves=15,
)


def meaning(status: int, *fields: str, recipients: int = 2, sandbox: bool = False) -> Meaning:
    errors = [SaidError(field=field, message="") for field in fields]
    return meaning_of(status, errors, recipients=recipients, sandbox=sandbox)


@pytest.mark.parametrize("status", range(100, 600))
def test_only_202_accepts_only_3xx_and_4xx_are_surely_not_accepted(status: int) -> None:
    expected = ACCEPTED if status == 202 else DEFERRED if 300 <= status <= 499 else UNCERTAIN
    assert meaning(status).kind is expected
    alone = meaning(status, recipients=1)
    assert alone.kind is (REFUSED if status in (400, 413) else expected)
    assert not alone.halved
    assert meaning(status).halved == (status in (400, 413))
    assert bool(meaning(status).mend) == (300 <= status <= 499 and status not in (400, 408, 413, 429))


def test_200_accepts_in_the_sandbox_alone() -> None:
    assert meaning(200, sandbox=True).kind is ACCEPTED
    assert meaning(200).kind is UNCERTAIN
    assert meaning(500, sandbox=True).kind is UNCERTAIN


@pytest.mark.parametrize(
    ("fields", "ours"),
    [
        (["from.email"], True),
        (["content.1.type", "attachments.0.filename"], True),
        (["personalizations.0.to.0.email"], False),
        (["personalizations"], False),
        (["from.email", "personalizations.3.to"], False),
        ([""], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("recipients", [1, 2])
def test_a_400_is_ours_where_every_error_names_what_all_share(fields: list[str], ours: bool, recipients: int) -> None:
    """Else halving would refuse each of them by name for it."""
    found = meaning(400, *fields, recipients=recipients)
    assert bool(found.mend) == ours
    if ours:
        assert (found.kind, found.halved) == (DEFERRED, False)
    elif recipients == 1:
        assert (found.kind, found.scope) == (REFUSED, Scope.RECIPIENT)


@given(JSON | st.dictionaries(st.just("errors"), JSON))
def test_any_json_is_read_as_errors_or_as_none(document: object) -> None:
    for error in said_errors(json.dumps(document).encode()):
        assert isinstance(error.field, str)
        assert isinstance(error.message, str)


@given(st.binary(max_size=200))
@example(b"[" * 100_000)
@example(b'{"errors": [{"field": "from", "message"')
def test_any_bytes_are_read_as_errors_or_as_none(body: bytes) -> None:
    assert isinstance(said_errors(body), list)


@given(
    before=st.text(max_size=50),
    after=st.text(max_size=50),
    sign=st.sampled_from(["@", "%40", "\uff20"]),
    many=st.integers(0, 30),
)
def test_no_address_and_no_key_is_said_whatever_stands_around_them(
    before: str, after: str, sign: str, many: int
) -> None:
    """On one line, and short."""
    errors = [SaidError(field="", message=f"{before} ana.silva{sign}office.example {KEY} {after}")] * (1 + many)
    words = said(400, errors, key=KEY)
    assert "ana.silva" not in words
    assert KEY not in words
    assert len(words) < 200
    assert len(words.splitlines()) == 1


def test_a_field_that_is_no_field_is_not_said() -> None:
    body = json.dumps({"errors": [{"field": "ana@office.example is wrong", "message": "No."}, {"field": "null"}]})
    assert [error.field for error in said_errors(body.encode())] == ["", ""]
    assert said(400, said_errors(body.encode()), key=KEY) == "400 No. (and 1 more)"


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-reset", "date"]),
        st.text(max_size=40) | st.integers().map(str) | st.just("Wed, 20 Oct 2021 08:00:00 GMT"),
    )
)
def test_any_headers_ask_for_a_wait_within_reason_or_for_none(headers: dict[str, str]) -> None:
    wait = wait_named(headers, now=1_634_716_800.0)
    assert wait is None or 1 <= wait <= 3600


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "-5"}, None),
        ({"x-ratelimit-reset": "1634716830"}, 30),
        ({"x-ratelimit-reset": "1634716700"}, 1),
        # The server's clock is an hour ahead of ours, and so is its reset.
        ({"x-ratelimit-reset": "1634720430", "date": "Wed, 20 Oct 2021 09:00:00 GMT"}, 30),
        ({"retry-after": "Wed, 20 Oct 2021 08:02:00 GMT"}, 120),
        ({"x-ratelimit-reset": "soon", "retry-after": "9"}, 9),
        ({}, None),
    ],
)
def test_waits(headers: dict[str, str], wait: float | None) -> None:
    assert wait_named(headers, now=1_634_716_800.0) == wait
