"""`ledger.toml`: one project, one ledger, whoever has a copy of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from mlgroup_mail.delivery.ledger_file import FILE, adopt_ledger, named_ledger, require_this_ledger
from mlgroup_mail.errors import ConfigurationError, LedgerError
from mlgroup_mail.store import Store
from tests.delivery.ledgers import journal
from tests.factories import NOON, make_store


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    with closing(make_store(tmp_path / "other")) as made:
        yield made


def test_the_first_live_send_names_the_ledger_and_later_ones_change_nothing(store: Store, tmp_path: Path) -> None:
    require_this_ledger(tmp_path, store)
    written = (tmp_path / FILE).read_text(encoding="utf-8")
    require_this_ledger(tmp_path, store)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == written
    assert "Commit this file" in written


def test_another_ledger_is_refused_until_a_person_takes_over_with_a_reason(
    store: Store, other: Store, tmp_path: Path
) -> None:
    require_this_ledger(tmp_path, store)
    before = named_ledger(tmp_path)
    with pytest.raises(LedgerError, match="MLGROUP_DATABASE_URL") as caught:
        require_this_ledger(tmp_path, other)
    assert "db adopt --reason" in str(caught.value)
    ours = adopt_ledger(tmp_path, other, reason="the disk broke", by="the editor", now=NOON)
    require_this_ledger(tmp_path, other)
    assert journal(other) == [("adopt", f"the disk broke (instead of {before})", "the editor")]
    assert named_ledger(tmp_path) == ours != before
    with pytest.raises(LedgerError):
        require_this_ledger(tmp_path, store)


def test_of_two_first_sends_at_once_from_two_ledgers_one_is_refused(store: Store, other: Store, tmp_path: Path) -> None:
    def passed(which: Store) -> bool:
        try:
            require_this_ledger(tmp_path, which)
        except LedgerError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(passed, (store, other))) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [FILE]


def test_two_first_sends_at_once_from_one_ledger_both_go(store: Store, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: require_this_ledger(tmp_path, store), range(40)))
    assert named_ledger(tmp_path)


def test_where_the_file_cannot_be_written_nothing_goes(store: Store, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"ledger\.toml: this file cannot be written"):
        require_this_ledger(tmp_path / "nowhere", store)


@pytest.mark.parametrize(
    ("content", "words"),
    [("ledger = ", "not valid TOML"), ('leger = "x"', "Known keys|Did you mean|missing"), ("ledger = 3", "ledger")],
)
def test_a_broken_file_stops_live_mail_and_is_named(store: Store, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words) as caught:
        require_this_ledger(tmp_path, store)
    assert FILE in str(caught.value)
