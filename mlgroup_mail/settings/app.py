"""The one place where the parts are wired, for the command line and the flows alike. Each job is one method."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mlgroup_mail.clock import Clock, FixedClock, SystemClock
from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.contacts.segments import Segment, segment_for
from mlgroup_mail.content.campaigns.campaign import AudienceRule, read_campaign
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery import (
    approving,
    checking,
    going_live,
    ledger_file,
    ledger_witness,
    ordering,
    planning,
    sending,
    settling,
    testing,
    wall_clock,
)
from mlgroup_mail.delivery.announcements import Announcements
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.errors import ConfigurationError, MailError, MailingSetUpError, UsageError
from mlgroup_mail.model import DeliveryStep, MailingRef, MailingState, Outcome
from mlgroup_mail.preflight.findings import Finding
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.settings.environment import TransportName, read_settings
from mlgroup_mail.settings.parts import make_store
from mlgroup_mail.settings.people import PeopleJobs
from mlgroup_mail.settings.project import read_project
from mlgroup_mail.store.answering import telling_no_answer
from mlgroup_mail.store.mailings import MailingRow, mailings_not_over
from mlgroup_mail.store.upgrade import make_if_new, require_current, upgrade


@dataclass(frozen=True, kw_only=True, slots=True)
class DispatchResult:
    """The mailings that had their turn, and what kept others from theirs.

    `courtesies` is how many mails outside mailings were accepted.
    """

    refs: tuple[MailingRef, ...]
    hindered: tuple[MailError | ConfigurationError, ...]
    courtesies: int = 0


@dataclass(frozen=True, kw_only=True)
class App(PeopleJobs):
    """What can be done with a project: each job of the command line and the flows is one method."""

    def check(self, campaign: str, mailing: str | None = None) -> tuple[Finding, ...]:
        """What the preflight rules find; writes nothing."""
        return self._checked(campaign, mailing).findings

    def _checked(self, campaign: str, mailing: str | None) -> checking.Checked:
        return checking.check_campaign(
            self.files,
            self.store,
            campaign,
            mailing,
            allowed_domains=self.allowed_domains,
            clock=self.clock.now(),
        )

    def frozen(self, ref: MailingRef) -> FrozenSource:
        """The mailing as its files have it now; raises CampaignError."""
        campaign = read_campaign(self.project, ref.campaign)
        announced = Announcements(self.store).besides(ref)
        return approving.freeze_now(self.files, self.store, campaign, ref.mailing, announced)

    def send_test(self, ref: MailingRef, address: str) -> Outcome:
        """Send one message to the team, marked as a test."""
        source = self.frozen(ref)
        return testing.send_test(self.sending(), source, address, pictures=self.files.pictures(source))

    def segment(self, rule: AudienceRule, *, where: str = "") -> Segment:
        """The segment that a campaign's `audience` means."""
        return segment_for(self.contacts, rule, where=where)

    def approve(self, ref: MailingRef, *, by: str) -> tuple[Finding, ...]:
        """Check a mailing and approve exactly what was checked; where a finding blocks, nothing is approved."""
        self.require_keys()
        checked = self._checked(ref.campaign, ref.mailing)
        if not any(finding.blocks for finding in checked.findings):
            source, now = checked.sources[ref.mailing], self.clock.now()
            approving.approve(self.store, ref, source, pictures=self.files.pictures(source), by=by, now=now)
        return checked.findings

    def require_approved(self, ref: MailingRef) -> MailingRow:
        """The mailing's row; raises NotApprovedError where it is not approved, or has changed since."""
        return approving.require_approved(self.files, self.store, ref)

    def plan(self, ref: MailingRef, *, progress: Progress = silent) -> MailingRow:
        """Freeze the audience of an approved mailing and make its batches; does nothing where that is done."""
        self.require_keys()
        mailing = self.require_approved(ref)
        if mailing.state in {MailingState.APPROVED, MailingState.PLANNING}:
            source = approving.approved_source(mailing)
            planning.plan(
                self.store,
                mailing,
                segment=self.segment(source.audience, where=str(ref)),
                allowed_domains=self.allowed_domains,
                batch_size=self.settings.batch_size,
                spacing=timedelta(minutes=self.settings.batch_spacing),
                now=self.clock.now(),
                erased=lambda connection: ErasedPeople(connection, self.erasure_key).know,
                progress=progress,
            )
        return planning.reread(self.store, mailing)

    def require_sound(self) -> None:
        """Raise ConfigurationError where no live mail may go: place, another or an older ledger, clock, roads."""
        self.register_roads()
        going_live.require_sound(
            self.project.root, self.store, clock=self.clock, leaves=self.leaves, keys=self.key_fingerprints
        )

    def why_not_live(self) -> str:
        """What would refuse every live command now, in words; empty where nothing does. Writes nothing."""
        return going_live.why_not_live(
            self.project.root, self.store, clock=self.clock, leaves=self.leaves, keys=self.key_fingerprints
        )

    def send(
        self, refs: Sequence[MailingRef], *, progress: sending.Progress = sending.silent, stop: Stop | None = None
    ) -> tuple[MailingSetUpError, ...]:
        """Send what is due of these planned mailings, for real: into the outbox, or to the mail server.

        Where `stop` is asked the open window is finished and nothing more is begun. Returns what kept single mailings
        from going.
        """
        self.require_sound()
        ledger_file.require_this_ledger(self.project.root, self.store)
        return sending.send_due(self.sending(stop), refs, progress=progress)

    def dispatch(
        self,
        *,
        plan_progress: Progress = silent,
        progress: sending.Progress = sending.silent,
        stop: Stop | None = None,
    ) -> DispatchResult:
        """Plan what is approved and due, and send what is due of everything: first what waits for single people.

        What hinders these, or a single mailing, is in the result: the others have their turn all the same. Raises
        TransportError where the mail server as a whole does not take a mailing.
        """
        self.require_sound()
        now, stop = self.clock.now(), stop or Stop()
        with self.store.reading() as connection:
            rows = mailings_not_over(connection)
        for row in rows:
            if row.state is MailingState.CANCELLED or row.state_at(now) is MailingState.EXPIRED:
                self.settle(row.ref)
        ready: list[MailingRef] = []
        hindered: list[MailError | ConfigurationError] = []
        courtesies = 0
        try:
            courtesies = self.send_courtesies(stop=stop)
        except (MailError, ConfigurationError) as error:
            hindered.append(error)
        for row in rows:
            if row.send_at <= now and row.state_at(now) in _TO_DISPATCH and not stop.asked:
                try:
                    self.plan(row.ref, progress=plan_progress)
                    ready.append(row.ref)
                except (MailError, UsageError) as error:
                    hindered.append(error)
        if ready and not stop.asked:
            hindered += self.send(ready, progress=progress, stop=stop)
        else:
            # Opt-outs come in between mailings: what is noted is as new as the last dispatch, not the last mailing.
            ledger_witness.note_age(self.project.root, self.store)
        return DispatchResult(refs=tuple(ready), hindered=tuple(hindered), courtesies=courtesies)

    def trust_clock(self, *, reason: str, by: str) -> int:
        """The machine's clock is right now; returns how many deliveries need wait no longer."""
        return wall_clock.trust_clock(self.store, reason=reason, by=by, now=self.clock.now())

    def ledger_warning(self) -> str:
        """What to tell whoever looks at a ledger that is not the project's own; empty where all is well."""
        return ledger_file.warning(self.project.root, self.store)

    def settle(self, ref: MailingRef) -> None:
        """Expire what is too late and finish what has nothing open; sends nothing.

        Raises ClockError where the clock cannot be right: nothing expires by such a one.
        """
        if self.leaves:
            wall_clock.require_sound_clock(self.store, now=self.clock.now())
        settling.settle(self.store, ref, now=self.clock.now())

    def extend(self, mailing: MailingRow, *, reason: str, by: str) -> None:
        """Give a mailing past its `stop_at` 48 hours from now, by a person's order."""
        ordering.extend(self.store, mailing, reason=reason, by=by, now=self.clock.now())

    def pause(self, ref: MailingRef, *, reason: str, by: str) -> None:
        """Stop a mailing within one window."""
        ordering.pause(self.store, ref, reason=reason, by=by, now=self.clock.now())

    def resume(self, ref: MailingRef, *, reason: str, by: str) -> None:
        """Let a paused or held mailing go on."""
        ordering.resume(self.store, ref, reason=reason, by=by, now=self.clock.now())

    def cancel(self, ref: MailingRef, *, reason: str, by: str) -> int:
        """End a mailing; returns how many deliveries were still to go."""
        return ordering.cancel(self.store, ref, reason=reason, by=by, now=self.clock.now())

    def resolve(
        self,
        ref: MailingRef,
        step: DeliveryStep,
        *,
        address: str | None,
        contact_id: int | None,
        reason: str,
        by: str,
    ) -> int:
        """Settle uncertain deliveries by a person's decision, all or those of one recipient; returns how many."""
        return ordering.resolve(
            self.store,
            ref,
            step,
            address=address,
            contact_id=contact_id,
            reason=reason,
            by=by,
            now=self.clock.now(),
        )


_TO_DISPATCH = frozenset({MailingState.APPROVED, MailingState.PLANNING, MailingState.PLANNED, MailingState.SENDING})


@contextmanager
def open_app(root: Path, *, clock: Clock | None = None) -> Iterator[App]:
    """The project at `root`, ready for use; an embedded database that is new is made here.

    `clock` overrides the machine's and `MLGROUP_NOW`. Raises UsageError where there is no project,
    ConfigurationError where settings or project files are wrong, or the database does not answer, or not any more;
    LedgerError where it needs an upgrade.
    """
    app = _wire(root, clock)
    try:
        make_if_new(app.store, now=app.clock.now())
        require_current(app.store)
        with telling_no_answer(app.store):
            yield app
    finally:
        app.store.close()


def upgrade_database(root: Path) -> bool:
    """Bring the project's database to this version's tables; returns whether anything was to do."""
    app = _wire(root, None)
    try:
        return upgrade(app.store, now=app.clock.now())
    finally:
        app.store.close()


def _wire(root: Path, clock: Clock | None) -> App:
    project = read_project(root.resolve())
    settings = read_settings(project.root, project.file.settings)
    now = clock or (FixedClock(settings.now) if settings.now else SystemClock())
    if isinstance(now, FixedClock) and settings.transport is not TransportName.OUTBOX:
        raise ConfigurationError(
            "a fixed clock goes with the outbox only",
            where="MLGROUP_NOW",
            mend="Unset it, or set MLGROUP_TRANSPORT=outbox.",
        )
    return App(project=project, settings=settings, store=make_store(project, settings), clock=now)
