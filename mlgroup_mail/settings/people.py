"""What can be done about people: their list, their opt-outs, moving, forgetting. Each job is one method."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlgroup_mail.consent.bursts import LOOKED_BACK
from mlgroup_mail.consent.erasing import ErasedPeople
from mlgroup_mail.consent.files import Import, ImportedFile, import_file, import_waiting
from mlgroup_mail.delivery import forgetting, tidying
from mlgroup_mail.delivery.stopping import Stop
from mlgroup_mail.delivery.storing import PullResult, store_list
from mlgroup_mail.errors import ConfigurationError, UsageError
from mlgroup_mail.progress import Progress, silent
from mlgroup_mail.settings.parts import Parts, vocabulary
from mlgroup_mail.store.bursts import next_unasked
from mlgroup_mail.store.join_requests import next_due
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

    def would_forget(self, who: str) -> forgetting.WouldForget:
        """Whom `erase_person` means, masked; forgets nothing."""
        return forgetting.would_forget(self.store, who, key=self.erasure_key)

    def overdue(self) -> tidying.Tidied:
        """What `[retention]` says is kept no longer, counted; forgets nothing."""
        return tidying.count_overdue(self.store, self.outbox, self.project.file.retention.limits(self.clock.now()))

    def tidy(self, *, by: str, stop: Stop | None = None) -> tidying.Tidied:
        """Forget what `[retention]` says is kept no longer, in small steps; `stop` is asked between them."""
        now = self.clock.now()
        limits = self.project.file.retention.limits(now)
        return tidying.tidy(self.store, self.outbox, limits, by=by, now=now, stop=stop or Stop())

    def import_opt_outs(self) -> list[ImportedFile]:
        """Import the files that wait in `contacts/opt-outs/`, each once; those that are refused are told among them."""
        return import_waiting(self.store, self.project.contacts / "opt-outs", self._import(), now=self.clock.now())

    def import_opt_out_file(self, path: Path, *, everybody: bool = False) -> ImportedFile:
        """Import one file, once. `everybody` in it is out, though it looks like a list of contacts."""
        return import_file(self.store, path, self._import(everybody=everybody), now=self.clock.now())

    def _import(self, *, everybody: bool = False) -> Import:
        from mlgroup_mail.contacts.stating import list_columns

        return Import(
            topics=self.project.topics,
            erasure_key=self.erasure_key,
            columns=list_columns,
            sources=self._list_files(),
            everybody=everybody,
        )

    def _list_files(self) -> dict[str, Path]:
        """The files that contacts are pulled from, by their sources' names."""
        try:
            sources = self.contacts.source
        except ConfigurationError:
            # A `contacts.toml` that cannot be read keeps no opt-out back.
            return {}
        places = {source.name: source.place(self.project.contacts) for source in sources if source.path}
        return {name: place for name, place in places.items() if isinstance(place, Path)}

    def keep_provider_lists(self) -> "Pulled":
        """Read SendGrid's suppression lists, and write to them, as far as the settings say so.

        Raises UsageError where they say neither, TransportError where SendGrid does not answer as it should.
        """
        if not self.keeps_provider_lists:
            raise UsageError(
                "SendGrid's suppression lists are neither read nor written to here",
                where="MLGROUP_SENDGRID_PULL",
                mend="Set it to true to have them read; docs/sendgrid-lists.md says what the key needs.",
            )
        self.register_roads()
        return self.provider_lists.keep(reads=self.settings.sendgrid_pull, writes=self.settings.sendgrid_push)

    def look_for_bursts(self) -> "Bursts":
        """Flag opt-outs that a mail gateway may have clicked, and ask each of their readers once, by mail.

        Raises TransportError where the mail server as a whole does not take mail.
        """
        from mlgroup_mail.delivery.undo_mails import look_for_bursts

        return look_for_bursts(self.sending(), self.project)

    def send_courtesies(self, *, stop: Stop | None = None) -> int:
        """Send what waits of mails to single people; returns how many were accepted.

        Raises TransportError where the mail server as a whole does not take mail, ConfigurationError where settings
        lack what such a mail needs.
        """
        now, sent = self.clock.now(), 0
        with self.store.reading() as connection:
            somebody_left = next_unasked(connection, since=now - LOOKED_BACK, now=now) is not None
            somebody_joins = next_due(connection, now=now) is not None
        if somebody_left:
            from mlgroup_mail.delivery.undo_mails import UndoMails

            sent += UndoMails(self.project).send(self.sending(stop)).accepted
        if somebody_joins and self.join_terms:
            sent += self.join_mails(self.join_terms).send(self.sending(stop)).accepted
        return sent

    def take_off_provider_lists(self) -> "Pulled":
        """Take those off SendGrid's lists whose opt-out was lifted. Raises TransportError."""
        return self.provider_lists.take_off()
