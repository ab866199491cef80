"""A process that is killed around a mail to one person: nobody gets it twice, and nobody loses it who was not begun."""

from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from mlgroup_mail.consent.joining import JoinTerms, ask_to_join
from mlgroup_mail.store import Store, schema
from mlgroup_mail.store.join_requests import Applicant
from tests.chaos.field import Field, Fields, LedgerKind
from tests.chaos.points import Orders, Wire
from tests.chaos.projects import LETTER

NEWCOMERS = ["newcomer1@office1.example", "newcomer2@office2.example"]
_TERMS = JoinTerms(topics={"newsletter": True}, joined=["newsletter"], status="member", per_hour=9, erasure_key=None)
_PUBLIC = {"MLGROUP_PUBLIC_URL": "https://mail.example.org"}
_NOT_BEGUN = "commit.courtesy.before"
_POINTS = {
    Wire.SMTP: ("commit.courtesy.after", "write.dot.before", "write.dot.after", "read.dot.after"),
    Wire.SENDGRID: ("commit.courtesy.after", "write.head.before", "write.content.after", "read.answer.after"),
}
_ANSWERED = ("commit.answer.before", "commit.answer.after")


def _somebody_joins(field: Field) -> None:
    """Two have asked to join; nothing else is to go."""
    with (field.project / "mlgroup.toml").open("a", encoding="utf-8") as file:
        file.write('\n[join]\ntopics = ["newsletter"]\n')
    assert field.run("cancel", LETTER).code == 0
    with closing(_store(field)) as store:
        for address in NEWCOMERS:
            assert ask_to_join(store, Applicant(address=address), _TERMS, now=datetime.now(UTC))


def _store(field: Field) -> Store:
    return Store(field.url, state=field.project / "var")


def _outcomes(field: Field) -> list[tuple[str, str | None]]:
    with closing(_store(field)) as store, store.reading() as connection:
        found = connection.execute(select(schema.courtesy.c.address, schema.courtesy.c.outcome))
        return sorted((address, outcome) for address, outcome in found)


def _dispatch(field: Field, orders: Orders | None = None) -> int:
    return field.start("-v", "dispatch", "--live", "--json", orders=orders, **_PUBLIC).wait().code


def _killed_and_sent_on(field: Field, point: str) -> list[str]:
    """Kill it at the first passing of a point, then send on undisturbed, twice; returns who got the mail, in order."""
    _somebody_joins(field)
    # The first transaction that touches such answers forgets those of a week ago.
    orders = Orders(point=point, count=2 if point in _ANSWERED else 1)
    victim = field.start("-v", "dispatch", "--live", "--json", orders=orders, **_PUBLIC)
    assert victim.wait().code == -9
    assert victim.reached
    for _ in range(2):
        assert _dispatch(field) == 0
    return [arrival.recipient for arrival in field.truth.arrivals()]


@pytest.mark.parametrize(("wire", "point"), [(wire, point) for wire in Wire for point in (*_POINTS[wire], *_ANSWERED)])
def test_whose_attempt_was_begun_gets_it_once_at_most(on_sqlite: Fields, wire: Wire, point: str) -> None:
    with on_sqlite.field(LedgerKind.SQLITE, planned=False, wire=wire) as field:
        arrived = _killed_and_sent_on(field, point)
        assert arrived.count(NEWCOMERS[0]) <= 1
        assert arrived.count(NEWCOMERS[1]) == 1
        begun = None if point != "commit.answer.after" else "accepted"
        assert _outcomes(field) == [(NEWCOMERS[0], begun), (NEWCOMERS[1], "accepted")]


@pytest.mark.parametrize("wire", Wire)
def test_who_was_not_begun_loses_nothing(on_sqlite: Fields, wire: Wire) -> None:
    with on_sqlite.field(LedgerKind.SQLITE, planned=False, wire=wire) as field:
        assert sorted(_killed_and_sent_on(field, _NOT_BEGUN)) == NEWCOMERS


@pytest.mark.parametrize("point", [_NOT_BEGUN, "write.dot.after", "commit.answer.before"])
def test_the_same_on_a_server(on_postgresql: Fields, point: str) -> None:
    with on_postgresql.field(LedgerKind.POSTGRESQL, planned=False) as field:
        arrived = _killed_and_sent_on(field, point)
        assert sorted(arrived) == NEWCOMERS
