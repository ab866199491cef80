"""Pictures in the ledger, on both databases: bytes as they were, each once, whoever approves at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.store import Store
from mlgroup_mail.store.pictures import Picture, add_pictures, find_picture, picture_contents
from mlgroup_mail.store.upgrade import require_current
from tests.factories import make_store

RED = Picture(digest="a" * 64, media_type="image/png", content=bytes(range(256)) * 3000)
BLUE = Picture(digest="b" * 64, media_type="image/gif", content=b"\0")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    url = request.getfixturevalue("postgres_url") if request.param == "PostgreSQL" else None
    with closing(make_store(tmp_path / "state", url)) as made:
        require_current(made)
        yield made


def add(store: Store, *pictures: Picture) -> None:
    with store.writing() as connection:
        add_pictures(connection, pictures)


def test_a_picture_comes_out_as_it_went_in(store: Store) -> None:
    add(store, RED, BLUE)
    with store.reading() as connection:
        assert find_picture(connection, RED.digest) == RED
        assert picture_contents(connection, [RED.digest, BLUE.digest]) == {
            RED.digest: RED.content,
            BLUE.digest: BLUE.content,
        }


def test_what_is_not_there_is_told(store: Store) -> None:
    add(store)
    with store.reading() as connection:
        assert find_picture(connection, RED.digest) is None
        assert picture_contents(connection, [RED.digest]) == {}
        assert picture_contents(connection, []) == {}


def test_a_picture_that_is_shown_again_is_kept_once(store: Store) -> None:
    add(store, RED)
    add(store, RED, BLUE)
    with store.reading() as connection:
        assert set(picture_contents(connection, [RED.digest, BLUE.digest])) == {RED.digest, BLUE.digest}


def test_two_approvals_at_once_may_show_the_same_picture(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(add, store, RED, BLUE) for _ in range(8)]:
            done.result(timeout=60)
    with store.reading() as connection:
        assert len(picture_contents(connection, [RED.digest, BLUE.digest])) == 2


def test_an_approval_that_fails_leaves_no_picture_behind(store: Store) -> None:
    def fall() -> None:
        with store.writing() as connection:
            add_pictures(connection, [RED])
            raise LookupError

    with pytest.raises(LookupError):
        fall()
    with store.reading() as connection:
        assert find_picture(connection, RED.digest) is None
