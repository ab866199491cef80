"""The two mails of joining: the question whether somebody wants to, and the welcome once they have said so."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from mlgroup_mail.consent.joining import JoinTerms, gets_mail, may_be_asked
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.content.compiling.courtesy import compile_courtesy, rehearse_courtesy
from mlgroup_mail.delivery.courtesies import CourtesyMail, finish, may_be_written_to
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.delivery.waiting_courtesies import Sent, send_waiting
from mlgroup_mail.model import ALL_TOPICS, CourtesyKind, KeptBack
from mlgroup_mail.model.message import MergeValues, Sender
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Connection
from mlgroup_mail.store.contacts import find_addresses
from mlgroup_mail.store.join_requests import (
    LINK_LIVES,
    MAILS,
    JoinRequest,
    forget_requests,
    next_due,
    note_link,
)
from mlgroup_mail.store.readers import OF_THE_WELCOME

_IDLE = timedelta(hours=1)
"""So long at most until it is looked again whether something is due, or too old."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Joining:
    """Somebody who is asked, or welcomed, at this address; "" where it is not known any more."""

    request: JoinRequest
    address: str

    @property
    def kind(self) -> CourtesyKind:
        """Which of the two mails they get."""
        return CourtesyKind.CONFIRMATION if self.request.contact_id is None else CourtesyKind.WELCOME


class JoinMails:
    """The mails to those who join. Nothing of them depends on who asks for one, or when."""

    mails = MAILS

    def __init__(
        self,
        project: Project,
        terms: JoinTerms,
        *,
        sender: Sender,
        sending: Callable[[], Sending],
        public_url: str,
        preferences: OptOutTokens,
    ) -> None:
        """`sending` makes the transport and what goes with it; `preferences` makes the links of the page of topics."""
        self._project, self._terms, self._sender, self._sending = project, terms, sender, sending
        self._public_url, self._preferences = public_url.rstrip("/"), preferences

    def rehearse(self) -> None:
        """Make both mails for nobody; raises CampaignError where a template of theirs cannot be used."""
        values = self._shown(link=self._public_url, opt_out=self._public_url)
        for kind in (CourtesyKind.CONFIRMATION, CourtesyKind.WELCOME):
            rehearse_courtesy(self._project, kind, sender=self._sender, values=values)

    def send_due(self) -> float:
        """Send what is due; returns after how many seconds it is worth another look.

        Raises TransportError where the mail server as a whole does not take mail: all of it stays due.
        """
        parts = self._sending()
        wait = self.send(parts).wait
        if wait is not None:
            return wait.total_seconds()
        with parts.store.reading() as connection:
            first = MAILS.next_time(connection)
        return min(max(first - parts.clock.now(), timedelta()) if first else _IDLE, _IDLE).total_seconds()

    def send(self, parts: Sending) -> Sent:
        """Forget what is too old, and send what is due; raises TransportError as `send_due` does."""
        with parts.store.writing() as connection:
            forget_requests(connection, before=parts.clock.now() - LINK_LIVES)
        return send_waiting(parts, self)

    def next(self, connection: Connection, parts: Sending, *, lock: int = 0) -> Joining | None:
        """Who is next."""
        request = next_due(connection, now=parts.clock.now(), lock=lock)
        return Joining(request=request, address=_address(connection, request)) if request else None

    def row(self, due: Joining) -> int:
        """The number of their request."""
        return due.request.request_id

    def hindrance(self, connection: Connection, parts: Sending, due: Joining) -> KeptBack | None:
        """Why they are not written to: the page tells nobody, so that its answer is the same for everybody."""
        if not due.address:
            return KeptBack.NO_ADDRESS
        if not may_be_written_to(parts, due.address):
            return KeptBack.NOT_ALLOWED
        contact_id = due.request.contact_id
        if contact_id is None:
            wanted = may_be_asked(connection, due.address, self._terms)
        else:
            wanted = gets_mail(connection, contact_id, due.address, self._terms)
        return None if wanted else KeptBack.OPTED_OUT

    def make(self, parts: Sending, due: Joining) -> CourtesyMail:
        """The question, or the welcome."""
        values, secret = self._values(parts, due), ""
        if due.kind is CourtesyKind.CONFIRMATION:
            secret = base64.b32encode(secrets.token_bytes(20)).decode().lower()
            link = f"{self._public_url}/join/{secret}"
        else:
            link = self._topics_link(due.request)
        shown = self._shown(link=link, opt_out=values.opt_out)
        language = due.request.language
        return finish(
            parts,
            compile_courtesy(self._project, due.kind, language=language, sender=self._sender, values=shown),
            values,
            kind=due.kind,
            sender=self._sender,
            list_id=f"join.{self._project.group.list_id}",
            folder="joining",
            secret=secret,
        )

    def note(self, connection: Connection, due: Joining, mail: CourtesyMail) -> None:
        """What the link ends with."""
        if mail.secret:
            note_link(connection, due.request.request_id, mail.secret)

    def _values(self, parts: Sending, due: Joining) -> MergeValues:
        """Nothing of what somebody has filled in stands in the question: they may be somebody else."""
        mailbox, contact_id = self._project.group.opt_out_address, due.request.contact_id
        if contact_id is None:
            write = f"mailto:{quote(mailbox, safe='@')}?subject={quote('opt out')}"
            return MergeValues(address=due.address, opt_out=write, opt_out_all=write, opt_out_mail=write)
        links = parts.links(ALL_TOPICS)
        token = links.token(contact_id, OF_THE_WELCOME)
        return MergeValues(
            address=due.address,
            name=due.request.name,
            opt_out=links.https(token),
            opt_out_all=links.https(token),
            opt_out_mail=links.mailto(token),
            one_click=links.https(token) if links.one_click else "",
        )

    def _topics_link(self, request: JoinRequest) -> str:
        content = TokenContent(contact_id=request.contact_id or 0, mailing_id=OF_THE_WELCOME, topic=ALL_TOPICS)
        return f"{self._public_url}/preferences/{self._preferences.make(content)}"

    def _shown(self, *, link: str, opt_out: str) -> dict[str, object]:
        titles = [self._project.topic_title(topic) for topic in self._terms.joined]
        return {"link": link, "opt_out": opt_out, "topics": " · ".join(titles), "days": LINK_LIVES.days}


def _address(connection: Connection, request: JoinRequest) -> str:
    if request.contact_id is None:
        return request.address
    return find_addresses(connection, [request.contact_id]).get(request.contact_id, "")
