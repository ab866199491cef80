"""Each delivery knows its receiving domain, also where the address changes, goes, or was there before."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from mlgroup_mail.consent.erasing import erase_person
from mlgroup_mail.store import Store, migrations
from mlgroup_mail.store.moving import move_person
from tests.delivery.ledgers import deliveries
from tests.factories import NOON, make_store, planned_mailing

KEY = "k" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path)) as made:
        planned_mailing(made, 3)
        yield made


def domains(store: Store) -> list[str]:
    return [row["domain"] for row in deliveries(store)]


def test_planning_writes_it_down(store: Store) -> None:
    assert domains(store) == ["office1.example", "office2.example", "office3.example"]


def test_it_follows_who_moves(store: Store) -> None:
    with store.deciding() as connection:
        move_person(connection, "2", "two@new.example", by="x", reason="x", now=NOON)
    assert domains(store) == ["office1.example", "new.example", "office3.example"]


def test_nothing_is_left_of_it_where_somebody_is_erased(store: Store) -> None:
    erase_person(store, "2", key=KEY, by="x", reason="asked", now=NOON)
    assert domains(store) == ["office1.example", "", "office3.example"]


@pytest.mark.parametrize("server", [False, True], ids=["SQLite", "PostgreSQL"])
def test_an_older_ledger_gets_the_domains_of_what_it_holds(
    tmp_path: Path, request: pytest.FixtureRequest, server: bool
) -> None:
    url = request.getfixturevalue("postgres_url") if server else f"sqlite:///{tmp_path / 'old.db'}"
    addresses = ["one@office.example", '"a@b c"@Xn--Bro-Hoa.example', "", "two@sub.office.example"]
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with closing(Store(url, state=tmp_path)) as store:
        with store.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0003")
            connection.execute(
                text(
                    "INSERT INTO mailing (id, campaign, name, topic, state, state_reason, send_at, stop_at, token,"
                    " digest, source, approved_by, approved_at, plan_cursor, changed_at) VALUES"
                    " (1, 'c', 'm', 't', 'planned', '', :now, :now, '', '', '', '', :now, 0, :now)"
                ),
                {"now": "2021-10-20 12:00:00"},
            )
            for number, address in enumerate(addresses, start=1):
                values = {"id": number, "address": address, "now": "2021-10-20 12:00:00"}
                connection.execute(
                    text(
                        "INSERT INTO contact (id, external_id, address, address_key, name, first_name, organisation,"
                        " country, timezone, language, status, themes, topics, source, joined_at, changed_at) VALUES"
                        " (:id, '', :address, :address, '', '', '', '', '', '', '', '[]', '[]', '', :now, :now)"
                    ),
                    values,
                )
                connection.execute(
                    text(
                        "INSERT INTO delivery (id, mailing_id, contact_id, address, address_key, fields, state, reason,"
                        " attempts, changed_at) VALUES (:id, 1, :id, :address, :address, '{}', 'planned', '', 0, :now)"
                    ),
                    values,
                )
        with store.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0004")
        with store.reading() as connection:
            found = connection.execute(text("SELECT domain FROM delivery ORDER BY id")).scalars().all()
    assert found == ["office.example", "xn--bro-hoa.example", "", "sub.office.example"]
