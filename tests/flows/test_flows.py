"""The flows, run as Prefect runs them: what they do, what they show, and what they never tell."""

import asyncio
import sqlite3
from typing import Any
from uuid import UUID

import pytest

from mlgroup_mail.errors import ContactSourceError, UsageError
from mlgroup_mail.testing.sendgrid import fake_sendgrid
from mlgroup_mail.testing.sendgrid.suppressions import SuppressionList
from tests.flows.projects import (
    APPROVER,
    CALL,
    DUE,
    LATER,
    NEWSLETTER,
    OPTED_OUT,
    PEOPLE,
    REJECTED,
    SmallProject,
)

pytestmark = [
    # One Prefect server a run, whatever the number of processes that tests run in.
    pytest.mark.xdist_group("prefect"),
    # See the fixture `project`.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

EVERYBODY = sorted(address for address, _ in PEOPLE)


def run_newsletter(**parameters: Any) -> Any:
    from flows.newsletter import newsletter

    return asyncio.run(newsletter(**{"now": DUE, "return_state": True} | parameters))


def run_call(**parameters: Any) -> Any:
    from flows.call_for_proposals import call_for_proposals

    return asyncio.run(call_for_proposals(**{"now": LATER, "return_state": True} | parameters))


def run_dispatch(**parameters: Any) -> Any:
    from flows.dispatch import dispatch

    return asyncio.run(dispatch(**{"now": DUE, "return_state": True} | parameters))


def run_opt_outs() -> Any:
    from flows.opt_outs import opt_outs

    return asyncio.run(opt_outs(now=DUE, return_state=True))


def run_provider_lists() -> Any:
    from flows.provider_lists import provider_lists

    return asyncio.run(provider_lists(now=DUE, return_state=True))


def run_retention(**parameters: Any) -> Any:
    from flows.retention import retention

    return asyncio.run(retention(**{"return_state": True} | parameters))


def result(state: Any) -> Any:
    return asyncio.run(state.aresult())


def asked(question: Any) -> Any:
    """Ask Prefect's API: `question(client)` is awaited."""

    async def ask() -> Any:
        from prefect import get_client

        async with get_client() as client:
            return await question(client)

    return asyncio.run(ask())


def artifacts_of(state: Any) -> dict[str, str]:
    """The artifacts of a flow run: key -> what it shows."""
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    run_id: UUID = state.state_details.flow_run_id
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
    return {
        each.key: f"{each.description}\n{each.data}"
        for each in asked(lambda api: api.read_artifacts(artifact_filter=wanted))
    }


def test_an_unapproved_newsletter_is_shown_with_its_audience_and_waits(project: SmallProject) -> None:
    state = run_newsletter(campaign=NEWSLETTER.campaign)

    assert (state.type, state.name) == ("COMPLETED", "Waiting for approval")
    assert f"mlgroup-mail approve {NEWSLETTER}" in state.message
    assert result(state).items() >= {"errors": 0, "recipients": 4, "accepted": 0, "excluded": 1}.items()
    shown = artifacts_of(state)["audience-2021-11-news-issue"]
    assert "| will get it | 4 |" in shown
    assert "| left out: opted out of all mail | 1 |" in shown
    assert not project.mails()


def test_a_run_shows_which_rows_of_the_list_were_rejected_and_why(project: SmallProject) -> None:
    shown = artifacts_of(run_newsletter(campaign=NEWSLETTER.campaign))["contact-list"]

    assert "| contacts | 5 |" in shown
    assert "| members | 7 | Email | there is no @ in the address |" in shown


def test_dispatch_leaves_alone_what_nobody_has_approved(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)

    state = run_dispatch()

    assert (state.type, state.message) == ("COMPLETED", "Nothing is due.")
    assert not project.mails()


def test_an_approved_newsletter_goes_out_once_however_often_the_flows_run(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)

    planned = run_newsletter(campaign=NEWSLETTER.campaign)
    assert (planned.type, planned.name) == ("COMPLETED", "Planned")
    for _ in range(2):
        state = run_dispatch()
        assert project.addresses() == EVERYBODY
    assert state.message == "Nothing is due."
    again = run_newsletter(campaign=NEWSLETTER.campaign)
    assert (again.name, result(again)["accepted"]) == ("Finished", 4)


def test_dispatch_tells_what_became_of_each_mailing(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)

    state = run_dispatch()

    counts = result(state)[str(NEWSLETTER)]
    assert {name: number for name, number in counts.items() if number} == {"accepted": 4, "excluded": 1}
    assert state.message == f"{NEWSLETTER} finished: 4 accepted, 1 excluded"
    shown = artifacts_of(state)
    assert f"| {NEWSLETTER} | finished | 5 |" in shown["dispatch"]
    assert shown["dispatch-progress"].startswith("Deliveries with an outcome: 4 of 4, ")
    assert shown["dispatch-progress"].endswith("100")


def test_dispatch_links_to_a_report_of_what_it_sent(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)

    state = run_dispatch()

    name = f"{NEWSLETTER.campaign}-{NEWSLETTER.mailing}.html"
    file = project.root / "var" / "reports" / name
    told = artifacts_of(state)[f"report-{NEWSLETTER.campaign}-{NEWSLETTER.mailing}"]
    assert f"[Report of {NEWSLETTER}]({file.as_uri()})" in told
    assert f"var/reports/{name} in the project's directory, or: mlgroup-mail report {NEWSLETTER}" in told
    assert "written to the outbox" in file.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_fails_no_dispatch(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)
    (project.root / "var" / "reports").write_text("in the way", encoding="utf-8")

    state = run_dispatch()

    assert state.type == "COMPLETED"
    assert "could not be written" in artifacts_of(state)[f"report-{NEWSLETTER.campaign}-{NEWSLETTER.mailing}"]


def test_a_run_that_has_nothing_to_send_writes_no_report(project: SmallProject) -> None:
    run_dispatch()
    assert not (project.root / "var" / "reports").exists()


def test_two_dispatches_at_once_send_nobody_anything_twice(project: SmallProject) -> None:
    from flows.dispatch import dispatch

    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)

    async def both() -> None:
        await asyncio.gather(dispatch(now=DUE), dispatch(now=DUE))

    asyncio.run(both())

    assert project.addresses() == EVERYBODY


def test_a_dispatch_that_is_not_live_shows_what_is_due_and_sends_nothing(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)

    state = run_dispatch(live=False)

    assert (state.name, list(result(state))) == ("Dry run", [str(NEWSLETTER)])
    assert not project.mails()


def test_what_is_approved_waits_for_its_time(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(CALL)

    assert run_dispatch().message == "Nothing is due."
    assert run_call(campaign=CALL.campaign, mailing=CALL.mailing).name == "Planned"
    run_dispatch(now=LATER)

    assert project.addresses() == EVERYBODY


def test_a_text_changed_after_its_approval_is_not_sent(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)
    project.edit(NEWSLETTER, "there is news", "there is other news")

    state = run_newsletter(campaign=NEWSLETTER.campaign)
    sent = run_dispatch()

    assert state.name == "Waiting for approval"
    assert "changed since its approval" in artifacts_of(state)["audience-2021-11-news-issue"]
    assert not project.mails()
    # The run fails, so that whoever looks sees that something due does not go.
    assert sent.type == "FAILED"
    assert "has changed since its approval" in sent.message


def test_what_hinders_one_mailing_does_not_keep_the_others(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.edit(CALL, f"{LATER:%Y-%m-%d}", f"{DUE:%Y-%m-%d}")
    project.approve(NEWSLETTER)
    project.approve(CALL)
    project.edit(CALL, "there is news", "there is other news")

    state = run_dispatch()

    assert project.addresses() == EVERYBODY
    assert f"| {NEWSLETTER} | finished | 5 |" in artifacts_of(state)["dispatch"]
    assert (state.type, f"{CALL} has changed" in state.message) == ("FAILED", True)


def test_errors_in_a_campaign_stop_its_preparation_and_are_shown(project: SmallProject) -> None:
    project.edit(NEWSLETTER, "there is news", "there is news from {{ nobody.knows }}")

    state = run_newsletter(campaign=NEWSLETTER.campaign)

    assert state.type == "FAILED"
    assert ": 1 error to mend" in state.message
    assert "error" in artifacts_of(state)["check-2021-11-news-issue"]


def test_without_a_campaign_the_next_newsletter_is_prepared(project: SmallProject) -> None:
    state = run_newsletter()

    assert str(NEWSLETTER) in state.message
    run = asked(lambda api: api.read_flow_run(state.state_details.flow_run_id))
    assert run.name == "next newsletter"


def test_without_a_newsletter_to_come_there_is_nothing_to_prepare(project: SmallProject) -> None:
    state = run_newsletter(now=LATER)

    assert (state.type, state.message) == ("COMPLETED", "No newsletter is to come: mlgroup-mail new newsletter ID")


def test_opt_outs_that_come_between_plan_and_dispatch_count(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.write_opt_outs("november.csv", EVERYBODY[0])

    state = run_opt_outs()
    run_dispatch()

    assert result(state) == {
        **{"files": 1, "known_files": 1, "new_opt_outs": 1, "rejected_rows": 0, "passed_over": 0, "refused_files": 0},
        **{"bursts_flagged": 0, "readers_asked": 0},
    }
    assert project.addresses() == EVERYBODY[1:]


def test_an_opt_outs_file_that_is_refused_is_told_and_the_others_count(project: SmallProject) -> None:
    project.write_opt_outs("b.csv", EVERYBODY[0])
    folder = project.root / "contacts" / "opt-outs"
    (folder / "a.csv").write_text("nothing to see\n", encoding="utf-8")
    (folder / "c.csv").write_text(f"email,unsubscribed\n{EVERYBODY[1]},no\n{EVERYBODY[2]},yes\n", encoding="utf-8")

    found = result(run_opt_outs())

    assert (found["new_opt_outs"], found["refused_files"], found["passed_over"]) == (3, 1, 1), "with the sample file's"


def test_a_file_of_opt_outs_is_imported_once(project: SmallProject) -> None:
    first, second = run_opt_outs(), run_opt_outs()

    assert (result(first)["files"], result(first)["new_opt_outs"]) == (1, 1)
    assert (result(second)["files"], result(second)["new_opt_outs"]) == (0, 0)
    assert "| october.csv | 1 | 0 |" in artifacts_of(first)["opt-outs"]
    assert not artifacts_of(second)


def test_sendgrids_lists_are_left_alone_until_somebody_switches_them_on(project: SmallProject) -> None:
    state = run_provider_lists()
    assert (state.type, artifacts_of(state)) == ("COMPLETED", {})
    assert "MLGROUP_SENDGRID_PULL" in state.message


def test_sendgrids_lists_are_read_and_the_run_shows_numbers_only(
    project: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_sendgrid() as fake:
        monkeypatch.setenv("MLGROUP_SENDGRID_PULL", "true")
        monkeypatch.setenv("MLGROUP_SENDGRID_URL", fake.url)
        monkeypatch.setenv("MLGROUP_SENDGRID_API_KEY", fake.key)
        fake.account.suppressions.add(SuppressionList.SPAM, EVERYBODY[0], created=DUE.timestamp() - 60)
        first, second = run_provider_lists(), run_provider_lists()
        fake.account.scopes.remove("suppression.read")
        third = run_provider_lists()
    assert (result(first)["opt_outs"], result(second)["opt_outs"]) == (1, 0)
    assert "| opt outs | 1 |" in artifacts_of(first)["provider-lists"]
    assert EVERYBODY[0] not in artifacts_of(first)["provider-lists"]
    assert not artifacts_of(second), "nothing new, nothing to show"
    assert third.type == "FAILED"
    assert "Suppressions" in third.message


def test_a_list_that_cannot_be_read_fails_the_run_and_keeps_the_stored_one(project: SmallProject) -> None:
    run_newsletter(campaign=NEWSLETTER.campaign)
    (project.root / "contacts" / "members.csv").unlink()

    state = run_newsletter(campaign=NEWSLETTER.campaign)

    assert state.type == "FAILED"
    with pytest.raises(ContactSourceError):
        result(state)
    project.approve(NEWSLETTER)
    run_dispatch()
    assert project.addresses() == EVERYBODY


def test_a_campaign_that_does_not_exist_is_told_by_name(project: SmallProject) -> None:
    state = run_call(campaign="2023-call", mailing="invitation")

    assert state.type == "FAILED"
    with pytest.raises(UsageError, match="2023-call"):
        result(state)


def test_prefect_is_never_told_who_anybody_is(project: SmallProject) -> None:
    """No address, no name, of a member, an opt-out, a rejected row or the approver: not in runs, artifacts or logs."""
    run_newsletter(campaign=NEWSLETTER.campaign)
    project.approve(NEWSLETTER)
    project.edit(NEWSLETTER, "there is news", "there is other news")
    run_newsletter(campaign=NEWSLETTER.campaign)
    run_dispatch()
    project.approve(NEWSLETTER)
    project.write_opt_outs(f"{OPTED_OUT[0]}.csv", "nobody at all", EVERYBODY[0])
    run_opt_outs()
    run_dispatch()
    assert project.addresses() == EVERYBODY[1:]

    told = " ".join(asked(_everything)).casefold()
    assert str(NEWSLETTER) in told
    people = (*PEOPLE, OPTED_OUT, REJECTED)
    secrets = [each for address, name in people for each in (address, name, name.split()[1])] + [APPROVER]
    assert [each for each in secrets if each.casefold() in told] == []


def test_an_unforeseen_error_tells_prefect_where_it_happened_and_not_to_whom(project: SmallProject) -> None:
    """A database quotes the values it was given: here a constraint that nobody has thought of."""
    project.pull()
    with sqlite3.connect(project.root / "var" / "mlgroup.db") as database:
        database.execute("CREATE TRIGGER oops BEFORE INSERT ON contact_address BEGIN SELECT RAISE(ABORT, 'oops'); END")
    database.close()
    with (project.root / "contacts" / "members.csv").open("a", encoding="utf-8") as file:
        file.write("gudrun.aasen@bureau.example,Gudrun Aasen\n")

    state = run_newsletter(campaign=NEWSLETTER.campaign)

    assert state.type == "FAILED"
    assert "IntegrityError" in state.message
    assert "contact_sync.py, line" in state.message
    told = " ".join(asked(_everything)).casefold()
    assert "gudrun" not in told
    assert "aasen" not in told


async def _everything(client: Any) -> list[str]:
    """All that Prefect keeps: runs, states, artifacts, logs."""
    # Logs are sent in the background, every two seconds at most.
    await asyncio.sleep(2.5)
    kept = [
        *await client.read_flow_runs(),
        *await client.read_task_runs(),
        *await client.read_artifacts(),
        *await client.read_logs(),
    ]
    return [each.model_dump_json() for each in kept]


def test_a_list_that_looks_wrong_is_not_stored_and_the_mailing_is_prepared_with_the_old_one(
    project: SmallProject,
) -> None:
    """The run fails so that somebody looks; waiting opt-outs count, and what was approved is planned."""
    project.pull()
    project.approve(NEWSLETTER)
    (project.root / "contacts" / "members.csv").write_text("Email,Name\nnew@office.example,New\n", encoding="utf-8")
    project.write_opt_outs("november.csv", EVERYBODY[0])

    state = run_newsletter(campaign=NEWSLETTER.campaign)

    assert state.type == "FAILED"
    assert "The list was not stored: 5 of 5 people" in state.message
    assert "contacts pull --accept-changes" in state.message
    assert "3 will get it" in state.message
    run_dispatch()
    assert project.addresses() == EVERYBODY[1:]


def test_no_flow_or_task_is_ever_retried_by_prefect() -> None:
    """The ledger is the retry queue: it alone knows what has been handed over."""
    from prefect import Flow, Task

    from flows import call_for_proposals, contact_list, dispatch, newsletter, opt_outs, preparing, retention

    modules = (call_for_proposals, contact_list, dispatch, newsletter, opt_outs, preparing, retention)
    found = [each for module in modules for each in vars(module).values() if isinstance(each, Flow | Task)]

    assert {each.name for each in found} >= {"dispatch", "send what is due", "newsletter", "opt-outs"}
    assert [each.name for each in found if each.retries] == []


def test_what_is_kept_for_too_long_is_counted_and_then_forgotten_once(project: SmallProject) -> None:
    run_opt_outs()
    much_later = DUE.replace(year=DUE.year + 10)

    dry, first, second = (run_retention(apply=apply, now=much_later) for apply in (False, True, True))

    assert dry.name == "Dry run"
    assert result(dry)["evidence"] > 0
    assert result(first) == result(dry)
    assert not any(result(second).values())
    assert second.message == "Nothing is kept for too long."
