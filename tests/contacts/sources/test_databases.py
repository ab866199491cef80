"""A query as a source: any database that SQLAlchemy reaches, only read, and nothing of its URL ever shown."""

import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from mlgroup_mail.contacts.config import Source
from mlgroup_mail.contacts.sources.tables import Table, read_configured
from mlgroup_mail.errors import ContactSourceError
from tests.cli.conftest import Run
from tests.contacts.files import query_source, sqlite_file
from tests.servers.postgres import PostgresServer

PEOPLE = [
    ["email", "full_name", "country"],
    ["a@example.org", "Zoë", None],
    ["", "", ""],
    ["b@example.org", "Ben", "FR"],
]
QUERY = "select email, full_name as name, country from members"


@pytest.fixture
def members(tmp_path: Path) -> Source:
    """A source that asks a small SQLite database."""
    sqlite_file(tmp_path / "members.db", PEOPLE)
    return query_source(url="sqlite:///members.db", query=QUERY)


def rows(table: Table) -> dict[int, list[str]]:
    """Each row's cells by its number."""
    return {number: cells for number, *cells in table.frame.itertuples(name=None)}


def test_rows_count_as_if_a_header_stood_above_them(members: Source, tmp_path: Path) -> None:
    assert rows(read_configured(members, tmp_path)) == {
        2: ["a@example.org", "Zoë", ""],
        4: ["b@example.org", "Ben", "FR"],
    }


def test_the_url_may_stand_in_the_environment_or_in_env(
    members: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = query_source(url="env:MEMBERS_URL", query=QUERY)
    folder = tmp_path / "contacts"
    folder.mkdir()
    with pytest.raises(ContactSourceError, match="the environment variable MEMBERS_URL is not set"):
        read_configured(source, folder)
    (tmp_path / ".env").write_text("MEMBERS_URL=sqlite:///../members.db\n")
    assert len(read_configured(source, folder).frame) == 2
    monkeypatch.setenv("MEMBERS_URL_FILE", str(tmp_path / "secret"))
    (tmp_path / "secret").write_text(f"sqlite:///{tmp_path}/members.db\n")
    assert len(read_configured(source, folder).frame) == 2
    monkeypatch.setenv("MEMBERS_URL", "sqlite:///nowhere.db")
    with pytest.raises(ContactSourceError, match="the database file is missing"):
        read_configured(source, folder)


def test_a_query_is_taken_as_it_is_written(members: Source, tmp_path: Path) -> None:
    """Colons and percent signs are no parameters."""
    query = "select email, ':x' || strftime('%Y', '2021-10-05') as name from members where email like '%@example.org'"
    table = read_configured(members.model_copy(update={"query": query}), tmp_path)
    assert table.frame["name"].tolist() == [":x2021", ":x2021"]


WRONG = [
    ({"query": "select phone from members"}, "the query is refused: no such column: phone"),
    ({"query": "select email from members where 1 = 0"}, "the query finds no rows"),
    ({"query": "select full_name from members"}, "no column holds mail addresses"),
    ({"query": "delete from members"}, "the query is refused: attempt to write a readonly database"),
    ({"query": "select 'anna@example.org' as email from nowhere"}, "no such table: nowhere"),
    ({"url": "sqlite:///gone.db"}, "the database file is missing"),
    ({"url": "nosuch://host/name"}, "this is not a database URL"),
    ({"url": "mysql+pymysql://host/name"}, "the driver for this database is not installed"),
    ({"url": "postgresql://nobody@127.0.0.1:1/name"}, "the database does not let us in"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG, ids=[reason for _, reason in WRONG])
def test_what_cannot_be_asked_ends_in_one_clear_error(
    members: Source, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    with pytest.raises(ContactSourceError, match=reason) as caught:
        read_configured(members.model_copy(update=change), tmp_path)
    assert caught.value.problem.where == "source “list”"
    with sqlite3.connect(tmp_path / "members.db") as database:
        assert database.execute("select count(*) from members").fetchone() == (3,)
    database.close()


def test_neither_password_nor_addresses_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMBERS_URL", "postgresql://reader:hunter2-secret@127.0.0.1:1/name?password=hunter2-secret")
    with pytest.raises(ContactSourceError) as caught:
        read_configured(query_source(url="env:MEMBERS_URL", query=QUERY), tmp_path)
    assert "hunter2" not in str(caught.value)
    sqlite_file(tmp_path / "members.db", PEOPLE)
    source = query_source(url="sqlite:///members.db", query='select "x anna@example.org" from members where \'a')
    with pytest.raises(ContactSourceError) as caught:
        read_configured(source, tmp_path)
    assert "anna@example.org" not in str(caught.value)


def test_postgresql_is_read_in_a_stream_and_never_written_to(postgres_server: PostgresServer, tmp_path: Path) -> None:
    with postgres_server.fresh_database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(
                text("create table members (email text, joined date, fee numeric, topics text[], lead bool)")
            )
            connection.execute(
                text(
                    "insert into members select 'p' || n || '@example.org', date '2021-10-05', 7.50, "
                    "array['newsletter', 'calls'], true from generate_series(1, 12000) n"
                )
            )
        asks = query_source(
            url=url,
            query="select email, joined as id, topics, fee::text as name, lead as status "
            "from members where email like '%1@%'",
        )
        table = read_configured(asks, tmp_path)
        assert len(table.frame) == 1200
        assert table.frame.iloc[0].to_dict() == {
            "email": "p1@example.org",
            "id": "2021-10-05",
            "topics": "newsletter; calls",
            "name": "7.50",
            "status": "TRUE",
        }
        for query in (
            "delete from members returning email",
            "with gone as (delete from members returning email) select * from gone",
        ):
            with pytest.raises(ContactSourceError, match="the query is refused"):
                read_configured(query_source(url=url, query=query), tmp_path)
        late = "select email, 1 / (12000 - cast(substring(email from '[0-9]+') as int)) as id from members"
        with pytest.raises(ContactSourceError, match="the query cannot be answered: division by zero"):
            read_configured(query_source(url=url, query=late), tmp_path)
        with engine.begin() as connection:
            assert connection.execute(text("select count(*) from members")).scalar_one() == 12000
        engine.dispose()


def test_a_source_that_fails_leaves_the_stored_list_alone(run: Run, tmp_path: Path) -> None:
    """`contacts pull` ends with 1, and names the source."""
    assert run("init", "project").code == 0
    folder = tmp_path / "project" / "contacts"
    config = folder / "contacts.toml"
    assert run("--project", "project", "contacts", "pull").code == 0
    config.write_text(
        '[[source]]\nname = "members"\nurl = "env:NO_SUCH_URL"\nquery = "select 1"\n'
        '[segment.members]\nstatus = "member"\n'
    )
    result = run("--project", "project", "contacts", "pull")
    assert result.code == 1
    assert "source “members”: the environment variable NO_SUCH_URL is not set" in result.text


VALUES = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.integers(-(2**62), 2**62),
    st.dates().map(date.isoformat),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(people=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=8))
def test_what_a_database_holds_is_read_back(tmp_path: Path, people: list[Sequence[object]]) -> None:
    path = tmp_path / "members.db"
    path.unlink(missing_ok=True)
    sqlite_file(
        path, [["email", "name", "id"], *[[f"p{number}@example.org", *row] for number, row in enumerate(people)]]
    )
    table = read_configured(query_source(url=f"sqlite:///{path}", query="select * from members"), tmp_path)
    assert table.frame[["name", "id"]].to_numpy().tolist() == [
        ["" if value is None else str(value).strip(" ") for value in row] for row in people
    ]
