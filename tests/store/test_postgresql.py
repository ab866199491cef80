"""The ledger on a real PostgreSQL: the whole way, two processes at once, and the order of consent and claims."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import DBAPIError, InternalError

from mlgroup_mail.consent.applying import apply_signal
from mlgroup_mail.consent.restrictions import restrictions
from mlgroup_mail.consent.tokens import OptOutTokens
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery import ordering
from mlgroup_mail.delivery.reconciling import Evidence, Reconciled, reconcile
from mlgroup_mail.delivery.settling import settle
from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import (
    ALL_TOPICS,
    DeliveryStep,
    EventKind,
    MailingStep,
    Outcome,
    OutcomeKind,
    Road,
    Signal,
    SignalKind,
)
from mlgroup_mail.store import Store, schema, transactions, verification, verification_order
from mlgroup_mail.store.claims import Claims, Window
from mlgroup_mail.store.contact_sync import sync_contacts
from mlgroup_mail.store.mailings import lock_mailing
from mlgroup_mail.store.owners import begin_owner, give_up_dead
from mlgroup_mail.store.plans import batches_of
from mlgroup_mail.store.transitions import move_deliveries_of, move_mailing
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import ISSUE, SECRET_KEY, command, newsletter_readers, sample_project
from tests.cli.conftest import Run
from tests.factories import NOON, REF, add_contacts, make_contact, make_store, planned_mailing, reread
from tests.repeatable import REPEATABLE
from tests.store import test_ledger_machine

SENDER = "news@example.org"


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
            move_deliveries_of(connection, DeliveryStep.CANCEL, mailing_id, now=NOON, reason="cancelled")
        assert claimed.result(30) == []


def test_processes_that_find_it_finished_at_the_same_moment_agree(store: Store) -> None:
    together = threading.Barrier(4)

    def finish(_: int) -> str:
        together.wait(30)
        return settle(store, REF, now=NOON).state

    with store.writing() as connection:
        move_deliveries_of(connection, DeliveryStep.EXCLUDE, reread(store).mailing_id, now=NOON, reason="opted_out")
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


def test_evidence_does_not_wait_for_who_has_locked_its_mailing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who settles a mailing has its deliveries first: whoever wants both in the other order locks everybody up."""
    claim(store, 1)
    mailing = reread(store)
    monkeypatch.setattr(FrozenSource, "from_json", lambda _: SimpleNamespace(sender=SimpleNamespace(address=SENDER)))
    cited = f"<1.{mailing.token}@{SENDER.partition('@')[2]}>"
    evidence = Evidence(kind=EventKind.ANSWERED, source=Road.MAILBOX, at=NOON, message_id=cited)
    with ThreadPoolExecutor(1) as pool, store.writing() as connection:
        lock_mailing(connection, mailing.mailing_id)
        told = pool.submit(
            reconcile, store, evidence, tokens=OptOutTokens([SECRET_KEY], topics=["newsletter"]), now=NOON
        )
        assert told.result(20) is Reconciled.NOTED


def test_late_answers_and_giving_up_who_is_late_take_the_attempts_in_one_order(store: Store) -> None:
    owner = begin_owner(store, now=NOON)
    claims = Claims(store, owner, transport="outbox", restrictions=restrictions)
    with owner.lock_file, store.reading() as connection:
        (batch,) = batches_of(connection, reread(store))
    window = claims.next(batch, 6, record=[], now=lambda: NOON)
    assert isinstance(window, Window)
    attempts = [each.attempt_id for each in window.deliveries]
    with store.writing() as connection:  # The first three lie behind the others now.
        connection.execute(
            schema.attempt.update().where(schema.attempt.c.id.in_(attempts[:3])).values(detail="moved within the file")
        )
        for way in ("indexscan", "bitmapscan"):
            connection.execute(text(f"ALTER DATABASE {store.engine.url.database} SET enable_{way} = off"))
    store.close()
    late = [Outcome(attempt_id=each, kind=OutcomeKind.ACCEPTED) for each in reversed(attempts)]
    with ThreadPoolExecutor(2) as pool:
        with store.writing() as connection:
            connection.execute(select(schema.attempt.c.id).where(schema.attempt.c.id == attempts[4]).with_for_update())
            given_up = pool.submit(give_up_dead, store, now=NOON)
            wait_until_blocked(store, given_up)
            recorded = pool.submit(claims.record, late, now=NOON)
            wait_until_blocked(store, recorded, waiting=2)
        assert given_up.result(30) == 6
        recorded.result(30)
    with store.reading() as connection:
        assert list(verification.unexplained(connection)) == []
        states = connection.execute(select(schema.delivery.c.state).where(schema.delivery.c.attempts > 0))
        assert set(states.scalars()) == {"accepted"}, "late answers end the doubt"


def test_verify_accuses_nobody_of_what_is_claimed_while_it_reads(store: Store) -> None:
    claimed: list[int] = []

    def claim_in_between(_: object, __: object, statement: str, *___: object) -> None:
        if "max(attempt.number)" in statement and not claimed:
            with ThreadPoolExecutor(1) as pool:
                claimed.extend(pool.submit(claim, store, 3).result(30))

    event.listen(store.engine, "before_cursor_execute", claim_in_between)
    # Not a reader's: such a one does not see what comes in between, whatever is read first.
    with store.engine.connect() as connection:
        assert list(verification_order.numbers_out_of_order(connection)) == []
    assert claimed == [1, 2, 3]


def test_a_host_that_falls_asleep_within_a_claim_keeps_nobody_from_opting_out(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "IDLE_SECONDS", 1)
    with closing(make_store(tmp_path, postgres_url)) as store, ThreadPoolExecutor(1) as pool:
        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            claim_and_sleep_until(store, lambda: pool.submit(decide, store))
        with store.claiming() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1, "awake again, it goes on"


def test_writers_may_not_say_nothing_for_long_and_readers_may(store: Store) -> None:
    for opened in (store.writing, store.claiming, store.deciding):
        with opened() as connection:
            assert may_be_silent(connection) == "30s"
    with store.reading() as connection:
        assert may_be_silent(connection) == "0"
    with store.preparing() as connection:
        with connection.begin():
            assert may_be_silent(connection) == "0"
        with store.deciding(on=connection):
            assert may_be_silent(connection) == "30s"
    with store.writing() as connection:
        assert may_be_silent(connection) == "30s", "a reader's leave is its own"
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"


def test_a_reader_sees_one_state_and_changes_nothing(store: Store) -> None:
    people = select(func.count()).select_from(schema.contact)
    with store.reading() as connection:
        before = connection.execute(people).scalar_one()
        add_contacts(store, [make_contact(number) for number in range(21, 30)])
        assert connection.execute(people).scalar_one() == before
        with pytest.raises(InternalError, match="read-only"):
            connection.execute(schema.contact.delete())
    with store.reading() as connection:
        assert connection.execute(people).scalar_one() == before + 9


def test_what_the_address_of_the_database_says_about_waiting_counts(store: Store, tmp_path: Path) -> None:
    assert told(store) == ("30", "10")
    url = store.engine.url.update_query_dict({"keepalives_idle": "77"}).render_as_string(hide_password=False)
    with closing(Store(url, state=tmp_path)) as other:
        assert told(other) == ("77", "10")


def told(store: Store) -> tuple[str, str]:
    """What the driver was told: seconds until it asks whether the server lives, and until it gives up connecting."""
    with store.reading() as connection:
        parameters = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    return parameters["keepalives_idle"], parameters["connect_timeout"]


def claim_and_sleep_until(store: Store, begin: "Callable[[], Future[Any]]") -> None:
    """Open a claim's transaction, and do nothing in it before what was begun meanwhile is done."""
    with store.claiming():
        work = begin()
        wait_until_blocked(store, work)
        assert work.result(30)


def decide(store: Store) -> bool:
    with store.deciding():
        return True


def may_be_silent(connection: Connection) -> str:
    return str(connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one())


def test_no_sequence_breaks_the_ledger_on_postgresql_either(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state machine of the SQLite ledger, on a database whose tables are emptied for each run."""
    monkeypatch.setattr(test_ledger_machine, "make_store", lambda folder: emptied(folder, postgres_url))
    few = settings(
        max_examples=8,
        stateful_step_count=30,
        deadline=None,
        derandomize=REPEATABLE,
        suppress_health_check=list(HealthCheck),
    )
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
        window = claims.next(batch, size, record=[], now=lambda: NOON)
        return [each.contact_id for each in window.deliveries] if window else []


def wait_until_blocked(store: Store, work: "Future[Any]", *, waiting: int = 1) -> None:
    """Wait until PostgreSQL itself says that so many wait for a lock."""
    blocked = text("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
    for _ in range(3000):
        assert not work.done(), "it did not wait"
        with store.engine.connect() as connection:
            if connection.execute(blocked).scalar_one() >= waiting:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")
