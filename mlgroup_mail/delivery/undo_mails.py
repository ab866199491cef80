"""The one mail to each of those whose opt-out a mail gateway may have clicked: was it you? Else take it back here."""

from dataclasses import dataclass

from mlgroup_mail.consent.bursts import LOOKED_BACK, flag_bursts
from mlgroup_mail.content.compiling.courtesy import compile_courtesy, rehearse_courtesy
from mlgroup_mail.content.frozen import FrozenSource
from mlgroup_mail.delivery.courtesies import CourtesyMail, finish, may_be_written_to
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.waiting_courtesies import Sent, send_waiting
from mlgroup_mail.model import ALL_TOPICS, CourtesyKind, KeptBack
from mlgroup_mail.model.message import MergeValues, Sender
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Connection
from mlgroup_mail.store.bursts import MAILS, Unasked, next_unasked
from mlgroup_mail.store.mailings import source_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Bursts:
    """What came of looking for bursts: opt-outs that are newly flagged, and how many were asked about theirs."""

    flagged: int
    asked: int


def look_for_bursts(parts: Sending, project: Project) -> Bursts:
    """Flag what a gateway may have clicked, and ask each of its readers once, by mail. Safe to repeat.

    Raises TransportError where the mail server as a whole does not take mail: they are asked the next time, within a
    day. An attempt is durable before its first byte leaves: who may have been asked is not asked again.
    """
    flagged = flag_bursts(parts.store, now=parts.clock.now())
    return Bursts(flagged=flagged, asked=UndoMails(project).send(parts).accepted)


class UndoMails:
    """The mails to those who are flagged."""

    mails = MAILS

    def __init__(self, project: Project) -> None:
        """Their templates are the project's; all else is as in the mailing after which it happened."""
        self._project = project

    def rehearse(self, sender: Sender) -> None:
        """Make it for nobody; raises CampaignError where a template of it cannot be used."""
        values = {"link": f"mailto:{sender.address}", "topic": ""}
        rehearse_courtesy(self._project, CourtesyKind.UNDO, sender=sender, values=values)

    def send(self, parts: Sending) -> Sent:
        """Send what is due. Raises TransportError as `look_for_bursts` does."""
        return send_waiting(parts, self)

    def next(self, connection: Connection, parts: Sending, *, lock: int = 0) -> Unasked | None:
        """Who is next."""
        now = parts.clock.now()
        return next_unasked(connection, since=now - LOOKED_BACK, now=now, lock=lock)

    def row(self, due: Unasked) -> int:
        """The number of their signal."""
        return due.signal_id

    def hindrance(self, connection: Connection, parts: Sending, due: Unasked) -> KeptBack | None:  # noqa: ARG002
        """Only the environment: whoever has said more than the gateway is not `next`."""
        return None if may_be_written_to(parts, due.address) else KeptBack.NOT_ALLOWED

    def make(self, parts: Sending, due: Unasked) -> CourtesyMail:
        """The mail, with a link to their page."""
        with parts.store.reading() as connection:
            source = FrozenSource.from_json(source_of(connection, due.mailing_id))
        links = parts.links(due.topic)
        token = links.token(due.contact_id, due.mailing_id)
        link = links.https(token) or links.mailto(token)
        topic = "" if due.topic == ALL_TOPICS else self._project.topic_title(due.topic)
        courtesy = compile_courtesy(
            self._project,
            CourtesyKind.UNDO,
            language=due.language or source.language,
            sender=source.sender,
            values={"link": link, "topic": topic},
        )
        return finish(
            parts,
            courtesy,
            MergeValues(address=due.address, opt_out=link, opt_out_all=link, opt_out_mail=links.mailto(token)),
            kind=CourtesyKind.UNDO,
            sender=source.sender,
            list_id=f"{CourtesyKind.UNDO}.{self._project.group.list_id}",
            folder="opt-outs",
        )

    def note(self, connection: Connection, due: Unasked, mail: CourtesyMail) -> None:
        """Nothing: their link is the one of every mail."""
