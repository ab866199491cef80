"""Freezing an audience: in chunks that can be stopped between any two, by any number of processes, once."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, update

from mlgroup_mail.clock import FixedClock
from mlgroup_mail.delivery import planning
from mlgroup_mail.errors import MailingStateError
from mlgroup_mail.model import Contact, MailingRef, MailingState
from mlgroup_mail.settings.app import App, open_app
from mlgroup_mail.store import Connection, schema
from mlgroup_mail.store.contacts import contacts_after
from mlgroup_mail.store.mailings import MailingRow
from mlgroup_mail.store.plans import batches_of, begin_planning
from mlgroup_mail.store.transactions import rows
from tests.acceptance.conftest import Settings
from tests.acceptance.projects import LETTER, person, write_list
from tests.cli.conftest import Run
from tests.factories import NOON

REF = MailingRef.parse(LETTER)


@pytest.fixture
def app(run: Run, letter: Path) -> Iterator[App]:
    with open_app(letter, clock=FixedClock(NOON)) as opened:
        yield opened


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "CHUNK", 2)


def planned(app: App) -> Counter[int]:
    """How many deliveries each contact has."""
    with app.store.reading() as connection:
        return Counter(row["contact_id"] for row in rows(connection, select(schema.delivery)))


def variants(app: App) -> int:
    with app.store.reading() as connection:
        return len(rows(connection, select(schema.variant)))


def finished_plan(mailing: MailingRow) -> tuple[MailingState, int | None]:
    return mailing.state, mailing.audience


@pytest.mark.usefixtures("small_chunks")
def test_planning_that_was_stopped_goes_on_where_it_was(app: App) -> None:
    def stop_after_two(done: int, total: int) -> None:
        assert total == 6
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        app.plan(REF, progress=stop_after_two)
    assert len(planned(app)) == 4
    assert finished_plan(app.plan(REF)) == (MailingState.PLANNED, 6)
    assert planned(app) == Counter(range(1, 7))
    assert variants(app) == 1


@pytest.mark.usefixtures("small_chunks")
def test_who_joins_or_opts_out_between_two_chunks_is_counted_as_they_are_then(app: App, run: Run) -> None:
    def between(done: int, total: int) -> None:
        if done == 2:
            assert run("opt-out", "add", person(4)).code == 0

    mailing = app.plan(REF, progress=between)
    assert finished_plan(mailing) == (MailingState.PLANNED, 6)
    with app.store.reading() as connection:
        found = {row["contact_id"]: row["reason"] for row in rows(connection, select(schema.delivery)) if row["reason"]}
    assert found == {4: "opted_out"}


@pytest.mark.usefixtures("small_chunks")
def test_two_processes_that_plan_at_once_make_one_plan(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time both have read the same people before either writes."""
    together = Barrier(2)

    def read_at_once(connection: Connection, after: int, limit: int) -> list[Contact]:
        found = contacts_after(connection, after, limit)
        together.wait(30)
        return found

    def plan_too(_: int) -> tuple[MailingState, int | None]:
        with open_app(app.project.root, clock=FixedClock(NOON)) as other:
            return finished_plan(other.plan(REF))

    monkeypatch.setattr(planning, "contacts_after", read_at_once)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(plan_too, range(2))) == [(MailingState.PLANNED, 6)] * 2
    assert planned(app) == Counter(range(1, 7))
    assert variants(app) == 1


def test_planning_twice_changes_nothing(app: App) -> None:
    first = app.plan(REF)
    assert app.plan(REF) == first
    assert sum(planned(app).values()) == 6


@pytest.mark.usefixtures("small_chunks")
def test_batches_are_numbered_full_and_due_at_the_mailing_s_time(app: App, use: Settings) -> None:
    use({"MLGROUP_BATCH_SIZE": "4"})
    with open_app(app.project.root, clock=FixedClock(NOON)) as opened:
        mailing = opened.plan(REF)
    with app.store.reading() as connection:
        batches = batches_of(connection, mailing)
        sizes = Counter(row["batch_id"] for row in rows(connection, select(schema.delivery)))
    assert [(batch.number, sizes[batch.batch_id]) for batch in batches] == [(1, 4), (2, 2)]
    assert {batch.due_at for batch in batches} == {mailing.send_at}


def test_what_a_plan_says_stays_whatever_happens_to_the_list_afterwards(app: App, run: Run, letter: Path) -> None:
    app.plan(REF)
    write_list(letter, [(person(1), "Another Name", ""), (person(7), "New", "")])
    assert run("contacts", "pull", "--accept-changes").code == 0
    with app.store.reading() as connection:
        found = rows(connection, select(schema.delivery).order_by(schema.delivery.c.id))
    assert [row["contact_id"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert found[0]["fields"]["name"] == "Person Number1"


def test_an_audience_in_which_everybody_has_opted_out_is_finished_at_once(app: App, run: Run) -> None:
    for number in range(1, 7):
        assert run("opt-out", "add", person(number)).code == 0
    assert finished_plan(app.plan(REF)) == (MailingState.FINISHED, 6)
    assert run("verify").code == 0


@pytest.mark.usefixtures("small_chunks")
def test_a_mailbox_that_passes_on_between_two_chunks_gets_one_mail(app: App, run: Run) -> None:
    def pass_on(done: int, total: int) -> None:
        if done == 2:
            # The first person leaves, and a late colleague takes their mailbox over.
            with app.store.writing() as connection:
                connection.execute(
                    update(schema.contact)
                    .where(schema.contact.c.id == 6)
                    .values(address=person(1), address_key=person(1))
                )

    app.plan(REF, progress=pass_on)
    with app.store.reading() as connection:
        found = rows(
            connection, select(schema.delivery.c.contact_id, schema.delivery.c.state, schema.delivery.c.reason)
        )
    assert {row["contact_id"]: (row["state"], row["reason"]) for row in found if row["contact_id"] in (1, 6)} == {
        1: ("planned", ""),
        6: ("excluded", "duplicate"),
    }


def before_the_first_chunk(app: App, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen once, between what planning has read and the transaction in which it writes."""
    claiming = app.store.claiming

    def claim_later() -> AbstractContextManager[Connection]:
        monkeypatch.setattr(app.store, "claiming", claiming)
        act()
        return claiming()

    monkeypatch.setattr(app.store, "claiming", claim_later)


def test_whoever_s_opt_out_is_lifted_while_planning_reads_gets_the_text_in_their_own_language(
    app: App, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else reads French: it is compiled once it is needed, outside of the transaction."""
    (app.project.campaigns / "letter" / "campaign.fr.md").write_text(
        '+++\nsubject = "Nouvelles"\n+++\nBonjour {{ recipient.first_name | default("collègue") }}.', encoding="utf-8"
    )
    with app.store.writing() as connection:
        connection.execute(update(schema.contact).where(schema.contact.c.id == 3).values(language="fr"))
    assert run("opt-out", "add", person(3)).code == 0
    assert not any(finding.blocks for finding in app.approve(REF, by="the editor"))

    def lift() -> None:
        assert run("opt-out", "lift", person(3), "--reason", "asked to be back").code == 0

    before_the_first_chunk(app, monkeypatch, lift)
    assert finished_plan(app.plan(REF)) == (MailingState.PLANNED, 6)
    assert variants(app) == 2
    assert [json.loads(line)["language"] for line in run("log", LETTER, "--json").out.splitlines()].count("fr") == 1


def test_a_planner_that_fell_behind_writes_nothing_of_a_text_that_was_approved_before(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it compiles, another text is approved, and another process begins to plan that."""

    def approve_another() -> None:
        text = app.project.campaigns / "letter" / "campaign.md"
        text.write_text(text.read_text("utf-8").replace("there is news", "there is other news"), encoding="utf-8")
        with open_app(app.project.root, clock=FixedClock(NOON)) as other:
            other.approve(REF, by="the editor")
            with other.store.writing() as connection:
                begin_planning(connection, other.require_approved(REF), now=NOON)

    before_the_first_chunk(app, monkeypatch, approve_another)
    with pytest.raises(MailingStateError, match="approved anew meanwhile"):
        app.plan(REF)
    assert planned(app) == Counter()
    assert finished_plan(app.plan(REF)) == (MailingState.PLANNED, 6)
    with app.store.reading() as connection:
        (variant,) = rows(connection, select(schema.variant))
    assert "there is other news" in variant["compiled"]


def test_what_was_approved_anew_meanwhile_is_not_planned_from_the_old_text(app: App) -> None:
    mailing = app.require_approved(REF)
    text = app.project.campaigns / "letter" / "campaign.md"
    text.write_text(text.read_text(encoding="utf-8").replace("there is news", "there is other news"), encoding="utf-8")
    app.approve(REF, by="the editor")
    with pytest.raises(MailingStateError, match="approved anew meanwhile"):
        planning.plan(
            app.store,
            mailing,
            segment=app.segment("members"),
            allowed_domains=None,
            batch_size=10,
            now=NOON,
        )
    assert app.plan(REF).state is MailingState.PLANNED
