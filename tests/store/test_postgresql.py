"""The ledger on a real PostgreSQL: the whole way, two processes at once, and the order of consent and claims."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import select, text

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.sending import settle
from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import ALL_TOPICS, DeliveryStep, MailingStep, Road, Signal, SignalKind
from mlgroup_mail.store import Store, schema, verification
from mlgroup_mail.store.claims import Claims
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.owners import begin_owner
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.transitions import move_all_deliveries, move_mailing
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import ISSUE, command, newsletter_readers, sample_project
from tests.cli.conftest import Run
from tests.factories import NOON, REF, add_contacts, make_contact, make_store, planned_mailing, reread
from tests.store import test_ledger_machine


@pytest.fixture
def store(tmp_path: Path, postgres_url: str) -> Iterator[Store]:
    """A ledger with a mailing to twenty people, due now."""
    with closing(make_store(tmp_path, postgres_url)) as made:
        planned_mailing(made, 20)
        yield made


def test_the_whole_way_with_two_sends_at_once(run: Run, use: Settings, tmp_path: Path, postgres_url: str) -> None:
    root = sample_project(tmp_path / "project")
    database = {"MLGROUP_DATABASE_URL": postgres_url.replace("postgresql+psycopg", "postgresql")}
    use(database | {"MLGROUP_PROJECT": str(root), "MLGROUP_BATCH_SIZE": "50"})
    assert run("contacts", "pull").code == 2, "a server's database is made on purpose"
    assert run("db", "upgrade").code == 0
    assert run("contacts", "pull").code == 0
    assert run("opt-out", "import", root / "contacts" / "opt-outs" / "sample-opt-outs.csv").code == 0
    assert run("approve", ISSUE, "--by", "the editor").code == 0
    send = ("send", ISSUE, "--live", "--late", "trial", "--json")
    with command(root, *send, settings=database) as first, command(root, *send, settings=database) as second:
        ended = [first.end(), second.end()]
    assert [(each.code, each.err) for each in ended] == [(0, ""), (0, "")]
    assert json.loads(ended[0].out)["state"] == "finished"
    written = [path.read_bytes() for path in (root / "var" / "outbox").rglob("*.eml")]
    to = Counter(line[4:].decode().lower() for mail in written for line in mail.splitlines() if line[:4] == b"To: ")
    assert len(written) == len(newsletter_readers(root)) == len(to)
    log = [json.loads(line) for line in run("log", ISSUE, "--json").out.splitlines()]
    assert {line["address"].lower() for line in log if line["state"] == "accepted"} == newsletter_readers(root)
    assert run("verify", "--json").json["violations"] == []
    with closing(Store(postgres_url, state=tmp_path)) as store, store.reading() as connection:
        assert len(connection.execute(select(schema.owner)).all()) == 2


def test_a_claim_waits_for_an_opt_out_that_is_being_written_and_sees_it(store: Store) -> None:
    with ThreadPoolExecutor(1) as pool:
        with store.deciding() as connection:
            claimed = pool.submit(claim, store, 20)
            wait_until_blocked(store, claimed)
            connection.execute(
                schema.signal.insert().values(
                    id=1, fingerprint="x", number=1, kind="opt_out", topic="*", road="page", at=NOON, recorded_at=NOON
                )
            )
            connection.execute(
                schema.suppression.insert().values(
                    number=1,
                    signal_id=1,
                    restriction="suppression",
                    kind="opt_out",
                    topic="*",
                    contact_id=3,
                    road="page",
                    at=NOON,
                )
            )
        assert set(claimed.result(30)) == set(range(1, 21)) - {3}


def test_an_opt_out_waits_for_a_claim_that_is_being_made_and_gets_a_later_number(store: Store) -> None:
    signal = Signal(kind=SignalKind.OPT_OUT, topic=ALL_TOPICS, road=Road.PAGE, at=NOON, contact_id=1)
    with ThreadPoolExecutor(2) as pool:
        with store.claiming():
            waiting = pool.submit(apply_signal, store, signal, now=NOON)
            wait_until_blocked(store, waiting)
        assert waiting.result(30).new
    with store.reading() as connection:
        assert list(verification.attempted_after_opt_out(connection)) == []


def test_claims_do_not_wait_for_each_other(store: Store) -> None:
    with ThreadPoolExecutor(1) as pool, store.claiming():
        assert len(pool.submit(claim, store, 5).result(30)) == 5


def test_deliveries_that_another_claim_has_taken_are_passed_over(store: Store) -> None:
    claim(store, 1)  # The first claim of all also moves the mailing.
    with ThreadPoolExecutor(1) as pool, store.claiming() as connection:
        held = select(schema.delivery.c.id).where(schema.delivery.c.id.in_([2, 3])).with_for_update()
        connection.execute(held)
        assert pool.submit(claim, store, 4).result(30) == [4, 5, 6, 7]


def test_orders_to_stop_and_claims_at_the_same_moment_do_not_lock_each_other_up(store: Store) -> None:
    """Whoever comes first: the order counts, and what was claimed before it is the only thing that goes."""
    together = threading.Barrier(4)

    def claim_at_once(number: int) -> int:
        together.wait(30)
        return len(claim(store, 3))

    def order(step: str) -> int:
        together.wait(30)
        try:
            getattr(ordering, step)(store, REF, reason="", by="the editor", now=NOON)
        except MailingStateError:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        taken = [pool.submit(claim_at_once, number) for number in range(2)]
        orders = [pool.submit(order, step) for step in ("pause", "cancel")]
        assert orders[1].result(60) == 1
        assert {each.result(60) for each in taken} <= {0, 3}
    assert reread(store).state == "cancelled"
    with store.reading() as connection:
        assert list(verification.lost(connection)) == []


def test_a_cancellation_and_the_first_claim_wait_for_each_other_in_one_order(store: Store) -> None:
    mailing_id = reread(store).mailing_id
    with ThreadPoolExecutor(1) as pool:
        with store.writing() as connection:
            move_mailing(connection, mailing_id, MailingStep.CANCEL, now=NOON)
            claimed = pool.submit(claim, store, 3)
            wait_until_blocked(store, claimed)
            move_all_deliveries(connection, DeliveryStep.CANCEL, mailing_id, now=NOON, reason="cancelled")
        assert claimed.result(30) == []


def test_processes_that_find_it_finished_at_the_same_moment_agree(store: Store) -> None:
    together = threading.Barrier(4)

    def finish(_: int) -> str:
        together.wait(30)
        return settle(store, REF, now=NOON).state

    with store.writing() as connection:
        move_all_deliveries(connection, DeliveryStep.EXCLUDE, reread(store).mailing_id, now=NOON, reason="opted_out")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(finish, range(4))) == {"finished"}


def test_two_pulls_at_the_same_moment_add_nobody_twice(store: Store) -> None:
    newcomers = [make_contact(number) for number in range(1, 26)]
    with ThreadPoolExecutor(1) as pool:
        with store.deciding() as connection:
            sync_contacts(connection, newcomers, sources=frozenset({"members"}), now=NOON)
            second = pool.submit(add_contacts, store, newcomers)
            wait_until_blocked(store, second)
        assert [each.contact_id for each in second.result(30)] == list(range(1, 26))


def test_a_commit_waits_for_the_disk_whatever_the_server_s_default_is(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text(f"ALTER DATABASE {store.engine.url.database} SET synchronous_commit = off"))
    store.close()
    with store.claiming() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"


def test_no_sequence_breaks_the_ledger_on_postgresql_either(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state machine of the SQLite ledger, on a database whose tables are emptied for each run."""
    monkeypatch.setattr(test_ledger_machine, "make_store", lambda folder: emptied(folder, postgres_url))
    few = settings(max_examples=8, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(test_ledger_machine.Ledger, settings=few)


def emptied(folder: Path, url: str) -> Store:
    store = make_store(folder, url)
    tables = ", ".join(name for name in schema.metadata.tables if name not in {"ledger", "counter"})
    with store.writing() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return store


def claim(store: Store, size: int) -> list[int]:
    """Claim one window as a process of its own would; returns whom."""
    owner = begin_owner(store, now=NOON)
    with owner.lock_file:
        claims = Claims(store, owner, transport="outbox", restrictions=restrictions)
        with store.reading() as connection:
            (batch,) = batches_of(connection, reread(store))
        window = claims.next(batch, size, record=[], now=NOON)
        return [each.contact_id for each in window.deliveries] if window else []


def wait_until_blocked(store: Store, work: "Future[object]") -> None:
    """Wait until PostgreSQL itself says that somebody waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(3000):
        assert not work.done(), "it did not wait"
        with store.engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
