"""What can be done about people: their list, their opt-outs, moving, forgetting. Each job is one method."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.consent.files import ImportedFile, import_waiting
from mlgroup_mail.delivery import forgetting, tidying
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.storing import PullResult, store_list
from mlgroup_mail.errors import UsageError
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.settings.parts import Parts, vocabulary
from mlgroup_mail.store.moving import Moved, keep_apart, move_person

if TYPE_CHECKING:
    # With it comes pandas: only what reads a list pays for that.
    from mlgroup_mail.contacts.cleaning.cleaned import Cleaned
    from mlgroup_mail.delivery.provider_lists import Pulled
    from mlgroup_mail.delivery.undo_mails import Bursts


@dataclass(frozen=True, kw_only=True)
class PeopleJobs(Parts):
    """The jobs about people, of the command line and the flows."""

    def clean_list(self, *, progress: Progress = silent) -> "Cleaned":
        """Read and clean the sources of the contact list; raises ContactSourceError where one cannot be used."""
        from mlgroup_mail.contacts.pulling import read_all

        words, now = vocabulary(self.project), self.clock.now()
        return read_all(self.contacts, self.project.contacts, words, at=now, progress=progress)

    def pull(self, *, accept_changes: bool = False, progress: Progress = silent) -> PullResult:
        """Read, clean and store the contact list; raises ContactSourceError, and then nothing is stored.

        Nor is anything where too much would change, unless `accept_changes`: the result has a `stop` then.
        """
        now, cleaned = self.clock.now(), self.clean_list(progress=progress)
        return store_list(
            self.store,
            cleaned,
            sources=[source.name for source in self.contacts.source],
            now=now,
            limits=self.contacts.pull,
            accept_changes=accept_changes,
            erasure_key=self.erasure_key,
            progress=progress,
        )

    def move_person(self, old: str, new: str, *, by: str, reason: str) -> Moved:
        """Give a person another address, or join two rows that are one person's; each by address or number."""
        with self.store.deciding() as connection:
            erased = ErasedPeople(connection, self.erasure_key)
            return move_person(connection, old, new, by=by, reason=reason, now=self.clock.now(), erased=erased.know)

    def keep_apart(self, old: str, new: str, *, by: str, reason: str) -> int:
        """A suspected move was none: the new person is held no longer. Returns their number."""
        with self.store.deciding() as connection:
            return keep_apart(connection, old, new, by=by, reason=reason, now=self.clock.now())

    def erase_person(self, who: str, *, by: str, reason: str) -> forgetting.ForgottenEverywhere:
        """Forget a person, by address or number, for good: in the ledger, and in the outbox."""
        now = self.clock.now()
        return forgetting.forget_person(
            self.store, self.outbox, who, key=self.erasure_key, by=by, reason=reason, now=now
        )

    def overdue(self) -> tidying.Tidied:
        """What `[retention]` says is kept no longer, counted; forgets nothing."""
        return tidying.count_overdue(self.store, self.outbox, self.project.file.retention.limits(self.clock.now()))

    def tidy(self, *, by: str, stop: Stop | None = None) -> tidying.Tidied:
        """Forget what `[retention]` says is kept no longer, in small steps; `stop` is asked between them."""
        now = self.clock.now()
        limits = self.project.file.retention.limits(now)
        return tidying.tidy(self.store, self.outbox, limits, by=by, now=now, stop=stop or Stop())

    def import_opt_outs(self) -> list[ImportedFile]:
        """Import the files that wait in `contacts/opt-outs/`, each once."""
        folder = self.project.contacts / "opt-outs"
        return import_waiting(
            self.store, folder, topics=self.project.topics, now=self.clock.now(), erasure_key=self.erasure_key
        )

    def keep_provider_lists(self) -> "Pulled":
        """Read SendGrid's suppression lists, and write to them, as far as the settings say so.

        Raises UsageError where they say neither, TransportError where SendGrid does not answer as it should.
        """
        from mlgroup_mail.delivery.provider_lists import Pulled

        if not self.keeps_provider_lists:
            raise UsageError(
                "SendGrid's suppression lists are neither read nor written to here",
                where="MLGROUP_SENDGRID_PULL",
                mend="Set it to true to have them read; docs/sendgrid-lists.md says what the key needs.",
            )
        self.register_roads()
        lists = self.provider_lists
        pulled, pushed = Pulled(), 0
        try:
            pulled = lists.pull() if self.settings.sendgrid_pull else pulled
            pushed = lists.push() if self.settings.sendgrid_push else pushed
        finally:
            # Last, because what was pushed may have been lifted meanwhile; and whatever became of the rest.
            taken_off = lists.take_off()
        return replace(pulled, pushed=pushed, taken_off=taken_off)

    def look_for_bursts(self) -> "Bursts":
        """Flag opt-outs that a mail gateway may have clicked, and ask each of their readers once, by mail.

        Raises TransportError where the mail server as a whole does not take mail.
        """
        from mlgroup_mail.delivery.undo_mails import look_for_bursts

        return look_for_bursts(self.sending(), self.project)

    def take_off_provider_lists(self) -> int:
        """Take those off SendGrid's lists whose opt-out was lifted; returns how many. Raises TransportError."""
        return self.provider_lists.take_off()
