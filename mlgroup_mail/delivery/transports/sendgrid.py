"""The `sendgrid` transport: a window's messages as one request to SendGrid's v3 interface."""

import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from mlgroup_mail.delivery.transports.base import NOT_BEGUN, MayBegin
from mlgroup_mail.delivery.transports.sendgrid_account import SendGridAccount
from mlgroup_mail.delivery.transports.sendgrid_answers import said, said_errors, wait_named
from mlgroup_mail.delivery.transports.sendgrid_client import Answer, NoAnswerError, SendGridClient
from mlgroup_mail.delivery.transports.sendgrid_meaning import NOT_NOW, Meaning, meaning_of
from mlgroup_mail.delivery.transports.sendgrid_request import MOST_PEOPLE, request_of
from mlgroup_mail.delivery.transports.sendgrid_template import RequestTemplate
from mlgroup_mail.errors import RefusedByServerError, TransportError
from mlgroup_mail.model import Message, Outcome, OutcomeKind, Scope
from mlgroup_mail.model.message import BuildTemplate

log = logging.getLogger(__name__)

MAIL_SEND = "/v3/mail/send"

_LEFT = "left for the next request"
_PATIENCE_WHEN_INTERRUPTED = 5.0
"""Seconds that the answer to a request is still waited for: it is one doubt less for everybody in it."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SendGridTransport:
    """Hands a window over in one request; who does not fit into it is handed back.

    A thread of its own waits for the answer, so that Ctrl-C interrupts the waiting and not the reading.
    """

    name = "sendgrid"
    one_variant = True
    build: BuildTemplate = RequestTemplate.build

    def __init__(self, account: SendGridAccount) -> None:
        self.window = MOST_PEOPLE
        self._account = account
        self._client = SendGridClient(account)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sendgrid")
        self._refusal: TransportError | None = None
        self._interrupted = False

    def open(self) -> None:
        """Connect unless a connection stands.

        Raises RefusedByServerError where the last answer was that it takes nothing from us, TransportError where it was
        too much and no time was named, and where there is no connection.
        """
        if refusal := self._refusal:
            self._refusal = None
            raise refusal
        self._client.open()

    def ready(self) -> bool:
        """Whether a connection stands."""
        return self._refusal is None and self._client.ready

    def send(
        self,
        messages: Sequence[Message],
        may_begin: MayBegin,
        *,
        more: bool = False,  # noqa: ARG002 (nothing stays in the air)
    ) -> Iterator[Outcome]:
        """Hand a window over; one outcome a message.

        Interrupted (Ctrl-C) it lets nothing more begin, waits for the answer for a moment, tells what came of it, and
        only then passes the interruption on.
        """
        if not messages:
            return
        request = request_of(messages, sandbox=self._account.sandbox)
        # Where only those are left who go alone, claiming more than one would be for nothing.
        self.window = 1 if request.finished else MOST_PEOPLE
        exchange = self._thread.submit(
            self._client.post, MAIL_SEND, request.body, lambda: not self._interrupted and may_begin()
        )
        try:
            yield from self._outcomes(exchange, request.messages, within=self._account.answer_timeout)
        except KeyboardInterrupt:
            self._interrupted = True
            yield from self._outcomes(exchange, request.messages, within=_PATIENCE_WHEN_INTERRUPTED)
            yield from _handed_back(request.left, _LEFT)
            raise
        yield from _handed_back(request.left, _LEFT)

    def close(self) -> None:
        """Hang up. Safe to call twice."""
        self._thread.shutdown()
        self._client.close()

    def _outcomes(
        self, exchange: "Future[Answer | None]", messages: Sequence[Message], *, within: float
    ) -> Iterable[Outcome]:
        """What came of a request; all of it is known at once, so nothing can come between."""
        try:
            answer = self._answer(exchange, within=within)
        except NoAnswerError as broken:
            log.info("attempts %d to %d: %s", messages[0].attempt_id, messages[-1].attempt_id, broken)
            return _all(messages, Meaning(kind=OutcomeKind.UNCERTAIN), str(broken))
        except TransportError as failure:
            return _handed_back(messages, failure.problem.message)
        if answer is None:
            return _handed_back(messages, NOT_BEGUN)
        return self._answered(messages, answer)

    def _answer(self, exchange: "Future[Answer | None]", *, within: float) -> Answer | None:
        try:
            return exchange.result(timeout=within)
        except TimeoutError:
            self._client.cut()
            return exchange.result()

    def _answered(self, messages: Sequence[Message], answer: Answer) -> list[Outcome]:
        errors = said_errors(answer.body)
        meaning = meaning_of(answer.status, errors, recipients=len(messages), sandbox=self._account.sandbox)
        if meaning.kind is OutcomeKind.ACCEPTED:
            return _all(messages, meaning, _receipt(answer))
        detail = said(answer.status, errors, key=self._account.key)
        log.info("attempts %d to %d: %s, %s", messages[0].attempt_id, messages[-1].attempt_id, meaning.kind, detail)
        if meaning.mend:
            self._refusal = RefusedByServerError(
                f"it takes nothing from this sender: {detail}", where=self._account.host, mend=meaning.mend
            )
            # Nobody has had their turn: it was not about them.
            return _handed_back(messages, detail)
        if answer.status not in NOT_NOW:
            return _all(messages, meaning, detail)
        wait = wait_named(answer.headers, now=time.time())
        if wait is None:
            # Whoever asks again at once is put off for longer: this process asks no more.
            self._refusal = TransportError(
                f"it takes no more for now: {detail}", where=self._account.host, mend="Try again later.", temporary=True
            )
        return _handed_back(messages, detail, retry_after=wait)


def _receipt(answer: Answer) -> str:
    """What a person can show SendGrid's support; events name messages by it."""
    number = answer.headers.get("x-message-id", "")
    return f"{answer.status} {number}" if _ID.fullmatch(number) else str(answer.status)


def _all(messages: Sequence[Message], meaning: Meaning, detail: str) -> list[Outcome]:
    middle = (len(messages) + 1) // 2
    return [
        Outcome(
            attempt_id=message.attempt_id,
            kind=meaning.kind,
            detail=detail,
            scope=meaning.scope,
            half=int(at >= middle) if meaning.halved else None,
        )
        for at, message in enumerate(messages)
    ]


def _handed_back(messages: Iterable[Message], why: str, *, retry_after: float | None = None) -> list[Outcome]:
    """Surely not accepted, and no try: nothing of them has left, or what was refused is not theirs."""
    return [
        Outcome(
            attempt_id=message.attempt_id,
            kind=OutcomeKind.DEFERRED,
            detail=why,
            scope=Scope.SERVER,
            begun=False,
            retry_after=retry_after,
        )
        for message in messages
    ]
