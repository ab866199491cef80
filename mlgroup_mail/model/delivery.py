"""One recipient of one mailing: the states it can be in, and the only steps between them.

The table `TRANSITIONS` is the one place where a step is allowed. `store.transitions` refuses every other; a property
test walks random sequences of steps, crashes and answers through it.
"""

from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    """What is known about one delivery."""

    PLANNED = "planned"
    """Waits for its batch's time; nothing has been tried, or a person ordered a resend."""
    ATTEMPTING = "attempting"
    """Claimed: its attempt is durable, its first byte may have left."""
    ACCEPTED = "accepted"
    """A mail server or the provider took it over. Not the same as delivered."""
    REFUSED = "refused"
    """Not accepted, for good: a permanent refusal, or deferred until it was too late."""
    DEFERRED = "deferred"
    """Surely not accepted this time; tried again later."""
    UNCERTAIN = "uncertain"
    """It may or may not have been accepted; never sent again by code."""
    EXCLUDED = "excluded"
    """In the audience's segment, but not written to; `reason` says why."""
    CANCELLED = "cancelled"
    """The mailing was cancelled before this one was accepted."""

    @property
    def open(self) -> bool:
        """Whether a mailing with such a delivery is not finished."""
        return self in _OPEN

    @property
    def claimable(self) -> bool:
        """Whether a claim may take it."""
        return self in _CLAIMABLE


_OPEN = frozenset({DeliveryState.PLANNED, DeliveryState.ATTEMPTING, DeliveryState.DEFERRED})
_CLAIMABLE = frozenset({DeliveryState.PLANNED, DeliveryState.DEFERRED})


class DeliveryStep(StrEnum):
    """What can happen to a delivery."""

    CLAIM = "claim"
    """An owner takes it into a window and writes the attempt."""
    EXCLUDE = "exclude"
    """A claim finds an opt-out or a hold."""
    ACCEPT = "accept"
    """The answer to the attempt: accepted."""
    REFUSE = "refuse"
    """The answer to the attempt: refused for good."""
    DEFER = "defer"
    """The answer to the attempt, or its own word that it never began: surely not accepted."""
    DOUBT = "doubt"
    """No answer, or the owner is gone."""
    LATE_ACCEPT = "late_accept"
    """The attempt's own answer, after its owner had been given up: accepted."""
    LATE_REFUSE = "late_refuse"
    """The attempt's own answer, as late: refused for good."""
    LATE_DEFER = "late_defer"
    """The attempt's own answer, as late: surely not accepted."""
    EVIDENCE = "evidence"
    """An event, a bounce or a reply shows that it had been accepted, by the try that was in doubt."""
    RESOLVE_ACCEPTED = "resolve_accepted"
    """A person decides that it was accepted."""
    RESOLVE_RESEND = "resolve_resend"
    """A person orders another try, knowing that it may be a second copy."""
    EXPIRE = "expire"
    """The mailing's `stop_at` passed while it was deferred."""
    CANCEL = "cancel"
    """The mailing was cancelled."""


_S, _D = DeliveryState, DeliveryStep

TRANSITIONS: dict[tuple[DeliveryState, DeliveryStep], DeliveryState] = {
    (_S.PLANNED, _D.CLAIM): _S.ATTEMPTING,
    (_S.PLANNED, _D.EXCLUDE): _S.EXCLUDED,
    (_S.PLANNED, _D.CANCEL): _S.CANCELLED,
    (_S.DEFERRED, _D.CLAIM): _S.ATTEMPTING,
    (_S.DEFERRED, _D.EXCLUDE): _S.EXCLUDED,
    (_S.DEFERRED, _D.CANCEL): _S.CANCELLED,
    (_S.DEFERRED, _D.EXPIRE): _S.REFUSED,
    (_S.ATTEMPTING, _D.ACCEPT): _S.ACCEPTED,
    (_S.ATTEMPTING, _D.REFUSE): _S.REFUSED,
    (_S.ATTEMPTING, _D.DEFER): _S.DEFERRED,
    (_S.ATTEMPTING, _D.DOUBT): _S.UNCERTAIN,
    (_S.UNCERTAIN, _D.LATE_ACCEPT): _S.ACCEPTED,
    (_S.UNCERTAIN, _D.LATE_REFUSE): _S.REFUSED,
    (_S.UNCERTAIN, _D.LATE_DEFER): _S.DEFERRED,
    (_S.UNCERTAIN, _D.EVIDENCE): _S.ACCEPTED,
    # A person ordered a second copy, none has been taken over, and it proves that the first one was.
    **{
        (state, step): _S.ACCEPTED
        for state in (_S.PLANNED, _S.DEFERRED, _S.REFUSED, _S.CANCELLED)
        for step in (_D.LATE_ACCEPT, _D.EVIDENCE)
    },
    (_S.UNCERTAIN, _D.RESOLVE_ACCEPTED): _S.ACCEPTED,
    (_S.UNCERTAIN, _D.RESOLVE_RESEND): _S.PLANNED,
}
"""(state, step) -> next state. What is missing is not allowed."""


def sources(step: DeliveryStep) -> tuple[DeliveryState, ...]:
    """The states in which `step` is allowed."""
    return tuple(state for state, allowed in TRANSITIONS if allowed is step)


def target(step: DeliveryStep) -> DeliveryState:
    """Where `step` leads; each step has one target, whatever it starts from."""
    (state,) = {after for (_, allowed), after in TRANSITIONS.items() if allowed is step}
    return state


class OutcomeKind(StrEnum):
    """What one attempt gave."""

    ACCEPTED = "accepted"
    """The server took the message over: it said so."""
    REFUSED = "refused"
    """The server refused this recipient or message for good."""
    DEFERRED = "deferred"
    """Surely not accepted; may be retried."""
    UNCERTAIN = "uncertain"
    """The message may have been taken over: no answer, or none that can be read."""

    @property
    def step(self) -> DeliveryStep:
        """The step of an answer that comes in time."""
        return _STEPS[self]

    @property
    def late_step(self) -> DeliveryStep | None:
        """The step of an answer that comes after the owner was given up; None where it changes nothing."""
        return _LATE_STEPS.get(self)


_STEPS = {
    OutcomeKind.ACCEPTED: DeliveryStep.ACCEPT,
    OutcomeKind.REFUSED: DeliveryStep.REFUSE,
    OutcomeKind.DEFERRED: DeliveryStep.DEFER,
    OutcomeKind.UNCERTAIN: DeliveryStep.DOUBT,
}
_LATE_STEPS = {
    OutcomeKind.ACCEPTED: DeliveryStep.LATE_ACCEPT,
    OutcomeKind.REFUSED: DeliveryStep.LATE_REFUSE,
    OutcomeKind.DEFERRED: DeliveryStep.LATE_DEFER,
}


class EventKind(StrEnum):
    """What was learned of a delivery after its attempt. Each shows that the message had been accepted."""

    PROCESSED = "processed"
    """The provider has it, whatever becomes of it. What people read and click is kept as this and no more."""
    DELIVERED = "delivered"
    """The receiving server took it over from the relay or provider."""
    DEFERRED = "deferred"
    """The receiving server has put it off; the relay or provider goes on trying."""
    BOUNCED = "bounced"
    """The receiving server gave it back."""
    DROPPED = "dropped"
    """The provider accepted it from us and then did not send it."""
    COMPLAINED = "complained"
    """Its reader marked it as spam."""
    ANSWERED = "answered"
    """Its reader replied, or used one of its links."""

    @property
    def weight(self) -> int:
        """Of several events, in whatever order they came, the heaviest one says what became of the delivery."""
        return _WEIGHTS.index(self)

    @property
    def unwelcome(self) -> bool:
        """Whether it says that an accepted message did not arrive, or was not wanted."""
        return self in (EventKind.DROPPED, EventKind.BOUNCED, EventKind.COMPLAINED)


_WEIGHTS = (
    EventKind.PROCESSED,
    EventKind.DEFERRED,
    EventKind.DELIVERED,
    EventKind.ANSWERED,
    EventKind.DROPPED,
    EventKind.BOUNCED,
    EventKind.COMPLAINED,
)


class Bounce(StrEnum):
    """What a bounce says about the mailbox."""

    HARD = "hard"
    """There is no such mailbox, domain or account: the address is suppressed."""
    SOFT = "soft"
    """It took nothing this time: it is full, or somebody's policy or filter is in the way."""


class Scope(StrEnum):
    """Whom an answer that is no acceptance is about, and so who has to wait besides."""

    RECIPIENT = "recipient"
    """This person, or the message to them: nobody else."""
    DOMAIN = "domain"
    """Where this person's mail goes: everybody at that domain would meet the same now."""
    SERVER = "server"
    """Us, the connection or the mail server: everybody would meet the same, and it says nothing about the person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one attempt gave, for the ledger.

    `attempt_id` is the ledger's number of the attempt. `detail` is a short text without addresses or names, as
    "250 2.0.0 Ok" or "not begun in time". `scope` is whom the answer is about. `retry_after` is the number of seconds
    to wait that the server named; None where it named none. `begun` is False for what is handed back: nothing of it has
    left, or it was refused for what is our affair alone. `half` (0 or 1) says in which half of its request it was,
    where that was refused as a whole: the halves are claimed apart, to find for whom. Both are deferred, and go again
    at once, or when the time is over that the server named.
    """

    attempt_id: int
    kind: OutcomeKind
    detail: str = ""
    retry_after: float | None = None
    scope: Scope = Scope.RECIPIENT
    begun: bool = True
    half: int | None = None

    def __post_init__(self) -> None:
        assert self.is_a_try or self.kind is OutcomeKind.DEFERRED, "what was no try of theirs is surely not accepted"

    @property
    def is_a_try(self) -> bool:
        """Whether it says something about this person; what does not goes again at once, and counts for nothing."""
        return self.begun and self.half is None
