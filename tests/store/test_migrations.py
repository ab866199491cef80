"""The tables that migrations make are those that queries are written against, and another version's are refused."""

import importlib
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command as alembic_command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect, select, text

from mlgroup_mail.errors import LedgerError
from mlgroup_mail.store import Connection, Store, migrations, schema
from mlgroup_mail.store.owners import begin_owner
from mlgroup_mail.store.upgrade import require_current, revisions, upgrade
from tests.acceptance.projects import LETTER
from tests.cli.conftest import Run
from tests.factories import NOON, make_store, planned_mailing

_WORD = re.compile(r"'([a-z_]+)'")


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": schema.metadata}
    )
    return list(compare_metadata(context, schema.metadata))


def allowed_words(connection: Connection) -> dict[str, set[str]]:
    """What each closed set in the database allows, by its constraint's name: alembic does not compare them."""
    found = inspect(connection)
    return {
        str(each["name"]): set(_WORD.findall(each["sqltext"]))
        for table in schema.metadata.tables
        for each in found.get_check_constraints(table)
    }


def expected_words() -> dict[str, set[str]]:
    return {
        str(constraint.name): set(_WORD.findall(str(constraint.sqltext)))
        for table in schema.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


def assert_as_queries_expect(store: Store) -> None:
    with store.reading() as connection:
        assert differences(connection) == []
        assert allowed_words(connection) == expected_words()


def test_upgraded_from_nothing_sqlite_has_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    with closing(make_store(tmp_path)) as store:
        assert_as_queries_expect(store)


def test_upgraded_from_nothing_postgresql_has_exactly_the_tables_of_the_schema(
    tmp_path: Path, postgres_url: str
) -> None:
    with closing(make_store(tmp_path, postgres_url)) as store:
        assert_as_queries_expect(store)


@pytest.mark.parametrize("server", [False, True], ids=["SQLite", "PostgreSQL"])
def test_people_of_the_first_version_keep_their_addresses_and_their_ids_get_the_source_s_name(
    tmp_path: Path, request: pytest.FixtureRequest, server: bool
) -> None:
    url = request.getfixturevalue("postgres_url") if server else f"sqlite:///{tmp_path / 'old.db'}"
    with closing(Store(url, state=tmp_path)) as store:
        with store.writing() as connection:
            migrate(connection, "0001")
            for number, external_id in ((1, "17"), (2, "")):
                person = {"id": number, "external_id": external_id, "address": f"{number}@office.example"}
                columns = ("name", "first_name", "organisation", "country", "timezone", "language", "status")
                person |= {"address_key": person["address"], "source": "members"} | dict.fromkeys(columns, "")
                person |= {"themes": "[]", "topics": "[]", "joined_at": "2021-01-01", "changed_at": "2021-01-01"}
                names = ", ".join(person)
                marks = ", ".join(f"'{value}'" for value in person.values())
                connection.execute(text(f"INSERT INTO contact ({names}) VALUES ({marks})"))
                connection.execute(
                    text(f"INSERT INTO contact_address VALUES ('{number}@office.example', {number}, true)")
                )
            connection.execute(text("INSERT INTO contact_address VALUES ('old@office.example', 1, false)"))
        upgrade(store, now=NOON)
        assert_as_queries_expect(store)
        with store.reading() as connection:
            ids = connection.execute(select(schema.contact.c.external_id).order_by(schema.contact.c.id)).scalars().all()
            known = connection.execute(
                select(schema.contact_address).order_by(*schema.contact_address.primary_key.columns)
            ).all()
        assert ids == ["members:17", ""]
        joined = datetime(2021, 1, 1, tzinfo=UTC)
        assert [tuple(row) for row in known] == [
            (1, "1@office.example", True, joined, False),
            (1, "old@office.example", False, joined, False),
            (2, "2@office.example", True, joined, False),
        ]


def migrate(connection: Connection, revision: str) -> None:
    """To an older version's tables."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    alembic_command.upgrade(config, revision)


@pytest.mark.parametrize("server", [False, True], ids=["SQLite", "PostgreSQL"])
def test_what_waited_in_a_ledger_of_before_the_second_look_waits_on(
    tmp_path: Path, request: pytest.FixtureRequest, server: bool
) -> None:
    url = request.getfixturevalue("postgres_url") if server else f"sqlite:///{tmp_path / 'old.db'}"
    with closing(Store(url, state=tmp_path)) as store:
        with store.writing() as connection:
            migrate(connection, "0006")
            for order in (
                "INSERT INTO provider_entry (address_key, list, created) "
                "VALUES ('ana@office.example', 'bounces', '2021-01-01')",
                "INSERT INTO provider_push (address_key, asked_at) VALUES ('bo@office.example', '2021-01-01')",
                "INSERT INTO join_request (id, address_key, address, mailbox, name, organisation, country, language, "
                "asked_at, tries) VALUES (1, 'cy@office.example', 'cy@office.example', 'cy@office.example', '', '', "
                "'', 'en', '2021-01-01', 2)",
            ):
                connection.execute(text(order))
        upgrade(store, now=NOON)
        assert_as_queries_expect(store)
        with store.reading() as connection:
            entry, push, asked = (
                connection.execute(select(table)).mappings().one()
                for table in (schema.provider_entry, schema.provider_push, schema.join_request)
            )
        assert (entry["address"], push["refused"]) == ("ana@office.example", False)
        assert (asked["address"], asked["tries"], asked["kept_back"]) == ("cy@office.example", 2, "")


@pytest.mark.parametrize("server", [False, True], ids=["SQLite", "PostgreSQL"])
def test_what_an_older_version_counted_although_it_was_handed_back_counts_no_more(
    tmp_path: Path, request: pytest.FixtureRequest, server: bool
) -> None:
    url = request.getfixturevalue("postgres_url") if server else None
    with closing(make_store(tmp_path, url)) as store:
        planned_mailing(store, 2)
        owner = begin_owner(store, now=NOON)
        with owner.lock_file, store.writing() as connection:
            for number, (delivery_id, scope) in enumerate([(1, "recipient"), (1, None), (1, None), (2, "server")], 1):
                attempt = {"delivery_id": delivery_id, "owner_id": owner.owner_id, "number": number, "scope": scope}
                values = attempt | {"transport": "smtp", "begun_at": NOON, "outcome": "deferred"}
                connection.execute(schema.attempt.insert().values(values))
            connection.execute(text("UPDATE delivery SET attempts = CASE id WHEN 1 THEN 3 ELSE 1 END"))
            with Operations.context(MigrationContext.configure(connection)):
                importlib.import_module("mlgroup_mail.store.migrations.versions.0005_provider")._tries()
        with store.reading() as connection:
            columns = select(schema.delivery.c.attempts).order_by(schema.delivery.c.id)
            assert connection.execute(columns).scalars().all() == [1, 1]


def test_upgrading_twice_changes_nothing_and_the_ledger_keeps_its_id(tmp_path: Path) -> None:
    with closing(make_store(tmp_path)) as store:
        with store.reading() as connection:
            before = connection.execute(select(schema.ledger)).all()
        assert upgrade(store, now=NOON) is False
        with store.reading() as connection:
            assert connection.execute(select(schema.ledger)).all() == before
        assert len(before) == 1


def test_a_postgresql_database_without_tables_is_told_how_to_get_them(tmp_path: Path, postgres_url: str) -> None:
    with (
        closing(Store(postgres_url, state=tmp_path)) as store,
        pytest.raises(LedgerError, match="db upgrade"),
    ):
        require_current(store)


def test_an_empty_file_becomes_a_ledger_as_a_missing_one_does(run: Run, letter: Path) -> None:
    for old in (letter / "var").glob("mlgroup.db*"):
        old.unlink()
    (letter / "var" / "mlgroup.db").touch()
    assert run("contacts", "pull").code == 0
    assert run("status", LETTER, "--json").json["state"] == "draft"


def test_each_migration_s_file_is_named_for_its_revision() -> None:
    """By the names a command sees whether the database is of its version, without loading Alembic."""
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert revisions() == [script.revision for script in reversed(list(scripts.walk_revisions()))]


def test_a_command_loads_neither_alembic_nor_redis_where_nothing_is_to_be_migrated(letter: Path) -> None:
    """Each costs every command a tenth of a second."""
    program = (
        "import sys; from pathlib import Path; from mlgroup_mail.settings.app import open_app\n"
        "with open_app(Path(sys.argv[1])) as app: app.require_keys()\n"
        "print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program, letter], capture_output=True, text=True, check=True)
    loaded = set(found.stdout.split())
    assert "sqlalchemy" in loaded
    assert not loaded & {"alembic", "redis", "sqlalchemy.orm", "pandas", "prefect"}


def test_a_newer_version_s_database_is_left_alone_and_says_so(run: Run, letter: Path) -> None:
    with sqlite3.connect(letter / "var" / "mlgroup.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in (("status", "--json"), ("db", "upgrade"), ("send", LETTER, "--live", "--late", "trial")):
        refused = run(*command)
        assert (refused.code, refused.out) == (2, "")
        assert "made by a newer version" in refused.err
        assert "Upgrade mlgroup-mail" in refused.err


def test_a_file_that_is_no_database_gives_one_clear_error(run: Run, letter: Path) -> None:
    for old in (letter / "var").glob("mlgroup.db*"):
        old.unlink()
    (letter / "var" / "mlgroup.db").write_bytes(b"Minutes of the last meeting\n" * 500)
    for command in (("status", "--json"), ("db", "upgrade")):
        refused = run(*command)
        assert (refused.code, refused.out) == (2, "")
        assert "mlgroup.db" in refused.err
        assert "not a database" in refused.err
        assert "Traceback" not in refused.err


def test_a_database_of_something_else_is_not_written_to(run: Run, letter: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE recipes (id INTEGER)")
    connection.close()
    for old in (letter / "var").glob("mlgroup.db*"):
        old.unlink()
    other.rename(letter / "var" / "mlgroup.db")
    refused = run("status", "--json")
    assert (refused.code, refused.out) == (2, "")
    with sqlite3.connect(letter / "var" / "mlgroup.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    connection.close()


def test_a_database_server_that_does_not_answer_gives_one_clear_error(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLGROUP_DATABASE_URL", "postgresql://mlgroup:a-password@127.0.0.1:1/mlgroup")
    refused = run("status", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert "MLGROUP_DATABASE_URL" in refused.err
    assert "does not answer" in refused.err
    assert "a-password" not in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root@localhost/mail", "mysql is not supported"),
        ("not a url", "not a database URL"),
        ("oracle+nonsense://x", "not"),
    ],
)
def test_a_database_that_cannot_serve_is_refused(
    run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("MLGROUP_DATABASE_URL", url)
    refused = run("status", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert "postgresql://" in refused.err
