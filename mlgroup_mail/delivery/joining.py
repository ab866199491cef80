"""The two mails of joining: the question whether somebody wants to, and the welcome once they have said so."""

import base64
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from mlgroup_mail.consent.joining import JoinTerms, gets_mail, may_be_asked
from mlgroup_mail.consent.tokens import OptOutTokens, TokenContent
from mlgroup_mail.content.compiling.courtesy import Courtesy, compile_courtesy
from mlgroup_mail.delivery.courtesies import begin_within, hand_over, make_message, may_be_written_to
from mlgroup_mail.delivery.sending import Sending
from mlgroup_mail.model import ALL_TOPICS, Message, Outcome, OutcomeKind
from mlgroup_mail.model.message import MergeValues, Sender
from mlgroup_mail.settings.project import Project
from mlgroup_mail.store import Connection
from mlgroup_mail.store.contacts import find_addresses
from mlgroup_mail.store.join_requests import (
    CONFIRMATION,
    LINK_LIVES,
    JoinRequest,
    forget_requests,
    no_mail,
    note_try,
    take_next,
    try_again,
)
from mlgroup_mail.store.rates import Wait
from mlgroup_mail.store.readers import OF_THE_WELCOME

log = logging.getLogger(__name__)

WELCOME = "welcome"
_IDLE = timedelta(hours=1)
"""So long until it is looked again whether something is due, or too old."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    """A mail whose attempt is durable; `secret` is what its link ends with."""

    attempt_id: int
    token: str
    request: JoinRequest
    address: str
    secret: str


class JoinMails:
    """Sends what is due to those who join. Nothing of it depends on who asks for it, or when."""

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
        for kind in (CONFIRMATION, WELCOME):
            self._compiled(kind, "en", link=self._public_url, opt_out=self._public_url)

    def send_due(self) -> float:
        """Send what is due; returns after how many seconds it is worth another look.

        Raises TransportError where the mail server as a whole does not take mail: all of it stays due.
        """
        parts = self._sending()
        try:
            with parts.store.writing() as connection:
                forget_requests(connection, before=parts.clock.now() - LINK_LIVES)
            while not parts.stop.asked:
                begun = self._begin_next(parts)
                if isinstance(begun, Wait):
                    return begun.seconds
                if begun is None:
                    break
                self._send(parts, begun)
        finally:
            parts.transport.close()
        return _IDLE.total_seconds()

    def _begin_next(self, parts: Sending) -> _Begun | Wait | None:
        """Begin the next mail that may go; those that may not are due no more."""
        while True:
            with parts.store.reading() as connection:
                if take_next(connection, now=parts.clock.now(), lock=False) is None:
                    return None
            parts.transport.open()
            # No opt-out comes between the look and the attempt.
            with parts.store.claiming() as connection:
                request = take_next(connection, now=parts.clock.now())
                if request is None:
                    return None
                address = self._address(connection, request)
                if address and may_be_written_to(parts, address) and self._is_wanted(connection, request, address):
                    return self._begin(connection, parts, request, address)
                no_mail(connection, request.request_id)

    def _address(self, connection: Connection, request: JoinRequest) -> str:
        if request.contact_id is None:
            return request.address
        return find_addresses(connection, [request.contact_id]).get(request.contact_id, "")

    def _is_wanted(self, connection: Connection, request: JoinRequest, address: str) -> bool:
        if request.contact_id is None:
            return may_be_asked(connection, address, self._terms)
        return gets_mail(connection, request.contact_id, address, self._terms)

    def _begin(self, connection: Connection, parts: Sending, request: JoinRequest, address: str) -> _Begun | Wait:
        kind = CONFIRMATION if request.contact_id is None else WELCOME
        token = secrets.token_hex(8)
        attempt = begin_within(connection, parts, kind=kind, address=address, token=token)
        if isinstance(attempt, Wait):
            return attempt
        secret = base64.b32encode(secrets.token_bytes(20)).decode().lower() if kind == CONFIRMATION else ""
        note_try(connection, request.request_id, courtesy_id=attempt, token=secret)
        return _Begun(attempt_id=attempt, token=token, request=request, address=address, secret=secret)

    def _send(self, parts: Sending, begun: _Begun) -> None:
        def put_off(connection: Connection, outcome: Outcome) -> None:
            if outcome.kind is OutcomeKind.DEFERRED:
                try_again(connection, begun.request, now=parts.clock.now())

        outcome = hand_over(parts, self._message(parts, begun), also=put_off)
        log.info("courtesy %d: %s", begun.attempt_id, outcome.kind)

    def _message(self, parts: Sending, begun: _Begun) -> Message:
        kind = CONFIRMATION if begun.secret else WELCOME
        values = self._values(parts, begun)
        link = f"{self._public_url}/join/{begun.secret}" if begun.secret else self._topics_link(begun.request)
        courtesy = self._compiled(kind, begun.request.language, link=link, opt_out=values.opt_out)
        return make_message(
            parts,
            courtesy,
            values,
            attempt_id=begun.attempt_id,
            kind=kind,
            token=begun.token,
            campaign="joining",
            sender=self._sender,
            list_id=f"join.{self._project.group.list_id}",
        )

    def _values(self, parts: Sending, begun: _Begun) -> MergeValues:
        """Nothing of what somebody has filled in stands in the question: they may be somebody else."""
        mailbox = self._project.group.opt_out_address
        if begun.request.contact_id is None:
            write = f"mailto:{quote(mailbox, safe='@')}?subject={quote('opt out')}"
            return MergeValues(address=begun.address, opt_out=write, opt_out_all=write, opt_out_mail=write)
        links = parts.links(ALL_TOPICS)
        token = links.token(begun.request.contact_id, OF_THE_WELCOME)
        return MergeValues(
            address=begun.address,
            name=begun.request.name,
            opt_out=links.https(token),
            opt_out_all=links.https(token),
            opt_out_mail=links.mailto(token),
            one_click=links.https(token) if links.one_click else "",
        )

    def _topics_link(self, request: JoinRequest) -> str:
        content = TokenContent(contact_id=request.contact_id or 0, mailing_id=OF_THE_WELCOME, topic=ALL_TOPICS)
        return f"{self._public_url}/preferences/{self._preferences.make(content)}"

    def _compiled(self, kind: str, language: str, *, link: str, opt_out: str) -> Courtesy:
        titles = [self._project.topic_title(topic) for topic in self._terms.joined]
        values = {"link": link, "opt_out": opt_out, "topics": " · ".join(titles), "days": LINK_LIVES.days}
        return compile_courtesy(self._project, kind, language=language, sender=self._sender, values=values)
